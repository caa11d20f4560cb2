//! What the core keeps, as tables of octets.
//!
//! The core reads through [`Read`] and returns what is to be written; the driver applies all
//! writes of one step in one transaction (specification, `send.durable`). [`Transaction`] lets a
//! step read what it wrote. [`Memory`] serves tests and simulations.

use std::collections::BTreeMap;

/// The tables. The order of the variants is part of the stored form; add at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// The person's own identity, keys and settings, by name.
    Own = 1,
    /// What is known of other identities, by identity id.
    Peer = 2,
    /// Identity ids by primary key fingerprint.
    Key = 3,
    /// Relations, by identity id.
    Relation = 4,
    /// Own open requests, by object hash.
    Asked = 5,
    /// Ids of requests seen, by author and id, with the time until which they are remembered.
    Seen = 6,
    /// Invites, by token.
    Invite = 7,
    /// Objects by merge key: author, kind, id.
    Object = 8,
    /// Signed object messages as they arrived, by object hash.
    Octets = 9,
    /// Messages in display order, by peer, time and merge key.
    Thread = 10,
    /// Posts in display order, by time and merge key.
    Timeline = 11,
    /// Channels of others, by channel id.
    Incoming = 12,
    /// Own channels, by identity id.
    Outgoing = 13,
    /// Deliveries sent, by channel id and number.
    Sent = 14,
    /// Mails to submit, by number.
    Outbox = 15,
    /// What is due, by time and subject.
    Due = 16,
    /// Held objects, by author and object hash.
    Held = 17,
    /// Who received an object, by merge key and identity id.
    Audience = 18,
    /// For the driver: mailbox positions and actions.
    Mailbox = 19,
    /// Requests of others that wait for an answer, by identity id.
    Pending = 20,
    /// Identities by canonical address and identity id.
    Address = 21,
    /// Channel ids of others, by identity id.
    ChannelOf = 22,
    /// Numbered deliveries by the Message-ID of their mail.
    MessageId = 23,
    /// Pages that the person follows, by identity id.
    Following = 40,
    /// Followers of the own page, by identity id.
    Follower = 41,
    /// Updates of apps, by instance, author and serial.
    AppUpdate = 42,
    /// Up to which serial updates are complete, by instance and author.
    AppOrder = 43,
    /// Instances of apps in display order, by time and merge key.
    Apps = 44,
    /// Groups, by owner and id.
    Group = 50,
    /// Revisions of groups, by object hash.
    GroupRevision = 51,
    /// What was written to a group in display order, by group, time and merge key.
    GroupTimeline = 52,
    /// Own channels to groups, by the object hash of the revision.
    GroupChannel = 53,
    /// What of an own channel to a group is open, by member and channel.
    GroupOutgoing = 54,
    /// Mails that wait for a revision of a group, by their hash.
    HeldMail = 55,
    /// Events in the order of their creation, by time and merge key.
    Events = 56,
    /// Octets of media, by author and hash.
    Media = 60,
    /// Which objects refer to which media, by author, hash and merge key; 1 where the octets are
    /// kept.
    MediaUse = 61,
    /// The own circles, by name.
    Circle = 62,
    /// For whom the own fields are, by name of the property.
    Field = 63,
    /// Up to which revision objects are withdrawn, by merge key.
    Withdrawn = 64,
    /// What is kept about somebody besides what they say, by identity id.
    Standing = 24,
    /// How far own messages got by receipts, by object hash.
    Receipt = 25,
    /// Receipts that wait to be sent, by identity id.
    ReceiptDue = 26,
    /// People who were introduced, by identity id.
    Introduction = 27,
    /// Ends that are sent once more, by identity id and object hash.
    Ended = 28,
    /// Chains of people whose objects came through others, by identity id.
    Author = 70,
    /// What stands under a post or share, by the root's merge key, time and merge key.
    Reply = 71,
    /// Public posts that shares hand on, by object hash.
    Quoted = 72,
    /// Keys of held objects, by the merge key of the root that they wait for.
    Waiting = 73,
    /// Own posts and shares under which nothing is relayed, by merge key.
    Stopped = 74,
    /// How many revisions somebody wrote under an own post or share, by merge key and identity id.
    Tally = 75,
    /// What the own page passes on next of what others wrote, by object hash.
    Relay = 76,
    /// What was published, by merge key and object hash.
    Published = 77,
    /// When accepted objects were first received, by object hash.
    Journal = 90,
    /// Hashes of accepted objects that no self-copy tells yet.
    Unjournaled = 91,
    /// Sealed self-copies to append, by number.
    SelfCopy = 92,
    /// Devices of the person, by device id.
    Device = 93,
    /// Since when what is known of a relation holds, by identity id.
    Person = 94,
    /// What other devices were told to have been sent, by object hash and identity id.
    Told = 95,
    /// Whether every mail with an object was protected after quantum computers, by object hash: 1
    /// or 0.
    Protection = 96,
    /// What is kept back until somebody has a post-quantum subkey again, by identity id and merge
    /// key: the object hashes.
    Withheld = 97,
    /// What other devices must know and no self-copy tells yet.
    Note = 98,
}

