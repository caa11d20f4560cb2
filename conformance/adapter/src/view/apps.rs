//! Apps that people use together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, Octets};

/// The apps that the user shares with others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Apps {}

/// An instance of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// Who shared it.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The other participant.
    pub with: Identity,
    /// The URI of its type.
    #[serde(rename = "type")]
    pub app_type: String,
    /// Its name.
    pub name: String,
    /// The signed fallback.
    pub fallback: String,
    /// What its updates last said stands next to the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The updates, in the order in which its program is handed them.
    pub updates: Vec<Update>,
    /// Whether updates are missing.
    pub gaps: bool,
}

/// An update of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// Who made it.
    pub author: Identity,
    /// Its number among those of its author.
    pub serial: u64,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// What the program says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Octets>,
}
