//! `merge` and `diff`: what is made of reports that are there already.

use std::path::{Path, PathBuf};

use kith_runner::event::Event;
use kith_runner::exit;
use kith_runner::rejudge::Rejudged;
use kith_runner::report::diff::Diff;
use kith_runner::report::{Report, merge};

use crate::args::Outputs;
use crate::suite::SUITE;
use crate::{Trouble, outputs};

fn read(path: &Path) -> Result<Report, Trouble> {
    let trouble = |error: String| Trouble::Report(path.display().to_string(), error);
    let text = std::fs::read_to_string(path).map_err(|error| trouble(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| trouble(error.to_string()))
}

/// Joins reports and tells about the whole as `run` would.
pub(crate) fn merge(paths: &[PathBuf], outputs: &Outputs) -> Result<u8, Trouble> {
    let part = |path: &PathBuf| Ok((path.display().to_string(), read(path)?));
    let parts = paths.iter().map(part).collect::<Result<_, Trouble>>()?;
    let whole = merge::merge(parts)?;
    let code = exit::code(&whole);
    let done = Event::Done(Box::new(whole));
    for mut reporter in outputs::reporters(outputs) {
        reporter.event(&done)?;
    }
    Ok(code)
}

/// Judges a recorded run again, tells about it as `run` would, and what changed.
pub(crate) fn rejudge(record: &Path, outputs: &Outputs) -> Result<u8, Trouble> {
    let Rejudged {
        before,
        after,
        cases,
    } = kith_runner::rejudge::rejudge(record, SUITE)?;
    let (code, diff) = (exit::code(&after), Diff::new(&before, &after));
    let done = Event::Done(Box::new(after));
    for mut reporter in outputs::reporters(outputs) {
        reporter.event(&done)?;
    }
    outputs::print(&format!(
        "\njudged again: the mail of {cases} cases\n{diff}"
    ))?;
    Ok(code)
}

/// Tells what changed from one report to another.
pub(crate) fn diff(old: &Path, new: &Path, json: Option<&Path>) -> Result<u8, Trouble> {
    let diff = Diff::new(&read(old)?, &read(new)?);
    outputs::print(&diff.to_string())?;
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&diff)? + "\n")?;
    }
    Ok(if diff.is_worse() {
        exit::FAILED
    } else {
        exit::PASSED
    })
}