/// One row to write or, without value, to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Vec<u8>,
    /// The value, or `None` to delete the row.
    pub value: Option<Vec<u8>>,
}

/// A row's key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What goes wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The storage failed.
    #[error("the store failed: {0}; check that its disk has room and can be written")]
    Storage(String),
    /// A row is not what the core wrote.
    #[error(
        "the store is damaged in table {table:?}: {reason}; restore it from a backup or rebuild it from the mailbox"
    )]
    Damaged {
        /// The table.
        table: Table,
        /// What was wrong.
        reason: String,
    },
}

/// Reads rows.
pub trait Read {
    /// The value of a row.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Rows with `from <= key < to` in order of keys, `limit` at most.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
}

/// A store in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
}

/// A store without rows.
pub static EMPTY: Memory = Memory {
    rows: BTreeMap::new(),
};

impl Memory {
    /// Applies writes.
    pub fn apply(&mut self, writes: Vec<Write>) {
        for write in writes {
            let key = (write.table, write.key);
            match write.value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }
}

impl Read for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(&(table, key.to_vec())).cloned())
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let bounds = (table, from.to_vec())..(table, to.to_vec());
        let rows = self.rows.range(bounds).take(limit);
        Ok(rows
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// One step's view of the store: what was there, and on top what the step wrote.
pub struct Transaction<'a> {
    base: &'a dyn Read,
    written: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

/// What a step had written at some point.
pub(crate) struct Savepoint(BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>);

impl<'a> Transaction<'a> {
    /// Begins a step.
    #[must_use]
    pub fn new(base: &'a dyn Read) -> Self {
        Self {
            base,
            written: BTreeMap::new(),
        }
    }

    /// Writes a row.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.written.insert((table, key.into()), Some(value));
    }

    /// Deletes a row.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.written.insert((table, key.into()), None);
    }

    /// What was written up to here, to return to.
    #[must_use]
    pub(crate) fn savepoint(&self) -> Savepoint {
        Savepoint(self.written.clone())
    }

    /// Forgets what was written since.
    pub(crate) fn restore(&mut self, savepoint: Savepoint) {
        self.written = savepoint.0;
    }

    /// What this step wrote, in order of keys.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let written = self.written.into_iter();
        written
            .map(|((table, key), value)| Write { table, key, value })
            .collect()
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// When the storage fails or the row is damaged.
    pub fn record<T: serde::de::DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        self.get(table, key)?
            .map(|value| decode(table, &value))
            .transpose()
    }

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// When the record can't be written as JSON.
    pub fn set<T: serde::Serialize>(
        &mut self,
        table: Table,
        key: impl Into<Vec<u8>>,
        record: &T,
    ) -> Result<(), StoreError> {
        let value = serde_json::to_vec(record).map_err(|error| StoreError::Damaged {
            table,
            reason: error.to_string(),
        })?;
        self.put(table, key, value);
        Ok(())
    }

    /// Reads all records whose key begins with `prefix`.
    ///
    /// # Errors
    ///
    /// When the storage fails or a row is damaged.
    pub fn records<T: serde::de::DeserializeOwned>(
        &self,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        let rows = self.range(table, prefix, &successor(prefix), usize::MAX)?;
        rows.into_iter()
            .map(|(key, value)| Ok((key, decode(table, &value)?)))
            .collect()
    }
}

impl Read for Transaction<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.written.get(&(table, key.to_vec())) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(table, key),
        }
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let bounds = (table, from.to_vec())..(table, to.to_vec());
        let written: BTreeMap<&Vec<u8>, &Option<Vec<u8>>> = self
            .written
            .range(bounds)
            .map(|((_, key), value)| (key, value))
            .collect();
        let deleted = written.values().filter(|value| value.is_none()).count();
        let base = self
            .base
            .range(table, from, to, limit.saturating_add(deleted))?;
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = base.into_iter().collect();
        for (key, value) in written {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}

/// The least key greater than all keys with this prefix.
#[must_use]
pub fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < u8::MAX {
            next.push(last + 1);
            return next;
        }
    }
    vec![u8::MAX; 256]
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(
    table: Table,
    value: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| StoreError::Damaged {
        table,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_what_it_wrote() {
        let mut memory = Memory::default();
        for key in [b"a", b"b", b"c"] {
            memory.apply(vec![Write {
                table: Table::Own,
                key: key.to_vec(),
                value: Some(key.to_vec()),
            }]);
        }
        let mut step = Transaction::new(&memory);
        step.delete(Table::Own, *b"a");
        step.put(Table::Own, *b"bb", b"new".to_vec());
        let rows = step.range(Table::Own, b"", &successor(b""), 2).unwrap();
        assert_eq!(rows[0].0, b"b");
        assert_eq!(rows[1].0, b"bb");
        memory.apply(step.into_writes());
        assert_eq!(memory.get(Table::Own, b"a").unwrap(), None);
    }

    #[test]
    fn successor_bounds_a_prefix() {
        assert_eq!(successor(&[1, 255]), vec![2]);
        assert!(successor(&[255, 255]) > vec![255, 255, 255]);
    }
}
