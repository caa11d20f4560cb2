//! What is right about a mail, judged from its octets alone.
//!
//! | module | what it does |
//! |---|---|
//! | [`read`] | takes a mail apart with mailparse, sequoia and roxmltree |
//! | [`second`] | reads it again with the forge's reader (rPGP): both must agree |
//! | `chapters` | small checks, a file for each chapter of the specification, each bearing a requirement |
//! | `keyring`, `chains` | whose mail can be opened, and under which keys people sign |
//! | `memory` | what earlier mails in the scene make of this one: channels, acks, confirms |
//! | `recorded` | what the judge saw in a case, to be judged again later |
//! | [`forged`] | the same checks over what the forge makes, so that the harness is right too |

mod chains;
mod chapters;
pub mod forged;
mod keyring;
mod memory;
pub mod read;
pub(crate) mod recorded;
pub mod second;
mod xml;

use kith_adapter::protocol::Opened;
use kith_spec::{Rule, req};
use kith_testbed::Submission;

pub use keyring::Keyring;
pub(crate) use keyring::secret;
pub use memory::Memory;
pub use read::{Form, Mail, ReadError};

use crate::ledger::Ledger;
use read::mime::Entity;

/// A mail that the agent submitted, and what helps to judge it.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// As the server took it.
    pub submission: &'a Submission,
    /// The agent that sent it.
    pub agent: Option<&'a Opened>,
    /// Whether all its recipients are puppets, so that it must be readable.
    pub readable: bool,
    /// What was read.
    pub mail: &'a Result<Mail, ReadError>,
    /// Who is known.
    pub keyring: &'a Keyring,
}

/// What one check says about one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The requirement says nothing about such a mail.
    DoesNotApply,
    /// It is met.
    Holds,
    /// It is broken: what was expected and what was seen.
    Broken(String),
}

impl Verdict {
    /// `Holds` if so, else `Broken` with the message.
    fn of(holds: bool, message: impl FnOnce() -> String) -> Self {
        match holds {
            true => Self::Holds,
            false => Self::Broken(message()),
        }
    }

    /// The first that is broken; `Holds` if some hold; else `DoesNotApply`.
    fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::DoesNotApply;
        for verdict in verdicts {
            match verdict {
                Self::Broken(_) => return verdict,
                Self::Holds => result = Self::Holds,
                Self::DoesNotApply => {}
            }
        }
        result
    }
}

/// One mail as the checks see it.
pub(crate) struct Seen<'a> {
    /// The outer octets.
    octets: &'a [u8],
    /// The outer MIME tree.
    outer: &'a Entity,
    /// All layers, if they could be opened.
    mail: Option<&'a Mail>,
    /// As the server took it; none for a forged mail.
    submission: Option<&'a Submission>,
    /// The agent that sent it; none for a forged mail.
    agent: Option<&'a Opened>,
    /// When it was sent, Unix seconds.
    now: i64,
    keyring: &'a Keyring,
    /// What was seen before; none for a forged mail.
    memory: Option<&'a Memory>,
}

/// A check of one mail, bearing a requirement.
pub(crate) struct Check {
    rule: Rule,
    look: fn(&Seen<'_>) -> Verdict,
}

/// Every requirement that the checks of a sent mail bear, without repetition.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = chapters::all().map(|check| check.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn run(seen: &Seen<'_>) -> Vec<(Rule, Verdict)> {
    chapters::all()
        .map(|check| (check.rule, (check.look)(seen)))
        .collect()
}

/// Judges a mail that the agent submitted, and remembers it.
pub fn sent(sighting: &Sighting<'_>, memory: &mut Memory, ledger: &mut Ledger) {
    let Sighting {
        submission,
        agent,
        mail,
        keyring,
        ..
    } = sighting;
    let read;
    let outer = match mail {
        Ok(mail) => &mail.root,
        Err(_) => match Entity::read(&submission.octets, "mail") {
            Ok(entity) => {
                read = entity;
                &read
            }
            Err(_) => return unreadable(sighting, ledger),
        },
    };
    let seen = Seen {
        octets: &submission.octets,
        outer,
        mail: mail.as_ref().ok(),
        submission: Some(submission),
        agent: *agent,
        now: submission.at,
        keyring,
        memory: Some(memory),
    };
    for (rule, verdict) in run(&seen) {
        match verdict {
            Verdict::DoesNotApply => {}
            Verdict::Holds => drop(ledger.assert(rule, true, String::new)),
            Verdict::Broken(message) => {
                let what = describe(submission);
                ledger.assert(rule, false, || format!("{message}, in {what}"));
            }
        }
    }
    match mail {
        Ok(mail) => memory.sent(mail, outer),
        Err(_) => unreadable(sighting, ledger),
    }
}

/// Reads a mail as it came to a puppet, by whatever way, and judges it by these rules: what
/// happens on the way may break others.
///
/// # Errors
/// If it can't be read.
pub(crate) fn received(
    octets: &[u8],
    keyring: &Keyring,
    now: i64,
    rules: &[Rule],
    ledger: &mut Ledger,
) -> Result<Mail, ReadError> {
    let mail = Mail::read(octets, keyring.sequoia())?;
    let seen = Seen {
        octets,
        outer: &mail.root,
        mail: Some(&mail),
        submission: None,
        agent: None,
        now,
        keyring,
        memory: None,
    };
    for (rule, verdict) in run(&seen) {
        match verdict {
            Verdict::Holds if rules.contains(&rule) => drop(ledger.assert(rule, true, String::new)),
            Verdict::Broken(message) if rules.contains(&rule) => {
                ledger.assert(rule, false, || format!("{message}, in the mail as it came"));
            }
            _ => {}
        }
    }
    Ok(mail)
}

/// A mail must be readable by the puppets that it is for.
fn unreadable(sighting: &Sighting<'_>, ledger: &mut Ledger) {
    if let (Err(error), true) = (sighting.mail, sighting.readable) {
        let message = || format!("expected mail that its recipient can read: {error}");
        ledger.assert(&req::MAIL_STRUCTURE, false, message);
    }
}

fn describe(submission: &Submission) -> String {
    let to = submission.recipients.join(", ");
    format!("the mail to {to}")
}
