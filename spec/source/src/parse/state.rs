//! State tables: every (state × input) has to be defined exactly once.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::{Cell, Place, Problem, Source, Spec, Table, is_dotted, is_kebab, toml_source};
use crate::vocabulary::CellOutcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    title: String,
    about: String,
    state: Vec<Named>,
    input: Vec<Named>,
    transition: Vec<Transition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: Spanned<String>,
    meaning: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transition {
    from: From,
    input: Spanned<String>,
    to: String,
    outcome: CellOutcome,
    #[serde(default)]
    sends: Vec<String>,
    requirement: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`from` is \"*\" or a list of states")]
enum From {
    Word(String),
    States(Vec<String>),
}

impl From {
    fn names(&self) -> &[String] {
        match self {
            Self::Word(word) => std::slice::from_ref(word),
            Self::States(states) => states,
        }
    }

    fn is_any(&self) -> bool {
        matches!(self, Self::Word(word) if word == "*")
    }
}

/// Reads the table `name`.
pub(super) fn read(name: &str, source: &Source, spec: &mut Spec, problems: &mut Vec<Problem>) {
    let file: TableFile = match toml_source::read(&source.text, &source.path, 0) {
        Ok(file) => file,
        Err(problem) => return problems.push(problem),
    };
    let before = problems.len();
    let mut reader = Reader {
        source,
        file: &file,
        problems,
    };
    if !is_kebab(name) {
        reader.report(1, "a state table's file is named in kebab case");
    }
    reader.names("state", &file.state);
    reader.names("input", &file.input);
    reader.transitions();
    let cells = reader.cells();
    if problems.len() > before {
        return;
    }
    unreachable(&file, &cells, source, problems);
    spec.tables.push(Table {
        name: name.to_owned(),
        title: file.title,
        about: file.about.trim().to_owned(),
        file: source.path.clone(),
        states: file.state.into_iter().map(pair).collect(),
        inputs: file.input.into_iter().map(pair).collect(),
        cells,
    });
}

fn pair(named: Named) -> (String, String) {
    (named.id.into_inner(), named.meaning)
}

struct Reader<'a> {
    source: &'a Source,
    file: &'a TableFile,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, line: usize, message: impl Into<String>) {
        self.problems
            .push(Place::new(&self.source.path, line).problem(message));
    }

    fn line(&self, value: &Spanned<String>) -> usize {
        toml_source::line_at(&self.source.text, value.span().start)
    }

    fn names(&mut self, kind: &str, names: &[Named]) {
        let mut seen = BTreeSet::new();
        for named in names {
            let line = self.line(&named.id);
            let id = named.id.as_ref();
            if !is_dotted(id) {
                self.report(line, format!("the {kind} `{id}` is not kebab-case words"));
            }
            if !seen.insert(id) {
                self.report(line, format!("the {kind} `{id}` stands twice"));
            }
        }
        if names.is_empty() {
            self.report(1, format!("no {kind}"));
        }
    }

    /// Checks that transitions name what there is.
    fn transitions(&mut self) {
        for transition in &self.file.transition {
            let line = self.line(&transition.input);
            let input = transition.input.as_ref();
            if !self
                .file
                .input
                .iter()
                .any(|named| named.id.as_ref() == input)
            {
                self.report(line, format!("unknown input `{input}`"));
            }
            let from = if transition.from.is_any() {
                &[]
            } else {
                transition.from.names()
            };
            let to = (transition.to != "=").then_some(&transition.to);
            for state in from.iter().chain(to) {
                if !self
                    .file
                    .state
                    .iter()
                    .any(|named| named.id.as_ref() == state)
                {
                    self.report(line, format!("unknown state `{state}`"));
                }
            }
        }
    }

    fn cells(&mut self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut used = BTreeSet::new();
        for state in &self.file.state {
            for input in &self.file.input {
                let (state, input) = (state.id.as_ref(), input.id.as_ref());
                if let Some(index) = self.transition(state, input) {
                    used.insert(index);
                    cells.push(self.cell(state, input, &self.file.transition[index]));
                }
            }
        }
        if !self.problems.is_empty() {
            return cells; // what is wrong already may be why a transition is not used
        }
        for (index, transition) in self.file.transition.iter().enumerate() {
            if !used.contains(&index) {
                let line = self.line(&transition.input);
                self.report(line, "this transition applies to no cell; remove it");
            }
        }
        cells
    }

    /// The index of the transition for a cell: the one that lists the state, or else `*`.
    fn transition(&mut self, state: &str, input: &str) -> Option<usize> {
        let file = self.file;
        let matching = |any: bool| {
            let all = file.transition.iter().enumerate();
            all.filter(move |(_, transition)| {
                transition.input.as_ref() == input
                    && transition.from.is_any() == any
                    && (any || transition.from.names().iter().any(|name| name == state))
            })
            .map(|(index, _)| index)
            .collect::<Vec<_>>()
        };
        let mut found = matching(false);
        if found.is_empty() {
            found = matching(true);
        }
        match found[..] {
            [index] => return Some(index),
            [first, second, ..] => {
                let line = self.line(&file.transition[second].input);
                let first = self.line(&file.transition[first].input);
                self.report(
                    line,
                    format!("({state} × {input}) is defined already in line {first}; keep one"),
                );
            }
            [] => self.report(
                1,
                format!("({state} × {input}) is not defined; add a [[transition]] for it"),
            ),
        }
        None
    }

    fn cell(&self, state: &str, input: &str, transition: &Transition) -> Cell {
        let to = if transition.to == "=" {
            state
        } else {
            &transition.to
        };
        Cell {
            state: state.to_owned(),
            input: input.to_owned(),
            to: to.to_owned(),
            outcome: transition.outcome,
            sends: transition.sends.clone(),
            requirement: transition.requirement.clone(),
            note: transition.note.clone(),
            line: self.line(&transition.input),
        }
    }
}

/// Reports the states that no input leads to from the first.
fn unreachable(file: &TableFile, cells: &[Cell], source: &Source, problems: &mut Vec<Problem>) {
    let mut reached: Vec<&str> = file
        .state
        .first()
        .map(|state| state.id.as_ref().as_str())
        .into_iter()
        .collect();
    let mut next = 0;
    while let Some(&here) = reached.get(next) {
        for cell in cells.iter().filter(|cell| cell.state == here) {
            if !reached.contains(&cell.to.as_str()) {
                reached.push(&cell.to);
            }
        }
        next += 1;
    }
    for state in &file.state {
        if !reached.contains(&state.id.as_ref().as_str()) {
            let line = toml_source::line_at(&source.text, state.id.span().start);
            problems.push(Place::new(&source.path, line).problem(format!(
                "the state `{}` cannot be reached from the first state; add a transition to it",
                state.id.as_ref()
            )));
        }
    }
}
