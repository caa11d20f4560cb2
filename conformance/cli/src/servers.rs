//! Runs on mail servers outside this process: in containers, or somebody's own.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kith_containers::{Confederation, Engine, Stack, Wanted};
use kith_runner::exit;
use kith_testbed::{Described, Outages, Trait};
use tokio::signal::unix::{SignalKind, signal};

use crate::Trouble;
use crate::args::{EMBEDDED, Run};

/// How many cases are played side by side in containers unless told otherwise: most of a case
/// is waiting for mail.
const LANES: usize = 6;
/// How many people the harness can play in one case.
const PEOPLE: usize = 8;

/// The servers of a run; none where each case has an embedded one.
#[derive(Default)]
pub(crate) struct Servers {
    pub(crate) described: Vec<Described>,
    /// What they are called on the command line.
    pub(crate) named: Option<String>,
    pub(crate) outages: Option<Arc<dyn Outages>>,
}

/// Builds all images, telling what goes on.
pub(crate) async fn images() -> Result<u8, Trouble> {
    let engine = Engine::find().await?;
    kith_containers::prepare(&engine, &Stack::ALL, &mut tell).await?;
    Ok(exit::PASSED)
}

pub(crate) fn tell(line: &str) {
    anstream::eprintln!("{line}");
}

/// Finds out what each stack does differently; writes that to a file, or compares it with what
/// stands there.
pub(crate) async fn compare(write: Option<&Path>, check: Option<&Path>) -> Result<u8, Trouble> {
    let engine = Engine::find().await?;
    let told = check.map(std::fs::read_to_string).transpose()?;
    let found = tokio::select! {
        columns = probe(&engine) => columns,
        () = interrupted() => Err(Trouble::Interrupted),
    };
    let swept = engine.sweep().await;
    let table = table(&found?);
    swept?;
    anstream::print!("{table}");
    if let Some(file) = write {
        std::fs::write(file, &table)?;
    }
    let (Some(told), Some(file)) = (told, check) else {
        return Ok(exit::PASSED);
    };
    let differences = differences(&told, &table);
    if differences.is_empty() {
        return Ok(exit::PASSED);
    }
    for difference in differences {
        tell(&difference);
    }
    let file = file.display();
    tell(&format!(
        "{file} is not what was found; `cargo conform servers --write {file}` writes it anew"
    ));
    Ok(exit::FAILED)
}

/// The lines of a file that aren't in a table, and those of the table that aren't in the file.
fn differences(file: &str, table: &str) -> Vec<String> {
    let lacks = |text: &str, line: &&str| !text.lines().any(|one| one == *line);
    let gone = file.lines().filter(|line| lacks(table, line));
    let found = table.lines().filter(|line| lacks(file, line));
    let gone = gone.map(|line| format!("- {line}"));
    gone.chain(found.map(|line| format!("+ {line}"))).collect()
}

/// What each stack does differently, a column each.
async fn probe(engine: &Engine) -> Result<Vec<(&'static str, Vec<Trait>)>, Trouble> {
    let mut columns = Vec::new();
    for stack in Stack::ALL {
        let wanted = Wanted {
            stack,
            lanes: 1,
            people: 1,
        };
        let confederation = Confederation::start(engine, wanted, &mut tell).await?;
        let mut traits = Vec::new();
        for described in &confederation.described() {
            tell(&format!("{stack}: {}", described.versions.join(", ")));
            traits = described.probe().await?;
        }
        confederation.stop().await?;
        columns.push((stack.name(), traits));
    }
    Ok(columns)
}

/// A row for each thing that was looked at, a column for each server.
fn table(columns: &[(&str, Vec<Trait>)]) -> String {
    let mut text = "<!-- Generated: cargo conform servers --write conformance/testbed/images/DIFFERENCES.md -->\n\n\
        # What mail servers do differently\n\n\
        Found by mail that is made to provoke it, sent from an account to itself, on the servers of \
        `cargo conform run --server all`.\n\n|"
        .to_owned();
    let line = |text: &mut String, cells: Vec<&str>| {
        for cell in cells {
            let _ = write!(text, " | {cell}");
        }
        text.push_str(" |\n");
    };
    line(&mut text, columns.iter().map(|(name, _)| *name).collect());
    let _ = writeln!(text, "|---{}|", "|---".repeat(columns.len()));
    let rows = columns.first().map_or(0, |(_, traits)| traits.len());
    for row in 0..rows {
        let cells = columns.iter().filter_map(|(_, traits)| traits.get(row));
        let what = cells.clone().next().map_or("", |found| found.what);
        let _ = write!(text, "| {what}");
        line(
            &mut text,
            cells.map(|found| found.outcome.as_str()).collect(),
        );
    }
    text
}

