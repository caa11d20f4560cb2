//! Private messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::media::Attachment;
use crate::protocol::{Identity, ObjectRef};

/// Write a private message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The friend.
    pub to: Identity,
    /// What the user writes.
    pub text: String,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ObjectRef>,
    /// Attachments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Attachment>,
}
