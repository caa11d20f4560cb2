//! What stands under posts and shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{ObjectId, ObjectRef};

/// Say something about a post or share, or about a comment under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// The post or share.
    pub root: ObjectRef,
    /// The comment that is answered, if it is not the root itself.
    pub parent: Option<ObjectRef>,
    /// What the user writes.
    pub text: String,
    /// Whether it is for the root's author alone (audience `direct`).
    pub private: bool,
}

/// Replace what the user feels about a post or share, or about a comment under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct React {
    /// The post or share.
    pub root: ObjectRef,
    /// The comment that it is about, if it is not the root itself.
    pub parent: Option<ObjectRef>,
    /// All symbols; none takes everything back.
    pub symbols: Vec<String>,
    /// Whether it is for the root's author alone (audience `direct`).
    pub private: bool,
}

/// Hand on a public post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// The public post.
    pub post: ObjectRef,
    /// The user's own words.
    pub text: Option<String>,
}

/// Hide what stands under a post or share of the user. Retracting the hide shows it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hide {
    /// The comment or reaction.
    pub target: ObjectRef,
}

/// Allow or stop relaying under a post or share of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relaying {
    /// The user's own post or share.
    pub id: ObjectId,
    /// Whether to relay what is said from now on.
    pub allow: bool,
}
