//! The result of a run as data: the one model that every report is made from.
//! Its JSON Schema is `schema/report.json`, written by `cargo xtask schemas`.

pub mod badge;
pub mod diff;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
mod matrix;
pub mod merge;
pub mod progress;
#[cfg(test)]
pub(crate) mod sample;
mod status;
pub(crate) mod steady;

use std::collections::BTreeMap;

use kith_adapter::protocol::About;
use kith_spec::{Level, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Rung};

pub use status::{Status, Summary};

/// The version of the report's form, in [`Report::report`].
pub const REPORT: &str = "kith-conform-report/1";

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this form.
    pub report: String,
    /// The version of the suite; after the `+` what its sources hash to.
    pub suite: String,
    /// How many cases the suite has. A run of fewer says nothing about the others.
    #[serde(default)]
    pub suite_cases: usize,
    /// The version of the specification.
    pub spec: String,
    /// What the harness's randomness came from. The same seed gives the same mails.
    pub seed: u64,
    /// How the implementation was reached, such as `exec:./my-adapter`.
    pub adapter: String,
    /// What the implementation said about itself.
    pub implementation: Option<About>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How many cases ended how.
    pub summary: Summary,
    /// Each case, in the order of the plan.
    pub cases: Vec<CaseResult>,
    /// Each requirement that an assertion was evaluated for, by id.
    pub covered: BTreeMap<String, Coverage>,
    /// What the reader may want to know: a class that works and isn't declared, for instance.
    pub hints: Vec<String>,
    /// The mail servers outside the harness, by name, and what runs there, with versions. None
    /// where the mail was served by the harness itself.
    #[serde(default)]
    pub servers: BTreeMap<String, Vec<String>>,
}

/// One case and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseResult {
    /// The case's stable id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The requirements it is for.
    pub requirements: Vec<String>,
    /// The feature class.
    pub class: String,
    /// How strongly its requirements bind.
    pub level: String,
    /// When in the run it comes.
    pub rung: Rung,
    /// The version of the specification from which on it counts.
    pub since: String,
    /// What it was run with: `key`, `server`.
    pub axes: BTreeMap<String, String>,
    /// How it ended.
    pub status: Status,
    /// Why, where assertions don't tell.
    pub reason: Option<String>,
    /// For `blocked`: the case at the root.
    pub blocked_by: Option<String>,
    /// How long it took, in microseconds.
    pub microseconds: u64,
    /// How often it was played; more than once only where it failed and was retried.
    #[serde(default = "once")]
    pub attempts: u32,
    /// How many assertions were evaluated, by requirement.
    pub asserted: BTreeMap<String, u32>,
    /// What did not hold.
    pub failures: Vec<FailureReport>,
    /// What was measured, in words.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What shows it; absent where nothing failed.
    pub evidence: Option<Evidence>,
    /// The command that repeats just this case.
    pub repeat: String,
}

fn once() -> u32 {
    1
}

/// One assertion that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailureReport {
    /// The requirement's id.
    pub requirement: String,
    /// How strongly it binds.
    pub level: String,
    /// Its text.
    pub text: String,
    /// Its section.
    pub section: String,
    /// Where to read it: file and anchor, from the root of the specification's repository.
    pub link: String,
    /// What was expected and what was seen.
    pub message: String,
}

impl FailureReport {
    /// A failure of this requirement.
    pub fn new(rule: Rule, message: String) -> Self {
        Self {
            requirement: rule.id.to_owned(),
            level: rule.level.to_string(),
            text: rule.text.to_owned(),
            section: format!("{} {}", rule.section, rule.section_title),
            link: link(rule),
            message,
        }
    }

    /// Whether a case that has it has failed, rather than being warned about.
    pub fn is_must(&self) -> bool {
        self.level == Level::Must.as_str()
    }
}

/// Where a requirement stands: its file and anchor.
pub fn link(rule: Rule) -> String {
    format!("{}#{}", rule.file, rule.anchor)
}

/// What happened in a case that failed, [`crate::evidence::LIMIT`] octets at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What the case did, one step after the other, with the time in the case.
    pub steps: Vec<String>,
    /// The mails that matter: the faulty or last one delivered, and the last ones sent.
    pub mails: Vec<MailEvidence>,
    /// The SMTP and IMAP dialogue.
    pub dialogue: String,
    /// What harness and adapter said to each other.
    pub transcript: String,
    /// What the adapter wrote to its standard error.
    pub stderr: String,
    /// Whether something was left out.
    pub cut: bool,
}

/// A mail, opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailEvidence {
    /// Who sent it to whom.
    pub heading: String,
    /// Header fields, MIME tree and decrypted layers.
    pub layers: String,
}

/// What a run says about one requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// How many assertions that bear it were evaluated.
    pub assertions: u32,
    /// How many of them did not hold.
    pub failed: u32,
}

/// A case's result before it has been run: what the plan knows.
pub(crate) fn blank(case: &Case, repeat: String) -> CaseResult {
    let axes = case.axes().into_iter();
    CaseResult {
        id: case.id.clone(),
        title: case.title.clone(),
        requirements: case.requirements.iter().map(|r| r.id.to_owned()).collect(),
        class: case.class.to_string(),
        level: case.level.to_string(),
        rung: case.rung,
        since: case.since.to_owned(),
        axes: axes.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        status: Status::Pass,
        reason: None,
        blocked_by: None,
        microseconds: 0,
        attempts: once(),
        asserted: BTreeMap::new(),
        failures: Vec::new(),
        notes: Vec::new(),
        evidence: None,
        repeat,
    }
}

/// The requirements that the cases asserted, and how often in vain.
pub(crate) fn coverage(cases: &[CaseResult]) -> BTreeMap<String, Coverage> {
    let mut covered = BTreeMap::<String, Coverage>::new();
    for case in cases {
        for (id, count) in &case.asserted {
            covered.entry(id.clone()).or_default().assertions += count;
        }
        for failure in &case.failures {
            covered
                .entry(failure.requirement.clone())
                .or_default()
                .failed += 1;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_called_as_in_the_json() {
        for rung in Rung::ALL {
            assert_eq!(serde_json::to_value(rung).unwrap(), rung.as_str());
        }
    }
}
