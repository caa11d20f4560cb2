//! Which cases each fault runs.

use std::collections::{BTreeMap, BTreeSet};

use kith_runner::Case;
use kith_runner::report::{Report, Status};

/// How many cases besides those of its requirement each fault runs.
const CONTROLS: usize = 20;

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
    /// Some of all parts of the suite.
    controls: Vec<String>,
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
        let controls = controls(&sound);
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
            controls,
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
        let known: BTreeSet<&String> = own.iter().chain(&rest).collect();
        let others = self.controls.iter().filter(|id| !known.contains(id));
        let others: Vec<String> = others.cloned().collect();
        own.extend(others);
        [own, rest]
    }
}

/// The cases that bear these requirements, and some of all parts of the suite.
pub(super) fn few<'a>(suite: &[Case], wanted: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted: BTreeSet<&str> = wanted.collect();
    let step = suite.len().div_ceil(CONTROLS).max(1);
    let few = suite.iter().enumerate().filter(|(number, case)| {
        let bears = || {
            case.requirements
                .iter()
                .any(|rule| wanted.contains(rule.id))
        };
        number % step == 0 || bears()
    });
    few.map(|(_, case)| case.id.clone()).collect()
}

pub(super) fn is_failed(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Warn)
}

/// The quickest case of each of so many equal parts of the suite.
fn controls(sound: &Report) -> Vec<String> {
    let part = sound.cases.len().div_ceil(CONTROLS).max(1);
    let parts = sound.cases.chunks(part);
    let quickest = parts.filter_map(|part| {
        let passed = part.iter().filter(|case| case.status == Status::Pass);
        passed.min_by_key(|case| case.microseconds)
    });
    quickest.map(|case| case.id.clone()).collect()
}
