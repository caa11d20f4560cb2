//! Pages, and following them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Identity;

/// Make the user's page, or change what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageCreate {
    /// The page's name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is, in a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Places elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether followers may comment.
    #[serde(default)]
    pub comments: bool,
    /// The address of a mailing list that carries what the page publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

/// A place elsewhere, with the words that stand for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// An https URI.
    pub href: String,
    /// The words.
    pub label: String,
}

/// Publish a post on the user's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PagePost {
    /// What the user writes.
    pub text: String,
}

/// Ask to follow the page at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Follow {
    /// The page's address.
    pub address: String,
}

/// Follow a page by its identity id alone: what it publishes comes by a mailing list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowId {
    /// The page.
    pub identity: Identity,
}

/// Stop following a page, or withdraw the request to follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unfollow {
    /// The page, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The address that was asked, where the page is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Remove a follower of the user's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemoveFollower {
    /// The follower.
    pub identity: Identity,
}
