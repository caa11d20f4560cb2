//! A badge: one small SVG that says what an implementation passes.

use std::fs;
use std::io;
use std::path::PathBuf;

use kith_adapter::protocol::Extent;

use super::{Report, Status};
use crate::event::{Event, Reporter};

/// Writes the badge at the end of the run.
#[derive(Debug)]
pub struct Badge {
    path: PathBuf,
}

impl Badge {
    /// Into this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Reporter for Badge {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event::Done(report) = event else {
            return Ok(());
        };
        fs::write(&self.path, badge(report))
    }
}

const GREEN: &str = "#2e7d32";
const YELLOW: &str = "#8a6100";
const RED: &str = "#b3261e";
const GREY: &str = "#555555";

/// What the badge says, and its colour.
fn says(report: &Report) -> (String, &'static str) {
    let summary = &report.summary;
    let failing = summary.fail + summary.known_failing + summary.blocked;
    if failing > 0 {
        return (format!("{failing} of {} failing", report.cases.len()), RED);
    }
    if summary.harness_error > 0 {
        return ("could not be judged".to_owned(), GREY);
    }
    if report.cases.len() < report.suite_cases {
        let (ran, all) = (report.cases.len(), report.suite_cases);
        return (format!("{ran} of {all} cases run"), GREY);
    }
    let Some(about) = &report.implementation else {
        return ("unknown implementation".to_owned(), GREY);
    };
    let mut classes: Vec<_> = about.classes.iter().collect();
    let rank = |class: &kith_adapter::protocol::Class| {
        let name = serde_json::to_value(class).unwrap_or_default();
        let mut all = kith_spec::Class::ALL.iter();
        all.position(|class| name == class.as_str())
            .unwrap_or(usize::MAX)
    };
    classes.sort_by_key(|(class, _)| rank(class));
    let words = classes.iter().map(|(class, extent)| {
        let name = serde_json::to_value(class).unwrap_or_default();
        let name = name.as_str().unwrap_or_default().to_owned();
        match extent {
            Extent::Full => name,
            Extent::Partial => name + " (partial)",
        }
    });
    let words: Vec<String> = words.collect();
    let full = about.classes.values().all(|extent| *extent == Extent::Full);
    let timed = summary.of(Status::NotTested) == 0;
    let all = words.len() == kith_spec::Class::ALL.len() && full;
    let text = if all {
        "all classes".to_owned()
    } else {
        words.join(", ")
    };
    match full && timed {
        true => (text, GREEN),
        false if timed => (text, YELLOW),
        false => (format!("{text}, not all tested"), YELLOW),
    }
}

/// About how wide a text is in 11-pixel Verdana, its fallbacks being narrower.
fn width(text: &str) -> usize {
    let tenths: usize = text
        .chars()
        .map(|character| match character {
            'i' | 'l' | 'j' | ',' | '.' | ' ' | '(' | ')' => 40,
            'm' | 'w' | 'M' | 'W' => 105,
            character if character.is_uppercase() => 80,
            _ => 68,
        })
        .sum();
    tenths / 10 + 12
}

/// The badge as SVG. It names no font to fetch and no other resource.
pub fn badge(report: &Report) -> String {
    let label = format!("Kith {}", report.spec);
    let (message, colour) = says(report);
    let escape = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('"', "&quot;")
    };
    let (left, right) = (width(&label), width(&message));
    let (label, message) = (escape(&label), escape(&message));
    let whole = left + right;
    let (first, second) = (left / 2, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {message}\">\n<title>{label}: {message}</title>\n\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>\n\
         <g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#333\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" \
         text-anchor=\"middle\"><text x=\"{first}\" y=\"14\">{label}</text>\
         <text x=\"{second}\" y=\"14\">{message}</text></g>\n</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    #[test]
    fn a_badge_says_no_more_than_was_seen() {
        let good = report(&[("a", Status::Pass), ("b", Status::Pass)]);
        assert_eq!(says(&good), ("core, social (partial)".to_owned(), YELLOW));
        let mut part = good.clone();
        part.suite_cases = 3;
        assert_eq!(says(&part), ("2 of 3 cases run".to_owned(), GREY));
        let bad = report(&[("a", Status::KnownFailing), ("b", Status::Pass)]);
        assert_eq!(says(&bad), ("1 of 2 failing".to_owned(), RED));
    }

    #[test]
    fn a_badge_is_xml_and_asks_for_nothing() {
        let svg = badge(&report(&[("a", Status::Pass)]));
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert!(
            !document
                .descendants()
                .any(|node| node.has_attribute("href"))
        );
        assert!(svg.contains(">Kith 1.0<"));
    }
}
