//! Apps that people use together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectRef, Octets};

/// Share an app with a friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppCreate {
    /// The friend.
    pub with: Identity,
    /// The URI of the app's type.
    #[serde(rename = "type")]
    pub app_type: String,
    /// The name of the instance.
    pub name: String,
}

/// Add an update to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppUpdate {
    /// The instance.
    pub app: ObjectRef,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// What stands next to the instance's name from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What the program says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Octets>,
}
