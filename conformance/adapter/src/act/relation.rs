//! Becoming friends, and ceasing to be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, Octets};

/// Make an invitation that one person can use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invite {}

/// Ask somebody to become a friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Befriend {
    /// The address, as the user typed it.
    pub address: String,
    /// A few words to go with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The invitation that the user follows: a `kith:` URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// Accept a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accept {
    /// The request, as the view `requests` names it.
    pub request: ObjectId,
}

/// Decline a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decline {
    /// The request, as the view `requests` names it.
    pub request: ObjectId,
    /// Whether the requester is told.
    pub notify: bool,
}

/// End a friendship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// With whom.
    pub identity: Identity,
}

/// Withdraw an own request that nobody answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdraw {
    /// The request, as the view `requests` names it.
    pub request: ObjectId,
}

/// Take over objects that the same person sent from elsewhere, as the own ones.
///
/// A vector needs this to give the recipient a past: an agent can't make the
/// same octets again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Adopt {
    /// To whom they were sent.
    pub to: Identity,
    /// The signed objects, in order.
    pub objects: Vec<Octets>,
    /// The `kith:` URI of the invite that a request among them was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// Block somebody, silently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// Whom.
    pub identity: Identity,
}

/// Take a block back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unblock {
    /// Whose.
    pub identity: Identity,
}
