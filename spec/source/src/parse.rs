//! What the sources say, and the mistakes in them.

use std::collections::BTreeMap;
use std::fmt;

use crate::vocabulary::{CellOutcome, Class, Lack, Level, Outcome};

mod chapter;
mod check;
mod directive;
mod markdown;
mod requirement;
mod state;
mod toml_source;

pub use markdown::{anchor, without_code};

/// One file of the specification.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the root of the repository, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// A mistake in a source, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The source, from the root of the repository.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Where something stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The source, from the root of the repository.
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    pub fn new(file: &str, line: usize) -> Self {
        Self {
            file: file.to_owned(),
            line,
        }
    }

    /// A mistake here.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
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
pub struct Spec {
    /// The chapters, by number.
    pub chapters: Vec<Chapter>,
    /// The requirements, in the order of the text.
    pub requirements: Vec<Requirement>,
    /// The limits, in the order of the text.
    pub limits: Vec<Limit>,
    /// The state tables, by name.
    pub tables: Vec<Table>,
    /// The written exceptions.
    pub exceptions: Vec<Exception>,
    /// What is pending.
    pub pending: Vec<Pending>,
    /// The directives, in the order of the text.
    pub directives: Vec<Directive>,
    retired: BTreeMap<String, Place>,
}

impl Spec {
    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|found| found.id == id)
    }

    /// The chapter with this name.
    pub fn chapter(&self, name: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|found| found.name == name)
    }

    /// The limit with this id.
    pub fn limit(&self, id: &str) -> Option<&Limit> {
        self.limits.iter().find(|found| found.id == id)
    }
}

/// A chapter.
#[derive(Debug)]
pub struct Chapter {
    /// Its number, the first part of its sections' numbers.
    pub number: u32,
    /// Its file's name without number and ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The class of its requirements unless they say otherwise.
    pub class: Class,
    /// The source, from the root of the repository.
    pub file: String,
    /// Its headings below the title, in order.
    pub sections: Vec<Section>,
}

/// A section of a chapter.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its number, such as `3.2`.
    pub number: String,
    /// Its heading, in Markdown.
    pub title: String,
    /// The heading's anchor, without `#`.
    pub anchor: String,
    /// The heading's line, from 1.
    pub line: usize,
}

/// A sentence that an implementation can break.
#[derive(Debug)]
pub struct Requirement {
    /// Its id, such as `mail.one-envelope`.
    pub id: String,
    /// How strongly it binds.
    pub level: Level,
    /// The feature class it belongs to.
    pub class: Class,
    /// Its text, in Markdown, on one line.
    pub text: String,
    /// The chapter's name.
    pub chapter: String,
    /// The section it stands in; the chapter's title where there is none.
    pub section: Section,
    /// What becomes of a mail or object that breaks it (or meets it, for `accept`).
    pub outcome: Option<Outcome>,
    /// The violation's name.
    pub violation: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// A limit that every implementation shares.
#[derive(Debug)]
pub struct Limit {
    /// Its id, such as `xml-octets`.
    pub id: String,
    /// Its value, in `unit`.
    pub value: u64,
    /// What is counted.
    pub unit: String,
    /// What is limited, in Markdown.
    pub meaning: String,
    /// Where it stands.
    pub place: Place,
}

/// A state table.
#[derive(Debug)]
pub struct Table {
    /// The file's name without ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it describes.
    pub about: String,
    /// The source, from the root of the repository.
    pub file: String,
    /// Pairs of id and meaning.
    pub states: Vec<(String, String)>,
    /// Pairs of id and meaning.
    pub inputs: Vec<(String, String)>,
    /// State by state, input by input.
    pub cells: Vec<Cell>,
}

/// What happens for one input in one state.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The state before.
    pub state: String,
    /// The input.
    pub input: String,
    /// The state afterwards.
    pub to: String,
    /// What becomes of the input.
    pub outcome: CellOutcome,
    /// The kinds that leave, in order.
    pub sends: Vec<String>,
    /// The requirement that says so.
    pub requirement: Option<String>,
    /// An explanation.
    pub note: Option<String>,
    /// The line of the transition, from 1.
    pub line: usize,
}

/// Why a requirement lacks something for good.
#[derive(Debug)]
pub struct Exception {
    /// The requirement's id.
    pub requirement: String,
    /// What it lacks.
    pub lacks: Vec<Lack>,
    /// Why, for people.
    pub reason: String,
    /// Where it stands.
    pub place: Place,
}

/// Why requirements of a chapter lack something for the time being.
#[derive(Debug)]
pub struct Pending {
    /// The chapter's name.
    pub chapter: String,
    /// Only these of the chapter's requirements; all of them where it is empty.
    pub requirements: Vec<String>,
    /// What each of them may lack.
    pub lacks: Vec<Lack>,
    /// Why, for people.
    pub reason: String,
    /// Where it stands.
    pub place: Place,
}

impl Pending {
    /// Whether it is about this requirement.
    pub fn covers(&self, requirement: &Requirement) -> bool {
        self.chapter == requirement.chapter
            && (self.requirements.is_empty() || self.requirements.contains(&requirement.id))
    }
}

/// A line such as `{{ example some-vector }}`, in whose place the rendered
/// document shows something else.
#[derive(Debug)]
pub struct Directive {
    /// What it shows.
    pub insert: Insert,
    /// Where it stands.
    pub place: Place,
}

/// What a directive puts in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert {
    /// A vector's mail, or only its objects of one kind.
    Example {
        /// The vector's id.
        vector: String,
        /// The kind, where only objects of one kind are shown.
        kind: Option<String>,
    },
    /// A state table.
    State {
        /// The table's name.
        name: String,
    },
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
pub fn parse(sources: &[Source]) -> Result<Spec, Vec<Problem>> {
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
pub fn is_kebab(word: &str) -> bool {
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
pub fn is_requirement_id(id: &str) -> bool {
    id.contains('.') && is_dotted(id)
}

#[cfg(test)]
mod tests;
