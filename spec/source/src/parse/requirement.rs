//! Tagged paragraphs: a bold code id, one sentence with a BCP 14 keyword, and
//! an optional line that begins with an arrow.

use super::markdown::without_code;
use super::{Place, Problem, is_kebab, is_requirement_id};
use crate::vocabulary::{Class, Level, Outcome};

/// What a tagged paragraph says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tagged {
    pub(super) id: String,
    pub(super) level: Level,
    pub(super) text: String,
    pub(super) class: Option<Class>,
    pub(super) outcome: Option<Outcome>,
    pub(super) violation: Option<String>,
}

const TAG: &str = "**`";

/// Reads a paragraph: `None` where it carries no requirement.
pub(super) fn read(lines: &[String], place: &Place, problems: &mut Vec<Problem>) -> Option<Tagged> {
    let first = lines.first()?;
    if let Some(offset) = lines.iter().skip(1).position(|line| line.starts_with(TAG)) {
        let here = Place::new(&place.file, place.line + offset + 1);
        problems.push(here.problem(
            "a requirement's tag in the middle of a paragraph; put an empty line before it",
        ));
        return None;
    }
    let Some(tagged) = first.strip_prefix(TAG) else {
        untagged(lines, place, problems);
        return None;
    };
    match sentence(tagged, &lines[1..]) {
        Ok(tagged) => Some(tagged),
        Err(message) => {
            problems.push(place.problem(message));
            None
        }
    }
}

/// Checks text that is no requirement: it may hold no keyword.
pub(super) fn untagged(lines: &[String], place: &Place, problems: &mut Vec<Problem>) {
    let text = lines.join(" ");
    if text.contains("BCP 14") {
        return;
    }
    for (offset, line) in lines.iter().enumerate() {
        if line.starts_with('→') {
            let here = Place::new(&place.file, place.line + offset);
            problems.push(here.problem(
                "a line with → belongs to no requirement; \
                 put it directly under the sentence it is about",
            ));
        }
    }
    let masked = without_code(&text);
    if let Some(keyword) = keywords(&masked).next() {
        // The masked text is as long as the lines joined by one octet each.
        let at = masked.find(keyword).unwrap_or_default();
        let offset = text[..at].len();
        let mut end = 0;
        let line = lines.iter().position(|line| {
            end += line.len() + 1;
            offset < end
        });
        let here = Place::new(&place.file, place.line + line.unwrap_or_default());
        problems.push(here.problem(format!(
            "{keyword} outside a requirement; begin the paragraph with **`chapter.some-id`**, \
             or use other words, or write the keyword as code"
        )));
    }
}

fn sentence(tagged: &str, more: &[String]) -> Result<Tagged, String> {
    let Some((id, text)) = tagged.split_once("`**") else {
        return Err("the tag does not end; write **`chapter.some-id`**".to_owned());
    };
    if !is_requirement_id(id) {
        return Err(format!(
            "`{id}` is no requirement id; write two or more kebab-case words joined by dots, such \
             as `mail.one-envelope`, or don't begin a paragraph with bold code"
        ));
    }
    let arrows = more
        .iter()
        .position(|line| line.starts_with('→'))
        .unwrap_or(more.len());
    let mut text = text.trim().to_owned();
    for line in &more[..arrows] {
        text.push(' ');
        text.push_str(line);
    }
    let mut tagged = Tagged {
        id: id.to_owned(),
        level: level(id, &text)?,
        text: text.trim().to_owned(),
        class: None,
        outcome: None,
        violation: None,
    };
    for line in &more[arrows..] {
        let Some(items) = line.strip_prefix('→') else {
            return Err(format!(
                "{id}: text after the line with →; that line comes last"
            ));
        };
        for item in items.split(',') {
            read_item(item.trim(), &mut tagged)?;
        }
    }
    Ok(tagged)
}

/// The strongest keyword's level; all keywords have to stand in one sentence.
fn level(id: &str, text: &str) -> Result<Level, String> {
    let masked = without_code(text);
    let mut level = None;
    for sentence in sentences(&masked) {
        let Some(strongest) = keywords(sentence).map(level_of).min() else {
            continue;
        };
        if level.replace(strongest).is_some() {
            return Err(format!(
                "{id}: two sentences with BCP 14 keywords; give each requirement its own id"
            ));
        }
    }
    level.ok_or_else(|| {
        format!("{id}: no BCP 14 keyword (MUST, SHOULD, MAY, …); add one, or take the tag away")
    })
}

fn read_item(item: &str, tagged: &mut Tagged) -> Result<(), String> {
    let id = &tagged.id;
    let (word, argument) = item.split_once(' ').unwrap_or((item, ""));
    let argument = argument.trim().trim_matches('`');
    if word == "class" {
        let class = argument.parse().map_err(|error| format!("{id}: {error}"))?;
        if tagged.class.replace(class).is_some() {
            return Err(format!("{id}: two classes; give one"));
        }
        return Ok(());
    }
    let outcome = word.parse::<Outcome>().map_err(|error| {
        format!("{id}: {error}, followed by the violation's name as code; or `class` and a class")
    })?;
    if tagged.outcome.is_some() {
        return Err(format!("{id}: two outcomes; give one"));
    }
    if argument.is_empty() && outcome != Outcome::Accept {
        return Err(format!(
            "{id}: {outcome} without a name; write → {outcome} `some-violation`"
        ));
    }
    if !argument.is_empty() {
        if !is_kebab(argument) {
            return Err(format!("{id}: `{argument}` is no kebab-case name"));
        }
        tagged.violation = Some(argument.to_owned());
    }
    tagged.outcome = Some(outcome);
    Ok(())
}

/// The BCP 14 keywords in a text, word by word ("MUST NOT" is MUST).
pub(super) fn keywords(text: &str) -> impl Iterator<Item = &str> {
    const KEYWORDS: [&str; 7] = [
        "MUST",
        "REQUIRED",
        "SHALL",
        "SHOULD",
        "RECOMMENDED",
        "MAY",
        "OPTIONAL",
    ];
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| KEYWORDS.contains(word))
}

fn level_of(keyword: &str) -> Level {
    match keyword {
        "MUST" | "REQUIRED" | "SHALL" => Level::Must,
        "SHOULD" | "RECOMMENDED" => Level::Should,
        _ => Level::May,
    }
}

/// Splits at full stops, question and exclamation marks before white space,
/// unless they end a common abbreviation.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(['.', '!', '?']) {
        let end = at + 1;
        let tail = text[end..].trim_start_matches([')', '"', '”', '*', '_']);
        let abbreviated = ["e.g.", "i.e.", "cf.", "vs.", "etc."]
            .iter()
            .any(|abbreviation| text[..end].ends_with(abbreviation));
        if tail.starts_with(char::is_whitespace) && !abbreviated {
            found.push(&text[start..end]);
            start = end;
        }
    }
    found.push(&text[start..]);
    found
}
