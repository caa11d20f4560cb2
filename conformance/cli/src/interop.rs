//! `interop`: scenarios between implementations, each with each and in both roles.

use comfy_table::{CellAlignment, Table, presets};
use kith_runner::plan::Selection;
use kith_runner::report::{Report, Status};
use kith_runner::{Options, exit};
use serde::Serialize;

use crate::suite::{SUITE, connector, jobs};
use crate::{Trouble, args};

/// What came of one pair.
#[derive(Serialize)]
struct Cell {
    /// The adapter of the one who asks, makes, invites.
    first: String,
    /// The adapter of the other.
    second: String,
    report: Report,
}

fn name(report: &Report) -> String {
    let about = report.implementation.as_ref();
    about.map_or_else(
        || report.adapter.clone(),
        |about| format!("{} {}", about.name, about.version),
    )
}

pub(crate) async fn interop(arguments: &args::Interop) -> Result<u8, Trouble> {
    let mut adapters = vec![arguments.a.clone(), arguments.b.clone()];
    adapters.extend(arguments.also.iter().cloned());
    let suite = kith_cases::together::suite();
    let mut cells = Vec::new();
    for first in &adapters {
        for second in &adapters {
            let options = Options {
                seed: arguments.seed,
                jobs: arguments.jobs.unwrap_or_else(jobs),
                suite: SUITE.to_owned(),
                partner: (first != second).then(|| connector(second)).transpose()?,
                ..Options::new(connector(first)?)
            };
            let selection = Selection::default();
            let report = kith_runner::run(&suite, &selection, &options, &mut []).await?;
            cells.push(Cell {
                first: first.clone(),
                second: second.clone(),
                report,
            });
        }
    }
    let size = adapters.len();
    let names: Vec<String> = cells.chunks(size).map(|row| name(&row[0].report)).collect();
    anstream::println!("{}\n", matrix(&names, &cells));
    for (cell, second) in cells.iter().zip(names.iter().cycle()) {
        say(cell, second);
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&cells)? + "\n")?;
    }
    let codes = cells.iter().map(|cell| exit::code(&cell.report));
    // Failed weighs more than could not run.
    let worst = |a, b| match (a, b) {
        (exit::FAILED, _) | (_, exit::FAILED) => exit::FAILED,
        (a, b) => a.max(b),
    };
    Ok(codes.fold(exit::PASSED, worst))
}

/// Rows: who begins. Columns: the other. Cells: scenarios that pass, of those that were run.
fn matrix(names: &[String], cells: &[Cell]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let head = ["begins ↓  with →".to_owned()];
    table.set_header(head.into_iter().chain(names.iter().cloned()));
    for (name, row) in names.iter().zip(cells.chunks(names.len())) {
        let counts = row.iter().map(|cell| {
            let summary = &cell.report.summary;
            let skipped = summary.skip + summary.unsupported + summary.not_tested;
            let ran = cell.report.cases.len() - skipped;
            match ran {
                0 => "–".to_owned(),
                _ => format!("{}/{ran}", summary.pass + summary.warn),
            }
        });
        table.add_row([name.clone()].into_iter().chain(counts));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What did not work in a pair.
fn say(cell: &Cell, second: &str) {
    for case in &cell.report.cases {
        if matches!(case.status, Status::Pass | Status::Warn | Status::Skip) {
            continue;
        }
        let (first, status) = (name(&cell.report), case.status.as_str());
        anstream::println!("{status}  {} between {first} and {second}", case.id);
        for line in case.reason.iter() {
            anstream::println!("        {line}");
        }
        for failure in &case.failures {
            anstream::println!("        {}: {}", failure.requirement, failure.message);
        }
    }
}
