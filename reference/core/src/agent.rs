//! The agent: one person's end of Kith, as a state machine without input and output.
//!
//! [`Agent::receive`] takes a mail, [`Agent::act`] what the person does, [`Agent::tick`] the time.
//! Each reads the store, and returns [`Effects`]: rows to write, among them mails in the outbox, and
//! events for the person. The driver writes all rows of one step in one transaction, so a crash
//! neither loses nor repeats anything (specification, `send.durable`).

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::gate::Gate;
use crate::store::{Read, StoreError, Transaction, Write};
use crate::wire::WireError;

pub mod act;
mod action;
pub mod address;
pub mod adopt;
pub mod authentication;
mod author;
mod bounce;
pub mod channel;
pub mod circle;
mod converse;
pub mod devices;
pub mod follow;
pub mod group;
mod held;
pub mod introduction;
pub mod invite;
pub mod media;
pub mod objects;
mod open_mail;
pub mod outbox;
pub mod outgoing;
pub mod own;
pub mod peer;
pub(crate) mod protection;
mod public_mail;
mod public_relay;
pub(crate) mod receipts;
pub mod receive;
pub mod recovery;
pub mod relation;
mod renewal;
mod rotation;
mod sealed_mail;
pub mod standing;
pub mod thread;
pub mod tick;
pub mod view;

pub use action::{ActError, Action, Done};
pub use own::{NewIdentity, Own};
pub use receive::{Incoming, ObjectVerdict, Receipt, Verdict};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// An identity id, object hash or key hash.
pub type Id = [u8; 32];

/// What a step leads to.
#[derive(Debug, Default)]
pub struct Effects {
    /// Rows to write in one transaction.
    pub writes: Vec<Write>,
    /// What the person may want to know.
    pub events: Vec<Event>,
}

/// Something that happened, for the person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Somebody asks.
    Request {
        /// The claimed name.
        name: Option<String>,
        /// The claimed address.
        address: String,
    },
    /// A new friend.
    Friend {
        /// The name or address.
        name: String,
    },
    /// A friendship or request ended.
    Ended {
        /// The name or address.
        name: String,
    },
    /// A message arrived or changed.
    Message {
        /// The name or address of its author.
        from: String,
    },
    /// A post arrived or changed.
    Post {
        /// The name or address of its author.
        from: String,
    },
    /// A page that is followed says something about itself.
    Page {
        /// Its name.
        name: String,
    },
    /// A page sends what it publishes from now on.
    Following {
        /// The name or address.
        name: String,
    },
    /// Somebody follows the own page.
    Follower {
        /// The name or address.
        name: String,
    },
    /// A friend shares an app.
    App {
        /// The name or address of its author.
        from: String,
        /// The instance's name.
        name: String,
    },
    /// Something happened in an app.
    AppUpdate {
        /// The name or address of its author.
        from: String,
        /// What happened.
        info: Option<String>,
    },
    /// A contact is frozen: its key is in two hands or revoked.
    Frozen {
        /// The name or address.
        name: String,
        /// Why.
        why: String,
    },
    /// A mail isn't sent, because it could be less protected only than its recipient declared.
    Withheld {
        /// The name or address.
        name: String,
        /// Why.
        why: String,
    },
    /// A friend introduced somebody.
    Introduced {
        /// The name or address of the one introduced.
        name: String,
        /// The name or address of the friend.
        by: String,
    },
    /// The person is invited into a group.
    GroupInvite {
        /// The group's name.
        name: String,
    },
    /// A group changed.
    Group {
        /// Its name.
        name: String,
    },
    /// Somebody joined an own group.
    GroupJoined {
        /// Who.
        name: String,
        /// The group's name.
        group: String,
    },
    /// Somebody left an own group or declined to join.
    GroupLeft {
        /// Who.
        name: String,
        /// The group's name.
        group: String,
    },
    /// An event arrived or changed.
    Event {
        /// The organiser.
        from: String,
        /// What it is.
        summary: String,
    },
    /// Somebody answered an own event.
    Answer {
        /// Who.
        from: String,
    },
    /// A comment arrived or changed.
    Comment {
        /// The name of its author.
        from: String,
    },
    /// The day's limit of submissions is reached; what waits leaves on the next day.
    PutOff {
        /// How many mails wait.
        waiting: u64,
    },
    /// A mail came back or was refused by a server.
    Undelivered {
        /// The recipient's address.
        to: String,
        /// What the server said.
        reason: String,
        /// Whether [`Action::Resend`] can send it again.
        again: bool,
    },
}

