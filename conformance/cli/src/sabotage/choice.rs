//! Which cases each fault runs.

use std::collections::{BTreeMap, BTreeSet};

use kith_runner::Case;
use kith_runner::report::{Report, Status};

/// The cases that each fault runs besides those of its requirement: of all classes, and quick.
const CONTROLS: [&str; 20] = [
    "wire/request@v6",
    "receive/stranger",
    "transport/certificate",
    "message/received",
    "file/kith-and-ordinary",
    "groups/invite-a-stranger",
    "page/list",
    "vector/accepted/post-mention",
    "vector/apps/update-with-random-id",
    "vector/comments/share-of-a-comment",
    "vector/delivery/bounce-that-quotes-a-request",
    "vector/devices/self-without-self",
    "vector/events/whole-days",
    "vector/friends/request-for-plus-address",
    "vector/groups/invited-member",
    "vector/mail/version-alone",
    "vector/pages/follow-without-a-page",
    "vector/pq/declared-without-subkey",
    "vector/profile/random-id",
    "vector/security/certificate-of-old-epoch",
];

/// How many cases of its requirement each fault runs before anything else.
const OWN: usize = 8;

/// How many cases it runs at most that look at its requirement and are about something else: some
/// of all parts of the suite.
const BESIDES: usize = 60;

/// What the sound agent's run says about the cases.
pub(super) struct Choice {
    all: Vec<String>,
    /// The cases that bear a requirement, those that bear the fewest others first.
    bearing: BTreeMap<String, Vec<String>>,
    /// Those besides that asserted something of it.
    asserting: BTreeMap<String, Vec<String>>,
    /// Those that fail with the sound agent.
    unsound: BTreeSet<String>,
}

impl Choice {
    pub(super) fn new(suite: &[Case], sound: Report) -> Self {
        let (mut bearing, mut asserting) = (BTreeMap::new(), BTreeMap::new());
        let mut by_width: Vec<&Case> = suite.iter().collect();
        by_width.sort_by_key(|case| case.requirements.len());
        for case in by_width {
            for rule in &case.requirements {
                let cases: &mut Vec<String> = bearing.entry(rule.id.to_owned()).or_default();
                cases.push(case.id.clone());
            }
        }
        let unsound = sound.cases.iter().filter(|case| is_failed(case.status));
        let unsound = unsound.map(|case| case.id.clone()).collect();
        for case in sound.cases {
            for id in case.asserted.into_keys() {
                if !case.requirements.contains(&id) {
                    let cases: &mut Vec<String> = asserting.entry(id).or_default();
                    cases.push(case.id.clone());
                }
            }
        }
        Self {
            all: suite.iter().map(|case| case.id.clone()).collect(),
            bearing,
            asserting,
            unsound,
        }
    }

    /// The cases that fail with the sound agent.
    pub(super) fn unsound(&self) -> impl Iterator<Item = &String> {
        self.unsound.iter()
    }

    /// Whether a case says something about a fault: it passes without.
    pub(super) fn is_sound(&self, case: &str) -> bool {
        !self.unsound.contains(case)
    }

    /// What a fault of a requirement runs at once, and what only if it survives that.
    pub(super) fn cases(&self, requirement: &str, full: bool) -> [Vec<String>; 2] {
        if full {
            return [self.all.clone(), Vec::new()];
        }
        let of = |cases: &BTreeMap<String, Vec<String>>| {
            cases.get(requirement).cloned().unwrap_or_default()
        };
        let mut own = of(&self.bearing);
        let asserting = of(&self.asserting);
        let step = asserting.len().div_ceil(BESIDES).max(1);
        own.extend(asserting.into_iter().step_by(step));
        let rest = own.split_off(own.len().min(OWN));
        for control in CONTROLS {
            if !own.iter().chain(&rest).any(|id| id == control) {
                own.push(control.to_owned());
            }
        }
        [own, rest]
    }
}

/// The cases that bear these requirements, and the controls.
pub(super) fn few<'a>(suite: &[Case], wanted: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted: BTreeSet<&str> = wanted.collect();
    let few = suite.iter().filter(|case| {
        let mut rules = case.requirements.iter();
        CONTROLS.contains(&&*case.id) || rules.any(|rule| wanted.contains(rule.id))
    });
    few.map(|case| case.id.clone()).collect()
}

pub(super) fn is_failed(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Warn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_cases_of_all_classes() {
        let suite = crate::suite::suite();
        let class = |id: &&str| suite.iter().find(|case| case.id == *id).map(|c| c.class);
        let classes: Vec<_> = CONTROLS.iter().map(class).collect();
        assert!(classes.iter().all(Option::is_some), "{classes:?}");
        for class in kith_spec::Class::ALL {
            assert!(classes.contains(&Some(*class)), "no control is of {class}");
        }
    }
}
