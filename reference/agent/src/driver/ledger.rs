//! What the driver remembers of the mailbox: the rows of [`Table::Mailbox`].

use kith_core::store::{Read, StoreError, Table, Write, successor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::mailbox::Folder;

/// Stands where a device has to read the self-copies before its other mail.
pub(super) const REBUILD: &[u8] = b"rebuild";
/// Since when nothing is filed, because the person left, unix seconds.
pub(super) const PAUSED: &[u8] = b"paused";
/// When the last sync was, unix seconds.
pub(super) const LAST_SYNC: &[u8] = b"last-sync";

/// Up to where a folder has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// The lowest UID that has not been looked at.
    pub(super) next: u32,
}

/// A mail that belongs into another folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Move {
    /// The folder.
    pub(super) to: Folder,
    /// The SHA-256 of its octets, in hex.
    pub(super) digest: String,
}

/// A mail that could not be processed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Later {
    /// When it was first seen, unix seconds.
    pub(super) first: i64,
    /// How often it failed.
    pub(super) attempts: u32,
}

/// Refused mail below a UID stood in its folder at a time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Mark {
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// The UID.
    pub(super) next: u32,
    /// The time, unix seconds.
    pub(super) at: i64,
}

/// Begins the keys of all [`Mark`]s.
pub(super) const MARKS: &[u8] = b"mark/";
/// Begins the keys of digests of mail that this agent moved into `Kith` itself, with the time.
pub(super) const MOVED: &[u8] = b"moved/";

fn tag(folder: Folder) -> u8 {
    match folder {
        Folder::Inbox => b'i',
        Folder::Kith => b'k',
        Folder::Refused => b'r',
    }
}

pub(super) fn cursor_key(folder: Folder) -> Vec<u8> {
    [b"cursor/", &[tag(folder)][..]].concat()
}

/// Begins the keys of all [`Move`]s out of a folder.
pub(super) fn moves(folder: Folder) -> Vec<u8> {
    [b"move/", &[tag(folder)][..]].concat()
}

/// Begins the keys of all [`Later`]s of a folder.
pub(super) fn laters(folder: Folder) -> Vec<u8> {
    [b"later/", &[tag(folder)][..]].concat()
}

/// The key of a mail after one of these beginnings.
pub(super) fn mail_key(mut prefix: Vec<u8>, validity: u32, uid: u32) -> Vec<u8> {
    prefix.extend(validity.to_be_bytes());
    prefix.extend(uid.to_be_bytes());
    prefix
}

/// UIDVALIDITY and UID of a mail in such a key.
pub(super) fn mail_of(key: &[u8], prefix: &[u8]) -> Option<(u32, u32)> {
    let (validity, uid) = key.strip_prefix(prefix)?.split_at_checked(4)?;
    let number = |octets: &[u8]| octets.try_into().ok().map(u32::from_be_bytes);
    Some((number(validity)?, number(uid)?))
}

pub(super) fn mark_key(validity: u32, day: i64) -> Vec<u8> {
    [MARKS, &validity.to_be_bytes()[..], &day.to_be_bytes()[..]].concat()
}

/// What a mail is known by in [`MOVED`], wherever it stands.
pub(super) fn digest(mail: &[u8]) -> String {
    hex::encode(Sha256::digest(mail))
}

pub(super) fn moved_key(digest: &str) -> Vec<u8> {
    [MOVED, digest.as_bytes()].concat()
}

fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        table: Table::Mailbox,
        reason: error.to_string(),
    };
    serde_json::from_slice(value).map_err(damaged)
}

pub(super) fn read<T: DeserializeOwned>(
    store: &dyn Read,
    key: &[u8],
) -> Result<Option<T>, StoreError> {
    store
        .get(Table::Mailbox, key)?
        .map(|value| decode(&value))
        .transpose()
}

/// All rows whose key begins with `prefix`.
pub(super) fn all<T: DeserializeOwned>(
    store: &dyn Read,
    prefix: &[u8],
) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
    let rows = store.range(Table::Mailbox, prefix, &successor(prefix), usize::MAX)?;
    rows.into_iter()
        .map(|(key, value)| Ok((key, decode(&value)?)))
        .collect()
}

pub(super) fn put<T: Serialize>(key: impl Into<Vec<u8>>, value: &T) -> Write {
    let value = serde_json::to_vec(value).expect("numbers and strings have a JSON form");
    Write {
        table: Table::Mailbox,
        key: key.into(),
        value: Some(value),
    }
}

pub(super) fn delete(key: impl Into<Vec<u8>>) -> Write {
    Write {
        table: Table::Mailbox,
        key: key.into(),
        value: None,
    }
}
