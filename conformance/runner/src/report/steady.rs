//! A report without what differs between two runs of the same seed, for `--deterministic`:
//! durations and ports are dropped, and ids are labelled by their first appearance.

use std::collections::BTreeMap;

use super::{CaseResult, Report};

/// From how many hexadecimal digits on a word is an id.
const ID: usize = 16;

/// Makes a report steady.
pub(crate) fn steady(report: &mut Report) {
    report.milliseconds = 0;
    for case in &mut report.cases {
        case.microseconds = 0;
        let mut labels = Labels::default();
        texts(case).for_each(|text| *text = labels.steady(text));
    }
}

/// The texts of a case in which ids, times and ports may stand.
fn texts(case: &mut CaseResult) -> impl Iterator<Item = &mut String> {
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
        let line = untimed(line);
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        let inside = |c: char| c.is_ascii_alphanumeric();
        while !rest.is_empty() {
            let (word, after) = rest.split_at(rest.find(|c| !inside(c)).unwrap_or(rest.len()));
            let (token, digits) = match word.strip_prefix("tok") {
                Some(digits) => ("tok", digits),
                None => ("", word),
            };
            let id = digits.len() >= ID && digits.chars().all(|c| c.is_ascii_hexdigit());
            let port = out.ends_with("127.0.0.1:") || out.ends_with("[::1]:");
            match (id, port) {
                (true, _) => {
                    out.push_str(token);
                    out.push_str(&self.label(digits));
                }
                (false, true) => out.push_str("port"),
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
        let steady = "id1 and id2\n<id1@a.test> tokid3";
        assert_eq!(labels.steady(&text), steady);
    }

    #[test]
    fn times_and_ports_are_dropped() {
        let mut labels = Labels::default();
        let line = "     0.013 smtp1 a@a.test S: 250 ok";
        assert_eq!(labels.steady(line), "smtp1 a@a.test S: 250 ok");
        let text = "at 127.0.0.1:40123, 2026-11-21 09:00:01";
        assert_eq!(
            labels.steady(text),
            "at 127.0.0.1:port, 2026-11-21 09:00:01"
        );
    }
}
