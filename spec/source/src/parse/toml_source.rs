//! The plain lists: exceptions and retired ids; and how TOML is read here.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::{Exception, Pending, Place, Problem, Source, Spec};
use crate::vocabulary::Lack;

/// Reads TOML that begins after `skipped` lines of the file.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    file: &str,
    skipped: usize,
) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        Place::new(file, line + skipped).problem(error.message())
    })
}

/// The number of the line, from 1, that holds the octet at `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|octet| **octet == b'\n').count()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionsFile {
    #[serde(default)]
    exception: Vec<ExceptionEntry>,
    #[serde(default)]
    pending: Vec<PendingEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionEntry {
    requirement: Spanned<String>,
    lacks: Vec<Lack>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingEntry {
    chapter: Spanned<String>,
    #[serde(default)]
    requirements: Vec<String>,
    lacks: Vec<Lack>,
    reason: String,
}

pub(super) fn exceptions(source: &Source, spec: &mut Spec, problems: &mut Vec<Problem>) {
    let file: ExceptionsFile = match read(&source.text, &source.path, 0) {
        Ok(file) => file,
        Err(problem) => return problems.push(problem),
    };
    for entry in file.exception {
        let line = line_at(&source.text, entry.requirement.span().start);
        spec.exceptions.push(Exception {
            requirement: entry.requirement.into_inner(),
            lacks: entry.lacks,
            reason: entry.reason.trim().to_owned(),
            place: Place::new(&source.path, line),
        });
    }
    for entry in file.pending {
        let line = line_at(&source.text, entry.chapter.span().start);
        spec.pending.push(Pending {
            chapter: entry.chapter.into_inner(),
            requirements: entry.requirements,
            lacks: entry.lacks,
            reason: entry.reason.trim().to_owned(),
            place: Place::new(&source.path, line),
        });
    }
}

/// One id a line; `#` begins a comment.
pub(super) fn retired(source: &Source, spec: &mut Spec, problems: &mut Vec<Problem>) {
    for (index, line) in source.text.lines().enumerate() {
        let id = line.split('#').next().unwrap_or_default().trim();
        if id.is_empty() {
            continue;
        }
        let place = Place::new(&source.path, index + 1);
        if !super::is_requirement_id(id) {
            problems.push(place.problem(format!("`{id}` is no requirement id")));
        } else if let Some(first) = spec.retired.insert(id.to_owned(), place.clone()) {
            problems.push(place.problem(format!("`{id}` stands in line {} already", first.line)));
        }
    }
}
