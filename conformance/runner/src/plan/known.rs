//! Lists of cases that are known to fail, or to fail at times: `GLOB  # reason`, one a line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use super::{PlanError, matcher};
use crate::case::Case;
use crate::report::{CaseResult, Report, Status};

/// A list of cases, each with the reason why it is listed.
#[derive(Debug, Clone)]
pub struct Known {
    path: PathBuf,
    entries: Vec<(GlobMatcher, String)>,
}

impl Known {
    /// Reads a list. Lines are a pattern as for `--run`, `#`, and the reason; empty lines and
    /// lines that begin with `#` don't count.
    ///
    /// # Errors
    /// If it can't be read, a line has no reason, or a pattern matches no case of the suite.
    pub fn read(path: &Path, suite: &[Case]) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path).map_err(|source| PlanError::File {
            path: path.to_owned(),
            source,
        })?;
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (pattern, reason) = line.split_once('#').unwrap_or((line, ""));
            let (pattern, reason) = (pattern.trim(), reason.trim());
            if reason.is_empty() {
                return Err(PlanError::NoReason {
                    path: path.to_owned(),
                    line: number,
                    pattern: pattern.to_owned(),
                });
            }
            let matcher = matcher(pattern)?;
            if !suite.iter().any(|case| matcher.is_match(&case.id)) {
                return Err(PlanError::NoMatch(pattern.to_owned()));
            }
            entries.push((matcher, reason.to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    /// Why a case is listed, if it is.
    pub fn reason(&self, id: &str) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|(matcher, _)| matcher.is_match(id));
        entry.map(|(_, reason)| reason.as_str())
    }
}

/// What is known beforehand about how cases end.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// What is known to fail.
    pub failing: Option<Known>,
    /// What is known to fail at times. With this list, what isn't on it must not.
    pub flaky: Option<Known>,
    /// How often a case that fails is tried again.
    pub retries: u32,
}

/// How often a case that is known to be flaky is tried again at least.
const FLAKY_RETRIES: u32 = 2;

impl Expected {
    /// How often this case may be tried again.
    pub(crate) fn retries(&self, id: &str) -> u32 {
        let known = |list: &Option<Known>| list.as_ref().and_then(|list| list.reason(id)).is_some();
        match (known(&self.failing), known(&self.flaky)) {
            (true, _) => 0,
            (false, true) => self.retries.max(FLAKY_RETRIES),
            (false, false) => self.retries,
        }
    }

    /// The status in the light of what was expected.
    pub(crate) fn apply(&self, result: &mut CaseResult) {
        let Some(failing) = &self.failing else {
            return;
        };
        let Some(reason) = failing.reason(&result.id) else {
            return;
        };
        let list = failing.path.display();
        match result.status {
            Status::Fail => {
                let seen = result
                    .reason
                    .take()
                    .map_or_else(String::new, |seen| format!("; {seen}"));
                result.status = Status::KnownFailing;
                result.reason = Some(format!("known to fail: {reason}{seen}"));
            }
            Status::Pass | Status::Warn | Status::Flaky => {
                result.status = Status::Fixed;
                result.reason = Some(format!(
                    "it passes, but is listed as known to fail ({reason}): take it out of {list}"
                ));
            }
            _ => {}
        }
    }

    /// The result of a case that failed at first and passed at another try.
    pub(crate) fn flaked(&self, result: &mut CaseResult) {
        let tries = result.attempts;
        let reason = match &self.flaky {
            None => None,
            Some(list) => match list.reason(&result.id) {
                Some(reason) => Some(format!("known to be flaky: {reason}")),
                None => {
                    result.reason = Some(format!(
                        "it failed and passed at try {tries}, and {} doesn't list it",
                        list.path.display()
                    ));
                    return;
                }
            },
        };
        result.status = Status::Flaky;
        let told = format!("it failed, and passed at try {tries}");
        result.reason = Some(match reason {
            Some(reason) => format!("{told}; {reason}"),
            None => told,
        });
    }
}

/// A list of what fails in this run, to be used with `--known-failing`. What was listed
/// before keeps its reason.
pub fn baseline(report: &Report, before: Option<&Known>) -> String {
    let mut text = String::from("# Cases that are known to fail: PATTERN  # reason\n");
    let failed = |case: &&CaseResult| matches!(case.status, Status::Fail | Status::KnownFailing);
    for case in report.cases.iter().filter(failed) {
        let known = before.and_then(|list| list.reason(&case.id));
        let reason = known.map_or_else(|| why(case), ToOwned::to_owned);
        let _ = writeln!(text, "{}  # {reason}", case.id);
    }
    text
}

/// Why a case failed, in a line.
fn why(case: &CaseResult) -> String {
    let failure = case.failures.first();
    let told = failure.map(|failure| format!("{}: {}", failure.requirement, failure.message));
    let told = told.or_else(|| case.reason.clone()).unwrap_or_default();
    let line: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(100).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Rung;
    use crate::report::blank;
    use kith_spec::req;

    fn case(id: &str) -> Case {
        Case::new(id, "", Rung::Wire, &[&req::MAIL_LINES], |_| async {
            Ok(())
        })
    }

    fn known(text: &str) -> Result<Known, PlanError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Known::read(
            file.path(),
            &[case("wire/a"), case("wire/b"), case("rest/c")],
        )
    }

    fn ended(id: &str, status: Status) -> CaseResult {
        let mut result = blank(&case(id), String::new());
        result.status = status;
        result
    }

    #[test]
    fn a_line_has_a_reason_and_a_case() {
        let list = known("# all\n\nwire/*  # slow server\n").unwrap();
        assert_eq!(list.reason("wire/b"), Some("slow server"));
        assert_eq!(list.reason("rest/c"), None);
        assert!(matches!(
            known("wire/a\n"),
            Err(PlanError::NoReason { line: 1, .. })
        ));
        assert!(matches!(
            known("wire/z # gone\n"),
            Err(PlanError::NoMatch(_))
        ));
    }

    #[test]
    fn what_is_known_to_fail_must_fail() {
        let expected = Expected {
            failing: Some(known("wire/* # to be mended\n").unwrap()),
            ..Expected::default()
        };
        let status = |id, status| {
            let mut result = ended(id, status);
            expected.apply(&mut result);
            result.status
        };
        assert_eq!(status("wire/a", Status::Fail), Status::KnownFailing);
        assert_eq!(status("wire/a", Status::Pass), Status::Fixed);
        assert_eq!(status("wire/a", Status::HarnessError), Status::HarnessError);
        assert_eq!(status("rest/c", Status::Fail), Status::Fail);
    }

    #[test]
    fn a_list_of_flaky_cases_is_complete() {
        let expected = Expected {
            flaky: Some(known("wire/a # waits for nothing\n").unwrap()),
            ..Expected::default()
        };
        assert_eq!(expected.retries("wire/a"), FLAKY_RETRIES);
        assert_eq!(expected.retries("wire/b"), 0);
        let mut listed = ended("wire/a", Status::Fail);
        expected.flaked(&mut listed);
        assert_eq!(listed.status, Status::Flaky);
        let mut unlisted = ended("wire/b", Status::Fail);
        expected.flaked(&mut unlisted);
        assert_eq!(unlisted.status, Status::Fail);
    }
}
