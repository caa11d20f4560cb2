//! What the document is made from.

use std::collections::BTreeMap;

use kith_spec_source::{Lack, Pending, Spec};
use serde::Deserialize;

/// What the document is made from.
#[derive(Debug, Default)]
pub struct Input {
    /// The specification.
    pub spec: Spec,
    /// The repository's text files, by their path from its root.
    pub files: BTreeMap<String, String>,
    /// What stands for each requirement, by its id.
    pub evidence: BTreeMap<String, Evidence>,
    /// The vectors, by id.
    pub vectors: BTreeMap<String, Vector>,
    /// What stands in the mails of the valid vectors, by id.
    pub opened: BTreeMap<String, Opened>,
}

/// What stands for a requirement.
#[derive(Debug, Default, Clone)]
pub struct Evidence {
    /// Places in the reference agent's code, as `file:line`.
    pub code: Vec<String>,
    /// Places in the conformance suite.
    pub cases: Vec<String>,
    /// Ids of vectors.
    pub vectors: Vec<String>,
    /// What it lacks for the time being.
    pub pending: Vec<String>,
    /// Why it lacks something for good.
    pub exception: Option<String>,
}

/// A test vector.
#[derive(Debug, Clone, Default)]
pub struct Vector {
    /// Its title.
    pub title: String,
    /// What becomes of its mail, such as `accept`.
    pub outcome: String,
    /// The violation, where there is one.
    pub violation: Option<String>,
    /// The requirements it shows.
    pub requirements: Vec<String>,
    /// The mail as it stands on the wire; `None` where it is not text.
    pub mail: Option<String>,
}

impl Vector {
    /// Whether the mail is accepted.
    pub fn is_valid(&self) -> bool {
        self.outcome == "accept"
    }
}

/// What stands in a mail, decrypted.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Opened {
    /// The delivery document, in sealed mail.
    pub delivery: Option<String>,
    /// The objects, in order.
    pub objects: Vec<Document>,
}

/// An object's document.
#[derive(Debug, Clone, Deserialize)]
pub struct Document {
    /// Its kind: the name of the payload.
    pub kind: String,
    /// Its octets.
    pub xml: String,
}

impl Input {
    /// The SVG, XML or Markdown file at this path.
    pub(crate) fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The schemas of version 1.0: name without ending, and text.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| {
            let name = path
                .strip_prefix("schemas/1.0/")?
                .strip_suffix(".xsd")
                .filter(|name| !name.contains('/'))?;
            Some((name, text.as_str()))
        })
    }

    /// Whether the chapter in this file waits for vectors.
    pub(crate) fn waits_for_vectors(&self, file: &str) -> bool {
        let chapter = self.spec.chapters.iter().find(|found| found.file == file);
        let waits = |entry: &Pending| {
            entry.lacks.contains(&Lack::Vector)
                && chapter.is_some_and(|chapter| chapter.name == entry.chapter)
        };
        self.spec.pending.iter().any(waits)
    }

    /// The text of a chapter below its front matter, and the number of its first line.
    pub(crate) fn body<'a>(&'a self, file: &str) -> (&'a str, usize) {
        let text = self.file(file).unwrap_or_default();
        let mut at = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            at += line.len();
            if index > 0 && line.trim_end() == "+++" {
                return (&text[at..], index + 2);
            }
        }
        (text, 1)
    }
}
