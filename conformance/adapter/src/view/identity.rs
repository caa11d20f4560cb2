//! What the user knows of friends' keys and addresses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Identity;

/// The friends' keys and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {}

/// What the user knows of one friend's keys and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Who it is.
    pub identity: Identity,
    /// The addresses of the contact, in order of preference.
    pub addresses: Vec<String>,
    /// The address that mail is known to reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved: Option<String>,
    /// The number of the newest epoch of the chain.
    pub epoch: u32,
    /// Whether the user compared safety codes.
    pub verified: bool,
    /// Whether nothing is taken or sent until the next rotation.
    pub frozen: bool,
    /// What the user is warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// The safety code: twelve groups of five digits, with spaces between.
    pub code: String,
}

/// People whom friends introduced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introductions {}

/// Somebody whom a friend introduced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introduction {
    /// Who it is.
    pub identity: Identity,
    /// The address.
    pub address: String,
    /// The friend.
    pub by: Identity,
}
