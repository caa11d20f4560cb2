//! Groups and what is written in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, ObjectRef, Timestamp};

/// The groups that the user is or was in, or is invited to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Groups {}

/// The states of the table `group`; an own group is in the state `member`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// The owner lists the user, who has not answered.
    Invited,
    /// The user joined and waits for the owner's list.
    Joining,
    /// The user is a member.
    Member,
    /// The user left or declined.
    Left,
    /// The newest list is without the user.
    Removed,
    /// The owner ended it.
    Ended,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Keeps the list.
    Owner,
    /// Proposes changes.
    Admin,
    /// Writes and reads.
    Member,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub identity: Identity,
    /// What it may do.
    pub role: Role,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Which one: owner and object id.
    pub group: ObjectRef,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The newest revision.
    pub rev: u32,
    /// The user's state in it.
    pub state: GroupState,
    /// The members by the newest list.
    pub members: Vec<Member>,
    /// Who is invited.
    pub invited: Vec<Identity>,
}

/// What was written to groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupTimeline {
    /// The group; none for all of them, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ObjectRef>,
}

/// Something written to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupEntry {
    /// The group.
    pub group: ObjectRef,
    /// Who wrote it.
    pub author: Identity,
    /// The object's id.
    pub id: ObjectId,
    /// The object's kind, as the specification names it.
    pub kind: String,
    /// The text of the highest revision, or the fallback.
    pub text: String,
    /// When it was written, as its author says.
    pub created: Timestamp,
    /// The revision shown.
    pub rev: u32,
    /// Whether every mail that carried it was protected after quantum computers. Absent where that
    /// isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}