/// What goes wrong on this side.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The store failed or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A mail can't be made.
    #[error("a mail can't be made: {0}")]
    Wire(#[from] WireError),
    /// The store holds no identity yet.
    #[error("there is no identity yet; make one with `kith init`")]
    NoIdentity,
}

/// One person's agent.
pub struct Agent {
    gate: Arc<dyn Gate>,
    own: Own,
    rng: ChaCha20Rng,
    authserv_id: Option<String>,
    /// Most mails that are submitted in a day.
    daily: u64,
}

impl Agent {
    /// Opens the agent of the identity in a store. `seed` must be fresh randomness.
    ///
    /// # Errors
    ///
    /// When the store fails or holds no identity.
    pub fn open(gate: Arc<dyn Gate>, store: &dyn Read, seed: [u8; 32]) -> Result<Self, AgentError> {
        let own = Own::load(store)?.ok_or(AgentError::NoIdentity)?;
        Ok(Self {
            gate,
            own,
            rng: ChaCha20Rng::from_seed(seed),
            authserv_id: None,
            daily: outbox::DAILY,
        })
    }

    /// Names the server whose Authentication-Results are believed (RFC 8601).
    #[must_use]
    pub fn trusting(mut self, authserv_id: Option<String>) -> Self {
        self.authserv_id = authserv_id;
        self
    }

    /// Submits so many mails in a day at most (`send.daily`), or [`outbox::DAILY`].
    #[must_use]
    pub fn submitting(mut self, daily: Option<u64>) -> Self {
        self.daily = daily.unwrap_or(outbox::DAILY);
        self
    }

    /// The own identity.
    #[must_use]
    pub fn own(&self) -> &Own {
        &self.own
    }

    fn step<'a>(&'a mut self, store: &'a dyn Read, now: i64) -> Step<'a> {
        Step {
            gate: self.gate.as_ref(),
            own: &mut self.own,
            rng: &mut self.rng,
            authserv_id: self.authserv_id.as_deref(),
            daily: self.daily,
            store: Transaction::new(store),
            now,
            events: Vec::new(),
            freezing: None,
            size: 0,
            quiet: false,
        }
    }
}

/// One step of the agent: everything that its parts need, and what they lead to.
pub(crate) struct Step<'a> {
    pub(crate) gate: &'a dyn Gate,
    pub(crate) own: &'a mut Own,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) authserv_id: Option<&'a str>,
    pub(crate) daily: u64,
    pub(crate) store: Transaction<'a>,
    pub(crate) now: i64,
    pub(crate) events: Vec<Event>,
    /// Whom to freeze, and why, even if the mail that shows it is refused.
    pub(crate) freezing: Option<(peer::Peer, &'static str)>,
    /// The octets of the mail that is judged.
    pub(crate) size: u64,
    /// Whether nothing is sent or noted: what happens is known from another device.
    pub(crate) quiet: bool,
}

impl Step<'_> {
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        use rand::RngCore;
        let mut octets = [0; N];
        self.rng.fill_bytes(&mut octets);
        octets
    }

    fn into_effects(self) -> Effects {
        Effects {
            writes: self.store.into_writes(),
            events: self.events,
        }
    }
}

/// A failure while judging: of the peer, or on this side.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer broke a rule.
    Violation(crate::gate::Violation),
    /// Something failed here; the mail is tried again later.
    Agent(AgentError),
}

impl From<crate::gate::Violation> for Failure {
    fn from(violation: crate::gate::Violation) -> Self {
        Self::Violation(violation)
    }
}

impl<T: Into<AgentError>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Agent(error.into())
    }
}
