//! The user's own profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::media::Attachment;
use super::publishing::Readers;

/// Set a field of the own profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileSet {
    /// The field, as the specification names it: `fn`, `tel`, …
    pub field: String,
    /// Its values, in order of preference; none empties it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<FieldValue>,
    /// The photo, in the field `photo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<Attachment>,
    /// For whom it is.
    #[serde(default)]
    pub to: Readers,
}

/// A value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldValue {
    /// The value; empty where it is given in parts.
    #[serde(default)]
    pub text: String,
    /// `home` or `work`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The parts of `n` and `adr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<FieldPart>,
}

/// A part of a name or postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldPart {
    /// What it is, as the specification names it: `surname`, `street`, …
    pub part: String,
    /// Its text.
    pub text: String,
}
