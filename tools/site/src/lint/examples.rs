//! Every kind of object has an example, and examples hold what they name.

use std::collections::BTreeSet;

use kith_spec_source::{Insert, Lack, Place, Problem};

use crate::input::{Document, Input};
use crate::schema::Schemas;

pub(super) fn check(input: &Input, schemas: &Schemas, problems: &mut Vec<Problem>) {
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for directive in &input.spec.directives {
        let Insert::Example { vector, kind } = &directive.insert else {
            continue;
        };
        let Some(opened) = input.opened.get(vector) else {
            continue; // No valid vector: told already.
        };
        let wanted = |object: &&Document| kind.as_ref().is_none_or(|kind| object.kind == *kind);
        let before = shown.len();
        let kinds: Vec<&str> = opened
            .objects
            .iter()
            .filter(wanted)
            .map(|object| object.kind.as_str())
            .collect();
        shown.extend(&kinds);
        if let (Some(kind), true) = (kind, kinds.is_empty() && before == shown.len()) {
            let message = format!("the vector `{vector}` holds no object of the kind `{kind}`");
            problems.push(directive.place.problem(message));
        }
    }
    let text = input.file("schemas/1.0/object.xsd").unwrap_or_default();
    for kind in schemas.kinds() {
        if shown.contains(kind.as_str()) || waits(input, kind) {
            continue;
        }
        let mark = format!("name=\"{kind}\"");
        let line = text.lines().position(|line| line.contains(&mark));
        let place = Place::new("schemas/1.0/object.xsd", line.unwrap_or_default() + 1);
        problems.push(place.problem(format!(
            "no chapter shows an example of the kind `{kind}`; write {{{{ example VECTOR-ID {kind} }}}} on a line \
             of its own"
        )));
    }
}

/// Whether a chapter that speaks of the kind waits for vectors.
fn waits(input: &Input, kind: &str) -> bool {
    let pending = input.spec.pending.iter();
    let waiting = pending.filter(|entry| entry.lacks.contains(&Lack::Vector));
    let apart = |c: char| !c.is_alphanumeric() && c != '-';
    waiting
        .filter_map(|entry| input.spec.chapter(&entry.chapter))
        .filter_map(|chapter| input.file(&chapter.file))
        .any(|text| {
            text.split(apart)
                .any(|word| word.eq_ignore_ascii_case(kind))
        })
}
