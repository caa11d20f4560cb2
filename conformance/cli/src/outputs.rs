//! Who is told of a run: the terminal, and the files that were asked for.

use std::io::{ErrorKind, Write as _};

use kith_runner::event::Reporter;
use kith_runner::report::badge::Badge;
use kith_runner::report::html::Html;
use kith_runner::report::human::Human;
use kith_runner::report::json::Json;
use kith_runner::report::junit::Junit;
use kith_runner::report::markdown::Markdown;

use crate::args::Outputs;

/// A reporter for standard output and one for each file.
pub(crate) fn reporters(outputs: &Outputs) -> Vec<Box<dyn Reporter>> {
    let human = Human::new(anstream::stdout(), width(), outputs.evidence);
    let mut reporters: Vec<Box<dyn Reporter>> = vec![Box::new(human)];
    if let Some(path) = &outputs.json {
        reporters.push(Box::new(Json::new(path.clone())));
    }
    if let Some(path) = &outputs.junit {
        reporters.push(Box::new(Junit::new(path.clone())));
    }
    if let Some(path) = &outputs.html {
        reporters.push(Box::new(Html::new(path.clone())));
    }
    if let Some(path) = &outputs.markdown {
        reporters.push(Box::new(Markdown::new(path.clone())));
    }
    if let Some(path) = &outputs.badge {
        reporters.push(Box::new(Badge::new(path.clone())));
    }
    reporters
}

/// The width of the terminal, in characters: `COLUMNS`, else what the terminal says; none where
/// there is none.
fn width() -> Option<u16> {
    let asked = std::env::var("COLUMNS").ok();
    let asked = asked.and_then(|columns| columns.parse().ok());
    asked.or_else(|| Some(terminal_size::terminal_size()?.0.0))
}

/// Writes to standard output. A reader that has read enough, such as `head`, is no fault.
///
/// # Errors
/// If it can't be written to.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
