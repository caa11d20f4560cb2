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
                write!(self.out, "\n{}", case_text(case, self.evidence))?;
            }
        }
        for case in &report.cases {
            for note in &case.notes {
                writeln!(self.out, "\n{}: {note}", case.id)?;
            }
        }
        for (server, versions) in &report.servers {
            writeln!(self.out, "\non {server}: {}", versions.join(", "))?;
        }
        for hint in &report.hints {
            writeln!(self.out, "\nhint: {hint}")?;
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

fn case_text(case: &CaseResult, evidence: bool) -> String {
    let style = style(case.status);
    let bold = Style::new().bold();
    let axes: Vec<_> = case
        .axes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = format!(
        "{style}{}{style:#} {bold}{}{bold:#} [{}]\n     {}\n",
        case.status.as_str(),
        case.id,
        axes.join(" "),
        case.title
    );
    text.push_str(&failures_text(case));
    if evidence {
        text.push_str(&evidence_only(case));
    }
    let _ = writeln!(text, "     repeat: {}", case.repeat);
    text
}

fn failures_text(case: &CaseResult) -> String {
    let mut text = String::new();
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "     {reason}");
    }
    for failure in &case.failures {
        let _ = writeln!(text, "     {}: {}", failure.requirement, failure.message);
        let _ = writeln!(text, "       “{}”", failure.text);
        let _ = writeln!(text, "       section {}, {}", failure.section, failure.link);
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
    failures_text(case) + &evidence_only(case)
}
