//! What has to be true between the files: ids given once, names that exist.

use std::collections::BTreeMap;

use super::{Place, Problem, Spec, directive};
use crate::vocabulary::{Lack, Outcome, const_name};

pub(super) fn check(spec: &Spec, problems: &mut Vec<Problem>) {
    chapters(spec, problems);
    requirements(spec, problems);
    violations(spec, problems);
    limits(spec, problems);
    tables(spec, problems);
    exceptions(spec, problems);
    pending(spec, problems);
    directive::check(spec, problems);
}

fn chapters(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut numbers = BTreeMap::new();
    for chapter in &spec.chapters {
        if let Some(first) = numbers.insert(chapter.number, &chapter.file) {
            let message = format!(
                "{first} has the number {} too; renumber one",
                chapter.number
            );
            problems.push(Place::new(&chapter.file, 1).problem(message));
        }
    }
}

fn requirements(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut constants = BTreeMap::new();
    for requirement in &spec.requirements {
        let (id, place) = (&requirement.id, &requirement.place);
        if let Some((other, first)) = constants.insert(const_name(id), (id, place)) {
            problems.push(place.problem(if other == id {
                format!("`{id}` is given already in {first}; choose another id")
            } else {
                format!("`{id}` is the same constant as `{other}` in {first}; choose another id")
            }));
        }
        if let Some(retired) = spec.retired.get(id) {
            problems.push(place.problem(format!(
                "`{id}` is retired ({retired}) and never used again; choose another id"
            )));
        }
    }
}

fn violations(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut outcomes: BTreeMap<&str, (Option<Outcome>, &Place)> = BTreeMap::new();
    for requirement in &spec.requirements {
        let Some(name) = requirement.violation.as_deref() else {
            continue;
        };
        let place = &requirement.place;
        let (outcome, first) = *outcomes.entry(name).or_insert((requirement.outcome, place));
        if let (true, Some(other)) = (outcome != requirement.outcome, outcome) {
            problems.push(place.problem(format!(
                "`{name}` has the outcome {other} in {first}; a violation has one outcome"
            )));
        }
    }
}

fn limits(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for limit in &spec.limits {
        if let Some(first) = seen.insert(&limit.id, &limit.place) {
            let message = format!("the limit `{}` is given already in {first}", limit.id);
            problems.push(limit.place.problem(message));
        }
    }
}

fn known(spec: &Spec, id: &str, place: &Place, problems: &mut Vec<Problem>) {
    if !spec
        .requirements
        .iter()
        .any(|requirement| requirement.id == id)
    {
        problems.push(place.problem(format!("no chapter has a requirement `{id}`")));
    }
}

fn tables(spec: &Spec, problems: &mut Vec<Problem>) {
    for table in &spec.tables {
        for cell in &table.cells {
            if let Some(id) = &cell.requirement {
                known(spec, id, &Place::new(&table.file, cell.line), problems);
            }
        }
    }
}

fn exceptions(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for exception in &spec.exceptions {
        let (id, place) = (&exception.requirement, &exception.place);
        known(spec, id, place, problems);
        if let Some(first) = seen.insert(id, place) {
            let message = format!("`{id}` has an exception in line {}; merge them", first.line);
            problems.push(place.problem(message));
        }
        if exception.reason.is_empty() {
            problems.push(place.problem(format!("the exception for `{id}` gives no reason")));
        }
        if !is_list(&exception.lacks) {
            problems.push(place.problem(format!(
                "the exception for `{id}` lacks nothing, or a thing twice; list each once"
            )));
        }
    }
}

/// Whether this lists something, and nothing twice.
fn is_list(lacks: &[Lack]) -> bool {
    let mut sorted = lacks.to_vec();
    sorted.sort();
    sorted.dedup();
    !sorted.is_empty() && sorted.len() == lacks.len()
}

fn pending(spec: &Spec, problems: &mut Vec<Problem>) {
    for pending in &spec.pending {
        let (name, place) = (&pending.chapter, &pending.place);
        if !spec.chapters.iter().any(|chapter| chapter.name == *name) {
            problems.push(place.problem(format!(
                "no chapter is named `{name}`; name it as its file, without number: `posts`"
            )));
        }
        for id in &pending.requirements {
            let found = spec.requirements.iter().find(|found| found.id == *id);
            if found.is_none_or(|found| found.chapter != *name) {
                problems
                    .push(place.problem(format!("the chapter `{name}` has no requirement `{id}`")));
            }
        }
        if pending.reason.is_empty() {
            problems.push(place.problem(format!("what is pending in `{name}` has no reason")));
        }
        if !is_list(&pending.lacks) {
            problems.push(place.problem(format!(
                "what is pending in `{name}` lacks nothing, or a thing twice; list each once"
            )));
        }
    }
}
