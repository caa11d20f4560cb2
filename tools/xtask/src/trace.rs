//! `cargo xtask trace`: each requirement's places in the code, its cases and
//! its vectors, and what is missing.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use kith_spec::Lack;

use crate::tree::{self, Tree};
use coverage::{Coverage, Found, Row};

mod coverage;
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
    let found = Found {
        code: evidence::code(&tree),
        cases: evidence::cases(&tree),
        vectors: evidence::vectors(&tree),
    };
    let coverage = Coverage::new(
        kith_spec::requirements(),
        kith_spec::exceptions(),
        kith_spec::pending(),
        &found,
    );
    if let Some(id) = &args.id {
        let row = coverage.rows.iter().find(|row| row.rule.id == id);
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

fn unknown(id: &str, coverage: &Coverage) -> Error {
    let chapter = id.split('.').next().unwrap_or_default();
    let ids = coverage.rows.iter().map(|row| row.rule.id);
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
fn table(coverage: &Coverage) -> String {
    let mut lines = vec![HEADER.map(str::to_owned)];
    let mut chapters: Vec<&str> = coverage.rows.iter().map(|row| row.rule.chapter).collect();
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

fn counts(name: &str, rows: &[&Row]) -> [String; 8] {
    let count = |has: fn(&Row) -> bool| rows.iter().filter(|row| has(row)).count();
    let needed = count(Row::needs_vector);
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
fn waiting(coverage: &Coverage) -> String {
    let mut out = String::new();
    let mut chapter = "";
    for row in &coverage.rows {
        let lacks = row.waits_for();
        if lacks.is_empty() {
            continue;
        }
        if row.rule.chapter != chapter {
            chapter = row.rule.chapter;
            let _ = writeln!(out, "\npending in {chapter}");
        }
        let _ = writeln!(out, "  {} lacks {}", row.rule.id, list(&lacks));
    }
    out
}

/// What is wrong, a line each.
fn missing(coverage: &Coverage) -> String {
    let mut out = String::new();
    for row in &coverage.rows {
        let rule = row.rule;
        let (lacks, needless) = (row.lacks(), row.needless());
        if !lacks.is_empty() {
            let _ = writeln!(
                out,
                "{}:{}: {} lacks {}",
                rule.file,
                rule.line,
                rule.id,
                list(&lacks)
            );
        }
        if let (false, Some(exception)) = (needless.is_empty(), row.exception) {
            let _ = writeln!(
                out,
                "spec/1.0/exceptions.toml:{}: {} does not lack {} any more; take it out",
                exception.line,
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
fn in_full(row: &Row) -> String {
    let rule = row.rule;
    let mut out = format!(
        "{} ({}, {})\n{}\n",
        rule.id, rule.level, rule.class, rule.text
    );
    if let Some(outcome) = rule.outcome {
        let _ = writeln!(out, "→ {outcome} {}", rule.violation.unwrap_or_default());
    }
    let (file, anchor) = (rule.file, rule.anchor);
    let _ = writeln!(out, "\nsection {} {}", rule.section, rule.section_title);
    let _ = writeln!(out, "  {file}:{} ({file}#{anchor})", rule.line);
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
            list(exception.lacks),
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

    fn coverage() -> Coverage {
        let code = Evidence {
            at: "a.rs:1".into(),
            requirements: vec!["MAIL_A".into()],
        };
        let found = Found {
            code: vec![code],
            ..Found::default()
        };
        Coverage::new(&[&coverage::tests::A], &[], &[], &found)
    }

    #[test]
    fn the_table_counts_by_chapter() {
        let text = table(&coverage());
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["mail", "1", "1", "0", "0/1", "0", "0", "1"]);
        assert_eq!(lines[2], ["all", "1", "1", "0", "0/1", "0", "0", "1"]);
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let text = missing(&coverage());
        assert_eq!(
            text,
            "\nspec/1.0/02-mail.md:12: mail.a lacks case, vector\n"
        );
    }

    #[test]
    fn one_requirement_is_shown_in_full() {
        let text = in_full(&coverage().rows[0]);
        assert!(text.contains("It MUST be.\n→ refuse"), "{text}");
        assert!(text.contains("section 2.1 Form"), "{text}");
        assert!(text.contains("code\n  a.rs:1\ncases\n  none\n"), "{text}");
        let error = unknown("mail.x", &coverage()).to_string();
        assert_eq!(error, "no requirement `mail.x`; there are: mail.a");
    }
}
