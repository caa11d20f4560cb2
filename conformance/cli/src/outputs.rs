//! Who is told of a run: the terminal, and the files that were asked for.

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
    let width = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let human = Human::new(anstream::stdout(), width, outputs.evidence);
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
