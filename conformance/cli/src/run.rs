//! `run` and `vectors`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kith_adapter::validate::Validator;
use kith_cases::together::{self, WEATHER};
use kith_runner::case::Case;
use kith_runner::plan::{Expected, Known, baseline};
use kith_runner::report::progress::Progress;
use kith_runner::{Options, exit};

use crate::servers::{self, Servers};
use crate::suite::{SUITE, connector, jobs, suite};
use crate::{Trouble, args, outputs};

pub(crate) async fn run(arguments: &args::Run) -> Result<u8, Trouble> {
    if !arguments.faults.is_empty() {
        return run_suite(
            &under_faults(&arguments.faults)?,
            arguments,
            Servers::default(),
        )
        .await;
    }
    let mut suite = suite();
    if arguments.server != args::EMBEDDED {
        suite.extend(together::suite());
    }
    servers::run(arguments, |servers| run_suite(&suite, arguments, servers)).await
}

/// Every scenario under each of the named faults.
fn under_faults(asked: &[String]) -> Result<Vec<Case>, Trouble> {
    let all: Vec<&str> = WEATHER.iter().map(|weather| weather.id).collect();
    let (mut names, mut mixtures) = (Vec::new(), 0);
    for name in asked {
        let number = name.strip_prefix("mixtures=").map(str::parse);
        match (name.as_str(), number) {
            ("all", _) => names.extend(&all),
            (_, Some(Ok(number))) => mixtures = number,
            (name, None) if all.contains(&name) => names.push(name),
            (name, _) => return Err(Trouble::NoFault(name.to_owned(), all.join(", "))),
        }
    }
    Ok(together::under_faults(&names, mixtures))
}

pub(crate) async fn vectors(arguments: &args::Run) -> Result<u8, Trouble> {
    run_suite(
        &kith_runner::vectors::cases(),
        arguments,
        Servers::default(),
    )
    .await
}

async fn run_suite(suite: &[Case], arguments: &args::Run, servers: Servers) -> Result<u8, Trouble> {
    let selection = arguments.select.selection()?;
    let mut connector = connector(&arguments.adapter)?;
    if arguments.validate {
        connector = connector.validated(Arc::new(Validator::new()));
    }
    let options = Options {
        expected: expected(&arguments.expect, suite)?,
        suite: SUITE.to_owned(),
        seed: arguments.seed,
        jobs: match servers.described.len() {
            0 => arguments.jobs.unwrap_or_else(jobs),
            lanes => lanes,
        },
        deterministic: arguments.deterministic,
        first: arguments.first,
        limit: Duration::from_secs(arguments.limit),
        record: arguments.record.clone(),
        servers: servers.described,
        named: servers.named,
        outages: servers.outages,
        ..Options::new(connector)
    };
    let mut reporters = outputs::reporters(&arguments.outputs);
    if std::io::stderr().is_terminal() {
        reporters.insert(0, Box::new(Progress::new()));
    }
    let report = kith_runner::run(suite, &selection, &options, &mut reporters).await?;
    if let Some(path) = &arguments.expect.baseline_write {
        std::fs::write(path, baseline(&report, options.expected.failing.as_ref()))?;
    }
    Ok(exit::code(&report))
}

fn expected(arguments: &args::Expect, suite: &[Case]) -> Result<Expected, Trouble> {
    let read = |path: &Option<PathBuf>| {
        let list = path.as_ref().map(|path| Known::read(path, suite));
        list.transpose()
    };
    Ok(Expected {
        failing: read(&arguments.known_failing)?,
        flaky: read(&arguments.known_flaky)?,
        retries: arguments.retries,
    })
}
