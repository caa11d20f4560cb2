//! `explain`: a requirement with what tests it, or a case with what it tests.

use std::fmt::Write as _;

use kith_runner::{Case, exit};
use kith_spec::Rule;

use crate::suite::suite;
use crate::{Trouble, outputs};

pub(crate) fn explain(id: &str) -> Result<u8, Trouble> {
    let suite = suite();
    let case = suite.iter().find(|case| case.id == id);
    let text = match (kith_spec::requirement(id), case) {
        (Some(rule), _) => requirement(rule, &suite),
        (None, Some(case)) => describe(case),
        (None, None) => return Err(Trouble::Unknown(id.to_owned())),
    };
    outputs::print(&text)?;
    Ok(exit::PASSED)
}

fn heading(rule: Rule, text: &mut String) {
    let (level, class) = (rule.level, rule.class);
    let _ = writeln!(text, "{} ({level}, class {class})", rule.id);
    let _ = writeln!(text, "  {}", rule.text);
    if let Some(outcome) = rule.outcome {
        let violation = rule.violation.unwrap_or("no violation");
        let _ = writeln!(text, "  outcome: {outcome}, {violation}");
    }
    let link = kith_runner::report::link(rule);
    let _ = writeln!(
        text,
        "  section {} {}, {link}",
        rule.section, rule.section_title
    );
}

fn requirement(rule: Rule, suite: &[Case]) -> String {
    let mut text = String::new();
    heading(rule, &mut text);
    if kith_runner::judge::rules().contains(&rule) {
        text.push_str("  judged in every mail that the agent sends, in every case\n");
    }
    for exception in kith_spec::exceptions()
        .iter()
        .filter(|e| e.requirement == rule)
    {
        let lacks: Vec<_> = exception.lacks.iter().map(|lack| lack.as_str()).collect();
        let _ = writeln!(text, "  has no {}: {}", lacks.join(", "), exception.reason);
    }
    let bearing = |case: &&Case| case.requirements.contains(&rule);
    let (vectors, cases): (Vec<&Case>, Vec<&Case>) = suite
        .iter()
        .filter(bearing)
        .partition(|case| case.id.starts_with("vector/"));
    for (title, list) in [("cases", cases), ("vectors", vectors)] {
        let _ = writeln!(text, "  {title}: {}", list.len());
        for case in list {
            let _ = writeln!(text, "    {}  {}", case.id, case.title);
        }
    }
    text
}

fn describe(case: &Case) -> String {
    let mut text = format!("{}\n  {}\n", case.id, case.title);
    let axes: Vec<_> = case
        .axes()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let (level, class, rung) = (case.level, case.class, case.rung.as_str());
    let _ = writeln!(
        text,
        "  {level}, class {class}, rung {rung}, {}",
        axes.join(" ")
    );
    if !case.needs.is_empty() {
        let _ = writeln!(text, "  needs: {}", case.needs.join(", "));
    }
    let _ = writeln!(text, "  run it: cargo conform run --run '{}'", case.id);
    for rule in &case.requirements {
        text.push('\n');
        heading(rule, &mut text);
    }
    text
}
