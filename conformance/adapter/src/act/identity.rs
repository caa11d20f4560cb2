//! The own identity, and what the user makes of others'.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectRef, Octets};

/// Take the key that the newest entry of the own chain commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rotate {
    /// The transferable secret key, binary, without a passphrase: what the recovery kit holds.
    pub secret: Octets,
    /// Whether somebody else may have the earlier keys.
    pub compromised: bool,
}

/// Move to another address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// The address.
    pub address: String,
}

/// Agree to something, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// To telling friends that their messages arrived.
    pub delivered: bool,
    /// To telling friends that their messages were read.
    pub seen: bool,
    /// To being introduced by friends.
    pub introduce: bool,
}

/// Give somebody a name of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Petname {
    /// Whom.
    pub identity: Identity,
    /// The name; absent to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Compare the safety code that the other read out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// Whom.
    pub identity: Identity,
    /// The sixty digits, with or without spaces.
    pub code: String,
}

/// Introduce two friends to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introduce {
    /// One friend.
    pub one: Identity,
    /// The other.
    pub other: Identity,
}

/// Read a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Read {
    /// The message.
    pub message: ObjectRef,
}
