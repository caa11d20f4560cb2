//! Writing for an audience.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::media::Attachment;
use crate::protocol::{Identity, ObjectId};

/// For whom something is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// All friends.
    #[default]
    Friends,
    /// The friends in a circle, by its name.
    Circle(String),
    /// Friends one by one.
    Chosen(Vec<Identity>),
    /// Nobody.
    Nobody,
}

/// Write a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// What the user writes; may be empty where there are media.
    pub text: String,
    /// For whom it is; all friends where nothing is said.
    #[serde(default)]
    pub to: Readers,
    /// Of whom the text speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Pictures, sound, video and files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Attachment>,
}

/// Somebody of whom a text speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// Who it is.
    pub identity: Identity,
    /// The name in the text.
    pub name: String,
}

/// Hand an own post to further friends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Widen {
    /// The user's own post.
    pub id: ObjectId,
    /// The friends.
    pub to: Vec<Identity>,
}

/// Take an own post back from some of those who have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Narrow {
    /// The user's own post.
    pub id: ObjectId,
    /// From whom.
    pub from: Vec<Identity>,
}

/// Put friends into a circle and take others out. A circle begins with its first friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Circle {
    /// The circle's name.
    pub name: String,
    /// Who comes in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Identity>,
    /// Who goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Identity>,
}
