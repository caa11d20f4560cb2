//! What changed from one report to another, and whether suite or implementation did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{CaseResult, Report, Status};

/// Who may have made a case end in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The suite is the same, so the implementation.
    Implementation,
    /// The implementation calls itself the same, so the suite.
    Suite,
    /// Both changed.
    Either,
    /// Neither changed: chance, the seed, or an implementation that kept its version.
    Neither,
}

/// A case that ended in another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The case.
    pub id: String,
    /// One line about it.
    pub title: String,
    /// How it ended; absent if it wasn't there.
    pub old: Option<Status>,
    /// How it ends now; absent if it is gone.
    pub new: Option<Status>,
    /// What doesn't hold now: requirement and message.
    pub failures: Vec<String>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The suites.
    pub suites: [String; 2],
    /// The implementations.
    pub implementations: [String; 2],
    /// Who made what is in `worse` and `better`.
    pub cause: Cause,
    /// Cases of both runs that were good and are not any more.
    pub worse: Vec<Change>,
    /// Cases of both runs that became good.
    pub better: Vec<Change>,
    /// Other changes of cases of both runs.
    pub other: Vec<Change>,
    /// Cases of the new run only.
    pub appeared: Vec<Change>,
    /// Cases of the old run only.
    pub vanished: Vec<Change>,
    /// Requirements that the old run asserted and the new one doesn't.
    pub uncovered: Vec<String>,
    /// Requirements that only the new run asserted.
    pub covered: Vec<String>,
}

fn good(status: Status) -> bool {
    matches!(
        status,
        Status::Pass | Status::Warn | Status::Flaky | Status::Fixed
    )
}

fn bad(status: Status) -> bool {
    matches!(
        status,
        Status::Fail | Status::HarnessError | Status::KnownFailing
    )
}

fn name(report: &Report) -> String {
    let about = report.implementation.as_ref();
    about.map_or_else(
        || report.adapter.clone(),
        |about| format!("{} {}", about.name, about.version),
    )
}

fn change(old: Option<&CaseResult>, new: Option<&CaseResult>) -> Option<Change> {
    let case = new.or(old)?;
    let failures = new.map_or(&[][..], |case| &case.failures);
    let failures = failures
        .iter()
        .map(|failure| format!("{}: {}", failure.requirement, failure.message));
    let reason = new.and_then(|case| case.reason.clone());
    Some(Change {
        id: case.id.clone(),
        title: case.title.clone(),
        old: old.map(|case| case.status),
        new: new.map(|case| case.status),
        failures: failures.chain(reason).collect(),
    })
}

impl Diff {
    /// What changed from `old` to `new`.
    pub fn new(old: &Report, new: &Report) -> Self {
        fn by_id(report: &Report) -> BTreeMap<&str, &CaseResult> {
            let cases = report.cases.iter();
            cases.map(|case| (case.id.as_str(), case)).collect()
        }
        let (before, after) = (by_id(old), by_id(new));
        let implementations = [name(old), name(new)];
        let suite = old.suite != new.suite;
        let implementation = implementations[0] != implementations[1];
        let mut diff = Self {
            suites: [old.suite.clone(), new.suite.clone()],
            implementations,
            cause: match (suite, implementation) {
                (true, true) => Cause::Either,
                (true, false) => Cause::Suite,
                (false, true) => Cause::Implementation,
                (false, false) => Cause::Neither,
            },
            worse: Vec::new(),
            better: Vec::new(),
            other: Vec::new(),
            appeared: Vec::new(),
            vanished: Vec::new(),
            uncovered: only_in(old, new),
            covered: only_in(new, old),
        };
        let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for id in ids {
            let (old, new) = (before.get(id).copied(), after.get(id).copied());
            diff.sort_in(change(old, new));
        }
        diff
    }

    fn sort_in(&mut self, change: Option<Change>) {
        let Some(change) = change else { return };
        let list = match (change.old, change.new) {
            (None, _) => &mut self.appeared,
            (_, None) => &mut self.vanished,
            (Some(old), Some(new)) if old == new => return,
            (Some(old), Some(new)) if good(old) && !good(new) || !bad(old) && bad(new) => {
                &mut self.worse
            }
            (Some(old), Some(new)) if !good(old) && good(new) => &mut self.better,
            _ => &mut self.other,
        };
        list.push(change);
    }

