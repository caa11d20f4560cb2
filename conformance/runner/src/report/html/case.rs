//! One case: what it is, what did not hold, and what shows it.

use maud::{Markup, html};

use super::super::matrix::chapter_of;
use super::super::{CaseResult, Evidence, FailureReport, Status};
use super::tone;

/// A case that folds open; one that passed has only its title and requirements.
pub(super) fn case(case: &CaseResult) -> Markup {
    let words = format!("{} {} {}", case.id, case.title, case.requirements.join(" "));
    let failed: Vec<&str> = case
        .failures
        .iter()
        .map(|f| f.requirement.as_str())
        .collect();
    html! {
        details .case id={ "case=" (case.id) } data-status=(case.status.as_str()) data-class=(case.class)
            data-chapter=(chapter_of(case)) data-text={ (words) " " (failed.join(" ")) } {
            summary {
                span .word .(tone(case.status)) { (case.status.as_str()) }
                code { (case.id) } " " span { (case.title) }
            }
            div .body {
                @if let Some(reason) = &case.reason { p .reason { (reason) } }
                @for item in &case.failures { (failure(item)) }
                @if let Some(evidence) = &case.evidence { (shows(evidence)) }
                (facts(case))
            }
        }
    }
}

fn failure(failure: &FailureReport) -> Markup {
    html! {
        div .failure {
            h3 { a href={ "#req=" (failure.requirement) } { (failure.requirement) }
                span .quiet { " " (failure.level) ", section " (failure.section) } }
            (message(&failure.message))
            blockquote { (prose(&failure.text)) " " span .quiet { (failure.link) } }
        }
    }
}

/// A text in which backticks stand around what is code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// A message; what was expected and what was seen apart, where it says so.
pub(super) fn message(message: &str) -> Markup {
    let parts = message
        .strip_prefix("expected ")
        .and_then(|rest| rest.split_once(", seen "));
    html! {
        @if let Some((expected, seen)) = parts {
            dl .message {
                dt { "Expected" } dd { (prose(expected)) }
                dt { "Seen" } dd .seen { (prose(seen)) }
            }
        } @else {
            p .message { (prose(message)) }
        }
    }
}

fn shows(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.steps.is_empty() {
            h4 { "What happened" }
            ol .steps {
                @for step in &evidence.steps {
                    li .bad[step.contains("FAILS ")] { (step) }
                }
            }
        }
        @for mail in &evidence.mails {
            details .evidence {
                summary { (mail.heading) }
                pre { (mail.layers) }
            }
        }
        (dialogue(&evidence.dialogue))
        (folded("Harness and adapter", &evidence.transcript))
        (folded("The adapter's standard error", &evidence.stderr))
        @if evidence.cut {
            p .quiet { "Long parts are cut; a run with --record keeps everything." }
        }
    }
}

fn folded(title: &str, text: &str) -> Markup {
    html! {
        @if !text.trim().is_empty() {
            details .evidence { summary { (title) } pre { (text) } }
        }
    }
}

/// The dialogue with the mail server, each side in its colour.
fn dialogue(text: &str) -> Markup {
    let side = |line: &str| {
        let sign = line.split_whitespace().nth(3).unwrap_or_default();
        match sign {
            "C:" => "client",
            "S:" => "server",
            _ => "note",
        }
    };
    html! {
        @if !text.trim().is_empty() {
            details .evidence {
                summary { "Dialogue with the mail server" }
                pre { @for line in text.lines() { span .(side(line)) { (line) } "\n" } }
            }
        }
    }
}

fn facts(case: &CaseResult) -> Markup {
    let axes: Vec<String> = case
        .axes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let milliseconds = case.microseconds / 1000;
    html! {
        @if !matches!(case.status, Status::Pass | Status::Skip) {
            p .repeat { "Repeat: " code { (case.repeat) } " " button .copy { "Copy" } }
        }
        p .quiet {
            "class " (case.class) " · rung " (case.rung.as_str()) " · " (axes.join(" ")) " · "
            (milliseconds) " ms"
            @if case.attempts > 1 { " · " (case.attempts) " tries" }
            " · for "
            @for (at, id) in case.requirements.iter().enumerate() {
                @if at > 0 { ", " }
                a href={ "#req=" (id) } { (id) }
            }
        }
    }
}
