//! Objects: judging, merging and storing them (specification, sections "Objects" of chapter
//! "Security" and "Merging" of chapter "Delivery").

use kith_schemas::types;
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::group::GroupId;
use super::peer::{Introduced, Part, Parts, Peer};
use super::receive::{ObjectVerdict, Verdict};
use super::sealed_mail::refused;
use super::thread::Key;
use super::tick::Due;
use super::{AgentError, DAY, Failure, Id, Step, media};
use crate::gate::Violation;
use crate::kinds::event::Happening;
use crate::kinds::rsvp::Response;
use crate::kinds::{self, Arrival, Family};
use crate::store::{Read, Table, successor};

/// Who handed over the objects of a mail.
pub(crate) struct Sender {
    pub(crate) peer: Peer,
    /// Credentials that came along, verified.
    pub(crate) introduced: Option<Introduced>,
    /// Whether the own server authenticated the mail.
    pub(crate) authenticated: bool,
    /// Whether the mail is open: that of a page which the person follows.
    pub(crate) open: bool,
    /// The group to whose members the delivery went.
    pub(crate) group: Option<GroupId>,
}

impl Sender {
    pub(super) fn of(peer: Peer, introduced: Option<Introduced>) -> Self {
        Self {
            peer,
            introduced,
            authenticated: false,
            open: false,
            group: None,
        }
    }
}

/// What is kept of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The author's identity id.
    #[serde(with = "hex::serde")]
    pub author: Id,
    /// The object id.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
    /// The kind.
    pub kind: String,
    /// The revision.
    pub rev: u32,
    /// The object hash of that revision.
    #[serde(with = "hex::serde")]
    pub hash: Id,
    /// When it was created, by its author.
    pub created: i64,
    /// When its first revision arrived.
    pub received: i64,
    /// The time under which it is shown.
    pub shown: i64,
    /// Whether its author took it back.
    pub retracted: bool,
    /// The group that it is for.
    #[serde(default)]
    pub scope: Option<GroupId>,
    /// The epoch of the key that signed what is known of it last.
    #[serde(default)]
    pub epoch: u16,
    /// What the kind keeps.
    pub body: Body,
}

/// What a kind keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// A private message.
    Message {
        /// The other one of the two.
        #[serde(with = "hex::serde")]
        peer: Id,
        /// The object hash of the message that it answers.
        parent: Option<String>,
        /// The text.
        text: String,
        /// Whether there are attachments, which stand in its octets.
        #[serde(default)]
        rich: bool,
    },
    /// A post.
    Post {
        /// The text; may be empty where there are media.
        text: String,
        /// Whether there are mentions or media, which stand in its octets.
        #[serde(default)]
        rich: bool,
    },
    /// A field of a profile, whose content stands in its octets.
    Field {
        /// The name of the property.
        name: String,
    },
    /// A page.
    Page(kinds::page::Face),
    /// An instance of an app.
    App {
        /// The other participant.
        #[serde(with = "hex::serde")]
        peer: Id,
        /// The URI of its type.
        app_type: String,
        /// Its name.
        name: String,
        /// The signed fallback.
        fallback: String,
    },
    /// An update of an app.
    AppUpdate {
        /// The author of the instance.
        #[serde(with = "hex::serde")]
        app_author: Id,
        /// The object id of the instance.
        #[serde(with = "hex::serde")]
        app: [u8; 16],
        /// Its number among those of its author.
        serial: u64,
        /// What happened, for people.
        info: Option<String>,
        /// What stands next to the instance's name from now on.
        summary: Option<String>,
        /// What the program says, in base64.
        data: Option<String>,
    },
    /// A message to a group.
    GroupMessage {
        /// The object hash of the message that it answers.
        parent: Option<String>,
        /// The text.
        text: String,
    },
    /// The list of a group, whose content stands in [`Table::Group`].
    Group,
    /// An event.
    Event(Happening),
    /// An answer to an event.
    Rsvp(Response),
    /// A comment.
    Comment {
        /// The post or share at the head of the thread.
        root: Key,
        /// The comment that it answers.
        parent: Option<Key>,
        /// The name that its author claims.
        name: Option<String>,
        /// The text.
        text: String,
        /// Whether it is for the root's author alone.
        private: bool,
    },
    /// A reaction.
    Reaction {
        /// The post or share at the head of the thread.
        root: Key,
        /// What it is about.
        target: Key,
        /// The name that its author claims.
        name: Option<String>,
        /// The symbols; none when it was taken back.
        symbols: Vec<String>,
        /// Whether it is for the root's author alone.
        private: bool,
    },
    /// A hide.
    Hide {
        /// The post or share at the head of the thread.
        root: Key,
        /// The comment or reaction.
        target: Key,
    },
    /// A share.
    Share {
        /// The public post.
        target: Key,
        /// The object hash of its revision, in hex.
        hash: String,
        /// The sharer's own words.
        text: Option<String>,
    },
    /// A kind that this agent doesn't know.
    Unknown {
        /// The signed fallback.
        fallback: String,
    },
    /// Nothing: it was taken back before it came.
    Nothing,
}

