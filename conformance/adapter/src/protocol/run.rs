//! `sync`, `receive`, `close` and `bye`: what happens to an open device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Method, Octets, Session, Timestamp};

/// Fetch new mail, process it, send what is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sync {
    /// The device.
    pub session: Session,
    /// The time.
    pub now: Timestamp,
}

impl Method for Sync {
    const NAME: &'static str = "sync";
}

/// The answer to [`Sync`]. It is a claim: the harness looks at the wire and the
/// mailbox, and uses this to know when to come again and to explain failures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// How many mails were fetched and looked at.
    pub fetched: u32,
    /// How many mails were submitted.
    pub sent: u32,
    /// When something will be due without new mail or a new action: a resend,
    /// for instance. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// What went wrong and was survived, for a person to read: a server that
    /// can't be reached, a mail that was deferred.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// Process one mail that doesn't come from the mailbox, as if `sync` had just
/// fetched it. Vectors use this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receive {
    /// The device.
    pub session: Session,
    /// The time.
    pub now: Timestamp,
    /// The mail's octets, header and body.
    pub mail: Octets,
    /// What the mailbox's own server found about the sender's domain. It counts
    /// instead of the mail's header fields.
    pub auth: Authentication,
}

impl Method for Receive {
    const NAME: &'static str = "receive";
}

/// Whether one's own server found that the mail comes from the domain it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// It does.
    Pass,
    /// It doesn't.
    Fail,
    /// The server said nothing.
    None,
}

/// The answer to [`Receive`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// What became of the mail.
    pub outcome: Outcome,
    /// Why it was not accepted: the name of the violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
    /// What became of each object that the mail handed over, in the mail's
    /// order.
    pub objects: Vec<ObjectOutcome>,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectOutcome {
    /// The object hash: SHA-256 of the object octets.
    pub hash: Hash,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was not accepted: the name of the violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
}

/// What an implementation does with a mail or an object. Normative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not Kith: left alone.
    Ignore,
    /// Invalid: no visible effect.
    Refuse,
    /// It may become valid.
    Hold,
    /// Valid, and in effect.
    Accept,
}

/// Close a device: log out, forget it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Close {
    /// The device.
    pub session: Session,
    /// Whether the store is kept, to be opened again.
    pub keep: bool,
}

impl Method for Close {
    const NAME: &'static str = "close";
}

/// The answer to [`Close`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// With `keep`: the token for `open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// The last call: answer, then exit with status 0. Open devices are closed and
/// not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bye {}

impl Method for Bye {
    const NAME: &'static str = "bye";
}
