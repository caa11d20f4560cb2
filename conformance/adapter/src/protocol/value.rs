//! Values that occur in many messages: ids, hashes, octets, times.

use std::{fmt, str::FromStr};

use base64::{Engine as _, display::Base64Display, engine::general_purpose::STANDARD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A string that is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {wanted}")]
pub struct ValueError {
    found: String,
    wanted: &'static str,
}

impl ValueError {
    fn new(found: &str, wanted: &'static str) -> Self {
        let found = found.chars().take(100).collect();
        Self { found, wanted }
    }
}

macro_rules! hex_value {
    ($(#[$doc:meta])* $name:ident, $octets:literal, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The value as lower-case hexadecimal digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The value from its octets.
            #[must_use]
            pub fn from_octets(octets: [u8; $octets]) -> Self {
                Self(octets.iter().map(|octet| format!("{octet:02x}")).collect())
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                let digit = |c: &u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
                if text.len() == 2 * $octets && text.as_bytes().iter().all(|c| digit(c)) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ValueError::new(text, $wanted))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $wanted,
                    "type": "string",
                    "pattern": format!("^[0-9a-f]{{{}}}$", 2 * $octets),
                })
            }
        }
    };
}

hex_value! {
    /// An identity id: 256 bits, for life.
    Identity, 32, "an identity id: 64 lower-case hexadecimal digits"
}
hex_value! {
    /// An object's or a channel's id: 128 bits.
    ObjectId, 16, "an id: 32 lower-case hexadecimal digits"
}
hex_value! {
    /// A SHA-256 hash.
    Hash, 32, "a SHA-256 hash: 64 lower-case hexadecimal digits"
}

/// Names an object by its author and id.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ObjectRef {
    /// Who wrote it.
    pub author: Identity,
    /// Its id.
    pub id: ObjectId,
}

/// Octets; base64 with padding on the wire (RFC 4648 section 4).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Octets(pub Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({} octets)", self.0.len())
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets)
    }
}

impl FromStr for Octets {
    type Err = base64::DecodeError;

    fn from_str(base64: &str) -> Result<Self, Self::Err> {
        STANDARD.decode(base64).map(Self)
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(&self.0, &STANDARD))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(&text).map(Self).map_err(|error| {
            de::Error::custom(format_args!("not base64 (RFC 4648 section 4): {error}"))
        })
    }
}

impl JsonSchema for Octets {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Octets".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "octets in base64 with padding, without line breaks",
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]*={0,2}$",
        })
    }
}

const TIMESTAMP: &str = "a UTC time such as 2026-03-01T09:00:00Z (RFC 3339)";

/// A time; RFC 3339 with `Z` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The time as the `time` crate has it, in UTC.
    #[must_use]
    pub fn time(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(time: OffsetDateTime) -> Self {
        Self(time.to_offset(UtcOffset::UTC))
    }
}

impl FromStr for Timestamp {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if !text.ends_with('Z') || text.as_bytes().get(10) != Some(&b'T') {
            return Err(ValueError::new(text, TIMESTAMP));
        }
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Self)
            .map_err(|_| ValueError::new(text, TIMESTAMP))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": TIMESTAMP,
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$",
        })
    }
}
