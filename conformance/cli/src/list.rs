//! `list`: the cases, in the order in which they are run.

use kith_runner::{Case, exit};
use serde::Serialize;

use crate::args::Select;
use crate::suite::suite;
use crate::{Trouble, outputs};

#[derive(Serialize)]
struct Entry {
    id: String,
    title: String,
    class: String,
    level: String,
    rung: &'static str,
    since: &'static str,
    axes: Vec<(&'static str, String)>,
    requirements: Vec<&'static str>,
    needs: Vec<String>,
}

impl From<Case> for Entry {
    fn from(case: Case) -> Self {
        let axes = case.axes().into_iter();
        Self {
            axes: axes.map(|(name, value)| (name, value.to_owned())).collect(),
            id: case.id,
            title: case.title,
            class: case.class.to_string(),
            level: case.level.to_string(),
            rung: case.rung.as_str(),
            since: case.since,
            requirements: case.requirements.iter().map(|rule| rule.id).collect(),
            needs: case.needs,
        }
    }
}

pub(crate) fn list(select: &Select, json: bool) -> Result<u8, Trouble> {
    let cases = select.selection()?.plan(&suite())?;
    let entries: Vec<Entry> = cases.into_iter().map(Into::into).collect();
    let text = if json {
        serde_json::to_string_pretty(&entries)? + "\n"
    } else {
        let lines = entries.iter();
        let lines = lines.map(|entry| format!("{}  {}\n", entry.id, entry.title));
        lines.collect()
    };
    outputs::print(&text)?;
    Ok(exit::PASSED)
}
