//! What became of all broken agents together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use kith_spec::{Class, Lack};
use serde::Serialize;

use super::{Outcome, Planted, Unseen};

/// How many of the cases that fired a line names.
const NAMED: usize = 4;

/// So many were planted, so many killed.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Tally {
    planted: usize,
    killed: usize,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        self.planted += 1;
        self.killed += usize::from(outcome.killed);
    }
}

/// The score.
#[derive(Debug, Serialize)]
pub(super) struct Score {
    planted: usize,
    killed: usize,
    /// The faults that nothing noticed.
    survivors: Vec<String>,
    /// The faults that killed cases of classes they have nothing to do with.
    unrelated: Vec<String>,
    /// The faults that could not be tried.
    untried: Vec<String>,
    /// The cases that failed with the sound agent too, and were not counted.
    unsound: Vec<String>,
    /// What no case can notice, and why.
    unseen: Vec<Unseen>,
    /// The requirements that no agent breaks, with the reason why they have no case either, if
    /// that is so.
    unbroken: Unbroken,
    classes: BTreeMap<&'static str, Tally>,
    requirements: BTreeMap<String, Tally>,
    seed: u64,
    seconds: u64,
    faults: Vec<Outcome>,
}

impl Score {
    pub(super) fn new(
        faults: Vec<Outcome>,
        unseen: Vec<Unseen>,
        unsound: Vec<String>,
        seed: u64,
        took: Duration,
    ) -> Self {
        let ids = |wanted: fn(&Outcome) -> bool| {
            let wanted = faults.iter().filter(|fault| wanted(fault));
            wanted.map(|fault| fault.id.clone()).collect()
        };
        let mut classes = BTreeMap::<_, Tally>::new();
        let mut requirements = BTreeMap::<_, Tally>::new();
        for fault in &faults {
            classes.entry(fault.class).or_default().add(fault);
            let requirement = fault.requirement.clone();
            requirements.entry(requirement).or_default().add(fault);
        }
        Self {
            planted: faults.len(),
            killed: faults.iter().filter(|fault| fault.killed).count(),
            survivors: ids(|fault| !fault.killed),
            unrelated: ids(|fault| !fault.unrelated.is_empty()),
            untried: ids(|fault| fault.trouble.is_some()),
            unsound,
            unbroken: unbroken(
                faults.iter().map(|fault| fault.requirement.as_str()),
                &unseen,
            ),
            unseen,
            classes,
            requirements,
            seed,
            seconds: took.as_secs(),
            faults,
        }
    }

    /// Whether every fault was killed, and none killed what it has nothing to do with.
    pub(super) fn is_clean(&self) -> bool {
        self.survivors.is_empty()
            && self.unrelated.is_empty()
            && self.untried.is_empty()
            && self.unsound.is_empty()
    }

    /// Killed and planted by class and chapter, and of how many requirements.
    fn table(&self) -> Table {
        let mut rows = BTreeMap::<_, (Tally, BTreeMap<&str, ()>)>::new();
        for fault in &self.faults {
            let class = Class::ALL
                .iter()
                .position(|class| class.as_str() == fault.class);
            let chapters = kith_spec::chapters();
            let chapter = chapters.iter().position(|c| c.name == fault.chapter);
            let key = (class, chapter, fault.class, fault.chapter);
            let (tally, requirements) = rows.entry(key).or_default();
            tally.add(fault);
            requirements.insert(&fault.requirement, ());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["class", "chapter", "requirements", "planted", "killed"]);
        for ((_, _, class, chapter), (tally, requirements)) in rows {
            table.add_row([
                class.to_owned(),
                chapter.to_owned(),
                requirements.len().to_string(),
                tally.planted.to_string(),
                tally.killed.to_string(),
            ]);
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.table())?;
        for unseen in &self.unseen {
            let Unseen {
                requirement,
                reason,
            } = unseen;
            writeln!(f, "not to be seen: {requirement}: {reason}")?;
        }
        let lists = [
            ("survived", &self.survivors),
            ("killed what it has nothing to do with", &self.unrelated),
            ("could not be tried", &self.untried),
        ];
        for (what, ids) in lists.iter().filter(|(_, ids)| !ids.is_empty()) {
            writeln!(f, "{what}: {}", ids.join(", "))?;
        }
        let Self {
            killed,
            planted,
            seconds,
            ..
        } = self;
        let requirements = self.requirements.len();
        let (all, unseen) = (kith_spec::requirements().len(), self.unseen.len());
        write!(
            f,
            "{killed} of {planted} killed, of {requirements} of {all} requirements ({unseen} can't be \
             seen), in {seconds} s"
        )
    }
}

type Unbroken = BTreeMap<&'static str, Option<&'static str>>;

/// The requirements that no agent breaks, and that could be seen.
fn unbroken<'a>(broken: impl Iterator<Item = &'a str>, unseen: &[Unseen]) -> Unbroken {
    let broken: BTreeSet<&str> = broken.collect();
    let hidden = |id: &str| unseen.iter().any(|unseen| unseen.requirement == id);
    let caseless = |id: &str| {
        let mut exceptions = kith_spec::exceptions().iter();
        exceptions.find(|one| one.requirement.id == id && one.lacks.contains(&Lack::Case))
    };
    let all = kith_spec::requirements().iter().map(|rule| rule.id);
    all.filter(|id| !broken.contains(id) && !hidden(id))
        .map(|id| (id, caseless(id).map(|exception| exception.reason)))
        .collect()
}

/// What there is to be tried, for `--list`.
pub(super) struct Planned<'a> {
    faults: &'a [Planted],
    unseen: &'a [Unseen],
}

impl<'a> Planned<'a> {
    pub(super) fn new(faults: &'a [Planted], unseen: &'a [Unseen]) -> Self {
        Self { faults, unseen }
    }
}

impl fmt::Display for Planned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.faults {
            writeln!(f, "{} ({}): {}", fault.id, fault.requirement, fault.title)?;
        }
        for unseen in self.unseen {
            writeln!(
                f,
                "not to be seen: {}: {}",
                unseen.requirement, unseen.reason
            )?;
        }
        let broken = self.faults.iter().map(|fault| fault.requirement.as_str());
        for (id, reason) in unbroken(broken, self.unseen) {
            let why = reason.map_or_else(String::new, |why| format!(": it has no case: {why}"));
            writeln!(f, "no agent breaks it yet: {id}{why}")?;
        }
        Ok(())
    }
}

/// Tells of one fault as soon as it was tried.
pub(super) fn say(outcome: &Outcome) {
    let word = match (&outcome.trouble, outcome.killed) {
        (Some(_), _) => "UNTRIED",
        (None, true) => "killed",
        (None, false) => "SURVIVED",
    };
    let Outcome {
        id,
        requirement,
        title,
        fired,
        ..
    } = outcome;
    anstream::println!("{word}  {id} ({requirement}): {title}");
    for case in fired.iter().take(NAMED) {
        let unrelated = outcome.unrelated.contains(case);
        let note = if unrelated { " (UNRELATED)" } else { "" };
        anstream::println!("          {case}{note}");
    }
    if let Some(more) = fired.len().checked_sub(NAMED).filter(|more| *more > 0) {
        anstream::println!("          and {more} more");
    }
    if let Some(trouble) = &outcome.trouble {
        anstream::println!("          {trouble}");
    }
}
