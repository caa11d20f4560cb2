//! Every chapter with requirements says what it means for security and privacy.

use kith_spec_source::{Chapter, Place, Problem};

use crate::input::Input;

const TOPICS: [&str; 2] = ["Security", "Privacy"];

pub(super) fn check(input: &Input, chapter: &Chapter, problems: &mut Vec<Problem>) {
    let mut requirements = input.spec.requirements.iter();
    if !requirements.any(|found| found.chapter == chapter.name) {
        return;
    }
    for topic in TOPICS {
        let about = |title: &str| {
            title
                .split_whitespace()
                .any(|word| word.eq_ignore_ascii_case(topic))
        };
        // The chapter may be about nothing else.
        let whole = about(&chapter.title);
        if !whole && !chapter.sections.iter().any(|section| about(&section.title)) {
            let message = format!("the chapter has no section `## {topic}`");
            problems.push(Place::new(&chapter.file, 1).problem(message));
        }
    }
}
