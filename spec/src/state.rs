//! State tables: what happens for every input in every state.

use std::collections::{BTreeMap, VecDeque};

use crate::{CellOutcome, Rule};

/// A state machine in which every (state × input) is defined exactly once.
#[derive(Debug)]
pub struct StateTable {
    /// The source's file name without `.toml`: `relationship`.
    pub name: &'static str,
    /// The title, for people.
    pub title: &'static str,
    /// What the machine describes.
    pub about: &'static str,
    /// The source, from the root of the repository.
    pub file: &'static str,
    /// The states. The machine starts in the first.
    pub states: &'static [State],
    /// The inputs.
    pub inputs: &'static [Input],
    pub(crate) cells: &'static [Cell],
}

/// A state of a [`StateTable`].
#[derive(Debug)]
pub struct State {
    /// Its id, such as `friends`.
    pub id: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// An input of a [`StateTable`].
#[derive(Debug)]
pub struct Input {
    /// Its id, such as `mail.accept`.
    pub id: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// What happens for one input in one state.
#[derive(Debug)]
pub struct Cell {
    /// The id of the state the machine is in.
    pub state: &'static str,
    /// The id of the input that arrives.
    pub input: &'static str,
    /// The id of the state the machine is in afterwards; it may be the same.
    pub to: &'static str,
    /// What becomes of the input.
    pub outcome: CellOutcome,
    /// The message kinds that leave, in order.
    pub sends: &'static [&'static str],
    /// The requirement that says so.
    pub requirement: Option<Rule>,
    /// An explanation for people.
    pub note: Option<&'static str>,
    /// The line of the transition in the table's file, from 1.
    pub line: u32,
}

impl StateTable {
    /// Every cell: state by state, input by input, in the order of declaration.
    pub fn cells(&self) -> &'static [Cell] {
        self.cells
    }

    /// The cell for an input in a state, or `None` where either is unknown.
    pub fn cell(&self, state: &str, input: &str) -> Option<&'static Cell> {
        self.cells
            .iter()
            .find(|cell| cell.state == state && cell.input == input)
    }

    /// The fewest inputs that lead from the first state to `state`, or `None`
    /// where the state is unknown or cannot be reached. Of equally short paths
    /// it is always the same one.
    pub fn shortest_path(&self, state: &str) -> Option<Vec<&'static str>> {
        let first = self.states.first()?.id;
        let mut reached: BTreeMap<&str, Option<&'static Cell>> = BTreeMap::from([(first, None)]);
        let mut queue = VecDeque::from([first]);
        while let Some(here) = queue.pop_front() {
            if here == state {
                break;
            }
            for cell in self.cells.iter().filter(|cell| cell.state == here) {
                if !reached.contains_key(cell.to) {
                    reached.insert(cell.to, Some(cell));
                    queue.push_back(cell.to);
                }
            }
        }
        let mut path = Vec::new();
        let mut step = *reached.get(state)?;
        while let Some(cell) = step {
            path.push(cell.input);
            step = reached.get(cell.state).copied().flatten();
        }
        path.reverse();
        Some(path)
    }

    /// The states no sequence of inputs leads to. The build refuses a table
    /// that has any.
    pub fn unreachable_states(&self) -> Vec<&'static str> {
        let unreachable = |state: &&State| self.shortest_path(state.id).is_none();
        self.states
            .iter()
            .filter(unreachable)
            .map(|state| state.id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn cell(state: &'static str, input: &'static str, to: &'static str) -> Cell {
        let outcome = CellOutcome::Accept;
        Cell {
            state,
            input,
            to,
            outcome,
            sends: &[],
            requirement: None,
            note: None,
            line: 1,
        }
    }

    const fn state(id: &'static str) -> State {
        State { id, meaning: "" }
    }

    static TABLE: StateTable = StateTable {
        name: "door",
        title: "Door",
        about: "",
        file: "spec/1.0/state/door.toml",
        states: &[
            state("closed"),
            state("open"),
            state("locked"),
            state("gone"),
        ],
        inputs: &[
            Input {
                id: "push",
                meaning: "",
            },
            Input {
                id: "turn",
                meaning: "",
            },
        ],
        cells: &[
            cell("closed", "push", "open"),
            cell("closed", "turn", "closed"),
            cell("open", "push", "open"),
            cell("open", "turn", "locked"),
            cell("locked", "push", "locked"),
            cell("locked", "turn", "closed"),
            cell("gone", "push", "open"),
            cell("gone", "turn", "gone"),
        ],
    };

    #[test]
    fn the_shortest_path_leads_from_the_first_state() {
        assert_eq!(TABLE.shortest_path("closed"), Some(vec![]));
        assert_eq!(TABLE.shortest_path("locked"), Some(vec!["push", "turn"]));
        assert_eq!(TABLE.shortest_path("gone"), None);
        assert_eq!(TABLE.shortest_path("nowhere"), None);
        assert_eq!(TABLE.unreachable_states(), ["gone"]);
    }

    #[test]
    fn a_cell_is_found_by_state_and_input() {
        assert_eq!(
            TABLE.cell("open", "turn").map(|cell| cell.to),
            Some("locked")
        );
        assert!(TABLE.cell("open", "kick").is_none());
        assert_eq!(TABLE.cells().len(), TABLE.states.len() * TABLE.inputs.len());
    }
}