/// Plays on the servers that the command line names, one stack after the other.
pub(crate) async fn run<F, Fut>(arguments: &Run, play: F) -> Result<u8, Trouble>
where
    F: Fn(Servers) -> Fut,
    Fut: Future<Output = Result<u8, Trouble>>,
{
    let name = arguments.server.as_str();
    if name == EMBEDDED {
        return play(Servers::default()).await;
    }
    if Path::new(name).is_file() {
        let described = vec![described(Path::new(name))?];
        return play(Servers {
            described,
            named: Some(name.to_owned()),
            outages: None,
        })
        .await;
    }
    let stacks = match name {
        "all" if arguments.outputs.writes_over() => {
            return Err(Trouble::OneFile);
        }
        "all" => Stack::ALL.to_vec(),
        name => vec![name.parse().map_err(Trouble::NoServer)?],
    };
    let lanes = arguments.jobs.unwrap_or(LANES);
    let engine = Engine::find().await?;
    let ended = tokio::select! {
        ended = on_stacks(&engine, &stacks, lanes, play) => ended,
        () = interrupted() => Err(Trouble::Interrupted),
    };
    let swept = engine.sweep().await;
    // What the run itself came to matters more.
    let code = ended?;
    swept?;
    Ok(code)
}

/// The description of a mail server of the user's own, with what they should know before.
fn described(path: &Path) -> Result<Described, Trouble> {
    let server = Described::read(path)?;
    server.usable()?;
    tell(&format!(
        "WARNING: all mail in these accounts of {} is deleted, now and before each case:",
        server.name
    ));
    for account in &server.accounts {
        tell(&format!("  {}", account.address));
    }
    tell(
        "The suite asks the agent to write to these addresses only. Whether it keeps to that \
         is up to the agent. Use a test server, or accounts made for this.",
    );
    Ok(server)
}

async fn on_stacks<F, Fut>(
    engine: &Engine,
    stacks: &[Stack],
    lanes: usize,
    play: F,
) -> Result<u8, Trouble>
where
    F: Fn(Servers) -> Fut,
    Fut: Future<Output = Result<u8, Trouble>>,
{
    let mut worst = exit::PASSED;
    for &stack in stacks {
        let began = Instant::now();
        let wanted = Wanted {
            stack,
            lanes,
            people: PEOPLE,
        };
        let confederation = Confederation::start(engine, wanted, &mut tell).await?;
        let confederation = Arc::new(confederation);
        let version = engine.version();
        tell(&format!(
            "{stack}, container engine {version}, ready after {:.1} s",
            began.elapsed().as_secs_f64()
        ));
        let ended = play(Servers {
            described: confederation.described(),
            named: Some(stack.name().to_owned()),
            outages: Some(Arc::clone(&confederation) as Arc<dyn Outages>),
        })
        .await;
        // Who else has it has ended, or else dropping it removes its containers.
        if let Some(confederation) = Arc::into_inner(confederation) {
            confederation.stop().await?;
        }
        let took = began.elapsed().as_secs_f64();
        tell(&format!("{stack}: {took:.1} s, start and removal included"));
        worst = worst.max(ended?);
    }
    Ok(worst)
}

/// Waits for Ctrl-C, or for being told to end.
pub(crate) async fn interrupted() {
    let heard = |kind| async move {
        match signal(kind) {
            Ok(mut told) => drop(told.recv().await),
            // Where a signal can't be had, nobody waits for it.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => {}
        () = heard(SignalKind::terminate()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_differs_from_the_file_is_told_line_by_line() {
        let found = |outcome: &str| {
            let outcome = outcome.to_owned();
            vec![(
                "one",
                vec![Trait {
                    what: "NUL",
                    outcome,
                }],
            )]
        };
        let (kept, lost) = (table(&found("kept")), table(&found("lost")));
        assert!(differences(&kept, &kept).is_empty());
        let told = differences(&kept, &lost);
        assert_eq!(told, ["- | NUL | kept |", "+ | NUL | lost |"]);
    }
}
