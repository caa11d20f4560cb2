//! Between the values of the adapter protocol and those of the agent.

use std::fmt::Display;

use kith_adapter::protocol::{Failure, Hash, Identity, ObjectId, Timestamp};
use time::OffsetDateTime;

/// A failure of the agent itself.
pub(crate) fn internal(error: impl Display) -> Failure {
    Failure::Internal(error.to_string())
}

pub(crate) fn seconds(time: Timestamp) -> i64 {
    time.time().unix_timestamp()
}

pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .into()
}

pub(crate) fn id32(id: &Identity) -> Result<[u8; 32], Failure> {
    hex::FromHex::from_hex(id.as_str()).map_err(internal)
}

pub(crate) fn id16(id: &ObjectId) -> Result<[u8; 16], Failure> {
    hex::FromHex::from_hex(id.as_str()).map_err(internal)
}

pub(crate) fn identity(hex: &str) -> Result<Identity, Failure> {
    hex.parse().map_err(internal)
}

pub(crate) fn object(hex: &str) -> Result<ObjectId, Failure> {
    hex.parse().map_err(internal)
}

pub(crate) fn hash(octets: [u8; 32]) -> Hash {
    Hash::from_octets(octets)
}
