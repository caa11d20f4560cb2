//! What the own page passes on of what others wrote under its posts (specification, section
//! "Comments" of chapter "Pages").
//!
//! It is gathered: one public mail carries what came meanwhile, so that a lively thread doesn't
//! cost a mail to every follower for each comment.

use kith_schemas::types::{Audience, HashRef, Payload, Relay};
use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::tick::Due;
use super::{ActError, AgentError, Id, Step};
use crate::kinds::{self, Draft};
use crate::store::{Read, Table, successor};

/// Most objects that one `relay` names.
const MOST: usize = 64;
/// Seconds between two public mails that pass something on.
const PAUSE: i64 = 3600;
/// When the page passed something on last, in [`Table::Own`].
const RELAYED: &[u8] = b"relayed publicly";

/// Something of somebody else that waits to be passed on.
#[derive(Serialize, Deserialize)]
struct Waiting {
    /// Who wrote it.
    #[serde(with = "hex::serde")]
    author: Id,
    /// The merge key, in hex, of the comment or reaction; none for a retract of one.
    reply: Option<String>,
}

impl Step<'_> {
    /// Remembers that everybody could read a revision.
    pub(crate) fn note_published(&mut self, key: &[u8], hash: Id) {
        self.store
            .put(Table::Published, [key, &hash[..]].concat(), Vec::new());
    }

    /// Whether everybody could read a revision of an own post.
    pub(super) fn was_published(&self, key: &[u8], hash: Id) -> Result<bool, AgentError> {
        let row = [key, &hash[..]].concat();
        if self.store.get(Table::Published, &row)?.is_some() {
            return Ok(true);
        }
        // What was published before that was remembered.
        let newest = self.entry(key)?.is_some_and(|entry| entry.hash == hash);
        Ok(newest && self.is_public(hash)?)
    }

    /// Whether any revision was passed on in public mail.
    pub(super) fn is_published(&self, key: &[u8]) -> Result<bool, AgentError> {
        let rows = self
            .store
            .range(Table::Published, key, &successor(key), 1)?;
        Ok(!rows.is_empty())
    }

    /// Puts what somebody wrote on the list of what is passed on next; a retract has no `reply`.
    pub(super) fn relay_publicly(
        &mut self,
        object: Id,
        author: Id,
        reply: Option<&[u8]>,
    ) -> Result<(), AgentError> {
        if self.store.get(Table::Told, &object)?.is_some() {
            // Another device was first.
            if let Some(reply) = reply {
                self.note_published(reply, object);
            }
            return Ok(());
        }
        let waiting = Waiting {
            author,
            reply: reply.map(hex::encode),
        };
        self.store.set(Table::Relay, object, &waiting)?;
        let last: Option<i64> = self.store.record(Table::Own, RELAYED)?;
        let at = last.map_or(self.now, |last| self.now.max(last + PAUSE));
        self.due(at, &Due::Relay)
    }

    /// Passes on what waits, in one public mail to all followers.
    pub(super) fn pass_on(&mut self) -> Result<(), AgentError> {
        crate::implements!(req::PAGE_RELAY_LISTED, req::RELAY_CHAIN);
        let mut waiting = self.store.records::<Waiting>(Table::Relay, b"")?;
        let rest = waiting.split_off(waiting.len().min(MOST));
        if !rest.is_empty() {
            self.due(self.now + PAUSE, &Due::Relay)?;
        }
        let (mut named, mut chains) = (Vec::new(), Vec::new());
        for (key, waiting) in waiting {
            self.store.delete(Table::Relay, key.clone());
            let Ok(hash) = Id::try_from(key) else {
                continue;
            };
            if !self.still_relayed(hash, &waiting)? {
                continue;
            }
            for entry in self.chain_hashes(waiting.author)? {
                if !chains.contains(&entry) {
                    chains.push(entry);
                }
            }
            if let Some(reply) = waiting.reply.and_then(|key| hex::decode(key).ok()) {
                self.note_published(&reply, hash);
            }
            named.push(hash);
        }
        if named.is_empty() {
            return Ok(());
        }
        self.store.set(Table::Own, RELAYED, &self.now)?;
        match self.publish_relay(&named, &[&chains[..], &named[..]].concat()) {
            Ok(()) => Ok(()),
            Err(ActError::Agent(error)) => Err(error),
            // Without a page there is nobody to pass it on to.
            Err(_) => Ok(()),
        }
    }

    /// Whether what waited may be passed on: it is what its author said last, and nothing that
    /// happened meanwhile speaks against it.
    fn still_relayed(&self, hash: Id, waiting: &Waiting) -> Result<bool, AgentError> {
        let reply = waiting.reply.as_ref().and_then(|key| hex::decode(key).ok());
        let Some(reply) = reply else {
            return Ok(true);
        };
        let Some(entry) = self.entry(&reply)?.filter(|entry| entry.hash == hash) else {
            return Ok(false);
        };
        match entry.body.root().filter(|_| !entry.retracted) {
            Some(root) => self.may_relay(root, &reply),
            None => Ok(false),
        }
    }

    fn publish_relay(&mut self, named: &[Id], enclosed: &[Id]) -> Result<(), ActError> {
        let object = |hash: &Id| HashRef {
            hash: (*hash).into(),
        };
        let relay = Relay {
            object: named.iter().map(object).collect(),
        };
        let name = self.page_of(self.own.id)?.map(|page| page.name);
        let name = name.unwrap_or_else(|| self.own.shown());
        let id = self.random();
        let relay = self.sign(Draft {
            id,
            rev: 1,
            audience: Audience::Public,
            fallback: format!("{name} shows what others wrote."),
            payload: Payload::Relay(relay),
        })?;
        self.publish_with(&[relay], enclosed)
    }

    /// Another device passed something on: this one need not.
    pub(crate) fn relayed_elsewhere(&mut self, relay: &Relay) -> Result<(), AgentError> {
        for object in &relay.object {
            let hash = object.hash.0;
            let waiting: Option<Waiting> = self.store.record(Table::Relay, &hash)?;
            let reply = waiting.and_then(|waiting| hex::decode(waiting.reply?).ok());
            if let Some(reply) = reply {
                self.note_published(&reply, hash);
            }
            self.store.delete(Table::Relay, hash);
            // It may not have come here yet.
            self.store.put(Table::Told, hash, Vec::new());
        }
        Ok(())
    }

    /// Whether a follower of the own page may write this: something under a public post.
    pub(super) fn follower_may(
        &self,
        object: &kith_schemas::types::Object,
        sender: Id,
    ) -> Result<bool, AgentError> {
        crate::implements!(req::FOLLOW_NOT_FRIENDS);
        let root = kinds::of(&object.payload).root();
        let Some(root) = root.filter(|root| root.author == self.own.id) else {
            return Ok(false);
        };
        let follows = self.follower(sender)?.is_some_and(|f| f.since.is_some());
        match self.entry(&root.merge_key())?.filter(|_| follows) {
            Some(root) => self.is_public(root.hash),
            None => Ok(false),
        }
    }
}
