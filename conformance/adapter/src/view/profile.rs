//! Profiles of friends, and the user's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::media::Medium;
use crate::act::profile::FieldPart;
use crate::protocol::Identity;

/// What people tell about themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Whose, a friend's or the user's own; those of all friends where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// A field that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// Whose.
    pub identity: Identity,
    /// The field, as the specification names it: `fn`, `tel`, …
    pub field: String,
    /// The revision shown.
    pub rev: u32,
    /// Its values, in order of preference.
    pub values: Vec<ShownValue>,
    /// The photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<Medium>,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownValue {
    /// The value in one piece.
    pub text: String,
    /// `home` or `work`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The parts of `n` and `adr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<FieldPart>,
    /// Whether the user is offered to open it, as a URI.
    pub offered: bool,
}
