//! Pictures, sound, video and files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Hash, ObjectRef, Octets};

/// A medium of something shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Medium {
    /// The hash that its object names.
    pub hash: Hash,
    /// The media type.
    pub media_type: String,
    /// What stands for it where it is not seen or heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Where it can be fetched, if it doesn't travel in mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// Whether its octets are here.
    pub available: bool,
    /// Whether it is shown or played without asking, when its octets are here.
    pub inline: bool,
}

/// The octets of one medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// The post or message.
    pub of: ObjectRef,
    /// Which of its media, from 0.
    pub position: u32,
}

/// The octets of a medium: one item if they are here, else none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaContent {
    /// As the user would save them.
    pub octets: Octets,
}
