//! The faults. A skip leaves out every check of a rule; the others change what the agent says
//! before it is signed and sealed, the mail on its way out or in, what the person sees, or what
//! comes of what the person does.
//!
//! | file | what it holds |
//! |---|---|
//! | `core.rs`, `social.rs`, `groups.rs` | rules left out, each with a name of its own |
//! | `tables.rs` | a cell of each state table that goes wrong, and rules left out for another's sake |
//! | `unenforced.rs` | all other rules that the core asks its gate about, by requirement |
//! | `shrugged.rs` | what must be refused and is left alone, by requirement |
//! | `emitted.rs`, `posted.rs` | mail that is wrong: its documents, its octets, where it goes |
//! | `lost.rs` | mail that must be taken and isn't |
//! | `shown.rs` | what the person sees is wrong |
//! | `acted.rs` | what is done isn't what the person asked for |
//! | `unseen.rs` | rules whose absence nobody can see from outside, with the reason |

mod acted;
mod core;
mod emitted;
mod groups;
mod lost;
mod posted;
mod shown;
mod shrugged;
mod social;
mod tables;
mod unenforced;
mod unseen;

use kith_core::agent::outbox::Posted;
use kith_core::agent::outgoing::Outgoing;
use kith_spec::Rule;
use serde_json::Value;

use crate::broken::{Change, Surroundings};

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
    /// What must be refused because of the requirement is left alone.
    Shrug,
    /// What leaves is changed.
    Rewrite(fn(&mut Outgoing)),
    /// A document is changed before it is signed or sealed; none stays as it is.
    Document(fn(&str) -> Option<String>),
    /// A mail goes elsewhere, in other octets, more often or not at all.
    Post {
        /// What it remembers of a mail that came.
        hears: Hears,
        /// What leaves instead, by what it remembers and to whom mail went before.
        posts: fn(Posted, &[String]) -> Vec<Posted>,
    },
    /// What it heard from the person's actions stands in each later mail.
    Leak(fn(&Value) -> Option<String>),
    /// These mails are lost.
    Lose(fn(&str) -> bool),
    /// These sealed mails are lost, by what they hold.
    LoseSealed(fn(&str) -> bool),
    /// A view shows something else.
    Show(Shows),
    /// A view shows something else on a device that started from an export.
    ShowImported(Shows),
    /// A view shows what a mail said that mustn't count.
    Believe {
        /// What it remembers of a mail that came.
        hears: Hears,
        /// What it makes of that.
        shows: Shows,
    },
    /// These actions are said to be done, and aren't.
    Idle(&'static [&'static str]),
    /// Something else is done.
    Instead(Change),
    /// Something is done that nobody asked for.
    Meddle {
        /// What it remembers of a mail that came.
        hears: Hears,
        /// What it does.
        does: fn(&Surroundings) -> Vec<Value>,
    },
    /// A device is opened in another way.
    Open(fn(Value) -> Value),
    /// What an action returns is changed, by the action.
    Return(fn(&Value, &mut Value)),
    /// Problems with servers are not told.
    Quiet,
    /// Where TLS begins by STARTTLS, it logs in without.
    Plain,
}

/// What a fault remembers of a mail, whose base64 is decoded.
pub(crate) type Hears = fn(&str) -> Vec<String>;

/// Changes the items of the view of a name, by what was heard.
pub(crate) type Shows = fn(&str, &mut Vec<Value>, &[String]);

/// Remembers nothing.
fn deaf(_mail: &str) -> Vec<String> {
    Vec::new()
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
            "" if matches!(self.sabotage, Sabotage::Shrug) => {
                format!("leaves alone what breaks: {}", self.requirement.text)
            }
            "" => format!("doesn't enforce: {}", self.requirement.text),
            title => title.to_owned(),
        }
    }

    /// The rules that it skips, its own among them or not.
    pub(crate) fn skipped(&self) -> &[Rule] {
        match self.sabotage {
            Sabotage::Skip(rules) => rules,
            Sabotage::Unenforced | Sabotage::Shrug => std::slice::from_ref(&self.requirement),
            _ => &[],
        }
    }

    /// Whether it enforces a rule.
    pub(crate) fn enforces(&self, rule: Rule) -> bool {
        !self.skipped().contains(&rule)
    }
}

const fn skip(
    name: &'static str,
    title: &'static str,
    requirement: Rule,
    rules: &'static [Rule],
) -> Fault {
    fault(name, title, requirement, Sabotage::Skip(rules))
}

const fn fault(
    name: &'static str,
    title: &'static str,
    requirement: Rule,
    sabotage: Sabotage,
) -> Fault {
    Fault {
        name,
        title,
        requirement,
        sabotage,
    }
}

const fn by_requirement(requirement: Rule, sabotage: Sabotage) -> Fault {
    fault("", "", requirement, sabotage)
}

/// All faults.
pub(crate) fn faults() -> Vec<Fault> {
    let named = [
        core::FAULTS,
        social::FAULTS,
        groups::FAULTS,
        tables::FAULTS,
        emitted::FAULTS,
        posted::FAULTS,
        lost::FAULTS,
        shown::FAULTS,
        acted::FAULTS,
    ];
    let named = named.into_iter().flatten().cloned();
    let unenforced = unenforced::RULES.iter();
    let unenforced = unenforced.map(|rule| by_requirement(rule, Sabotage::Unenforced));
    let shrugged = shrugged::RULES.iter();
    let shrugged = shrugged.map(|rule| by_requirement(rule, Sabotage::Shrug));
    named.chain(unenforced).chain(shrugged).collect()
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
                    let name = name.take(1).filter(|name| !name.is_empty());
                    found.extend(name.map(str::to_owned));
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
