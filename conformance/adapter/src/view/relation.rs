//! Who is related to the user, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, Timestamp};

/// The friends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Friends {}

/// A friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Friend {
    /// Who it is.
    pub identity: Identity,
    /// The address that mail goes to.
    pub address: String,
    /// The name that the user sees.
    pub name: String,
    /// Since when the two are friends.
    pub since: Timestamp,
}

/// The open requests, both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {}

/// A request that is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// The request's object id, by which actions name it.
    pub request: ObjectId,
    /// Which way it goes.
    pub direction: Direction,
    /// The other person, if known: the user may have typed a mere address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The other person's address.
    pub address: String,
    /// The other person's name; empty if not known.
    pub name: String,
    /// The words that go with the request; empty if there are none.
    pub note: String,
    /// Other open requests that claim the same address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<ObjectId>,
    /// The friend who introduced the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced: Option<Identity>,
    /// Whether it follows a valid invitation.
    pub invited: bool,
    /// What the user is warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Which way a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Somebody asks the user.
    Incoming,
    /// The user asks somebody.
    Outgoing,
    /// The user has accepted, and waits for the confirmation.
    Accepted,
}

/// Everybody the device knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relations {}

/// Somebody, and the state of the relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// Who it is.
    pub identity: Identity,
    /// The address.
    pub address: String,
    /// The state of the relation.
    pub state: State,
}

/// The states of the specification's table `state/relationship.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the table in the specification says what they mean"
)]
pub enum State {
    Stranger,
    Requested,
    Pending,
    Met,
    Accepted,
    Crossed,
    Friends,
    Renewing,
    Blocked,
}
