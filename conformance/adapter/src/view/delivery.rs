//! How mail fares, and the user's own devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, Timestamp};

/// Deliveries that are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gaps {}

/// Missing deliveries of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Who sent them.
    pub identity: Identity,
    /// The channel.
    pub channel: ObjectId,
    /// The sequence numbers that are missing, in order.
    pub missing: Vec<u64>,
}

/// What became of what the user sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deliveries {}

/// One copy of one object, on its way to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The object's id.
    pub id: ObjectId,
    /// The object's kind, as the specification names it.
    pub kind: String,
    /// To whom.
    pub to: Identity,
    /// The address it was sent to.
    pub address: String,
    /// What became of it.
    pub state: DeliveryState,
}

/// What became of one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Not yet submitted.
    Queued,
    /// Submitted.
    Sent,
    /// The recipient's agent has it.
    Acknowledged,
    /// A mail server gave it back.
    Bounced,
}

/// The user's own devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Devices {}

/// One of the user's own devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// The device's name.
    pub name: String,
    /// Whether it is the one that is asked.
    pub current: bool,
    /// When it last wrote a self-copy. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}
