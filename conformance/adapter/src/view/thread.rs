//! What stands under posts and shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, ObjectRef, Timestamp};

/// What stands under posts and shares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Threads {}

/// What stands under one post or share; none where nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thread {
    /// The post or share.
    pub root: ObjectRef,
    /// The comments in the order in which they are shown.
    pub comments: Vec<Comment>,
    /// The reactions that are not empty.
    pub reactions: Vec<Reaction>,
}

/// A comment that the user sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Who wrote it.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The comment under which it is shown; none directly under the root.
    pub parent: Option<ObjectRef>,
    /// The name that its author claims, where the author is no friend.
    pub claim: Option<String>,
    /// Through whom it came, as the user is told, where that is not its author.
    pub through: Option<Identity>,
    /// The text of the highest revision.
    pub text: String,
    /// When it was written, as its author says.
    pub created: Timestamp,
    /// The revision shown; from 1, higher if it was edited.
    pub rev: u32,
    /// Whether every mail that carried it was protected after quantum computers. Absent where that
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// A reaction that the user sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Whose it is.
    pub author: Identity,
    /// What it is about: the root or a comment.
    pub target: ObjectRef,
    /// The symbols.
    pub symbols: Vec<String>,
    /// Whether every mail that carried it was protected after quantum computers. Absent where that
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// Public posts that friends, and the user, hand on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shares {}

/// A share that the user sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Who shares.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The sharer's own words.
    pub text: String,
    /// The public post.
    pub post: ObjectRef,
    /// The text of the public post, where it is shown.
    pub shown: Option<String>,
}
