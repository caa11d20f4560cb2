//! Every cell of the state tables `identity-chain`, `channel`, `invite` and `merge` as a case: set
//! up by the shortest path, then the input, then a look at the state from outside.

mod chain;
mod channel;
mod invite;
mod merge;

use kith_adapter::view::private::Messages;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene};
use kith_spec::{Cell, CellOutcome, Rule, StateTable, req};

/// The cases: one for each cell. A cell needs the cells that lead to its state.
pub(crate) fn cases() -> Vec<Case> {
    let chain = Source {
        table: &kith_spec::IDENTITY_CHAIN,
        prefix: "identity/table",
        rule: &req::IDENTITY_TABLE,
        needs: "friends/handshake/accepted",
    };
    let channel = Source {
        table: &kith_spec::CHANNEL,
        prefix: "delivery/channel",
        rule: &req::CHANNEL_TABLE,
        needs: "friends/handshake/accepted",
    };
    let invite = Source {
        table: &kith_spec::INVITE,
        prefix: "friends/invite/table",
        rule: &req::FRIENDS_INVITE_TABLE,
        needs: "friends/invite/accepted",
    };
    let merge = Source {
        table: &kith_spec::MERGE,
        prefix: "delivery/merge",
        rule: &req::MERGE_TABLE,
        needs: "post/received",
    };
    [
        chain.cases::<chain::Play>(),
        channel.cases::<channel::Play>(),
        invite.cases::<invite::Play>(),
        merge.cases::<merge::Play>(),
    ]
    .concat()
}

/// What plays the inputs of a table, with an agent and puppets.
trait Machine: Sized + Send {
    /// Brings everybody into the first state.
    fn new(scene: &Scene) -> impl Future<Output = Result<Self, Stop>> + Send;

    /// Plays one input.
    fn input(&mut self, input: &str) -> impl Future<Output = Result<Done, Stop>> + Send;

    /// What is seen that doesn't fit a state; `None` if the agent may be in it.
    fn differs(&mut self, state: &str)
    -> impl Future<Output = Result<Option<String>, Stop>> + Send;
}

/// What an input led to at once.
#[derive(Default)]
struct Done {
    /// The kinds of new objects that left and matter here.
    sent: Vec<&'static str>,
    /// Whether what came has the effect of something accepted; `None` if that doesn't show.
    taken: Option<bool>,
}

impl Done {
    fn taken(taken: bool) -> Self {
        Self {
            sent: Vec::new(),
            taken: Some(taken),
        }
    }
}

/// A table, and what its cases have in common.
#[derive(Clone, Copy)]
struct Source {
    table: &'static StateTable,
    /// What the cases' ids begin with.
    prefix: &'static str,
    /// The requirement that the table be followed.
    rule: Rule,
    /// The case without which those of the first state say nothing.
    needs: &'static str,
}

impl Source {
    fn cases<M: Machine + 'static>(self) -> Vec<Case> {
        let cells = self.table.cells().iter();
        cells.map(|cell| self.case::<M>(cell)).collect()
    }

    fn case<M: Machine + 'static>(self, cell: &'static Cell) -> Case {
        let steps = self.steps(cell.state);
        let inputs = &self.table.inputs;
        let input = inputs.iter().find(|input| input.id == cell.input);
        let meaning = input.map_or(cell.input, |input| input.meaning);
        let title = format!("{} → {}: {meaning}", cell.state, cell.to);
        let mut rules = vec![self.rule];
        rules.extend(cell.requirement.filter(|rule| *rule != self.rule));
        let needed = steps.last().map(|step| self.id(step));
        let play = move |scene| check::<M>(scene, self.rule, steps.clone(), cell);
        let case = Case::new(&self.id(cell), &title, Rung::Rest, &rules, play);
        case.needs(&[needed.as_deref().unwrap_or(self.needs)])
    }

    fn id(self, cell: &Cell) -> String {
        let input = cell.input.replace('.', "-");
        format!("{}/{}/{input}", self.prefix, cell.state)
    }

    /// The cells along the shortest path to a state.
    fn steps(self, state: &str) -> Vec<&'static Cell> {
        let mut here = self.table.states.first().map_or("", |state| state.id);
        let mut steps = Vec::new();
        for input in self.table.shortest_path(state).unwrap_or_default() {
            if let Some(cell) = self.table.cell(here, input) {
                here = cell.to;
                steps.push(cell);
            }
        }
        steps
    }
}

async fn check<M: Machine>(
    scene: Scene,
    table: Rule,
    steps: Vec<&'static Cell>,
    cell: &'static Cell,
) -> Result<(), Stop> {
    let mut play = M::new(&scene).await?;
    for cell in steps.into_iter().chain([cell]) {
        let rule = cell.requirement.unwrap_or(table);
        let at = format!("{} × {}", cell.state, cell.input);
        let done = play.input(cell.input).await?;
        scene.expect(rule, done.sent == cell.sends, || {
            let (expected, seen) = (cell.sends, &done.sent);
            format!("{at}: expected {expected:?} to be sent, seen {seen:?}")
        });
        if let Some(taken) = done.taken {
            let expected = cell.outcome == CellOutcome::Accept;
            scene.expect(rule, taken == expected, || {
                format!("{at}: expected it to be taken: {expected}, seen: {taken}")
            });
        }
        let differs = play.differs(cell.to).await?;
        for rule in [rule, table] {
            scene.expect(rule, differs.is_none(), || {
                let seen = differs.as_deref().unwrap_or_default();
                format!("{at}: expected the state {}, seen {seen}", cell.to)
            });
        }
        if differs.is_some() {
            return Err(Stop::Failed);
        }
    }
    Ok(())
}

/// How often a message with this text is shown.
async fn count(agent: &Agent, text: &str) -> Result<usize, Stop> {
    let messages = agent.view(Messages {}).await?;
    Ok(messages.iter().filter(|m| m.text == text).count())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn each_cell_of_each_table_is_a_case() {
        let suite = crate::suite();
        let ids: BTreeSet<&str> = suite.iter().map(|case| case.id.as_str()).collect();
        for table in kith_spec::tables() {
            for cell in table.cells() {
                let end = format!("/{}/{}", cell.state, cell.input.replace('.', "-"));
                let found = ids.iter().any(|id| id.ends_with(&end));
                assert!(
                    found,
                    "{}: no case for {} × {}",
                    table.name, cell.state, cell.input
                );
            }
        }
    }
}
