//! Pages and their followers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::act::pages::Link;
use crate::protocol::Identity;

/// The user's own page, and the pages that the user follows or asked to follow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pages {}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// The identity, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The address, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The state in the table `following`.
    pub state: PageState,
    /// The name that it claims, where it said something about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is, in a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Places elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// How the user and a page stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageState {
    /// It is the user's own.
    Own,
    /// The user asked to follow it.
    Asked,
    /// It sends to the user.
    Following,
    /// The user takes what comes by a list.
    Listed,
}

/// Who follows the user's page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Followers {}

/// A follower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Follower {
    /// The identity.
    pub identity: Identity,
    /// The address.
    pub address: String,
    /// The name that it claims.
    pub name: String,
    /// Whether it confirmed: the state `follower` of the table `followers`, else `answered`.
    pub confirmed: bool,
}
