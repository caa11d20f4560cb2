//! `list`: the cases, in the order in which they are run.

use std::io::Write as _;

use kith_runner::{Case, exit};
use serde::Serialize;

use crate::Trouble;
use crate::args::Select;
use crate::suite::suite;

#[derive(Serialize)]
struct Entry {
    id: String,
    title: String,
    class: String,
    level: String,
    rung: &'static str,
    since: &'static str,
    axes: Vec<(&'static str, &'static str)>,
    requirements: Vec<&'static str>,
    needs: Vec<String>,
}

impl From<Case> for Entry {
    fn from(case: Case) -> Self {
        Self {
            axes: case.axes(),
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
    let mut out = anstream::stdout().lock();
    if json {
        let text = serde_json::to_string_pretty(&entries)?;
        writeln!(out, "{text}")?;
    } else {
        for entry in &entries {
            writeln!(out, "{}  {}", entry.id, entry.title)?;
        }
    }
    Ok(exit::PASSED)
}
