//! `cargo xtask trace`: each requirement's places in the code, its cases and
//! its vectors, and what is missing.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use kith_spec_source::{Lack, Problem, Spec};

use crate::tree::{self, Tree};
use coverage::{Coverage, Found, Row};

pub(crate) mod coverage;
mod evidence;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show this requirement in full
    id: Option<String>,
    /// Also write the numbers, and what is untraced, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    json: Option<PathBuf>,
}

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error("no requirement `{id}`; {hint}")]
    Unknown { id: String, hint: String },
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
}

/// Prints the trace; fails where a requirement is untraced or an exception needless.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let tree = Tree::read(&tree::root()?)?;
    let spec = match tree.specification() {
        Ok(spec) => spec,
        Err(problems) => return Ok(faulty(&problems)),
    };
    let coverage = coverage(&spec, &tree);
    if let Some(id) = &args.id {
        let row = coverage.rows.iter().find(|row| row.rule.id == *id);
        let row = row.ok_or_else(|| unknown(id, &coverage))?;
        anstream::print!("{}", in_full(row));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &args.json {
        let summary = coverage.summary();
        let mut text = serde_json::to_string_pretty(&summary)
            .expect("a struct of numbers and strings is always JSON");
        text.push('\n');
        std::fs::write(path, text).map_err(|error| Error::Write(path.clone(), error))?;
    }
    anstream::print!(
        "{}{}{}",
        table(&coverage),
        waiting(&coverage),
        missing(&coverage)
    );
    Ok(ExitCode::from(u8::from(!coverage.is_complete())))
}

/// What stands for each requirement in the tree.
pub(crate) fn coverage<'a>(spec: &'a Spec, tree: &Tree) -> Coverage<'a> {
    let found = Found {
        code: evidence::code(tree),
        cases: evidence::cases(tree),
        vectors: evidence::vectors(tree),
    };
    Coverage::new(spec, &found)
}

/// Prints why the specification cannot be read.
pub(crate) fn faulty(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        anstream::println!("{problem}");
    }
    ExitCode::from(1)
}

fn unknown(id: &str, coverage: &Coverage<'_>) -> Error {
    let chapter = id.split('.').next().unwrap_or_default();
    let ids = coverage.rows.iter().map(|row| row.rule.id.as_str());
    let near: Vec<&str> = ids
        .filter(|id| id.split('.').next() == Some(chapter))
        .collect();
    let hint = if near.is_empty() {
        "an id begins with a word such as `mail.`".to_owned()
    } else {
        format!("there are: {}", near.join(", "))
    };
    Error::Unknown {
        id: id.to_owned(),
        hint,
    }
}

const HEADER: [&str; 8] = [
    "Chapter",
    "Requirements",
    "Code",
    "Cases",
    "Vectors",
    "Exceptions",
    "Pending",
    "Untraced",
];

/// The counts by chapter. Vectors: those there are, of those needed.
fn table(coverage: &Coverage<'_>) -> String {
    let mut lines = vec![HEADER.map(str::to_owned)];
    let mut chapters: Vec<&str> = coverage
        .rows
        .iter()
        .map(|row| row.rule.chapter.as_str())
        .collect();
    chapters.dedup();
    for chapter in chapters {
        let rows = coverage
            .rows
            .iter()
            .filter(|row| row.rule.chapter == chapter);
        lines.push(counts(chapter, &rows.collect::<Vec<_>>()));
    }
    lines.push(counts("all", &coverage.rows.iter().collect::<Vec<_>>()));
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let mut out = String::new();
    for line in &lines {
        let _ = write!(out, "{:<width$}", line[0], width = width(0));
        for (column, cell) in line.iter().enumerate().skip(1) {
            let _ = write!(out, "  {cell:>width$}", width = width(column));
        }
        out.push('\n');
    }
    out
}

