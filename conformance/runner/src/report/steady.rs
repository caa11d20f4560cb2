//! A report without what differs between two runs of the same seed, for `--deterministic`:
//! durations, ports, base64 and its size are dropped, ids are labelled by their first appearance,
//! and each session with the mail server is told by itself.

use std::collections::BTreeMap;

use super::{CaseResult, Report};
use crate::evidence::shorten;

/// From how many hexadecimal digits on a word is an id.
const ID: usize = 16;
/// What stands before the secret of an invite.
const SECRET: &str = "token=";
/// How many digits a port has, after a colon.
const PORT: std::ops::RangeInclusive<usize> = 4..=5;
/// What stands before a number of octets, which differs with what is random in them.
const BEFORE: [&str; 2] = ["SIZE=", "RFC822.SIZE "];
/// What stands after one.
const AFTER: [&str; 6] = [
    " octets",
    " more octets",
    " encoded lines",
    " characters of base64",
    "}",
    "+}",
];

/// Drops the durations.
pub(crate) fn durations(report: &mut Report) {
    report.milliseconds = 0;
    for case in &mut report.cases {
        case.microseconds = 0;
    }
}

/// Makes the texts of a case steady, its evidence being uncut.
pub(crate) fn texts(case: &mut CaseResult) {
    if let Some(evidence) = &mut case.evidence {
        evidence.dialogue = by_session(&evidence.dialogue);
    }
    let mut labels = Labels::default();
    all(case).for_each(|text| *text = labels.steady(text));
}

/// The texts in which something random may stand.
fn all(case: &mut CaseResult) -> impl Iterator<Item = &mut String> {
    let failures = case.failures.iter_mut().map(|failure| &mut failure.message);
    let evidence = case.evidence.iter_mut().flat_map(|evidence| {
        let mails = evidence
            .mails
            .iter_mut()
            .flat_map(|mail| [&mut mail.heading, &mut mail.layers]);
        evidence.steps.iter_mut().chain(mails).chain([
            &mut evidence.dialogue,
            &mut evidence.transcript,
            &mut evidence.stderr,
        ])
    });
    case.reason.iter_mut().chain(failures).chain(evidence)
}

/// A dialogue, one session after the other, without times: which one's turn it is differs.
fn by_session(dialogue: &str) -> String {
    let mut sessions = BTreeMap::<usize, String>::new();
    for line in dialogue.lines().map(untimed) {
        let name = line.split(' ').next().unwrap_or_default();
        let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let session = sessions.entry(number.parse().unwrap_or(0)).or_default();
        session.push_str(line);
        session.push('\n');
    }
    sessions.into_values().collect()
}

/// The labels of a case's ids.
#[derive(Default)]
struct Labels(BTreeMap<String, usize>);

impl Labels {
    fn label(&mut self, id: &str) -> String {
        let next = self.0.len() + 1;
        let number = self.0.entry(id.to_lowercase()).or_insert(next);
        format!("id{number}")
    }

    fn steady(&mut self, text: &str) -> String {
        let lines = text.split('\n').map(|line| self.line(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn line(&mut self, line: &str) -> String {
        let Some((before, after)) = line.split_once(SECRET) else {
            return self.words(line);
        };
        let outside = |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c);
        let (secret, rest) = after.split_at(after.find(outside).unwrap_or(after.len()));
        let before = self.words(before);
        format!("{before}{SECRET}{}{}", self.label(secret), self.line(rest))
    }

    fn words(&mut self, line: &str) -> String {
        let line = shorten(line);
        let mut out = String::with_capacity(line.len());
        let mut rest = line.as_str();
        while !rest.is_empty() {
            let inside = |c: char| c.is_ascii_alphanumeric();
            let (word, after) = rest.split_at(rest.find(|c| !inside(c)).unwrap_or(rest.len()));
            let (token, digits) = match word.strip_prefix("tok") {
                Some(digits) => ("tok", digits),
                None => ("", word),
            };
            let hex = digits.chars().all(|c| c.is_ascii_hexdigit());
            let id = hex && digits.len() >= ID;
            let number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
            let differs = out.ends_with(':') && PORT.contains(&word.len())
                || BEFORE.iter().any(|text| out.ends_with(text))
                || AFTER.iter().any(|text| after.starts_with(text));
            match (id, number && differs) {
                (true, _) => {
                    out.push_str(token);
                    out.push_str(&self.label(digits));
                }
                (false, true) => out.push('#'),
                (false, false) => out.push_str(word),
            }
            let (between, next) = after.split_at(after.find(inside).unwrap_or(after.len()));
            out.push_str(between);
            rest = next;
        }
        out
    }
}

/// A line of the dialogue without its time, which stands in front of it in seconds.
fn untimed(line: &str) -> &str {
    let text = line.trim_start();
    let time = text.split(' ').next().unwrap_or_default();
    let (seconds, parts) = time.split_once('.').unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if text.len() < line.len() && digits(seconds) && parts.len() == 3 && digits(parts) {
        return text[time.len()..].trim_start();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_labelled_by_their_first_appearance() {
        let mut labels = Labels::default();
        let (one, two) = ("0123456789abcdef", "fedcba9876543210");
        let text = format!("{two} and {one}\n<{two}@a.test> tok{one}ab");
        let text = text + " kith:a@a.test?token=_d-m9I&id=x";
        let steady = "id1 and id2\n<id1@a.test> tokid3 kith:a@a.test?token=id4&id=x";
        assert_eq!(labels.steady(&text), steady);
    }

    #[test]
    fn what_differs_is_dropped() {
        let mut labels = Labels::default();
        let text = format!(
            "at mail.test:40123, 2026-11-21 09:00:01, 7009 octets, MAIL SIZE=7009, {{7009}}, {}",
            "QUJj".repeat(20)
        );
        assert_eq!(
            labels.steady(&text),
            "at mail.test:#, 2026-11-21 09:00:01, # octets, MAIL SIZE=#, {#}, \
             …# characters of base64…"
        );
    }

    #[test]
    fn a_dialogue_goes_by_sessions() {
        let dialogue = "     0.013 smtp2 - -- connected\n     0.014 imap1 - -- closed\n\
                        \x20    0.015 smtp2 - -- closed\n";
        let steady = "imap1 - -- closed\nsmtp2 - -- connected\nsmtp2 - -- closed\n";
        assert_eq!(by_session(dialogue), steady);
    }
}
