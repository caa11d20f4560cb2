//! What friends published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::media::Medium;
pub use crate::act::publishing::Mention;
use crate::protocol::{Identity, ObjectId, Timestamp};

/// What friends, and the user, published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {}

/// Something published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Who wrote it.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The object's kind, as the specification names it.
    pub kind: String,
    /// The text of the highest revision.
    pub text: String,
    /// When it was written, as its author says.
    pub created: Timestamp,
    /// The revision shown; from 1, higher if it was edited.
    pub rev: u32,
    /// Of whom the text speaks, by the names that the user sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Pictures, sound, video and files, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
    /// Whether every mail that carried it was protected after quantum computers. Absent where that
    /// isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// Objects of kinds that the implementation doesn't know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {}

/// An object of an unknown kind, shown by its signed fallback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fallback {
    /// Who wrote it.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The fallback text.
    pub fallback: String,
}
