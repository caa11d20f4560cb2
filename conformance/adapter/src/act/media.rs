//! Pictures, sound, video and files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Hash, ObjectRef, Octets};

/// A medium that goes with a post, a message or a profile. Thumbnails are the agent's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The media type.
    pub media_type: String,
    /// The octets, or where they are.
    #[serde(flatten)]
    pub content: Content,
    /// The name of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What stands for it where it is not seen or heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// What stands below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

/// The octets, or where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// They go along.
    Octets(Octets),
    /// They are on a server.
    Link(Link),
}

/// Where octets are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// An `https` URI.
    pub href: String,
    /// The password of the OpenPGP message that they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Their SHA-256.
    pub hash: Hash,
    /// Their number.
    pub size: u64,
}

/// The user fetched a linked medium; what the server gave is handed over. To be refused if it is
/// not what the link says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fetched {
    /// The post or message.
    pub of: ObjectRef,
    /// Which of its media, from 0.
    pub position: u32,
    /// What was fetched.
    pub octets: Octets,
}