    /// Whether something that was good isn't any more.
    pub fn is_worse(&self) -> bool {
        !self.worse.is_empty()
    }
}

fn only_in(one: &Report, other: &Report) -> Vec<String> {
    let lacks = |id: &&String| !other.covered.contains_key(*id);
    one.covered.keys().filter(lacks).cloned().collect()
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, changes: &[Change]) -> fmt::Result {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", changes.len())?;
    for change in changes {
        let word = |status: Option<Status>| status.map_or("absent", Status::as_str);
        let (old, new) = (word(change.old), word(change.new));
        writeln!(f, "  {}  {old} → {new}", change.id)?;
        for failure in &change.failures {
            writeln!(f, "    {failure}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, [old, new]) in [
            ("suite", &self.suites),
            ("implementation", &self.implementations),
        ] {
            if old == new {
                writeln!(f, "{what}: {old}, the same in both")?;
            } else {
                writeln!(f, "{what}: {old} → {new}")?;
            }
        }
        let by = match self.cause {
            Cause::Implementation => "the implementation changed",
            Cause::Suite => "the suite changed",
            Cause::Either => {
                "suite and implementation both changed; to tell which, run the old \
                 implementation with the new suite"
            }
            Cause::Neither => {
                "neither suite nor implementation says that it changed: chance, the seed, \
                 or a version that was not raised"
            }
        };
        list(f, &format!("worse ({by})"), &self.worse)?;
        list(f, &format!("better ({by})"), &self.better)?;
        list(f, &format!("different ({by})"), &self.other)?;
        list(f, "new in the suite or selected now", &self.appeared)?;
        list(f, "gone from the suite or not selected", &self.vanished)?;
        for (what, ids) in [
            ("not asserted any more", &self.uncovered),
            ("asserted now", &self.covered),
        ] {
            if !ids.is_empty() {
                writeln!(f, "\nrequirements {what}: {}", ids.join(", "))?;
            }
        }
        let (worse, better) = (self.worse.len(), self.better.len());
        writeln!(f, "\n{worse} worse, {better} better")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    fn ids(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.id.as_str()).collect()
    }

    #[test]
    fn cases_are_sorted_by_what_became_of_them() {
        use Status::{Fail, Pass, Skip, Unsupported};
        let old = report(&[
            ("a", Pass),
            ("b", Fail),
            ("c", Pass),
            ("d", Skip),
            ("e", Pass),
        ]);
        let new = report(&[
            ("a", Fail),
            ("b", Pass),
            ("c", Pass),
            ("d", Unsupported),
            ("f", Fail),
        ]);
        let diff = Diff::new(&old, &new);
        assert_eq!(ids(&diff.worse), ["a"]);
        assert_eq!(ids(&diff.better), ["b"]);
        assert_eq!(ids(&diff.other), ["d"]);
        assert_eq!(ids(&diff.appeared), ["f"]);
        assert_eq!(ids(&diff.vanished), ["e"]);
        assert!(diff.is_worse());
        let text = diff.to_string();
        assert!(
            text.contains("a  pass → fail\n    mail.lines: expected"),
            "{text}"
        );
        assert!(text.ends_with("1 worse, 1 better\n"), "{text}");
    }

    #[test]
    fn who_changed_is_told() {
        let old = report(&[("a", Status::Pass)]);
        let mut new = report(&[("a", Status::Fail)]);
        assert_eq!(Diff::new(&old, &new).cause, Cause::Neither);
        new.suite.push('2');
        assert_eq!(Diff::new(&old, &new).cause, Cause::Suite);
        new.implementation.as_mut().unwrap().version.push('2');
        assert_eq!(Diff::new(&old, &new).cause, Cause::Either);
        new.suite.clone_from(&old.suite);
        assert_eq!(Diff::new(&old, &new).cause, Cause::Implementation);
    }
}
