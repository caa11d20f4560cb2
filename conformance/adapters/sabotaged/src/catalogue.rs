//! The faults. A skip leaves out every check of a rule; a rewrite changes what the agent says
//! before it is signed and sealed.
//!
//! | file | what it holds |
//! |---|---|
//! | `core.rs`, `social.rs`, `groups.rs` | rules left out, each with a name of its own |
//! | `unenforced.rs` | all other rules that the core asks its gate about, by requirement |
//! | `emitted.rs` | mail that is wrong |
//! | `gaps.rs` | the ids of those that the suite doesn't notice yet |
//! | `unseen.rs` | rules whose absence nobody can see from outside, with the reason |

mod core;
mod emitted;
mod gaps;
mod groups;
mod social;
mod unenforced;
mod unseen;

use kith_core::agent::outgoing::Outgoing;
use kith_spec::Rule;

pub(crate) use unseen::RULES as UNSEEN;

/// One way to be broken.
#[derive(Clone)]
pub(crate) struct Fault {
    /// A name; empty where the requirement's id serves.
    name: &'static str,
    /// What it does; empty where the requirement's text serves.
    title: &'static str,
    /// The requirement whose cases must notice.
    pub(crate) requirement: Rule,
    pub(crate) sabotage: Sabotage,
}

/// What is broken.
#[derive(Clone)]
pub(crate) enum Sabotage {
    /// These rules are not enforced.
    Skip(&'static [Rule]),
    /// The requirement is not enforced.
    Unenforced,
    /// What leaves is changed.
    Rewrite(fn(&mut Outgoing)),
}

impl Fault {
    /// Its stable id.
    pub(crate) fn id(&self) -> &'static str {
        match self.name {
            "" => self.requirement.id,
            name => name,
        }
    }

    /// What it does, for people.
    pub(crate) fn title(&self) -> String {
        match self.title {
            "" => format!("doesn't enforce: {}", self.requirement.text),
            title => title.to_owned(),
        }
    }

    /// Why the suite doesn't notice it yet, if that is so.
    pub(crate) fn gap(&self) -> Option<&'static str> {
        let gap = gaps::GAPS.iter().find(|(id, _)| *id == self.id());
        gap.map(|(_, reason)| *reason)
    }

    /// Whether it enforces a rule.
    pub(crate) fn enforces(&self, rule: Rule) -> bool {
        match self.sabotage {
            Sabotage::Skip(skipped) => !skipped.contains(&rule),
            Sabotage::Unenforced => rule != self.requirement,
            Sabotage::Rewrite(_) => true,
        }
    }
}

const fn skip(
    name: &'static str,
    title: &'static str,
    requirement: Rule,
    rules: &'static [Rule],
) -> Fault {
    Fault {
        name,
        title,
        requirement,
        sabotage: Sabotage::Skip(rules),
    }
}

const fn rewrite(
    name: &'static str,
    title: &'static str,
    requirement: Rule,
    change: fn(&mut Outgoing),
) -> Fault {
    Fault {
        name,
        title,
        requirement,
        sabotage: Sabotage::Rewrite(change),
    }
}

const fn unenforced(requirement: Rule) -> Fault {
    Fault {
        name: "",
        title: "",
        requirement,
        sabotage: Sabotage::Unenforced,
    }
}

/// All faults.
pub(crate) fn faults() -> Vec<Fault> {
    let named = [
        core::FAULTS,
        social::FAULTS,
        groups::FAULTS,
        emitted::FAULTS,
    ];
    let named = named.into_iter().flatten().cloned();
    let others = unenforced::RULES.iter().copied().map(unenforced);
    named.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The names of the requirements that the sources in a folder ask the gate about by name;
    /// those that it gets from a table are not found.
    fn asked(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                asked(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text: String = text.split_whitespace().collect();
            for call in ["check(&req::", "enforces(&req::"] {
                for after in text.split(call).skip(1) {
                    let name = after.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    found.extend(name.take(1).map(str::to_owned));
                }
            }
        }
    }

    fn name(rule: Rule) -> String {
        rule.id.replace(['.', '-'], "_").to_uppercase()
    }

    #[test]
    fn every_rule_that_can_be_left_out_is() {
        let mut asked_for = BTreeSet::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../reference");
        for part in ["core/src", "agent/src"] {
            asked(&root.join(part), &mut asked_for);
        }
        let unseen = UNSEEN.iter().map(|(rule, _)| name(rule));
        let left_out: BTreeSet<String> = kith_spec::requirements()
            .iter()
            .filter(|rule| faults().iter().any(|fault| !fault.enforces(rule)))
            .map(|rule| name(rule))
            .chain(unseen)
            .collect();
        let forgotten: Vec<_> = asked_for.difference(&left_out).collect();
        assert!(
            forgotten.is_empty(),
            "add to catalogue/unenforced.rs: {forgotten:?}"
        );
    }

    #[test]
    fn gaps_are_of_faults() {
        for (id, _) in gaps::GAPS {
            let known = faults().iter().any(|fault| fault.id() == *id);
            assert!(known, "there is no fault {id}");
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids = BTreeSet::new();
        for fault in faults() {
            assert!(
                ids.insert(fault.id()),
                "two faults are called {}",
                fault.id()
            );
        }
    }
}
