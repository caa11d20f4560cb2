//! How a case ended, and how many ended how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CaseResult;

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
    #[serde(default)]
    pub known_failing: usize,
    #[serde(default)]
    pub fixed: usize,
    #[serde(default)]
    pub flaky: usize,
}

impl Summary {
    /// The counts with their statuses, in the order of [`Status::ALL`].
    pub fn counts(&self) -> [(Status, usize); Status::ALL.len()] {
        Status::ALL.map(|status| (status, self.of(status)))
    }

    /// How many cases ended so.
    pub fn of(&self, status: Status) -> usize {
        let mut copy = *self;
        *copy.slot(status)
    }

    /// Counts how these cases ended.
    pub fn of_all(cases: &[CaseResult]) -> Self {
        let mut summary = Self::default();
        for case in cases {
            summary.add(case.status);
        }
        summary
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
            Status::KnownFailing => &mut self.known_failing,
            Status::Fixed => &mut self.fixed,
            Status::Flaky => &mut self.flaky,
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
    /// It failed, and is listed as known to fail.
    KnownFailing,
    /// It passed, though it is listed as known to fail: the list is stale, and the run fails.
    Fixed,
    /// It failed, and passed when it was tried again.
    Flaky,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Skip,
        Self::NotTested,
        Self::Unsupported,
        Self::Blocked,
        Self::HarnessError,
        Self::KnownFailing,
        Self::Fixed,
        Self::Flaky,
    ];

    /// Whether the implementation is not as it must be: known or not.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Fail | Self::HarnessError | Self::Fixed)
    }

    /// What the status says, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "Everything asserted held.",
            Self::Fail => "A MUST was broken, or something required is not supported.",
            Self::Warn => "A SHOULD was broken, and no MUST.",
            Self::Skip => "The implementation doesn't declare the feature class.",
            Self::NotTested => "It can't be tested here: clock or server don't allow it.",
            Self::Unsupported => "The adapter doesn't have it, and the class is declared partial.",
            Self::Blocked => "A case that this one needs failed.",
            Self::HarnessError => "The suite itself is at fault.",
            Self::KnownFailing => "It failed, and is listed as known to fail.",
            Self::Fixed => "It passed, though listed as known to fail: the list is stale.",
            Self::Flaky => "It failed, and passed when it was tried again.",
        }
    }

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
            Self::KnownFailing => "known-failing",
            Self::Fixed => "fixed",
            Self::Flaky => "flaky",
        }
    }
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
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn words_are_those_of_the_json() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
