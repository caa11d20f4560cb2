//! Reads the sources of the specification: chapters in Markdown, state tables,
//! exceptions and retired ids.
//!
//! Used by the build script and the tests only. It is given texts, not paths,
//! and collects every mistake it finds before it gives up.

use std::collections::BTreeMap;
use std::fmt;

use crate::vocabulary::{CellOutcome, Class, Lack, Level, Outcome};

#[path = "parse/chapter.rs"]
mod chapter;
#[path = "parse/check.rs"]
mod check;
#[path = "parse/directive.rs"]
mod directive;
#[path = "parse/markdown.rs"]
mod markdown;
#[path = "parse/requirement.rs"]
mod requirement;
#[path = "parse/state.rs"]
mod state;
#[path = "parse/toml_source.rs"]
mod toml_source;

/// One file of the specification.
pub(crate) struct Source {
    /// Its path from the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A mistake in a source, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Where something stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl Place {
    pub(crate) fn new(file: &str, line: usize) -> Self {
        Self {
            file: file.to_owned(),
            line,
        }
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line: self.line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Everything the specification says.
#[derive(Debug, Default)]
pub(crate) struct Spec {
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) tables: Vec<Table>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) directives: Vec<Directive>,
    retired: BTreeMap<String, Place>,
}

#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) class: Class,
    pub(crate) file: String,
    pub(crate) sections: Vec<Section>,
}

#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) anchor: String,
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    pub(crate) level: Level,
    pub(crate) class: Class,
    pub(crate) text: String,
    pub(crate) chapter: String,
    pub(crate) section: Section,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) violation: Option<String>,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) id: String,
    pub(crate) value: u64,
    pub(crate) unit: String,
    pub(crate) meaning: String,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) file: String,
    /// Pairs of id and meaning.
    pub(crate) states: Vec<(String, String)>,
    /// Pairs of id and meaning.
    pub(crate) inputs: Vec<(String, String)>,
    /// State by state, input by input.
    pub(crate) cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) state: String,
    pub(crate) input: String,
    pub(crate) to: String,
    pub(crate) outcome: CellOutcome,
    pub(crate) sends: Vec<String>,
    pub(crate) requirement: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) requirement: String,
    pub(crate) lacks: Vec<Lack>,
    pub(crate) reason: String,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) chapter: String,
    /// Only these of the chapter's requirements; all of them where it is empty.
    pub(crate) requirements: Vec<String>,
    pub(crate) lacks: Vec<Lack>,
    pub(crate) reason: String,
    pub(crate) place: Place,
}

/// A line such as `{{ example some-vector }}`, in whose place the rendered
/// document shows something else.
#[derive(Debug)]
pub(crate) struct Directive {
    pub(crate) insert: Insert,
    pub(crate) place: Place,
}

/// What a directive puts in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Insert {
    /// A vector's mail, or only its object of one kind.
    Example {
        vector: String,
        kind: Option<String>,
    },
    /// A state table.
    State { name: String },
    /// Every violation.
    Violations,
    /// Every limit.
    Limits,
    /// The schemas.
    Schemas,
    /// Each violation as the attack it answers, with its requirements.
    Attacks,
}

/// Reads every source. Files that are none of the specification's are passed over.
pub(crate) fn parse(sources: &[Source]) -> Result<Spec, Vec<Problem>> {
    let mut spec = Spec::default();
    let mut problems = Vec::new();
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    for source in sources {
        let mut parts = source.path.rsplit('/');
        let file_name = parts.next().unwrap_or_default();
        let folder = parts.next().unwrap_or_default();
        match file_name {
            "exceptions.toml" => toml_source::exceptions(source, &mut spec, &mut problems),
            "retired.txt" => toml_source::retired(source, &mut spec, &mut problems),
            _ if folder == "state" => {
                if let Some(name) = file_name.strip_suffix(".toml") {
                    state::read(name, source, &mut spec, &mut problems);
                }
            }
            _ => {
                if let Some(stem) = file_name.strip_suffix(".md")
                    && stem.starts_with(|c: char| c.is_ascii_digit())
                {
                    chapter::read(stem, source, &mut spec, &mut problems);
                }
            }
        }
    }
    check::check(&spec, &mut problems);
    if problems.is_empty() {
        return Ok(spec);
    }
    problems.sort();
    problems.dedup();
    Err(problems)
}

/// Whether this is words of lower-case letters and digits joined by single
/// hyphens, beginning with a letter.
fn is_kebab(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase()) && is_words(word)
}

fn is_words(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

/// Whether this is kebab-case words, perhaps joined by dots, beginning with a letter.
fn is_dotted(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('.').all(is_words)
}

/// Whether this is a requirement's id: as [`is_dotted`], with a dot.
fn is_requirement_id(id: &str) -> bool {
    id.contains('.') && is_dotted(id)
}

#[cfg(test)]
#[path = "parse/tests.rs"]
mod tests;
