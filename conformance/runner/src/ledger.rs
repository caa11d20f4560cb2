//! What a case asserted, and what of it did not hold.

use std::collections::BTreeMap;

use kith_spec::{Level, Rule};

use crate::report::FailureReport;

/// The assertions of one case.
#[derive(Debug, Default)]
pub struct Ledger {
    asserted: BTreeMap<&'static str, u32>,
    failures: Vec<FailureReport>,
    harness: Vec<String>,
}

impl Ledger {
    /// Records one evaluated assertion. Returns whether it held.
    ///
    /// What a MAY says binds nobody: it is counted and never fails.
    pub fn assert(&mut self, rule: Rule, holds: bool, message: impl FnOnce() -> String) -> bool {
        *self.asserted.entry(rule.id).or_default() += 1;
        if !holds && rule.level != Level::May {
            let failure = FailureReport::new(rule, message());
            if !self.failures.contains(&failure) {
                self.failures.push(failure);
            }
        }
        holds
    }

    /// Takes over what another ledger recorded.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (id, count) in &other.asserted {
            *self.asserted.entry(id).or_default() += count;
        }
        for failure in &other.failures {
            if !self.failures.contains(failure) {
                self.failures.push(failure.clone());
            }
        }
    }

    /// Records something that only the harness can be blamed for.
    pub fn harness(&mut self, what: String) {
        self.harness.push(what);
    }

    /// What did not hold so far.
    pub fn failures(&self) -> &[FailureReport] {
        &self.failures
    }

    /// What only the harness can be blamed for.
    pub fn harness_errors(&self) -> &[String] {
        &self.harness
    }

    /// The evaluated assertions by requirement.
    pub fn asserted(&self) -> BTreeMap<String, u32> {
        let owned = |(id, count): (&&'static str, &u32)| ((*id).to_owned(), *count);
        self.asserted.iter().map(owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_spec::req;

    #[test]
    fn a_failure_is_recorded_once_and_counted_each_time() {
        let mut ledger = Ledger::default();
        for _ in 0..2 {
            ledger.assert(&req::MAIL_SUBJECT, false, || {
                "expected a, seen b".to_owned()
            });
        }
        ledger.assert(&req::MAIL_SUBJECT, true, || unreachable!());
        assert_eq!(ledger.asserted()["mail.subject"], 3);
        assert_eq!(ledger.failures().len(), 1);
        assert!(ledger.failures()[0].is_must());
    }
}
