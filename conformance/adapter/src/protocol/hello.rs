//! `hello`: who is there, and what it can do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Method;

/// The first call on every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The version of the adapter protocol that the harness speaks. An adapter
    /// that doesn't speak it answers "unsupported".
    pub protocol: u32,
}

impl Method for Hello {
    const NAME: &'static str = "hello";
}

/// The answer to [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// The implementation's name.
    pub name: String,
    /// The implementation's version, in its own notation.
    pub version: String,
    /// The language it is written in.
    pub language: String,
    /// Where people read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Where people report its bugs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues: Option<String>,
    /// The versions of the specification it implements, such as `1.0`.
    pub spec: Vec<String>,
    /// The feature classes it implements. Cases of a class that isn't here are
    /// skipped.
    pub classes: BTreeMap<Class, Extent>,
    /// Whether its clock follows `now`.
    pub clock: Clock,
    /// The kinds of keys it can generate.
    pub keys: Vec<KeyKind>,
    /// Whether `open` can import keys, which the vectors need.
    pub can_import: bool,
    /// From its own names for violations to those of the specification. Names
    /// that are the same need no entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
}

impl About {
    /// What is known before `hello`.
    pub(crate) fn nobody() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            language: String::new(),
            homepage: None,
            issues: None,
            spec: Vec::new(),
            classes: BTreeMap::new(),
            clock: Clock::Real,
            keys: Vec::new(),
            can_import: false,
            errors: BTreeMap::new(),
        }
    }
}

/// A feature class of the specification. Each requirement belongs to one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Identity, relation, private messages, delivery.
    Core,
    /// Profile, publishing, circles.
    Social,
    /// Groups.
    Groups,
    /// Events.
    Events,
    /// Pages.
    Pages,
    /// Apps.
    Apps,
    /// The mailbox, shared with ordinary mail.
    Mailbox,
    /// Several devices of one person.
    Devices,
    /// Post-quantum keys.
    Pq,
}

/// How much of a class is implemented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// All of it: "unsupported" in a case of this class is a failure.
    Full,
    /// Some of it: "unsupported" is no failure.
    Partial,
}

/// Where the implementation's time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// `now` is its only clock, except for TLS and its own timeouts.
    Set,
    /// It reads the system's clock: timed cases are not tested.
    Real,
}

/// A kind of OpenPGP key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Version 4, Ed25519 and Curve25519.
    V4,
    /// Version 6, Ed25519 and X25519.
    V6,
    /// Version 6, ML-DSA-65+Ed25519 and ML-KEM-768+X25519.
    Pq,
}
