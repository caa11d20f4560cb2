//! Threads: where comments and reactions stand, and how they reach everybody who got the root
//! (specification, chapter "Comments").

use kith_schemas::types::{Audience, Line, ObjectRef, RevisionRef};
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::objects::{Body, Entry, merge_key};
use super::outbox::Recipient;
use super::outgoing::Load;
use super::peer::Peer;
use super::{AgentError, Failure, Id, Step};
use crate::kinds::{self, Arrival};
use crate::store::{Read, Table, successor};
use crate::wire::signed::Signed;

/// The kinds under which comments and reactions stand.
pub(crate) const ROOTS: [&str; 2] = ["post", "share"];
/// The kinds that stand under a root and can be hidden.
pub(crate) const REPLIES: [&str; 2] = ["comment", "reaction"];

/// An object whatever its revision, as other objects name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The author's identity id.
    #[serde(with = "hex::serde")]
    pub author: Id,
    /// The object id.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
    /// The kind.
    pub kind: String,
}

impl Key {
    /// The key by which the object merges.
    #[must_use]
    pub fn merge_key(&self) -> Vec<u8> {
        merge_key(self.author, &self.kind, self.id)
    }
}

impl From<&ObjectRef> for Key {
    fn from(reference: &ObjectRef) -> Self {
        Self {
            author: reference.author.0,
            id: reference.id.0,
            kind: reference.kind.to_string(),
        }
    }
}

impl From<&RevisionRef> for Key {
    fn from(reference: &RevisionRef) -> Self {
        Self {
            author: reference.author.0,
            id: reference.id.0,
            kind: reference.kind.to_string(),
        }
    }
}

impl From<&Entry> for Key {
    fn from(entry: &Entry) -> Self {
        Self {
            author: entry.author,
            id: entry.id,
            kind: entry.kind.clone(),
        }
    }
}

/// Where a comment or reaction stands, and who says it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) root: &'a RevisionRef,
    pub(crate) parent: Option<&'a RevisionRef>,
    pub(crate) name: Option<&'a Line>,
}

