//! What the parser cannot know to be wrong: links, names, sizes, examples and
//! what every chapter has to contain.

use kith_spec_source::{Insert, Place, Problem};

use crate::input::Input;
use crate::links::{Form, Links};
use crate::schema::Schemas;

mod examples;
mod links;
mod markup;
mod names;
mod passage;
mod sections;
mod sizes;

/// Checks the text. Where mails of the vectors have been opened, also that
/// each kind has an example.
pub fn lint(input: &Input) -> Vec<Problem> {
    let schemas = Schemas::read(input);
    let faulty = schemas.faulty.iter();
    let mut problems: Vec<Problem> = faulty
        .map(|(file, message)| Problem {
            file: file.clone(),
            line: 1,
            message: message.clone(),
        })
        .collect();
    let links = Links::new(Form::Pages, input, &schemas);
    for chapter in &input.spec.chapters {
        let passages = passage::read(input, chapter);
        links::check(&links, chapter, &mut problems);
        markup::check(input, chapter, &mut problems);
        names::check(input, &schemas, chapter, &passages, &mut problems);
        sizes::check(input, chapter, &passages, &mut problems);
        sections::check(input, chapter, &mut problems);
    }
    vectors(input, &mut problems);
    tables(input, &mut problems);
    if !input.opened.is_empty() {
        examples::check(input, &schemas, &mut problems);
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Every state table is shown in a chapter.
fn tables(input: &Input, problems: &mut Vec<Problem>) {
    for table in &input.spec.tables {
        let shows =
            |insert: &Insert| matches!(insert, Insert::State { name } if *name == table.name);
        let mut directives = input.spec.directives.iter();
        if !directives.any(|directive| shows(&directive.insert)) {
            let name = &table.name;
            let message = format!(
                "no chapter shows this state table; write {{{{ state {name} }}}} on a line of its own"
            );
            problems.push(Place::new(&table.file, 1).problem(message));
        }
    }
}

/// Examples name valid vectors; in chapters that wait for vectors they may
/// name one that is still to come.
fn vectors(input: &Input, problems: &mut Vec<Problem>) {
    for directive in &input.spec.directives {
        let Insert::Example { vector, .. } = &directive.insert else {
            continue;
        };
        let message = match input.vectors.get(vector) {
            Some(found) if found.is_valid() => continue,
            Some(found) => format!(
                "`{vector}` is no valid vector, its outcome is {}; an example is accepted",
                found.outcome
            ),
            None if input.waits_for_vectors(&directive.place.file) => continue,
            None => format!("there is no vector `{vector}`; `cargo xtask vectors` writes them"),
        };
        problems.push(directive.place.problem(message));
    }
}

#[cfg(test)]
mod tests;
