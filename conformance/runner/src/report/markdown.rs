//! A summary in Markdown, for the page of a CI job.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::matrix::rows;
use super::{CaseResult, Report, Status};
use crate::event::{Event, Reporter};

/// How many cases are told in full.
const TOLD: usize = 30;

/// Writes the summary at the end of the run.
#[derive(Debug)]
pub struct Markdown {
    path: PathBuf,
}

impl Markdown {
    /// Into this file, after what is in it: job pages collect what several steps append.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Reporter for Markdown {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        use io::Write as _;
        let Event::Done(report) = event else {
            return Ok(());
        };
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        file.write_all(markdown(report).as_bytes())
    }
}

/// The summary.
pub fn markdown(report: &Report) -> String {
    let who = report.implementation.as_ref();
    let who = who.map_or_else(
        || report.adapter.clone(),
        |about| format!("{} {}", about.name, about.version),
    );
    let counts = report.summary.counts().into_iter();
    let counts: Vec<String> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.as_str()))
        .collect();
    let mut text = format!(
        "## Kith conformance: {}\n\n**{}**",
        escape(&who),
        counts.join(", ")
    );
    let (all, covered) = (kith_spec::requirements().len(), report.covered.len());
    let _ = writeln!(
        text,
        " · {covered} of {all} requirements asserted · suite {} · seed {}\n",
        report.suite, report.seed
    );
    for (server, versions) in &report.servers {
        let _ = writeln!(
            text,
            "On {}: {}\n",
            escape(server),
            escape(&versions.join(", "))
        );
    }
    table(report, &mut text);
    for case in &report.cases {
        for note in &case.notes {
            let _ = writeln!(text, "- `{}`: {}", case.id, escape(note));
        }
    }
    let told = |case: &&CaseResult| {
        matches!(
            case.status,
            Status::Fail | Status::HarnessError | Status::Fixed | Status::Warn | Status::Flaky
        )
    };
    let cases: Vec<_> = report.cases.iter().filter(told).collect();
    for case in cases.iter().take(TOLD) {
        details(case, &mut text);
    }
    if cases.len() > TOLD {
        let _ = writeln!(text, "\nAnd {} more.\n", cases.len() - TOLD);
    }
    text
}

fn table(report: &Report, text: &mut String) {
    let statuses: Vec<Status> = report
        .summary
        .counts()
        .into_iter()
        .filter_map(|(status, count)| (count > 0).then_some(status))
        .collect();
    let names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
    let _ = writeln!(text, "| class | chapter | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "--:|".repeat(names.len()));
    for row in rows(report) {
        let counts: Vec<String> = statuses
            .iter()
            .map(|status| match row.summary.of(*status) {
                0 => String::new(),
                count => count.to_string(),
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            row.class,
            row.chapter,
            counts.join(" | ")
        );
    }
    text.push('\n');
}

fn details(case: &CaseResult, text: &mut String) {
    let _ = writeln!(
        text,
        "<details><summary>{} <code>{}</code>: {}</summary>\n",
        case.status.as_str(),
        escape(&case.id),
        escape(&case.title)
    );
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "{}\n", escape(reason));
    }
    for failure in &case.failures {
        let _ = writeln!(
            text,
            "**{}** {}\n\n> {}\n",
            failure.requirement,
            escape(&failure.message),
            escape(&failure.text)
        );
    }
    let _ = writeln!(text, "```sh\n{}\n```\n\n</details>\n", case.repeat);
}

/// The text so that nothing in it is markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '\r' | '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    #[test]
    fn failures_are_told_and_markup_is_not() {
        let report = report(&[("wire/a", Status::Fail), ("wire/b", Status::Pass)]);
        let text = markdown(&report);
        assert!(text.contains("**1 pass, 1 fail**"), "{text}");
        assert!(text.contains("| core | mail | 1 | 1 |"), "{text}");
        assert!(
            text.contains("expected &lt;a&gt; &amp; b, seen c"),
            "{text}"
        );
        assert!(!text.contains("<code>wire/b"), "{text}");
    }
}