fn counts(name: &str, rows: &[&Row<'_>]) -> [String; 8] {
    let count = |has: fn(&Row<'_>) -> bool| rows.iter().filter(|row| has(row)).count();
    let needed = rows.iter().filter(|row| row.needs_vector()).count();
    let vectors = count(|row| row.needs_vector() && !row.vectors.is_empty());
    [
        name.to_owned(),
        rows.len().to_string(),
        count(|row| !row.code.is_empty()).to_string(),
        count(|row| !row.cases.is_empty()).to_string(),
        format!("{vectors}/{needed}"),
        count(|row| row.exception.is_some()).to_string(),
        count(|row| !row.waits_for().is_empty()).to_string(),
        count(|row| !row.lacks().is_empty()).to_string(),
    ]
}

/// What is pending, chapter by chapter.
fn waiting(coverage: &Coverage<'_>) -> String {
    let mut out = String::new();
    let mut chapter = "";
    for row in &coverage.rows {
        let lacks = row.waits_for();
        if lacks.is_empty() {
            continue;
        }
        if row.rule.chapter != chapter {
            chapter = &row.rule.chapter;
            let _ = writeln!(out, "\npending in {chapter}");
        }
        let _ = writeln!(out, "  {} lacks {}", row.rule.id, list(&lacks));
    }
    out
}

/// What is wrong, a line each.
fn missing(coverage: &Coverage<'_>) -> String {
    let mut out = String::new();
    for row in &coverage.rows {
        let rule = row.rule;
        let (lacks, needless) = (row.lacks(), row.needless());
        if !lacks.is_empty() {
            let _ = writeln!(
                out,
                "{}:{}: {} lacks {}",
                rule.place.file,
                rule.place.line,
                rule.id,
                list(&lacks)
            );
        }
        if let (false, Some(exception)) = (needless.is_empty(), row.exception) {
            let _ = writeln!(
                out,
                "spec/1.0/exceptions.toml:{}: {} does not lack {} any more; take it out",
                exception.place.line,
                rule.id,
                list(&needless)
            );
        }
    }
    for settled in coverage.settled() {
        let (line, what) = (settled.line, settled.what);
        let _ = writeln!(out, "spec/1.0/exceptions.toml:{line}: {what}; take it out");
    }
    for (at, name) in &coverage.unknown {
        let _ = writeln!(
            out,
            "{at}: no requirement is named {name}; correct the name"
        );
    }
    if !out.is_empty() {
        out.insert(0, '\n');
    }
    out
}

fn list(lacks: &[Lack]) -> String {
    lacks
        .iter()
        .map(|lack| lack.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Everything about one requirement.
fn in_full(row: &Row<'_>) -> String {
    let rule = row.rule;
    let mut out = format!(
        "{} ({}, {})\n{}\n",
        rule.id, rule.level, rule.class, rule.text
    );
    if let Some(outcome) = rule.outcome {
        let _ = writeln!(
            out,
            "→ {outcome} {}",
            rule.violation.as_deref().unwrap_or_default()
        );
    }
    let (place, section) = (&rule.place, &rule.section);
    let _ = writeln!(out, "\nsection {} {}", section.number, section.title);
    let _ = writeln!(out, "  {place} ({}#{})", place.file, section.anchor);
    for (kind, places) in [
        ("code", &row.code),
        ("cases", &row.cases),
        ("vectors", &row.vectors),
    ] {
        let _ = writeln!(out, "{kind}");
        for place in places {
            let _ = writeln!(out, "  {place}");
        }
        if places.is_empty() {
            let _ = writeln!(out, "  none");
        }
    }
    if let Some(exception) = row.exception {
        let _ = writeln!(
            out,
            "exception for {}\n  {}",
            list(&exception.lacks),
            exception.reason
        );
    }
    let waits = row.waits_for();
    if !waits.is_empty() {
        let _ = writeln!(out, "pending: {}", list(&waits));
        for entry in &row.pending {
            let _ = writeln!(out, "  {}", entry.reason);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::evidence::Evidence;
    use super::*;

    fn found() -> Found {
        let code = Evidence {
            at: "a.rs:1".into(),
            requirements: vec!["MAIL_A".into()],
        };
        Found {
            code: vec![code],
            ..Found::default()
        }
    }

    #[test]
    fn the_table_counts_by_chapter() {
        let spec = coverage::tests::spec("");
        let text = table(&Coverage::new(&spec, &found()));
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["mail", "2", "1", "0", "0/1", "0", "0", "2"]);
        assert_eq!(lines[2], ["all", "2", "1", "0", "0/1", "0", "0", "2"]);
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let spec = coverage::tests::spec("");
        let text = missing(&Coverage::new(&spec, &found()));
        assert_eq!(
            text,
            "\nspec/1.0/02-mail.md:9: mail.a lacks case, vector\n\
             spec/1.0/02-mail.md:12: mail.b-c lacks code, case\n"
        );
    }

    #[test]
    fn one_requirement_is_shown_in_full() {
        let spec = coverage::tests::spec("");
        let coverage = Coverage::new(&spec, &found());
        let text = in_full(&coverage.rows[0]);
        assert!(text.contains("It MUST be.\n→ refuse"), "{text}");
        assert!(text.contains("section 2.1 Form"), "{text}");
        assert!(text.contains("code\n  a.rs:1\ncases\n  none\n"), "{text}");
        let error = unknown("mail.x", &coverage).to_string();
        assert_eq!(
            error,
            "no requirement `mail.x`; there are: mail.a, mail.b-c"
        );
    }
}
