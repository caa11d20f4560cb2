//! `sabotage`: the suite tests itself. Each deliberately broken agent must be caught by a
//! case of the requirement that it breaks, and leave alone what has nothing to do with it.
//!
//! First the sound agent plays the whole suite, which tells the cases that look at each requirement
//! and what they cost. Each fault runs some cases of its requirement, those that are about little
//! else first, and the same few controls of all classes; only if it survives these, the rest of
//! its requirement's cases. `--full` runs the whole suite against each fault. Where faults are
//! named, the sound agent plays the cases of their requirements and some others first, and the
//! whole suite only for the faults that survive these.

mod choice;
mod score;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kith_adapter::client::Endpoint;
use kith_runner::child::Connector;
use kith_runner::plan::Selection;
use kith_runner::report::{CaseResult, Report};
use kith_runner::{Case, Options, exit};
use kith_spec::{Class, Rule};
use serde::{Deserialize, Serialize};

use crate::suite::{command, connector, jobs, suite};
use crate::{Trouble, args, outputs};
use choice::Choice;
use score::{Planned, Score};

/// How long one case may take. The sound agent needs a fraction of a second.
const LIMIT: Duration = Duration::from_secs(20);

/// What `kith-sabotaged --list` tells.
#[derive(Debug, Deserialize)]
struct Catalogue {
    faults: Vec<Planted>,
    unseen: Vec<Unseen>,
}

/// A broken agent.
#[derive(Debug, Clone, Deserialize)]
struct Planted {
    id: String,
    requirement: String,
    title: String,
    /// The rules that are skipped to this end: what looks at these is related, too.
    #[serde(default)]
    skipped: Vec<String>,
}

/// A requirement whose absence nobody can see.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unseen {
    requirement: String,
    reason: String,
}

/// What became of one broken agent.
#[derive(Debug, Serialize)]
struct Outcome {
    id: String,
    requirement: String,
    class: &'static str,
    chapter: &'static str,
    title: String,
    /// Whether a case of its requirement failed, or an assertion that bears it.
    killed: bool,
    /// The cases that failed because of it: not those that fail without it too.
    fired: Vec<String>,
    /// Of these, those of classes that have nothing to do with its requirement's.
    unrelated: Vec<String>,
    /// Why it could not be tried.
    trouble: Option<String>,
}

pub(crate) async fn sabotage(arguments: &args::Sabotage) -> Result<u8, Trouble> {
    let began = Instant::now();
    let program = program()?;
    let Catalogue { mut faults, unseen } = catalogue(&program)?;
    for id in &arguments.fault {
        if !faults.iter().any(|fault| fault.id == *id) {
            return Err(Trouble::Unknown(id.clone()));
        }
    }
    faults.retain(|fault| arguments.fault.is_empty() || arguments.fault.contains(&fault.id));
    if arguments.list {
        outputs::print(&Planned::new(&faults, &unseen).to_string())?;
        return Ok(exit::PASSED);
    }
    let suite = suite();
    let bench = Bench {
        suite: &suite,
        program: &program,
        arguments,
    };
    let (mut outcomes, mut unsound) = (Vec::new(), BTreeSet::new());
    if !arguments.fault.is_empty() && !arguments.full {
        let few = choice::few(
            &suite,
            faults.iter().map(|fault| fault.requirement.as_str()),
        );
        let choice = Choice::new(&suite, healthy(&suite, arguments, few).await?);
        outcomes = bench.plant_all(&choice, faults.clone(), false).await;
        outcomes.retain(|outcome| outcome.killed);
        faults.retain(|fault| !outcomes.iter().any(|outcome| outcome.id == fault.id));
        unsound.extend(choice.unsound().cloned());
    }
    if !faults.is_empty() {
        let choice = Choice::new(&suite, healthy(&suite, arguments, Vec::new()).await?);
        unsound.extend(choice.unsound().cloned());
        outcomes.extend(bench.plant_all(&choice, faults, true).await);
    }
    for id in &unsound {
        anstream::println!("not counted, because it fails with the sound agent too: {id}");
    }
    let unsound = unsound.into_iter().collect();
    let score = Score::new(outcomes, unseen, unsound, arguments.seed, began.elapsed());
    anstream::println!("\n{score}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&score)? + "\n")?;
    }
    Ok(match score.is_clean() {
        true => exit::PASSED,
        false => exit::FAILED,
    })
}

