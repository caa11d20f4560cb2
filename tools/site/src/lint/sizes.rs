//! A size or time in the same sentence as a limit's name is that limit's.

use kith_spec_source::{Chapter, Limit, Place, Problem};

use super::passage::{Kind, Passage};
use crate::input::Input;

/// How much of what: octets and seconds for sizes and times, else the unit itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Quantity {
    amount: u64,
    of: String,
}

fn quantity(amount: u64, unit: &str) -> Option<Quantity> {
    let (factor, of) = match unit {
        "octets" | "octet" | "bytes" | "byte" => (1, "octets"),
        "KiB" => (1 << 10, "octets"),
        "MiB" => (1 << 20, "octets"),
        "GiB" => (1 << 30, "octets"),
        "seconds" | "second" => (1, "seconds"),
        "minutes" | "minute" => (60, "seconds"),
        "hours" | "hour" => (3_600, "seconds"),
        "days" | "day" => (86_400, "seconds"),
        other => (1, other),
    };
    let amount = amount.checked_mul(factor)?;
    Some(Quantity {
        amount,
        of: of.to_owned(),
    })
}

/// What one sentence says about limits.
#[derive(Default)]
struct Sentence<'a> {
    limits: Vec<&'a Limit>,
    /// As written, with its line.
    quantities: Vec<(Quantity, String, usize)>,
}

pub(super) fn check(
    input: &Input,
    chapter: &Chapter,
    passages: &[Passage],
    problems: &mut Vec<Problem>,
) {
    for passage in passages {
        for sentence in sentences(input, passage) {
            sentence.check(chapter, problems);
        }
    }
}

fn sentences<'a>(input: &'a Input, passage: &Passage) -> Vec<Sentence<'a>> {
    let mut sentences = vec![Sentence::default()];
    for piece in passage {
        if piece.kind == Kind::Code {
            if let (Some(limit), Some(last)) = (input.spec.limit(&piece.text), sentences.last_mut())
            {
                last.limits.push(limit);
            }
            continue;
        }
        for (index, part) in piece.text.split(". ").enumerate() {
            if index > 0 {
                sentences.push(Sentence::default());
            }
            if let Some(last) = sentences.last_mut() {
                let found = quantities(part).into_iter();
                last.quantities
                    .extend(found.map(|(found, text)| (found, text, piece.line)));
            }
        }
    }
    sentences
}

/// Numbers followed by a unit; spaces may stand between thousands.
fn quantities(text: &str) -> Vec<(Quantity, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let trim =
        |word: &str| -> String { word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned() };
    let mut found = Vec::new();
    let mut number = String::new();
    for word in words {
        let word = trim(word);
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) {
            let joins = !number.is_empty() && word.len() == 3;
            if !joins {
                number.clear();
            }
            number.push_str(&word);
            continue;
        }
        if let Ok(amount) = number.parse::<u64>()
            && let Some(quantity) = quantity(amount, &word)
        {
            found.push((quantity, format!("{amount} {word}")));
        }
        number.clear();
    }
    found
}

impl Sentence<'_> {
    fn check(&self, chapter: &Chapter, problems: &mut Vec<Problem>) {
        let limits: Vec<(Quantity, &Limit)> = self
            .limits
            .iter()
            .filter_map(|limit| Some((quantity(limit.value, &limit.unit)?, *limit)))
            .collect();
        for (found, text, line) in &self.quantities {
            let comparable: Vec<_> = limits
                .iter()
                .filter(|(limit, _)| limit.of == found.of)
                .collect();
            if comparable.is_empty() || comparable.iter().any(|(limit, _)| limit == found) {
                continue;
            }
            let known: Vec<String> = comparable
                .iter()
                .map(|(_, limit)| format!("`{}` is {} {}", limit.id, limit.value, limit.unit))
                .collect();
            let message = format!(
                "{text} stands beside a limit of another size: {}",
                known.join(", ")
            );
            problems.push(Place::new(&chapter.file, *line).problem(message));
        }
    }
}
