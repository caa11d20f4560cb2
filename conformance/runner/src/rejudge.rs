//! Judges again the mail of a run that was recorded, without running it.
//!
//! What the judge says of each mail is said anew; what cases asserted besides, about views and
//! folders for instance, stays as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Stop;
use crate::evidence;
use crate::judge::recorded::{FORM, Record};
use crate::report::{CaseResult, FailureReport, Report, Status, Summary, coverage};

/// Why a record can't be judged again.
#[derive(Debug, thiserror::Error)]
pub enum RejudgeError {
    /// A file can't be read.
    #[error("cannot read {path}: {reason}; `run --record DIR` writes such folders")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another version of the suite wrote it in a form that this one doesn't read.
    #[error("{path} has the form `{form}`, and this suite reads `{FORM}`; record the run again")]
    Form {
        /// The file.
        path: PathBuf,
        /// Its form.
        form: String,
    },
    /// No case of the run was recorded.
    #[error("no case is recorded in {0}")]
    Nothing(PathBuf),
    /// The keys in it can't be read.
    #[error("cannot judge {case} again: {reason}")]
    Keys {
        /// The case.
        case: String,
        /// What is wrong.
        reason: Stop,
    },
}

/// A record judged again.
#[derive(Debug)]
pub struct Rejudged {
    /// The report of the run.
    pub before: Report,
    /// The same with what the judge says now.
    pub after: Report,
    /// How many cases had mail to judge.
    pub cases: usize,
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RejudgeError> {
    let unreadable = |reason: String| RejudgeError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// Judges a recorded run again. `suite` is the version of this suite, for the report.
///
/// # Errors
/// If the record can't be read, or holds nothing.
pub fn rejudge(folder: &Path, suite: &str) -> Result<Rejudged, RejudgeError> {
    let before: Report = read(&folder.join(evidence::REPORT))?;
    let mut after = before.clone();
    suite.clone_into(&mut after.suite);
    let mut cases = 0;
    for case in &mut after.cases {
        let path = evidence::of_case(folder, &case.id).join(evidence::JUDGED);
        if !path.exists() {
            continue;
        }
        let record: Record = read(&path)?;
        if record.form != FORM {
            let form = record.form;
            return Err(RejudgeError::Form { path, form });
        }
        let ledger = record.judge().map_err(|reason| RejudgeError::Keys {
            case: case.id.clone(),
            reason,
        })?;
        replace(case, &record, &ledger.asserted(), ledger.failures());
        cases += 1;
    }
    if cases == 0 {
        return Err(RejudgeError::Nothing(folder.to_owned()));
    }
    after.summary = Summary::of_all(&after.cases);
    after.covered = coverage(&after.cases);
    Ok(Rejudged {
        before,
        after,
        cases,
    })
}

/// Puts what the judge says now in the place of what it said then.
fn replace(
    case: &mut CaseResult,
    record: &Record,
    asserted: &BTreeMap<String, u32>,
    failures: &[FailureReport],
) {
    for (id, count) in &record.asserted {
        if let Some(known) = case.asserted.get_mut(id) {
            *known = known.saturating_sub(*count);
        }
    }
    for (id, count) in asserted {
        *case.asserted.entry(id.clone()).or_default() += count;
    }
    case.asserted.retain(|_, count| *count > 0);
    case.failures
        .retain(|failure| !record.failures.contains(failure));
    case.failures.extend(failures.iter().cloned());
    // Where something else than an assertion ended the case, that still did.
    if case.reason.is_none() && matches!(case.status, Status::Pass | Status::Warn | Status::Fail) {
        let must = case.failures.iter().any(FailureReport::is_must);
        case.status = match case.failures.is_empty() {
            true => Status::Pass,
            false if must => Status::Fail,
            false => Status::Warn,
        };
    }
}

#[cfg(test)]
mod tests {
    use kith_spec::req;

    use super::*;
    use crate::report::sample::report;

    #[test]
    fn what_the_judge_said_is_replaced_and_the_rest_stays() {
        let failure = |rule, text: &str| FailureReport::new(rule, text.to_owned());
        let mut case = report(&[("a", Status::Fail)]).cases.remove(0);
        let judged = failure(&req::MAIL_LINES, "a long line");
        let asserted = failure(&req::MESSAGE_EDIT, "no edit");
        case.asserted =
            BTreeMap::from([("mail.lines".to_owned(), 3), ("message.edit".to_owned(), 1)]);
        case.failures = vec![judged.clone(), asserted.clone()];
        let record = Record {
            asserted: BTreeMap::from([("mail.lines".to_owned(), 3)]),
            failures: vec![judged],
            ..Record::default()
        };
        let now = BTreeMap::from([("mail.date".to_owned(), 2)]);
        replace(&mut case, &record, &now, &[]);
        assert_eq!(case.failures, [asserted]);
        assert_eq!(case.status, Status::Fail);
        let counted: Vec<_> = case.asserted.keys().map(String::as_str).collect();
        assert_eq!(counted, ["mail.date", "message.edit"]);
        case.failures.clear();
        let record = Record {
            asserted: now,
            ..Record::default()
        };
        replace(&mut case, &record, &BTreeMap::new(), &[]);
        assert_eq!(case.status, Status::Pass);
    }
}