/// The program with the broken agents: beside this one, built first if cargo runs this.
fn program() -> Result<PathBuf, Trouble> {
    let own = std::env::current_exe()?;
    // Not this program as well: it would be replaced while it runs.
    if let Some(cargo) = std::env::var_os("CARGO") {
        Command::new(cargo)
            .args(["build", "--quiet", "--bin", "kith-sabotaged"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .status()?;
    }
    let program = own.with_file_name(format!("kith-sabotaged{}", std::env::consts::EXE_SUFFIX));
    if program.exists() {
        return Ok(program);
    }
    Err(Trouble::NoSabotaged(program.display().to_string()))
}

fn catalogue(program: &Path) -> Result<Catalogue, Trouble> {
    let listed = Command::new(program).arg("--list").output()?;
    Ok(serde_json::from_slice(&listed.stdout)?)
}

/// What the sound agent makes of these cases, or of all where none are named.
async fn healthy(
    suite: &[Case],
    arguments: &args::Sabotage,
    run: Vec<String>,
) -> Result<Report, Trouble> {
    let jobs = arguments.jobs.unwrap_or_else(jobs);
    let options = options(connector(args::REFERENCE)?, arguments.seed, jobs);
    let selection = Selection {
        run,
        ..Selection::default()
    };
    Ok(kith_runner::run(suite, &selection, &options, &mut []).await?)
}

fn options(connector: Connector, seed: u64, jobs: usize) -> Options {
    Options {
        seed,
        jobs,
        limit: LIMIT,
        ..Options::new(connector)
    }
}

fn failed(report: &Report) -> impl Iterator<Item = &CaseResult> {
    report
        .cases
        .iter()
        .filter(|case| choice::is_failed(case.status))
}

/// Whether what one class says builds upon another.
fn builds_upon(class: Class, base: Class) -> bool {
    let social = [Class::Groups, Class::Events, Class::Pages, Class::Apps];
    class == base || base == Class::Core || base == Class::Social && social.contains(&class)
}

/// What all faults are tried with.
struct Bench<'a> {
    suite: &'a [Case],
    program: &'a Path,
    arguments: &'a args::Sabotage,
}

impl Bench<'_> {
    /// Tries faults, and tells of each as soon as it is killed, or at the `last` try.
    async fn plant_all(&self, choice: &Choice, faults: Vec<Planted>, last: bool) -> Vec<Outcome> {
        let jobs = self.arguments.jobs.unwrap_or_else(jobs).max(1);
        let tried = faults.into_iter().map(|fault| self.plant(choice, fault));
        let mut tried = futures::stream::iter(tried).buffer_unordered(jobs);
        let mut outcomes = Vec::new();
        while let Some(outcome) = tried.next().await {
            if outcome.killed || last {
                score::say(&outcome);
            }
            outcomes.push(outcome);
        }
        outcomes.sort_by(|one, other| one.id.cmp(&other.id));
        outcomes
    }

    async fn plant(&self, choice: &Choice, fault: Planted) -> Outcome {
        let rule = kith_spec::requirement(&fault.requirement);
        let skipped = fault.skipped.iter();
        let broken: Vec<Rule> = skipped
            .filter_map(|id| kith_spec::requirement(id))
            .chain(rule)
            .collect();
        let mut outcome = Outcome {
            class: rule.map_or("", |rule| rule.class.as_str()),
            chapter: rule.map_or("", |rule| rule.chapter),
            killed: false,
            fired: Vec::new(),
            unrelated: Vec::new(),
            trouble: None,
            id: fault.id,
            requirement: fault.requirement,
            title: fault.title,
        };
        let Some(rule) = rule else {
            outcome.trouble = Some("the specification has no such requirement".to_owned());
            return outcome;
        };
        for ids in choice.cases(rule.id, self.arguments.full) {
            if outcome.killed || ids.is_empty() {
                continue;
            }
            match self.run(&outcome.id, ids).await {
                Ok(report) => judge(choice, &report, rule, &broken, &mut outcome),
                Err(trouble) => outcome.trouble = Some(trouble.to_string()),
            }
        }
        outcome
    }

    async fn run(&self, fault: &str, ids: Vec<String>) -> Result<Report, Trouble> {
        let command = command(self.program.to_path_buf(), &["--fault", fault]);
        let connector = Connector::new(&format!("sabotaged:{fault}"), Endpoint::Exec(command));
        let selection = Selection {
            run: ids,
            ..Selection::default()
        };
        let options = options(connector, self.arguments.seed, 1);
        Ok(kith_runner::run(self.suite, &selection, &options, &mut []).await?)
    }
}

/// Notes which cases failed because of a fault of a rule, which breaks others, too.
fn judge(choice: &Choice, report: &Report, rule: Rule, broken: &[Rule], outcome: &mut Outcome) {
    for case in failed(report).filter(|case| choice.is_sound(&case.id)) {
        outcome.fired.push(case.id.clone());
        let bears = case.requirements.iter().any(|id| id == rule.id);
        let named = |id: &str| {
            case.failures
                .iter()
                .any(|failure| failure.requirement == id)
        };
        outcome.killed |= bears || named(rule.id);
        let class = Class::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == case.class);
        let mut bases = broken.iter().map(|broken| broken.class);
        let related = bears
            || named(rule.id)
            || class.is_none_or(|class| bases.any(|base| builds_upon(class, base)));
        if !related {
            outcome.unrelated.push(case.id.clone());
        }
    }
}
