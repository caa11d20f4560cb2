//! `run` and `vectors`.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use kith_adapter::validate::Validator;
use kith_runner::case::Case;
use kith_runner::event::Reporter;
use kith_runner::plan::Selection;
use kith_runner::report::human::Human;
use kith_runner::report::json::Json;
use kith_runner::report::junit::Junit;
use kith_runner::report::progress::Progress;
use kith_runner::{Options, exit};

use crate::suite::{connector, cores, suite};
use crate::{Trouble, args};

pub(crate) async fn run(arguments: &args::Run) -> Result<u8, Trouble> {
    run_suite(&suite(), arguments).await
}

pub(crate) async fn vectors(arguments: &args::Run) -> Result<u8, Trouble> {
    run_suite(&kith_runner::vectors::cases(), arguments).await
}

async fn run_suite(suite: &[Case], arguments: &args::Run) -> Result<u8, Trouble> {
    let selection = Selection {
        run: arguments.run.clone(),
        skip: arguments.skip.clone(),
    };
    let mut connector = connector(&arguments.adapter)?;
    if arguments.validate {
        connector = connector.validated(Arc::new(Validator::new()));
    }
    let options = Options {
        connector,
        seed: arguments.seed,
        jobs: arguments.jobs.unwrap_or_else(cores),
        first: arguments.first,
        limit: Duration::from_secs(arguments.limit),
        record: arguments.record.clone(),
    };
    let mut reporters = reporters(arguments);
    let report = kith_runner::run(suite, &selection, &options, &mut reporters).await?;
    Ok(exit::code(&report))
}

fn reporters(arguments: &args::Run) -> Vec<Box<dyn Reporter>> {
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    if std::io::stderr().is_terminal() {
        reporters.push(Box::new(Progress::new()));
    }
    let width = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    reporters.push(Box::new(Human::new(
        anstream::stdout(),
        width,
        arguments.evidence,
    )));
    if let Some(path) = &arguments.json {
        reporters.push(Box::new(Json::new(path.clone())));
    }
    if let Some(path) = &arguments.junit {
        reporters.push(Box::new(Junit::new(path.clone())));
    }
    reporters
}
