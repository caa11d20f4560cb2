//! The result of a run as data: the one model that every report is made from.
//! Its JSON Schema is `schema/report.json`, written by `cargo xtask schemas`.

pub mod human;
pub mod json;
pub mod junit;
mod matrix;
pub mod progress;

use std::collections::BTreeMap;

use kith_adapter::protocol::About;
use kith_spec::{Level, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Rung};

/// The version of the report's form, in [`Report::report`].
pub const REPORT: &str = "kith-conform-report/1";

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this form.
    pub report: String,
    /// The version of the suite.
    pub suite: String,
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
}

/// How many cases ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "each field counts the status of its name")]
pub struct Summary {
    pub pass: usize,
    pub fail: usize,
    pub warn: usize,
    pub skip: usize,
    pub not_tested: usize,
    pub unsupported: usize,
    pub blocked: usize,
    pub harness_error: usize,
}

impl Summary {
    /// The counts with their statuses, in the order of [`Status::ALL`].
    pub fn counts(&self) -> [(Status, usize); 8] {
        Status::ALL.map(|status| (status, self.of(status)))
    }

    /// How many cases ended so.
    pub fn of(&self, status: Status) -> usize {
        let mut copy = *self;
        *copy.slot(status)
    }

    /// One more case ended so.
    pub fn add(&mut self, status: Status) {
        *self.slot(status) += 1;
    }

    fn slot(&mut self, status: Status) -> &mut usize {
        match status {
            Status::Pass => &mut self.pass,
            Status::Fail => &mut self.fail,
            Status::Warn => &mut self.warn,
            Status::Skip => &mut self.skip,
            Status::NotTested => &mut self.not_tested,
            Status::Unsupported => &mut self.unsupported,
            Status::Blocked => &mut self.blocked,
            Status::HarnessError => &mut self.harness_error,
        }
    }
}

/// How a case ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Everything asserted held.
    Pass,
    /// A MUST was broken, or something required is not supported.
    Fail,
    /// A SHOULD was broken, and no MUST.
    Warn,
    /// The implementation doesn't declare the feature class.
    Skip,
    /// It can't be tested here: the clock, or the server, doesn't allow it.
    NotTested,
    /// The adapter doesn't support it, and the class is declared as partial.
    Unsupported,
    /// A case that this one needs failed.
    Blocked,
    /// The suite itself is at fault.
    HarnessError,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Skip,
        Self::NotTested,
        Self::Unsupported,
        Self::Blocked,
        Self::HarnessError,
    ];

    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Skip => "skip",
            Self::NotTested => "not-tested",
            Self::Unsupported => "unsupported",
            Self::Blocked => "blocked",
            Self::HarnessError => "harness-error",
        }
    }
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
    /// How many assertions were evaluated, by requirement.
    pub asserted: BTreeMap<String, u32>,
    /// What did not hold.
    pub failures: Vec<FailureReport>,
    /// What shows it; absent where nothing failed.
    pub evidence: Option<Evidence>,
    /// The command that repeats just this case.
    pub repeat: String,
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
    /// The last mails, each as its MIME tree and its decrypted layers.
    pub mails: Vec<String>,
    /// The SMTP and IMAP dialogue.
    pub dialogue: String,
    /// What harness and adapter said to each other.
    pub transcript: String,
    /// What the adapter wrote to its standard error.
    pub stderr: String,
    /// Whether something was left out.
    pub cut: bool,
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
        asserted: BTreeMap::new(),
        failures: Vec::new(),
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
    fn a_summary_counts_each_status_apart() {
        let mut summary = Summary::default();
        for (times, status) in Status::ALL.into_iter().enumerate() {
            for _ in 0..=times {
                summary.add(status);
            }
        }
        let counts: Vec<usize> = summary.counts().iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn words_are_those_of_the_json() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for rung in Rung::ALL {
            assert_eq!(serde_json::to_value(rung).unwrap(), rung.as_str());
        }
    }
}
