//! The journal: which objects were accepted, and when they were first received
//! (specification, section "Journal" of chapter "Devices").

use kith_schemas::types::{HashRef, SelfSeen};
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::pages::{Entry, Pages};
use super::time;
use crate::agent::tick::Due;
use crate::agent::{AgentError, Id, Step};
use crate::store::{Read, Table};

/// Entries that one self-copy takes along.
const AT_ONCE: usize = 350;
/// After how many entries the journal doesn't wait any longer.
const MANY: usize = 300;

/// When an object was first received: the row of [`Table::Journal`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) at: i64,
    /// Whether this device took it, or only heard of it from another.
    here: bool,
}

impl Step<'_> {
    /// When an object was first received, if it was accepted.
    pub(crate) fn journaled(&self, hash: &Id) -> Result<Option<i64>, AgentError> {
        Ok(self.received(hash)?.map(|received| received.at))
    }

    fn received(&self, hash: &Id) -> Result<Option<Received>, AgentError> {
        Ok(self.store.record(Table::Journal, hash)?)
    }

    /// Whether another device accepted an object that this one has not taken yet.
    pub(crate) fn accepted_elsewhere(&self, hash: &Id) -> Result<bool, AgentError> {
        let received = self.received(hash)?;
        Ok(received.is_some_and(|received| !received.here))
    }

    /// Records that an object was accepted now, unless that is known.
    pub(crate) fn journal(&mut self, hash: Id) -> Result<(), AgentError> {
        let known = self.received(&hash)?;
        let at = known.map_or(self.now, |known| known.at);
        let here = true;
        self.store
            .set(Table::Journal, hash, &Received { at, here })?;
        if known.is_some() {
            return Ok(());
        }
        self.store.put(Table::Unjournaled, hash, Vec::new());
        let waiting = self
            .store
            .range(Table::Unjournaled, &[], &[u8::MAX; 33], MANY)?;
        if waiting.len() == 1 {
            // Twice as early as it must be, for devices that are seldom online.
            let at = self.now + limit::JOURNAL_HOURS as i64 * 3600 / 2;
            self.due(at, &Due::Journal)?;
        }
        if waiting.len() >= MANY {
            self.note_journal();
        }
        Ok(())
    }

    /// Takes over an entry of another device: the earliest time counts.
    pub(super) fn journal_from(&mut self, seen: &SelfSeen) -> Result<(), AgentError> {
        let hash = seen.hash.0;
        let at = seen.at.unix_seconds();
        let known = self.received(&hash)?;
        let first = self.gate.enforces(&req::JOURNAL_FIRST);
        if known.is_none_or(|known| at < known.at || !first) {
            let here = known.is_some_and(|known| known.here);
            self.store
                .set(Table::Journal, hash, &Received { at, here })?;
        }
        self.store.delete(Table::Unjournaled, hash);
        Ok(())
    }

    /// The time as of which a mail with these objects is judged: when the last of them was
    /// received, if all are known, and else now.
    pub(crate) fn as_of(&self, objects: &[Id]) -> Result<i64, AgentError> {
        let mut latest = None;
        for hash in objects {
            match self.journaled(hash)? {
                Some(at) => latest = latest.max(Some(at)),
                None => return Ok(self.now),
            }
        }
        let known = latest.filter(|_| self.gate.enforces(&req::JOURNAL_TIME));
        Ok(known.unwrap_or(self.now))
    }

    /// Whether an object was accepted before, here or on another device.
    pub(crate) fn was_accepted(&self, hash: &Id) -> Result<bool, AgentError> {
        let known = self.journaled(hash)?.is_some();
        Ok(known && self.gate.enforces(&req::JOURNAL_ACCEPTED))
    }

    /// Whether all objects of a delivery, one at least, were accepted before.
    pub(crate) fn all_accepted(&self, objects: &[HashRef]) -> Result<bool, AgentError> {
        for listed in objects {
            if !self.was_accepted(&listed.hash.0)? {
                return Ok(false);
            }
        }
        Ok(!objects.is_empty())
    }

    /// Writes what no self-copy tells yet.
    pub(super) fn journal_entries(&mut self, pages: &mut Pages) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Unjournaled, &[], &[u8::MAX; 33], AT_ONCE)?;
        for (hash, _) in rows {
            self.store.delete(Table::Unjournaled, hash.clone());
            let Ok(hash) = Id::try_from(hash) else {
                continue;
            };
            let Some(at) = self.journaled(&hash)? else {
                continue;
            };
            if self.gate.enforces(&req::JOURNAL_APPEND) {
                pages.push(Entry::Seen(self.seen_entry(hash, at)?));
            }
        }
        Ok(())
    }

    /// What is told of an accepted object.
    pub(super) fn seen_entry(&self, hash: Id, at: i64) -> Result<SelfSeen, AgentError> {
        Ok(SelfSeen {
            hash: hash.into(),
            at: time(at)?,
            protected: self.told_protection(&hash)?,
        })
    }
}
