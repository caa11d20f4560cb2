//! Private messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::delivery::DeliveryState;
use super::media::Medium;
use crate::protocol::{Identity, ObjectId, ObjectRef, Timestamp};

/// The private messages, sent and received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Messages {}

/// A private message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The object's id.
    pub id: ObjectId,
    /// Who wrote it.
    pub author: Identity,
    /// To whom.
    pub to: Identity,
    /// The text of the highest revision.
    pub text: String,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ObjectRef>,
    /// When it was written, as its author says.
    pub created: Timestamp,
    /// When it was first fetched; absent for the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Timestamp>,
    /// The revision shown; from 1, higher if it was edited.
    pub rev: u32,
    /// Attachments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
    /// What became of it; absent for others' messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryState>,
    /// Whether every mail that carried it was protected after quantum computers. Absent where that
    /// isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// What the recipient's receipts told of it; absent for others' messages, and before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptState>,
}

/// What receipts told of an own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptState {
    /// It arrived.
    Delivered,
    /// It was read, and so it arrived.
    Seen,
}
