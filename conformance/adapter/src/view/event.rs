//! Events and who comes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::act::event::{Answer, Content};
use crate::protocol::{Identity, ObjectRef};

/// The events of the user and of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Events {}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Which one: organiser and object id.
    pub event: ObjectRef,
    /// The newest revision.
    pub rev: u32,
    /// The group that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ObjectRef>,
    /// What takes place.
    pub content: Content,
    /// The user's own answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Of an own event: the answers.
    pub answers: Vec<Answered>,
    /// Of an own event: how many come, guests included.
    pub yes: u32,
    /// Of an own event: how many don't come.
    pub no: u32,
    /// Of an own event: how many perhaps come, guests included.
    pub maybe: u32,
}

/// Somebody's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Who.
    pub identity: Identity,
    /// The answer.
    pub answer: Answer,
    /// How many others come along.
    pub guests: u32,
    /// A few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it was given to the newest revision.
    pub current: bool,
}
