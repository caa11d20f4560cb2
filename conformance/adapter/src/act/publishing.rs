//! Writing for an audience.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Write a post for all friends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// What the user writes.
    pub text: String,
}
