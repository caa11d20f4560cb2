//! What the judge saw in a case, written down, so that it can be judged again later, by a suite
//! that knows more.
//!
//! It holds the secret keys of the puppets, which belong to nobody and seal nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use kith_adapter::protocol::{Octets, Opened};
use kith_forge::Puppet;
use kith_testbed::Submission;
use serde::{Deserialize, Serialize};

use super::{Keyring, Mail, Memory, Sighting};
use crate::case::Stop;
use crate::judge;
use crate::ledger::Ledger;
use crate::report::FailureReport;

/// The version of this form, in [`Record::form`].
pub(crate) const FORM: &str = "kith-conform-judged/1";

/// Something that the judge has to know of, in the order in which it happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Noted {
    /// Somebody whose secrets the harness has came, or has new keys.
    Person {
        /// The transferable secret key.
        secret: Octets,
        /// The certificate.
        certificate: Octets,
        /// The documents of the chain.
        chain: Vec<Octets>,
    },
    /// Somebody whose signatures occur came: the agent.
    Signer {
        /// The certificate.
        certificate: Octets,
    },
    /// A valid mail was put into the agent's mailbox.
    Delivered {
        /// Its octets.
        mail: Octets,
    },
    /// The agent synced.
    Synced,
    /// The agent submitted a mail.
    Sent {
        /// As the server took it.
        submission: Box<Submission>,
        /// The agent.
        agent: Option<Box<Opened>>,
        /// Whether all its recipients are puppets.
        readable: bool,
    },
}

impl Noted {
    /// Somebody whose secrets the harness has.
    pub(crate) fn person(person: &Puppet) -> Self {
        let chain = person.chain.iter();
        Self::Person {
            secret: person.secret_key_export().into(),
            certificate: person.certificate.binary.clone().into(),
            chain: chain.map(|entry| entry.xml.clone().into()).collect(),
        }
    }
}

/// What the judge saw in a case, and what it said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The version of this form.
    pub(crate) form: String,
    pub(crate) noted: Vec<Noted>,
    /// How many assertions the judge evaluated, by requirement.
    pub(crate) asserted: BTreeMap<String, u32>,
    /// What did not hold of them.
    pub(crate) failures: Vec<FailureReport>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            form: FORM.to_owned(),
            noted: Vec::new(),
            asserted: BTreeMap::new(),
            failures: Vec::new(),
        }
    }
}

impl Record {
    /// Notes what happened.
    pub(crate) fn note(&mut self, noted: Noted) {
        self.noted.push(noted);
    }

    /// Notes a mail that the agent submitted, and what the judge said of it.
    pub(crate) fn sent(&mut self, sighting: &Sighting<'_>, found: &Ledger) {
        self.note(Noted::Sent {
            submission: Box::new(sighting.submission.clone()),
            agent: sighting.agent.cloned().map(Box::new),
            readable: sighting.readable,
        });
        for (id, count) in found.asserted() {
            *self.asserted.entry(id).or_default() += count;
        }
        for failure in found.failures() {
            if !self.failures.contains(failure) {
                self.failures.push(failure.clone());
            }
        }
    }

    /// Judges all of it again.
    ///
    /// # Errors
    /// If a key can't be read that could be once.
    pub(crate) fn judge(&self) -> Result<Ledger, Stop> {
        let mut ledger = Ledger::default();
        let mut memory = Memory::default();
        let mut keyring = Arc::new(Keyring::default());
        for noted in &self.noted {
            match noted {
                Noted::Person {
                    secret,
                    certificate,
                    chain,
                } => {
                    let secret = judge::read::openpgp::certificate(&secret.0);
                    let secret = secret.map_err(Stop::harness)?.cert;
                    let chain = chain.iter().map(|entry| &entry.0[..]);
                    let keyring = Arc::make_mut(&mut keyring);
                    keyring.add_keys(secret, chain, &certificate.0)?;
                }
                Noted::Signer { certificate } => {
                    Arc::make_mut(&mut keyring).add_signer(&certificate.0)?;
                }
                Noted::Delivered { mail } => match Mail::read(&mail.0, keyring.sequoia()) {
                    Ok(mail) => {
                        Keyring::learn(&mut keyring, &mail)?;
                        memory.delivered(&mail);
                    }
                    Err(_) => memory.delivered_unread(),
                },
                Noted::Synced => memory.synced(),
                Noted::Sent {
                    submission,
                    agent,
                    readable,
                } => {
                    let mail = Mail::read(&submission.octets, keyring.sequoia());
                    if let Ok(mail) = &mail {
                        Keyring::learn(&mut keyring, mail)?;
                    }
                    let sighting = Sighting {
                        submission,
                        agent: agent.as_deref(),
                        readable: *readable,
                        mail: &mail,
                        keyring: &keyring,
                    };
                    judge::sent(&sighting, &mut memory, &mut ledger);
                }
            }
        }
        Ok(ledger)
    }
}