impl Entry {
    /// The row's key: author, kind and id.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        merge_key(self.author, &self.kind, self.id)
    }
}

impl Body {
    /// The root of the thread that it belongs to.
    #[must_use]
    pub fn root(&self) -> Option<&Key> {
        match self {
            Self::Comment { root, .. } | Self::Reaction { root, .. } | Self::Hide { root, .. } => {
                Some(root)
            }
            _ => None,
        }
    }
}

/// The key by which objects merge (`merge.key`).
#[must_use]
pub fn merge_key(author: Id, kind: &str, id: [u8; 16]) -> Vec<u8> {
    [&author[..], kind.as_bytes(), &[0], &id].concat()
}

impl Step<'_> {
    pub(super) fn judge_object(
        &mut self,
        part: &Result<Part, (Id, Violation)>,
        parts: &Parts,
        sender: &Sender,
        again: bool,
    ) -> Result<ObjectVerdict, Failure> {
        let part = match part {
            Ok(part) => part,
            Err((hash, violation)) => return Ok(refused(*hash, *violation)),
        };
        let hash = part.signed.hash;
        let carried = kinds::introduce::carries(parts, part, sender.peer.id);
        let judged = if carried {
            Ok(())
        } else if again {
            self.check_object(part, parts, sender).map(|_| ())
        } else {
            self.take_object(part, parts, sender)
        };
        match judged {
            Ok(()) => {
                self.journal(hash)?;
                Ok(ObjectVerdict {
                    hash,
                    verdict: Verdict::ACCEPT,
                })
            }
            Err(Failure::Violation(violation)) => {
                if violation.outcome() == kith_spec::Outcome::Hold {
                    self.hold(part, parts, sender.peer.id)?;
                }
                Ok(refused(hash, violation))
            }
            Err(error) => Err(error),
        }
    }

    /// Signature, document, author and relation.
    fn check_object<'p>(
        &self,
        part: &'p Part,
        parts: &Parts,
        sender: &Sender,
    ) -> Result<&'p types::Object, Failure> {
        let object = part.object.as_ref().map_err(|violation| *violation)?;
        if !matches!(object.payload, types::Payload::Identity(_)) {
            self.check_author(part, object, parts, sender)?;
        }
        if kinds::share::is_handed_on(part, parts, sender.peer.id) {
            return Ok(object);
        }
        let to_group = sender.group.is_some();
        kinds::check_form(self.gate, object, to_group)?;
        kinds::check_openness(self.gate, object, sender.open)?;
        self.check_scope(object, sender)?;
        let kind = kinds::of(&object.payload);
        if let Some((to, rule)) = kind.addressed_to() {
            self.gate.check(rule, to == self.own.id)?;
        }
        if kind.traits().family == Family::Content && !sender.open {
            let may = self.is_friend(sender.peer.id)?
                || self.co_member_may(object, sender)?
                || self.follower_may(object, sender.peer.id)?
                || self.is_taken_back(object)?
                || self.was_accepted(&part.signed.hash)?;
            self.gate.check(&req::FRIENDS_ONLY_FRIENDS, may)?;
        }
        let known = |feature: &types::Feature| {
            kinds::FEATURES.contains(&feature.as_str()) || feature.as_str() == kinds::PQ
        };
        self.gate
            .check(&req::KIND_REQUIRES, object.requires.iter().all(known))?;
        Ok(object)
    }

    /// A thief backdates: what only a compromised key signed is taken if it was there before.
    fn check_compromised(
        &self,
        part: &Part,
        object: &types::Object,
        peer: &Peer,
    ) -> Result<(), Failure> {
        let content = kinds::of(&object.payload).traits().family != Family::Identity;
        if content && peer.is_compromised(peer.epoch_of(&part.signed)) {
            let hash = part.signed.hash;
            let stored = self.store.get(Table::Octets, &hash)?.is_some();
            let stored = stored || self.was_accepted(&hash)?;
            self.gate.check(&req::IDENTITY_COMPROMISED_OBJECT, stored)?;
        }
        Ok(())
    }

    /// Who signed an object, and whether the sender may hand it over.
    fn check_author(
        &self,
        part: &Part,
        object: &types::Object,
        parts: &Parts,
        sender: &Sender,
    ) -> Result<(), Failure> {
        let (author, from) = (object.author.0, sender.peer.id);
        if author == from {
            let mut keys = sender.peer.keys();
            if !self.gate.enforces(&req::IDENTITY_OLD_OBJECTS) {
                keys.drain(..sender.peer.epoch());
            }
            part.signed.verify(self.gate, &keys)?;
            return self.check_compromised(part, object, &sender.peer);
        }
        let root = kinds::of(&object.payload).root();
        let relayed = root.is_some_and(|root| root.author == from);
        if relayed || kinds::share::is_handed_on(part, parts, from) {
            return self.check_handed_over(part, author, parts);
        }
        if let Some(author) = self.peer(author)? {
            part.signed.verify(self.gate, &author.keys())?;
        }
        Ok(self.gate.check(&req::DELIVERY_AUTHOR, false)?)
    }

    /// Whether an object takes back something that is there, which anybody may who wrote it.
    fn is_taken_back(&self, object: &types::Object) -> Result<bool, AgentError> {
        let types::Payload::Retract(retract) = &object.payload else {
            return Ok(false);
        };
        let there = self
            .entry(&Key::from(&retract.target).merge_key())?
            .is_some();
        Ok(there && self.gate.enforces(&req::RETRACT_AFTER_END))
    }

    pub(super) fn take_object(
        &mut self,
        part: &Part,
        parts: &Parts,
        sender: &Sender,
    ) -> Result<(), Failure> {
        if kinds::introduce::carries(parts, part, sender.peer.id) {
            // Judged with the introduction that names it.
            return Ok(());
        }
        let object = self.check_object(part, parts, sender)?;
        if object.author.0 != sender.peer.id {
            self.keep_author(object.author.0, parts)?;
        }
        if kinds::share::is_handed_on(part, parts, sender.peer.id) {
            self.keep_handed_on(part);
            return Ok(());
        }
        let arrival = Arrival {
            part,
            object,
            parts,
            sender,
        };
        kinds::of(&object.payload).take(self, &arrival)?;
        if !self.gate.enforces(&req::MEDIA_LATE) && self.was_accepted(&part.signed.hash)? {
            return Ok(());
        }
        self.take_media(parts, object.author.0, object)
    }

    /// Takes a revision of an object and tells whether anything changed.
    pub(crate) fn merge(
        &mut self,
        part: &Part,
        object: &types::Object,
        body: Body,
    ) -> Result<bool, AgentError> {
        crate::implements!(
            req::MERGE_KEY,
            req::MERGE_ANY_ORDER,
            req::MERGE_TABLE,
            req::SEC_OCTETS
        );
        let author = object.author.0;
        let kind = kinds::name(&object.payload);
        let key = merge_key(author, &kind, object.id.0);
        let known = self.store.record::<Entry>(Table::Object, &key)?;
        let rev = object.rev.get();
        let mut before = Vec::new();
        let peer = self.peer(author)?;
        let epoch = peer.as_ref().map_or(0, |peer| peer.epoch_of(&part.signed));
        // What only a compromised key signed loses to everything else.
        let weak = |epoch| peer.as_ref().is_some_and(|peer| peer.is_compromised(epoch));
        let wins = known
            .as_ref()
            .is_some_and(|known| weak(usize::from(known.epoch)))
            && !weak(epoch)
            && self.gate.enforces(&req::IDENTITY_COMPROMISED_LOSES);
        if let Some(known) = known.as_ref().filter(|_| !wins) {
            let loses = known.retracted && self.gate.enforces(&req::RETRACT_FINAL)
                || (rev, std::cmp::Reverse(part.signed.hash))
                    <= (known.rev, std::cmp::Reverse(known.hash));
            if loses && self.gate.enforces(&req::MERGE_ORDER) {
                return Ok(false);
            }
        }
        if let Some(known) = &known {
            before = self.media_of(known)?;
            self.unlist(known);
            self.store.delete(Table::Octets, known.hash);
        }
        let created = object.created.unix_seconds();
        let received = known.as_ref().map_or(self.now, |known| known.received);
        let entry = Entry {
            author,
            id: object.id.0,
            kind,
            rev,
            hash: part.signed.hash,
            created,
            received,
            // A date never decides anything but the order, and never lies in the future.
            shown: if self.gate.enforces(&req::MESSAGE_ORDER) {
                created.min(received)
            } else {
                created
            },
            retracted: false,
            scope: object.scope.as_ref().map(GroupId::from),
            epoch: u16::try_from(epoch).unwrap_or(u16::MAX),
            body,
        };
        self.store
            .put(Table::Octets, entry.hash, part.signed.message.clone());
        self.list(&entry)?;
        self.use_media(&entry, media::of(&object.payload), &before)?;
        let upto = self.withdrawn(&key)?;
        // A broken agent hides later revisions too.
        if rev <= upto || upto > 0 && !self.gate.enforces(&req::WITHDRAW_UPTO) {
            self.hide(entry)?;
            return Ok(false);
        }
        if known.is_none() {
            self.release_under(&key)?;
        }
        Ok(true)
    }

    /// Up to which revision an object was withdrawn from this person.
    pub(crate) fn withdrawn(&self, key: &[u8]) -> Result<u32, AgentError> {
        Ok(self.store.record(Table::Withdrawn, key)?.unwrap_or(0))
    }

    /// The document of a revision that is kept.
    pub(crate) fn document(&self, hash: Id) -> Result<Option<types::Object>, AgentError> {
        let message = self.store.get(Table::Octets, &hash)?;
        Ok(message.and_then(|message| kinds::document(&message)))
    }

    /// The media to which an object refers.
    pub(crate) fn media_of(&self, entry: &Entry) -> Result<Vec<types::Media>, AgentError> {
        let object = match &entry.body {
            Body::Message { rich: true, .. }
            | Body::Post { rich: true, .. }
            | Body::Field { .. } => self.document(entry.hash)?,
            _ => None,
        };
        Ok(object.map_or_else(Vec::new, |object| media::of(&object.payload).to_vec()))
    }

    /// Leaves of an object only what says that it is not shown.
    pub(crate) fn hide(&mut self, mut entry: Entry) -> Result<(), AgentError> {
        let media = self.media_of(&entry)?;
        self.unlist(&entry);
        self.use_media(&entry, &[], &media)?;
        self.store.delete(Table::Octets, entry.hash);
        entry.body = Body::Nothing;
        Ok(self.store.set(Table::Object, entry.key(), &entry)?)
    }

    pub(crate) fn list(&mut self, entry: &Entry) -> Result<(), AgentError> {
        if let Some((table, key)) = index(entry) {
            self.store.put(table, key, entry.key());
        }
        Ok(self.store.set(Table::Object, entry.key(), entry)?)
    }

    pub(crate) fn unlist(&mut self, entry: &Entry) {
        if let Some((table, key)) = index(entry) {
            self.store.delete(table, key);
        }
    }

    pub(crate) fn entry(&self, key: &[u8]) -> Result<Option<Entry>, AgentError> {
        Ok(self.store.record(Table::Object, key)?)
    }

    fn hold(&mut self, part: &Part, parts: &Parts, author: Id) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Held, &author, &successor(&author), usize::MAX)?;
        let held: usize = rows.iter().map(|(_, octets)| octets.len()).sum();
        if (held + part.signed.message.len()) as u64 > limit::HELD_OCTETS {
            return Ok(());
        }
        let key = [author, part.signed.hash].concat();
        let until = self.now + limit::HELD_DAYS as i64 * DAY;
        self.due(until, &Due::Release { key: key.clone() })?;
        if let Ok(object) = &part.object {
            self.keep_author(object.author.0, parts)?;
            if let Some(root) = kinds::of(&object.payload).root() {
                self.wait_for_root(&root, &key);
            }
        }
        self.store
            .put(Table::Held, key, part.signed.message.clone());
        Ok(())
    }
}

