//! Changing and taking back what the user wrote, whatever kind it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::ObjectId;

/// Change the text of something written earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The user's own object.
    pub id: ObjectId,
    /// The new text.
    pub text: String,
}

/// Take something back, for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retract {
    /// The user's own object.
    pub id: ObjectId,
    /// Its kind, as the specification names it: `message`, `post`, …
    pub kind: String,
}
