//! The Kith specification as data: requirements, limits and state tables.
//!
//! The build script reads the Markdown and TOML files under `spec/1.0` and
//! writes what this crate offers: a static for each requirement in [`req`], a
//! constant for each limit in [`limit`] and a [`StateTable`] for each file
//! under `state/`. A mistake in those files fails the build with its place.

use std::fmt;
use std::hash::{Hash, Hasher};

#[cfg(test)]
mod generate;
mod state;
// The words are those of the sources; the reader of the sources stays out of
// what is built for users.
#[path = "../source/src/vocabulary.rs"]
mod vocabulary;

pub use state::{Cell, Input, State, StateTable};
pub use vocabulary::{CellOutcome, Class, Lack, Level, Outcome, UnknownWord, const_name};

include!(concat!(env!("OUT_DIR"), "/spec.rs"));

/// A requirement that lives as long as the program.
pub type Rule = &'static Requirement;

/// One sentence of the specification that an implementation can break.
///
/// Two requirements are equal when their ids are.
#[derive(Clone, Copy)]
pub struct Requirement {
    /// The stable id, such as `mail.one-envelope`; never reused.
    pub id: &'static str,
    /// How strongly it binds.
    pub level: Level,
    /// The feature class it belongs to.
    pub class: Class,
    /// The requirement's text, in Markdown, on one line.
    pub text: &'static str,
    /// The chapter's name, such as `security`: its file name without number.
    pub chapter: &'static str,
    /// The number of its section, such as `3.2`.
    pub section: &'static str,
    /// The heading of its section.
    pub section_title: &'static str,
    /// The heading's anchor in the rendered file, without `#`.
    pub anchor: &'static str,
    /// What becomes of a mail or object that breaks it (or meets it, for `accept`).
    pub outcome: Option<Outcome>,
    /// The name of that violation, such as `second-envelope`.
    pub violation: Option<&'static str>,
    /// The source, from the root of the repository.
    pub file: &'static str,
    /// The line in the source, from 1.
    pub line: u32,
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Requirement {}

impl Hash for Requirement {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.id.hash(hasher);
    }
}

impl PartialOrd for Requirement {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By id.
impl Ord for Requirement {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(other.id)
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requirement({})", self.id)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id)
    }
}

/// A chapter of the specification.
#[derive(Debug)]
pub struct Chapter {
    /// Its number, the first part of its sections' numbers.
    pub number: u32,
    /// Its name, such as `security`.
    pub name: &'static str,
    /// Its title, for people.
    pub title: &'static str,
    /// The class of its requirements unless they say otherwise.
    pub class: Class,
    /// The source, from the root of the repository.
    pub file: &'static str,
    /// Its headings below the title, in order.
    pub sections: &'static [Section],
}

/// A section of a [`Chapter`].
#[derive(Debug)]
pub struct Section {
    /// Its number, such as `3.2`.
    pub number: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The heading's anchor in the rendered file, without `#`.
    pub anchor: &'static str,
    /// The line in the chapter's file, from 1.
    pub line: u32,
}

/// A limit that every implementation shares.
#[derive(Debug)]
pub struct Limit {
    /// Its id, such as `xml-octets`.
    pub id: &'static str,
    /// Its value, in `unit`.
    pub value: u64,
    /// What is counted, such as `octets`.
    pub unit: &'static str,
    /// What is limited.
    pub meaning: &'static str,
    /// The source, from the root of the repository.
    pub file: &'static str,
    /// The line in the source, from 1.
    pub line: u32,
}

/// Why a requirement lacks code, a case or a vector.
#[derive(Debug)]
pub struct Exception {
    /// The requirement.
    pub requirement: Rule,
    /// What it lacks.
    pub lacks: &'static [Lack],
    /// Why, for people.
    pub reason: &'static str,
    /// The line in `exceptions.toml`, from 1.
    pub line: u32,
}

/// Why requirements of a chapter lack code, cases or vectors for the time being.
#[derive(Debug)]
pub struct Pending {
    /// The chapter's name.
    pub chapter: &'static str,
    /// Only these of its requirements; all of them where it is empty.
    pub requirements: &'static [Rule],
    /// What each of them may lack.
    pub lacks: &'static [Lack],
    /// Why, for people.
    pub reason: &'static str,
    /// The line in `exceptions.toml`, from 1.
    pub line: u32,
}

impl Pending {
    /// Whether it is about this requirement.
    pub fn covers(&self, rule: &Requirement) -> bool {
        let named = |listed: &Rule| **listed == *rule;
        self.chapter == rule.chapter
            && (self.requirements.is_empty() || self.requirements.iter().any(named))
    }
}

/// The chapters, by number.
pub fn chapters() -> &'static [Chapter] {
    CHAPTERS
}

/// Every requirement, in the order of the text.
pub fn requirements() -> &'static [Rule] {
    REQUIREMENTS
}

/// The requirement with this id.
pub fn requirement(id: &str) -> Option<Rule> {
    REQUIREMENTS
        .iter()
        .copied()
        .find(|requirement| requirement.id == id)
}

/// Every limit, in the order of the text.
pub fn limits() -> &'static [Limit] {
    LIMITS
}

/// Every state table, by name.
pub fn tables() -> &'static [&'static StateTable] {
    TABLES
}

/// The written exceptions, in the order of their file.
pub fn exceptions() -> &'static [Exception] {
    EXCEPTIONS
}

/// What is pending, in the order of its file.
pub fn pending() -> &'static [Pending] {
    PENDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_found_by_its_id() {
        for rule in requirements() {
            assert_eq!(requirement(rule.id), Some(*rule));
            assert_eq!(format!("{rule:?}"), format!("Requirement({})", rule.id));
        }
        assert_eq!(requirement("no.such-thing"), None);
    }

    #[test]
    fn every_table_is_full_and_reachable() {
        for table in tables() {
            assert_eq!(table.cells().len(), table.states.len() * table.inputs.len());
            assert!(table.unreachable_states().is_empty(), "{}", table.name);
        }
    }

    #[test]
    fn words_read_as_they_are_written() {
        for class in Class::ALL {
            assert_eq!(class.to_string().parse(), Ok(*class));
        }
        assert_eq!(Level::Must.max(Level::May), Level::May);
        let error = "ham".parse::<Outcome>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown outcome `ham`; use one of: ignore, refuse, hold, accept"
        );
    }

    #[test]
    fn constants_are_named_after_ids() {
        assert_eq!(const_name("mail.one-envelope"), "MAIL_ONE_ENVELOPE");
        assert_eq!(const_name("xml-octets"), "XML_OCTETS");
    }
}
