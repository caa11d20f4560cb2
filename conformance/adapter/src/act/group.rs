//! Groups. A group is named by its owner and its object id.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectRef};

/// Make a group, of which the user is the owner and only member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCreate {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Invite somebody: as the owner a friend; as an admin, propose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupInvite {
    /// The group.
    pub group: ObjectRef,
    /// Whom.
    pub identity: Identity,
}

/// Accept the invitation into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupJoin {
    /// The group.
    pub group: ObjectRef,
}

/// Leave a group, or decline the invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupLeave {
    /// The group.
    pub group: ObjectRef,
}

/// Take somebody off the list; as an admin, propose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRemove {
    /// The group.
    pub group: ObjectRef,
    /// Whom.
    pub identity: Identity,
}

/// Make a member of an own group an admin, or an admin a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupAdmin {
    /// The group.
    pub group: ObjectRef,
    /// Whom.
    pub identity: Identity,
    /// Whether the member is an admin from now on.
    pub admin: bool,
}

/// Give a group another name; as an admin, propose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRename {
    /// The group.
    pub group: ObjectRef,
    /// The name.
    pub name: String,
}

/// End an own group, for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupEnd {
    /// The group.
    pub group: ObjectRef,
}

/// Write a post for the members of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupPost {
    /// The group.
    pub group: ObjectRef,
    /// What the user writes.
    pub text: String,
}

/// Write a message to the members of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMessage {
    /// The group.
    pub group: ObjectRef,
    /// What the user writes.
    pub text: String,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ObjectRef>,
}