impl Step<'_> {
    /// Judges the place of a comment or reaction.
    ///
    /// # Errors
    ///
    /// The violation, or a failure of the store.
    pub(crate) fn check_place(
        &self,
        arrival: &Arrival<'_>,
        place: Place<'_>,
    ) -> Result<(), Failure> {
        let (gate, object) = (self.gate, arrival.object);
        let root = Key::from(place.root);
        gate.check(&req::COMMENT_ROOT, ROOTS.contains(&root.kind.as_str()))?;
        let parent = place.parent.is_none_or(|p| p.kind.as_str() == "comment");
        gate.check(&req::COMMENT_PARENT, parent)?;
        let clean = |name: &Line| kinds::contact::is_clean(name.as_str());
        gate.check(&req::COMMENT_NAME, place.name.is_none_or(clean))?;
        let mine = root.author == self.own.id;
        let to_group = arrival.sender.group.is_some();
        let directed = mine || to_group || arrival.sender.peer.id == root.author;
        gate.check(&req::COMMENT_TO_AUTHOR, directed)?;
        let consented = mine || object.audience != Audience::Direct;
        gate.check(&req::RELAY_CONSENT, consented)?;
        let key = root.merge_key();
        let known = self.entry(&key)?;
        if mine {
            let delivered = self.was_delivered(&key, object.author.0, place.root.hash.0)?;
            gate.check(&req::COMMENT_DELIVERED, delivered)?;
            if let Some(root) = known.as_ref().filter(|_| object.author.0 != self.own.id) {
                self.check_comments(root)?;
            }
        } else {
            gate.check(&req::COMMENT_ROOT_UNKNOWN, known.is_some())?;
        }
        if let Some(root) = known.filter(|root| !root.retracted) {
            let same = self
                .audience(&root)?
                .is_none_or(|audience| audience == object.audience);
            let fits = same || object.audience == Audience::Direct;
            gate.check(&req::COMMENT_AUDIENCE, fits)?;
        }
        Ok(())
    }

    /// Whether the own page takes comments, where the root is one of its posts.
    fn check_comments(&self, root: &Entry) -> Result<(), Failure> {
        if !self.is_public(root.hash)? {
            return Ok(());
        }
        let page = self.page_of(self.own.id)?;
        let open = page.is_none_or(|page| page.comments);
        Ok(self.gate.check(&req::PAGE_COMMENTS, open)?)
    }

    /// Takes a comment or reaction whose place is right, and relays it where that is this agent's
    /// task. Tells whether anything changed.
    ///
    /// # Errors
    ///
    /// `comment.limit`, or a failure on this side.
    pub(crate) fn take_reply(
        &mut self,
        arrival: &Arrival<'_>,
        place: Place<'_>,
        body: Body,
    ) -> Result<bool, Failure> {
        let object = arrival.object;
        let root = Key::from(place.root);
        let mine = root.author == self.own.id && object.author.0 != self.own.id;
        if mine {
            self.check_limit(&root, object.author.0)?;
        }
        let changed = self.merge(arrival.part, object, body)?;
        if !mine || !changed && self.gate.enforces(&req::RELAY_ONCE) {
            return Ok(changed);
        }
        if changed {
            self.count(&root, object.author.0)?;
        }
        let key = merge_key(object.author.0, &kinds::name(&object.payload), object.id.0);
        self.relay(arrival, &root, &key)?;
        Ok(changed)
    }

    /// Hands what somebody wrote under an own object to everybody who received that object.
    fn relay(&mut self, arrival: &Arrival<'_>, root: &Key, reply: &[u8]) -> Result<(), AgentError> {
        crate::implements!(req::RELAY_BARE);
        let (author, object) = (arrival.object.author.0, arrival.object);
        let public = match self.entry(&root.merge_key())? {
            Some(root) => self.is_public(root.hash)?,
            None => false,
        };
        let (consent, rule) = if public {
            (Audience::Public, &req::PAGE_RELAY_CONSENT)
        } else {
            (Audience::Friends, &req::RELAY_CONSENT)
        };
        if object.audience != consent && self.gate.enforces(rule) {
            return Ok(());
        }
        if !self.may_relay(root, reply)? || !self.gate.enforces(&req::RELAY_EXACT) {
            return Ok(());
        }
        if public {
            if self.gate.enforces(&req::PAGE_RELAY) {
                self.relay_publicly(arrival.part.signed.hash, author, Some(reply))?;
            }
            return Ok(());
        }
        let Some(commenter) = self.peer(author)? else {
            return Ok(());
        };
        let (hash, once) = (arrival.part.signed.hash, &req::RELAY_ONCE);
        for reader in self.recipients(&root.merge_key())? {
            let Some(peer) = self.peer(reader)?.filter(|peer| peer.id != author) else {
                continue;
            };
            if self.was_sent(hash, reader)? && self.gate.enforces(once) {
                self.adopt_recipient(reply, reader, object.rev.get(), hash)?;
                continue;
            }
            let load = self.relayed(&commenter, hash, Some(reply.to_vec()));
            self.deliver_subject(&peer, load, object.rev.get())?;
        }
        Ok(())
    }

    /// Whether the person lets something under an own object be relayed.
    pub(super) fn may_relay(&self, root: &Key, reply: &[u8]) -> Result<bool, AgentError> {
        let key = root.merge_key();
        let stopped = self.store.get(Table::Stopped, &key)?.is_some();
        if stopped && self.gate.enforces(&req::RELAY_ALLOWED) {
            return Ok(false);
        }
        let gone = self.entry(&key)?.is_none_or(|root| root.retracted);
        if gone && self.gate.enforces(&req::COMMENT_ROOT_RETRACTED) {
            return Ok(false);
        }
        let hidden = self
            .hidden_under(root)?
            .iter()
            .any(|hidden| hidden == reply);
        Ok(!hidden || !self.gate.enforces(&req::HIDE_SENT))
    }

    /// A delivery with somebody else's object and the chain that it is checked with.
    fn relayed(&self, author: &Peer, object: Id, subject: Option<Vec<u8>>) -> Load {
        let chain = author.chain.iter().map(|entry| entry.hash);
        let mut objects: Vec<Id> = if self.gate.enforces(&req::RELAY_CHAIN) {
            chain.collect()
        } else {
            Vec::new()
        };
        if !self.gate.enforces(&req::RELAY_BARE) {
            objects.push(author.contact);
        }
        objects.push(object);
        Load {
            objects,
            numbered: true,
            automatic: true,
            subject,
            ..Load::default()
        }
    }

    /// Relays a retract of what was relayed to everybody to whom it was.
    ///
    /// # Errors
    ///
    /// When the store fails or a mail can't be made.
    pub(crate) fn relay_retract(
        &mut self,
        arrival: &Arrival<'_>,
        target: &Entry,
    ) -> Result<(), AgentError> {
        let Some(root) = target.body.root() else {
            return Ok(());
        };
        let foreign = target.author != self.own.id;
        if root.author != self.own.id || !foreign || !self.gate.enforces(&req::RELAY_RETRACT) {
            return Ok(());
        }
        let Some(author) = self.peer(target.author)? else {
            return Ok(());
        };
        let signed = &arrival.part.signed;
        let readers = self.everybody(&target.key())?;
        let public = self.is_published(&target.key())?;
        if public && self.gate.enforces(&req::PAGE_RELAY) {
            self.relay_publicly(signed.hash, target.author, None)?;
        }
        if public || !readers.is_empty() {
            self.store
                .put(Table::Octets, signed.hash, signed.message.clone());
        }
        for reader in readers {
            if self.was_sent(signed.hash, reader.id)? && self.gate.enforces(&req::RELAY_ONCE) {
                continue;
            }
            let load = self.relayed(&author, signed.hash, None);
            self.deliver(&reader, load)?;
        }
        Ok(())
    }

    /// Everybody who received an object and can be written to, friends or not any more.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn everybody(&self, key: &[u8]) -> Result<Vec<Peer>, AgentError> {
        let rows = self
            .store
            .range(Table::Audience, key, &successor(key), usize::MAX)?;
        let mut readers = Vec::new();
        for (row, _) in rows {
            let Ok(id) = Id::try_from(&row[key.len()..]) else {
                continue;
            };
            let blocked = self.relation(id)?.blocked;
            readers.extend(self.peer(id)?.filter(|_| !blocked));
        }
        Ok(readers)
    }

    /// The merge keys of what the author of a root hides under it.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn hidden_under(&self, root: &Key) -> Result<Vec<Vec<u8>>, AgentError> {
        let mut hidden = Vec::new();
        for entry in replies(&self.store, root)? {
            if let Body::Hide { target, .. } = entry.body {
                hidden.push(target.merge_key());
            }
        }
        Ok(hidden)
    }

    /// Whether a revision of an own object was delivered to somebody.
    fn was_delivered(&self, key: &[u8], to: Id, revision: Id) -> Result<bool, AgentError> {
        let public = self.gate.enforces(&req::PAGE_DELIVERED);
        if to == self.own.id || public && self.was_published(key, revision)? {
            return Ok(true);
        }
        let row = super::outbox::audience_key(key, to);
        let recipient = self.store.record::<Recipient>(Table::Audience, &row)?;
        let revision = hex::encode(revision);
        Ok(recipient.is_some_and(|recipient| recipient.hashes.contains(&revision)))
    }

    /// The audience of an object that is kept.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn audience(&self, entry: &Entry) -> Result<Option<Audience>, AgentError> {
        let Some(message) = self.store.get(Table::Octets, &entry.hash)? else {
            return Ok(None);
        };
        let signed = Signed::parse(&crate::gate::Strict, &message).ok();
        let object = signed.and_then(|signed| kinds::decode(self.gate, &signed.octets).ok());
        Ok(object.map(|object| object.audience))
    }

    fn check_limit(&self, root: &Key, author: Id) -> Result<(), Failure> {
        let written: u64 = self
            .store
            .record(Table::Tally, &tally_key(root, author))?
            .unwrap_or(0);
        let room = written < limit::COMMENTS_PER_AUTHOR;
        Ok(self.gate.check(&req::COMMENT_LIMIT, room)?)
    }

    fn count(&mut self, root: &Key, author: Id) -> Result<(), AgentError> {
        let key = tally_key(root, author);
        let written: u64 = self.store.record(Table::Tally, &key)?.unwrap_or(0);
        Ok(self.store.set(Table::Tally, key, &(written + 1))?)
    }

    /// Keeps in mind that a held object waits for its root.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn wait_for_root(&mut self, root: &Key, held: &[u8]) {
        let key = [&root.merge_key()[..], held].concat();
        self.store.put(Table::Waiting, key, held.to_vec());
    }

    /// Judges again what waited for a root.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn release_under(&mut self, root: &[u8]) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Waiting, root, &successor(root), usize::MAX)?;
        for (row, held) in rows {
            self.store.delete(Table::Waiting, row);
            self.release(&held)?;
        }
        Ok(())
    }
}

fn tally_key(root: &Key, author: Id) -> Vec<u8> {
    [&root.merge_key()[..], &author].concat()
}

/// What stands under a root, hides included, in display order.
///
/// # Errors
///
/// When the store fails.
pub(crate) fn replies(
    store: &crate::store::Transaction<'_>,
    root: &Key,
) -> Result<Vec<Entry>, AgentError> {
    let prefix = root.merge_key();
    let rows = store.range(Table::Reply, &prefix, &successor(&prefix), usize::MAX)?;
    let mut entries = Vec::new();
    for (_, key) in rows {
        entries.extend(store.record::<Entry>(Table::Object, &key)?);
    }
    Ok(entries)
}
