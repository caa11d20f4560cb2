//! `sabotage`: the suite tests itself. Each deliberately broken agent must be caught by a
//! case of the requirement that it breaks.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use kith_adapter::client::Endpoint;
use kith_runner::child::Connector;
use kith_runner::plan::Selection;
use kith_runner::report::{Report, Status};
use kith_runner::{Case, Options, exit};
use serde::{Deserialize, Serialize};

use crate::suite::{command, cores, suite};
use crate::{Trouble, args};

/// How many cases besides those of its requirement each fault runs.
const CONTROLS: usize = 20;

/// A broken agent, as `kith-sabotaged --list` tells.
#[derive(Debug, Deserialize)]
struct Planted {
    id: String,
    requirement: String,
    title: String,
}

/// What became of one broken agent.
#[derive(Debug, Serialize)]
struct Outcome {
    id: String,
    requirement: String,
    title: String,
    /// Whether a case of its requirement failed.
    killed: bool,
    /// The cases that failed because of it: not those that fail without it too.
    fired: Vec<String>,
    /// Of these, the controls.
    controls: Vec<String>,
    /// Why it could not be tried.
    trouble: Option<String>,
}

/// The score.
#[derive(Debug, Serialize)]
struct Score {
    planted: usize,
    killed: usize,
    faults: Vec<Outcome>,
}

pub(crate) async fn sabotage(arguments: &args::Sabotage) -> Result<u8, Trouble> {
    let program = program()?;
    let listed = Command::new(&program).arg("--list").output()?;
    let mut planted: Vec<Planted> = serde_json::from_slice(&listed.stdout)?;
    for id in &arguments.fault {
        if !planted.iter().any(|fault| fault.id == *id) {
            return Err(Trouble::Unknown(id.clone()));
        }
    }
    planted.retain(|fault| arguments.fault.is_empty() || arguments.fault.contains(&fault.id));
    let suite = suite();
    let mut faults = Vec::new();
    for fault in planted {
        let outcome = plant(&suite, fault, &program, arguments).await;
        say(&outcome);
        faults.push(outcome);
    }
    let killed = faults.iter().filter(|fault| fault.killed).count();
    let score = Score {
        planted: faults.len(),
        killed,
        faults,
    };
    anstream::println!("{} of {} killed", score.killed, score.planted);
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&score)? + "\n")?;
    }
    Ok(match score.killed == score.planted {
        true => exit::PASSED,
        false => exit::FAILED,
    })
}

/// The program with the broken agents: beside this one, built first if cargo runs this.
fn program() -> Result<PathBuf, Trouble> {
    if let Some(cargo) = std::env::var_os("CARGO") {
        Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "-p",
                "kith-conform",
                "-p",
                "kith-sabotaged",
            ])
            .status()?;
    }
    let own = std::env::current_exe()?;
    let program = own.with_file_name(format!("kith-sabotaged{}", std::env::consts::EXE_SUFFIX));
    if program.exists() {
        return Ok(program);
    }
    Err(Trouble::NoSabotaged(program.display().to_string()))
}

/// The controls: spread evenly over the suite, always the same.
fn controls(suite: &[Case]) -> impl Iterator<Item = &Case> {
    let step = suite.len().div_ceil(CONTROLS).max(1);
    suite.iter().step_by(step)
}

/// Runs the cases of a fault's requirement, and the controls, with the broken agent.
async fn plant(
    suite: &[Case],
    fault: Planted,
    program: &std::path::Path,
    arguments: &args::Sabotage,
) -> Outcome {
    let bears = |case: &&Case| {
        case.requirements
            .iter()
            .any(|rule| rule.id == fault.requirement)
    };
    let mut ids: Vec<String> = suite
        .iter()
        .filter(bears)
        .map(|case| case.id.clone())
        .collect();
    let own = ids.clone();
    ids.extend(
        controls(suite)
            .map(|case| case.id.clone())
            .filter(|id| !own.contains(id)),
    );
    let endpoint = Endpoint::Exec(command(program.to_path_buf(), &["--fault", &fault.id]));
    let connector = Connector::new(&format!("sabotaged:{}", fault.id), endpoint);
    let options = Options {
        seed: arguments.seed,
        jobs: arguments.jobs.unwrap_or_else(cores),
        limit: Duration::from_secs(30),
        ..Options::new(connector)
    };
    let selection = Selection {
        run: ids,
        ..Selection::default()
    };
    let ran = kith_runner::run(suite, &selection, &options, &mut []).await;
    let (report, trouble) = match ran {
        Ok(report) => (Some(report), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let fired = report.as_ref().map(fired).unwrap_or_default();
    let named = report
        .as_ref()
        .is_some_and(|report| names(report, &fault.requirement));
    Outcome {
        killed: named || fired.iter().any(|id| own.contains(id)),
        controls: fired
            .iter()
            .filter(|id| !own.contains(id))
            .cloned()
            .collect(),
        fired,
        trouble,
        id: fault.id,
        requirement: fault.requirement,
        title: fault.title,
    }
}

fn fired(report: &Report) -> Vec<String> {
    let failed = |status: Status| matches!(status, Status::Fail | Status::Warn);
    let cases = report.cases.iter().filter(|case| failed(case.status));
    cases.map(|case| case.id.clone()).collect()
}

/// Whether any failed assertion bears the requirement: the judge looks at every mail.
fn names(report: &Report, requirement: &str) -> bool {
    let mut failures = report.cases.iter().flat_map(|case| &case.failures);
    failures.any(|failure| failure.requirement == requirement)
}

fn say(outcome: &Outcome) {
    let word = if outcome.killed { "killed" } else { "SURVIVED" };
    let Outcome {
        id,
        requirement,
        title,
        fired,
        ..
    } = outcome;
    anstream::println!("{word}  {id} ({requirement}): {title}");
    for case in fired {
        let control = if outcome.controls.contains(case) {
            " (control)"
        } else {
            ""
        };
        anstream::println!("          {case}{control}");
    }
    if let Some(trouble) = &outcome.trouble {
        anstream::println!("          {trouble}");
    }
}