/// Where an object stands in display order.
fn index(entry: &Entry) -> Option<(Table, Vec<u8>)> {
    let time = entry.shown.max(0).to_be_bytes();
    crate::implements!(req::GROUP_SHOWN_APART);
    match (&entry.scope, &entry.body) {
        (_, Body::Event(_)) => return Some((Table::Events, [&time[..], &entry.key()].concat())),
        (Some(group), Body::Post { .. } | Body::GroupMessage { .. } | Body::Unknown { .. }) => {
            return Some((
                Table::GroupTimeline,
                [&group.key()[..], &time, &entry.key()].concat(),
            ));
        }
        _ => {}
    }
    match &entry.body {
        Body::Message { peer, .. } => {
            Some((Table::Thread, [&peer[..], &time, &entry.key()].concat()))
        }
        Body::Post { .. } | Body::Share { .. } | Body::Unknown { .. } => {
            Some((Table::Timeline, [&time[..], &entry.key()].concat()))
        }
        Body::Comment { root, .. } | Body::Reaction { root, .. } | Body::Hide { root, .. } => {
            Some((
                Table::Reply,
                [&root.merge_key()[..], &time, &entry.key()].concat(),
            ))
        }
        Body::AppUpdate { .. } => {
            let (app, author, serial) = kinds::app_update::place(entry)?;
            Some((
                Table::AppUpdate,
                kinds::app_update::row(app, author, serial),
            ))
        }
        Body::App { .. } => Some((Table::Apps, [&time[..], &entry.key()].concat())),
        _ => None,
    }
}
