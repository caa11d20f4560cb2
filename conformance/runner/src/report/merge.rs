//! One report from those of several shards.

use super::{CaseResult, REPORT, Report, Summary, coverage};

/// Why reports can't be joined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("no report was given")]
    Nothing,
    /// Something that must be the same in all differs.
    #[error("{first} and {other} are not of one run: {what} is `{one}` and `{two}`")]
    Differs {
        /// A report.
        first: String,
        /// Another one.
        other: String,
        /// What differs.
        what: &'static str,
        /// What the first has.
        one: String,
        /// What the other has.
        two: String,
    },
    /// A case is in two of them.
    #[error("the case {case} is in {first} and again in {other}; shards have no case in common")]
    Twice {
        /// The case.
        case: String,
        /// A report that has it.
        first: String,
        /// Another one.
        other: String,
    },
}

/// What must be the same in all parts of a run.
fn facts(report: &Report) -> [(&'static str, String); 6] {
    let about = report.implementation.as_ref();
    let about = about.map_or_else(String::new, |about| {
        format!("{} {}", about.name, about.version)
    });
    [
        ("the form of the report", report.report.clone()),
        ("the suite", report.suite.clone()),
        ("the specification", report.spec.clone()),
        ("the implementation", about),
        ("the adapter", report.adapter.clone()),
        ("the seed", report.seed.to_string()),
    ]
}

/// Joins the reports of a run's parts. Each comes with a name for messages, such as that of
/// its file. The time is that of all parts together.
///
/// # Errors
/// If they are not parts of one run.
pub fn merge(parts: Vec<(String, Report)>) -> Result<Report, MergeError> {
    let mut parts = parts.into_iter();
    let (first, mut whole) = parts.next().ok_or(MergeError::Nothing)?;
    whole.report = REPORT.to_owned();
    let mut cases: Vec<(String, CaseResult)> = Vec::new();
    let named = |name: &String, list: Vec<CaseResult>| {
        let name = name.clone();
        list.into_iter().map(move |case| (name.clone(), case))
    };
    cases.extend(named(&first, std::mem::take(&mut whole.cases)));
    for (other, part) in parts {
        for ((what, one), (_, two)) in facts(&whole).into_iter().zip(facts(&part)) {
            if one != two {
                return Err(MergeError::Differs {
                    first,
                    other,
                    what,
                    one,
                    two,
                });
            }
        }
        whole.milliseconds += part.milliseconds;
        for hint in part.hints {
            if !whole.hints.contains(&hint) {
                whole.hints.push(hint);
            }
        }
        whole.servers.extend(part.servers);
        cases.extend(named(&other, part.cases));
    }
    cases.sort_by(|(_, a), (_, b)| (a.rung, &a.id).cmp(&(b.rung, &b.id)));
    for pair in cases.windows(2) {
        if let [(first, case), (other, same)] = pair
            && case.id == same.id
        {
            return Err(MergeError::Twice {
                case: case.id.clone(),
                first: first.clone(),
                other: other.clone(),
            });
        }
    }
    whole.cases = cases.into_iter().map(|(_, case)| case).collect();
    whole.summary = Summary::of_all(&whole.cases);
    whole.covered = coverage(&whole.cases);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;
    use crate::report::sample::report;

    fn parts() -> Vec<(String, Report)> {
        let one = report(&[("wire/b", Status::Pass), ("rest/z", Status::Fail)]);
        let two = report(&[("wire/a", Status::Warn)]);
        vec![("one".to_owned(), one), ("two".to_owned(), two)]
    }

    #[test]
    fn shards_become_one_run() {
        let whole = merge(parts()).unwrap();
        let ids: Vec<_> = whole.cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["rest/z", "wire/a", "wire/b"]);
        let Summary {
            pass, fail, warn, ..
        } = whole.summary;
        assert_eq!((pass, fail, warn), (1, 1, 1));
        assert_eq!(whole.covered["mail.lines"].failed, 1);
    }

    #[test]
    fn what_does_not_belong_together_is_told() {
        let mut other = parts();
        other[1].1.seed = 2;
        let Err(MergeError::Differs { what, .. }) = merge(other) else {
            panic!("runs of different seeds are no shards of one");
        };
        assert_eq!(what, "the seed");
        let mut twice = parts();
        twice[1].1.cases[0].id = "rest/z".to_owned();
        assert!(matches!(merge(twice), Err(MergeError::Twice { .. })));
        assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
    }
}
