//! The report for people: matrix, failures with what shows them, one line at the end.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::matrix::matrix;
use super::{CaseResult, Report, Status};
use crate::event::{Event, Reporter};

/// Writes for people at the end of the run.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    width: Option<u16>,
    evidence: bool,
}

impl<W: Write> Human<W> {
    /// To this writer, which strips colours where they aren't wanted. `width` is that of
    /// the terminal, in characters; `evidence` adds mails, dialogue and transcript.
    pub fn new(out: W, width: Option<u16>, evidence: bool) -> Self {
        Self {
            out,
            width,
            evidence,
        }
    }
}

impl<W: Write> Reporter for Human<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event::Done(report) = event else {
            return Ok(());
        };
        writeln!(self.out, "{}", matrix(report, self.width))?;
        for case in &report.cases {
            if matches!(
                case.status,
                Status::Fail | Status::Warn | Status::HarnessError | Status::Fixed | Status::Flaky
            ) {
                write!(self.out, "\n{}", self.case_text(case))?;
            }
        }
        let noted = report.cases.iter();
        let mut notes = noted.flat_map(|case| case.notes.iter().map(move |note| (case, note)));
        if let Some((case, note)) = notes.next() {
            writeln!(self.out, "\n{}: {note}", case.id)?;
        }
        for (case, note) in notes {
            writeln!(self.out, "{}: {note}", case.id)?;
        }
        for (server, versions) in &report.servers {
            let separator = if versions.is_empty() { "" } else { ": " };
            writeln!(self.out, "\non {server}{separator}{}", versions.join(", "))?;
        }
        for hint in &report.hints {
            let mut text = String::new();
            wrap(&mut text, 2, hint, self.width);
            write!(self.out, "\nhint:\n{text}")?;
        }
        writeln!(self.out, "\n{}", last_line(report))?;
        self.out.flush()
    }
}

fn style(status: Status) -> Style {
    let color = match status {
        Status::Pass => AnsiColor::Green,
        Status::Fail | Status::HarnessError | Status::Fixed => AnsiColor::Red,
        Status::Warn | Status::Flaky | Status::KnownFailing => AnsiColor::Yellow,
        _ => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(color.into()))
}

fn last_line(report: &Report) -> String {
    let counts = report
        .summary
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0);
    let words = counts.map(|(status, count)| {
        let style = style(status);
        format!("{style}{count} {}{style:#}", status.as_str())
    });
    let words: Vec<_> = words.collect();
    let who = report.implementation.as_ref();
    let who = who.map_or_else(String::new, |about| {
        format!("{} {}: ", about.name, about.version)
    });
    let seconds = std::time::Duration::from_millis(report.milliseconds).as_secs_f64();
    let (all, covered) = (kith_spec::requirements().len(), report.covered.len());
    format!(
        "{who}{} in {seconds:.1} s, {covered} of {all} requirements asserted, seed {}",
        words.join(", "),
        report.seed
    )
}

impl<W> Human<W> {
    fn case_text(&self, case: &CaseResult) -> String {
        let style = style(case.status);
        let bold = Style::new().bold();
        let axes: Vec<_> = case
            .axes
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut text = format!(
            "{style}{}{style:#} {bold}{}{bold:#} [{}]\n",
            case.status.as_str(),
            case.id,
            axes.join(" "),
        );
        wrap(&mut text, 5, &case.title, self.width);
        text.push_str(&failures_text(case, self.width));
        if self.evidence {
            text.push_str(&evidence_only(case));
        }
        // One line, so that it can be copied.
        let _ = writeln!(text, "     repeat: {}", case.repeat);
        text
    }
}

/// Adds a paragraph whose lines all begin in this column. What is longer than the terminal is
/// broken between words, so that the terminal doesn't break it at its edge.
fn wrap(text: &mut String, indent: usize, paragraph: &str, width: Option<u16>) {
    let room = width.map_or(usize::MAX, |width| {
        usize::from(width).saturating_sub(indent)
    });
    for line in paragraph.lines() {
        let mut column = 0;
        for word in line.split_whitespace() {
            let long = word.chars().count();
            if column > 0 && column + 1 + long > room {
                text.push('\n');
                column = 0;
            }
            if column == 0 {
                text.push_str(&" ".repeat(indent));
            } else {
                text.push(' ');
                column += 1;
            }
            text.push_str(word);
            column += long;
        }
        text.push('\n');
    }
}

fn failures_text(case: &CaseResult, width: Option<u16>) -> String {
    let mut text = String::new();
    if let Some(reason) = &case.reason {
        wrap(&mut text, 5, reason, width);
    }
    for failure in &case.failures {
        let said = format!("{}: {}", failure.requirement, failure.message);
        wrap(&mut text, 5, &said, width);
        wrap(&mut text, 7, &format!("“{}”", failure.text), width);
        let place = format!("section {}, {}", failure.section, failure.link);
        wrap(&mut text, 7, &place, width);
    }
    text
}

fn evidence_only(case: &CaseResult) -> String {
    let mut text = String::new();
    let Some(evidence) = &case.evidence else {
        return text;
    };
    section(&mut text, "what happened", &evidence.steps.join("\n"));
    for mail in &evidence.mails {
        section(&mut text, &mail.heading, &mail.layers);
    }
    section(
        &mut text,
        "dialogue with the mail server",
        &evidence.dialogue,
    );
    section(&mut text, "harness and adapter", &evidence.transcript);
    section(&mut text, "the adapter's standard error", &evidence.stderr);
    text
}

fn section(text: &mut String, title: &str, content: &str) {
    if content.trim().is_empty() {
        return;
    }
    let _ = writeln!(text, "     --- {title}");
    for line in content.lines() {
        let _ = writeln!(text, "     {line}");
    }
}

/// What failed in a case and what shows it, without colours.
pub(super) fn evidence_text(case: &CaseResult) -> String {
    failures_text(case, None) + &evidence_only(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_broken_between_words_and_indented() {
        let mut text = String::new();
        wrap(
            &mut text,
            4,
            "expected one mail, seen none\nand nothing",
            Some(20),
        );
        let expected = "    expected one\n    mail, seen none\n    and nothing\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_word_wider_than_the_terminal_stays_whole() {
        let mut text = String::new();
        wrap(&mut text, 2, "a 0123456789 b", Some(8));
        assert_eq!(text, "  a\n  0123456789\n  b\n");
    }

    #[test]
    fn without_a_terminal_nothing_is_broken() {
        let mut text = String::new();
        let long = "word ".repeat(100);
        wrap(&mut text, 2, &long, None);
        assert_eq!(text.lines().count(), 1);
    }
}
