//! What is written as a name is the name of something: code that looks like a
//! requirement or a limit, and emphasised terms.

use std::collections::BTreeSet;

use kith_spec_source::{Chapter, Outcome, Place, Problem, is_kebab, is_requirement_id};

use super::passage::{self, Kind, Passage};
use crate::input::Input;
use crate::schema::Schemas;

/// The chapter that defines terms.
const TERMS: &str = "terms";
/// What limits' names end in.
const UNITS: [&str; 5] = ["octets", "days", "hours", "minutes", "seconds"];

pub(super) fn check(
    input: &Input,
    schemas: &Schemas,
    chapter: &Chapter,
    passages: &[Passage],
    problems: &mut Vec<Problem>,
) {
    let terms = terms(input);
    // Chapters without requirements emphasise as they like: titles, legends.
    let mut requirements = input.spec.requirements.iter();
    let normative = requirements.any(|found| found.chapter == chapter.name);
    for piece in passages.iter().flatten() {
        let text = piece.text.trim();
        let message = match piece.kind {
            Kind::Code if looks_like_requirement(input, text) => {
                format!("no chapter has a requirement `{text}`")
            }
            Kind::Code if looks_like_limit(input, schemas, text) => {
                format!("no limit is named `{text}`; define it as a row of the limits")
            }
            Kind::Emphasis if normative && is_word(text) && !is_term(&terms, text) => format!(
                "*{text}* is emphasised like a term, and the chapter on terms does not define it; \
                 define it there, or take the emphasis away"
            ),
            _ => continue,
        };
        problems.push(Place::new(&chapter.file, piece.line).problem(message));
    }
}

/// Ids share their first word with requirements that exist; inputs of state
/// tables are written alike.
fn looks_like_requirement(input: &Input, code: &str) -> bool {
    let spec = &input.spec;
    let first = |id: &str| id.split('.').next().map(str::to_owned);
    let mut inputs = spec.tables.iter().flat_map(|table| &table.inputs);
    is_requirement_id(code)
        && spec.requirement(code).is_none()
        && spec
            .requirements
            .iter()
            .any(|found| first(&found.id) == first(code))
        && !inputs.any(|(id, _)| id == code)
        && !input
            .files
            .keys()
            .any(|path| path.rsplit('/').next() == Some(code))
}

fn looks_like_limit(input: &Input, schemas: &Schemas, code: &str) -> bool {
    let unit = code.rsplit('-').next().unwrap_or_default();
    let mut requirements = input.spec.requirements.iter();
    is_kebab(code)
        && code.contains('-')
        && UNITS.contains(&unit)
        && input.spec.limit(code).is_none()
        && !requirements.any(|found| found.violation.as_deref() == Some(code))
        && !schemas.kinds().iter().any(|kind| kind == code)
}

/// Words that the chapter on terms defines or coins, and the outcomes.
fn terms(input: &Input) -> BTreeSet<String> {
    let mut terms: BTreeSet<String> = Outcome::ALL.iter().map(ToString::to_string).collect();
    if let Some(chapter) = input.spec.chapter(TERMS) {
        let passages = passage::read(input, chapter);
        let coined = passages.iter().flatten();
        let coined = coined.filter(|piece| matches!(piece.kind, Kind::Strong | Kind::Emphasis));
        terms.extend(coined.map(|piece| piece.text.trim().to_lowercase()));
    }
    terms
}

fn is_term(terms: &BTreeSet<String>, text: &str) -> bool {
    let text = text.to_lowercase();
    terms.contains(&text)
        || text
            .strip_suffix('s')
            .is_some_and(|one| terms.contains(one))
}

/// Whether this is more than a variable or a formula.
fn is_word(text: &str) -> bool {
    text.split_whitespace().any(|word| word.chars().count() > 2)
}
