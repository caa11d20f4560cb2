//! The report as one HTML page that needs nothing else: what broke, the matrix, every case
//! with what shows its failure, every requirement with its text.

#[cfg(test)]
mod browser;
mod case;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::matrix::rows;
use super::{CaseResult, Report, Status};
use crate::event::{Event, Reporter};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");
/// The page may load nothing: it has all it needs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the page at the end of the run.
#[derive(Debug)]
pub struct Html {
    path: PathBuf,
}

impl Html {
    /// Into this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Reporter for Html {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event::Done(report) = event else {
            return Ok(());
        };
        fs::write(&self.path, page(report))
    }
}

/// The page.
pub fn page(report: &Report) -> String {
    let who = name(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (who) ": Kith conformance" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (heading(report, &who)) }
                main {
                    (broken(report))
                    (matrix(report))
                    (cases(report))
                    (requirements(report))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn name(report: &Report) -> String {
    let about = report.implementation.as_ref();
    about.map_or_else(
        || report.adapter.clone(),
        |about| format!("{} {}", about.name, about.version),
    )
}

/// The colour of a status: a class of the style sheet.
fn tone(status: Status) -> &'static str {
    match status {
        Status::Pass => "good",
        Status::Fail | Status::Fixed => "bad",
        Status::HarnessError | Status::Warn | Status::Flaky | Status::KnownFailing => "fair",
        _ => "none",
    }
}

fn occurring(report: &Report) -> Vec<(Status, usize)> {
    let counts = report.summary.counts().into_iter();
    counts.filter(|(_, count)| *count > 0).collect()
}

fn heading(report: &Report, who: &str) -> Markup {
    let seconds = std::time::Duration::from_millis(report.milliseconds).as_secs_f64();
    let (all, covered) = (kith_spec::requirements().len(), report.covered.len());
    html! {
        h1 { (who) span .quiet { " against Kith " (report.spec) } }
        p .chips {
            @for (status, count) in occurring(report) {
                button .chip .(tone(status)) data-status=(status.as_str()) title=(status.meaning()) {
                    b { (count) } " " (status.as_str())
                }
            }
        }
        p .quiet {
            (covered) " of " (all) " requirements asserted · suite " (report.suite)
            " · seed " (report.seed) " · " (format!("{seconds:.1}")) " s · "
            code { (report.adapter) }
            @if report.cases.len() < report.suite_cases {
                " · " (report.cases.len()) " of " (report.suite_cases) " cases run"
            }
        }
        @for hint in &report.hints { p .hint { "Hint: " (hint) } }
    }
}

/// The failures of each requirement: one fault of an implementation breaks many cases, and
/// most often one sentence.
fn broken(report: &Report) -> Markup {
    let mut causes = BTreeMap::<&str, Vec<&CaseResult>>::new();
    for case in &report.cases {
        for failure in &case.failures {
            let cases = causes.entry(failure.requirement.as_str()).or_default();
            if !cases.iter().any(|other| other.id == case.id) {
                cases.push(case);
            }
        }
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let other: Vec<&CaseResult> = report
        .cases
        .iter()
        .filter(|case| case.status.is_trouble() && case.failures.is_empty())
        .collect();
    html! {
        @if causes.is_empty() && other.is_empty() {
            section #broken { h2 { "Nothing that is required is broken" } }
        } @else {
            section #broken {
                h2 { "What is broken" }
                @for (id, cases) in causes { (cause(id, &cases)) }
                @for case in other {
                    div .cause {
                        p { span .word .(tone(case.status)) { (case.status.as_str()) } " " (link(case)) }
                        @if let Some(reason) = &case.reason { p { (reason) } }
                    }
                }
            }
        }
    }
}

/// How many cases a cause names; the rest is a filter away.
const NAMED: usize = 4;

fn cause(id: &str, cases: &[&CaseResult]) -> Markup {
    let first = cases
        .iter()
        .flat_map(|case| &case.failures)
        .find(|failure| failure.requirement == id);
    html! {
        div .cause {
            h3 { a href={ "#req=" (id) } { (id) } }
            @if let Some(failure) = first {
                blockquote { (case::prose(&failure.text)) }
                (case::message(&failure.message))
            }
            p {
                (cases.len()) @if cases.len() == 1 { " case: " } @else { " cases: " }
                @for (at, case) in cases.iter().take(NAMED).enumerate() {
                    @if at > 0 { ", " }
                    (link(case))
                }
                @if cases.len() > NAMED {
                    ", " button .plain data-text=(id) { "and " (cases.len() - NAMED) " more" }
                }
            }
        }
    }
}

fn link(case: &CaseResult) -> Markup {
    html! { a href={ "#case=" (case.id) } { (case.id) } }
}

fn matrix(report: &Report) -> Markup {
    let statuses = occurring(report);
    html! {
        section #matrix {
            h2 { "Matrix" }
            div .wide {
                table {
                    thead {
                        tr {
                            th { "class" } th { "chapter" }
                            @for (status, _) in &statuses {
                                th .number title=(status.meaning()) { (status.as_str()) }
                            }
                        }
                    }
                    tbody {
                        @for row in rows(report) {
                            tr {
                                td { (row.class) } td { (row.chapter) }
                                @for (status, _) in &statuses {
                                    td .number {
                                        @let count = row.summary.of(*status);
                                        @if count > 0 {
                                            button .cell .(tone(*status)) data-status=(status.as_str())
                                                data-class=(row.class) data-chapter=(row.chapter) { (count) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cases(report: &Report) -> Markup {
    let mut ordered: Vec<&CaseResult> = report.cases.iter().collect();
    ordered.sort_by_key(|case| match tone(case.status) {
        "bad" => 0,
        "fair" => 1,
        "none" => 2,
        _ => 3,
    });
    html! {
        section #cases {
            h2 { "Cases" }
            form #filter role="search" {
                label { "Find " input type="search" name="text" placeholder="id, title, requirement"; }
                label {
                    "Status "
                    select name="status" {
                        option value="" { "all" }
                        @for (status, count) in occurring(report) {
                            option value=(status.as_str()) { (status.as_str()) " (" (count) ")" }
                        }
                    }
                }
                button type="reset" { "Show all" }
                output { (report.cases.len()) " cases" }
            }
            @for case in ordered { (case::case(case)) }
        }
    }
}

fn requirements(report: &Report) -> Markup {
    html! {
        section #requirements {
            h2 { "Requirements" }
            p .quiet { "Every sentence of the specification that binds, and what this run says about it." }
            div .wide {
                table {
                    thead { tr { th { "requirement" } th .number { "asserted" } th .number { "broken" } th { "text" } } }
                    tbody {
                        @for rule in kith_spec::requirements() {
                            @let seen = report.covered.get(rule.id);
                            @let failed = seen.map_or(0, |seen| seen.failed);
                            tr id={ "req=" (rule.id) } .failed[failed > 0] {
                                td { button .plain data-text=(rule.id) { (rule.id) } br; span .quiet { (rule.class) } }
                                td .number { @if let Some(seen) = seen { (seen.assertions) } @else { "–" } }
                                td .number { @if failed > 0 { span .word .bad { (failed) } } }
                                td { (case::prose(rule.text)) " " span .quiet { (rule.file) ", section " (rule.section) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    #[test]
    fn everything_from_outside_is_text() {
        let page = page(&report(&[
            ("wire/<b>a", Status::Fail),
            ("wire/b", Status::Pass),
        ]));
        assert!(page.contains("&lt;/script&gt;"));
        assert!(page.contains("wire/&lt;b&gt;a"));
        assert_eq!(page.matches("</script>").count(), 1);
        assert_eq!(
            case::prose("a `<b>` c").into_string(),
            "a <code>&lt;b&gt;</code> c"
        );
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = page(&report(&[("wire/a", Status::Fail)]));
        for word in ["src=", "<link", "@import", "url(", "fetch(", "<img"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
