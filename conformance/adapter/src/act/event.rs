//! Events and answers to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{Identity, ObjectId, ObjectRef, Timestamp};

/// When something takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A whole day: `2026-12-24`.
    Date(String),
    /// An instant.
    Utc(Timestamp),
    /// A time of day in a time zone.
    Zoned {
        /// The time of day: `2026-12-24T18:00:00`.
        time: String,
        /// The zone's name in the database of IANA.
        tzid: String,
    },
}

/// Whether an event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Perhaps.
    Tentative,
    /// Yes.
    Confirmed,
    /// No.
    Cancelled,
}

/// A place on Earth in degrees, as the object writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    /// Degrees north.
    pub latitude: String,
    /// Degrees east.
    pub longitude: String,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// What it is, in one line.
    pub summary: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it begins.
    pub start: When,
    /// When it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<When>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Where on Earth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it takes place.
    pub status: Status,
}

/// Invite people to an event: all friends, or those named, or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventCreate {
    /// What takes place.
    pub event: Content,
    /// The friends who are invited; none for all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Identity>,
    /// The group that is invited, instead of friends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ObjectRef>,
}

/// Change or cancel an own event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventChange {
    /// The event's object id.
    pub id: ObjectId,
    /// What takes place now.
    pub event: Content,
}

/// Write all events that the user sees as iCalendar (RFC 5545).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarExport {}

/// Make events from iCalendar (RFC 5545), and invite all friends to each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarImport {
    /// The text.
    pub calendar: String,
}

/// Whether somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Comes.
    Yes,
    /// Doesn't come.
    No,
    /// Perhaps comes.
    Maybe,
}

/// Answer an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rsvp {
    /// The event.
    pub event: ObjectRef,
    /// The answer; none takes an earlier one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How many others come along.
    #[serde(default)]
    pub guests: u32,
    /// A few words to the organiser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
