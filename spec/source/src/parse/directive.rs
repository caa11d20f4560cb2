//! Directives: lines of their own between double braces, in whose place the
//! rendered document shows an example or a table.

use super::{Directive, Insert, Place, Problem, Spec, is_kebab, is_words};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Reads a paragraph: whether it is a directive, faulty ones included.
pub(super) fn read(
    lines: &[String],
    place: &Place,
    spec: &mut Spec,
    problems: &mut Vec<Problem>,
) -> bool {
    let Some(offset) = lines.iter().position(|line| line.starts_with(OPEN)) else {
        return false;
    };
    if lines.len() > 1 {
        let here = Place::new(&place.file, place.line + offset);
        problems.push(
            here.problem("a directive inside a paragraph; put an empty line before and after it"),
        );
        return true;
    }
    match insert(&lines[0]) {
        Ok(insert) => spec.directives.push(Directive {
            insert,
            place: place.clone(),
        }),
        Err(message) => problems.push(place.problem(message)),
    }
    true
}

fn insert(line: &str) -> Result<Insert, String> {
    let inner = line
        .strip_prefix(OPEN)
        .and_then(|rest| rest.trim_end().strip_suffix(CLOSE))
        .ok_or("a directive does not end; write {{ name }} on a line of its own")?;
    let words: Vec<&str> = inner.split_whitespace().collect();
    match words[..] {
        ["example", vector] if is_vector(vector) => Ok(Insert::Example {
            vector: vector.to_owned(),
            kind: None,
        }),
        ["example", vector, kind] if is_vector(vector) && is_kebab(kind) => Ok(Insert::Example {
            vector: vector.to_owned(),
            kind: Some(kind.to_owned()),
        }),
        ["state", name] => Ok(Insert::State {
            name: name.to_owned(),
        }),
        ["violations"] => Ok(Insert::Violations),
        ["limits"] => Ok(Insert::Limits),
        ["schemas"] => Ok(Insert::Schemas),
        ["attacks"] => Ok(Insert::Attacks),
        _ => Err(format!(
            "unknown directive `{}`; there are: example VECTOR-ID [KIND], state NAME, violations, \
             limits, schemas, attacks",
            inner.trim()
        )),
    }
}

/// Whether this is written as a vector's id: `valid/post-v4-v4`.
fn is_vector(id: &str) -> bool {
    id.split('/').all(is_words)
}

/// State tables that a directive names exist.
pub(super) fn check(spec: &Spec, problems: &mut Vec<Problem>) {
    for directive in &spec.directives {
        let Insert::State { name } = &directive.insert else {
            continue;
        };
        if !spec.tables.iter().any(|table| table.name == *name) {
            let known: Vec<&str> = spec
                .tables
                .iter()
                .map(|table| table.name.as_str())
                .collect();
            problems.push(directive.place.problem(format!(
                "no state table `{name}`; there are: {}",
                known.join(", ")
            )));
        }
    }
}
