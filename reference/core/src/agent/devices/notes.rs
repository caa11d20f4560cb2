//! What other devices must know, and the self-copies that tell it (specification, section
//! "Self-copies" of chapter "Devices").
//!
//! A step notes what it did; the notes become self-copies when they can be appended. So what
//! several steps did is one self-copy, and sealing costs nothing where nobody asks for mail.

use std::collections::BTreeMap;

use kith_schemas::types::{
    Credentials, SelfAnswered, SelfAsked, SelfCopy, SelfFriend, SelfFriendConfirm, SelfInvite,
    SelfPerson, SelfPersonAccepted, SelfPersonBlocked, Sequence,
};
use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::pages::{Entry, FULL, OBJECT, Pages};
use super::{hash_ref, time};
use crate::agent::invite::Invite;
use crate::agent::media::Carried;
use crate::agent::peer::Peer;
use crate::agent::relation::{Accepted, Asked, Friendship, Relation};
use crate::agent::{AgentError, Id, Step};
use crate::kinds;
use crate::store::{Read, StoreError, Table};
use crate::wire::compose::{self, Fields, Parts};
use crate::wire::keys::Certificate;
use crate::wire::signature::Purpose;
use crate::wire::{WireError, sealed};

const COUNTER: &[u8] = b"self-copies";
/// What stands before what the objects say.
const FALLBACK: &str = "A note from one of your devices to the others.";

/// Something that other devices must know and no self-copy tells yet: a key of [`Table::Note`].
#[derive(Debug)]
enum Note {
    /// An invite was made or used: its token.
    Invite([u8; 16]),
    /// An object, by its hash, went to somebody, or without a recipient to an address.
    Sent(Id, Option<Id>),
    /// An own request, by its hash, has an invite.
    Asked(Id),
    /// A request, by author and id, waits no more; until when it is remembered.
    Answered(Id, [u8; 16], i64),
    /// The relation to somebody changed.
    Person(Id),
    /// The journal has waited long enough.
    Journal,
}

impl Note {
    fn key(&self) -> Vec<u8> {
        match self {
            Self::Invite(token) => [&[1], &token[..]].concat(),
            Self::Sent(hash, to) => {
                let to = to.as_ref().map_or(&[][..], |id| &id[..]);
                [&[2], &hash[..], to].concat()
            }
            Self::Asked(request) => [&[3], &request[..]].concat(),
            Self::Answered(author, id, until) => {
                [&[4], &author[..], &id[..], &until.to_be_bytes()].concat()
            }
            Self::Person(id) => [&[5], &id[..]].concat(),
            Self::Journal => vec![6],
        }
    }

    fn read(key: &[u8]) -> Option<Self> {
        let (tag, rest) = key.split_first()?;
        Some(match tag {
            1 => Self::Invite(rest.try_into().ok()?),
            2 => {
                let (hash, to) = rest.split_first_chunk()?;
                let to = Some(to).filter(|to| !to.is_empty());
                Self::Sent(*hash, to.map(Id::try_from).transpose().ok()?)
            }
            3 => Self::Asked(rest.try_into().ok()?),
            4 => {
                let (author, rest) = rest.split_first_chunk()?;
                let (id, until) = rest.split_first_chunk()?;
                Self::Answered(*author, *id, i64::from_be_bytes(until.try_into().ok()?))
            }
            5 => Self::Person(rest.try_into().ok()?),
            6 if rest.is_empty() => Self::Journal,
            _ => return None,
        })
    }
}

/// Since when what is known of the relation to somebody holds, and which device said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Since {
    pub(super) at: i64,
    #[serde(with = "hex::serde")]
    pub(super) device: [u8; 16],
}

impl Step<'_> {
    fn note(&mut self, note: &Note) {
        self.store.put(Table::Note, note.key(), Vec::new());
    }

    /// Notes that objects went to somebody, or without a recipient to an address.
    pub(crate) fn note_sent(&mut self, objects: &[Id], to: Option<Id>) -> Result<(), AgentError> {
        for hash in objects {
            let told = [&hash[..], to.as_ref().map_or(&[][..], |id| &id[..])].concat();
            if self.store.get(Table::Told, &told)?.is_none() {
                self.store.put(Table::Told, told, Vec::new());
                self.note(&Note::Sent(*hash, to));
            }
        }
        Ok(())
    }

    /// Notes that the relation to somebody changed.
    pub(crate) fn note_person(&mut self, id: Id) -> Result<(), AgentError> {
        let device = self.device()?.id;
        let since = Since {
            at: self.now,
            device,
        };
        self.store.set(Table::Person, id, &since)?;
        self.note(&Note::Person(id));
        Ok(())
    }

    /// Notes that an invite was made or used.
    pub(crate) fn note_invite(&mut self, token: [u8; 16]) {
        self.note(&Note::Invite(token));
    }

    /// Notes the invite of an own request.
    pub(crate) fn note_asked(&mut self, asked: &Asked) {
        if asked.invite.is_some() {
            self.note(&Note::Asked(asked.request));
        }
    }

    /// Notes that a request waits no more.
    pub(crate) fn note_answered(&mut self, author: Id, request: [u8; 16], until: i64) {
        self.note(&Note::Answered(author, request, until));
    }

    /// Notes that an own request waits for no answer any more.
    pub(crate) fn note_withdrawn(&mut self, asked: &Asked) {
        self.note_answered(self.own.id, asked.id, asked.until());
    }

    /// Notes that the journal has waited long enough.
    pub(crate) fn note_journal(&mut self) {
        self.note(&Note::Journal);
    }

    /// Turns what was noted into self-copies that wait to be appended.
    pub(super) fn write_copies(&mut self) -> Result<(), AgentError> {
        let rows = self.all(Table::Note)?;
        if rows.is_empty() || !self.gate.enforces(&req::SELF_APPEND) {
            return Ok(());
        }
        let mut pages = Pages::new(self.own.id, &self.device()?, time(self.now)?)?;
        let mut sent: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for (key, _) in rows {
            let note = Note::read(&key).ok_or_else(|| StoreError::Damaged {
                table: Table::Note,
                reason: "the key is no note".to_owned(),
            })?;
            self.store.delete(Table::Note, key);
            match note {
                Note::Invite(token) => self.invite_entry(token, &mut pages)?,
                Note::Sent(hash, to) => sent.entry(hash).or_default().extend(to),
                Note::Asked(request) => self.asked_entry(request, &mut pages)?,
                Note::Answered(author, id, until) => pages.push(Entry::Answered(SelfAnswered {
                    author: author.into(),
                    id: id.into(),
                    until: time(until)?,
                })),
                Note::Person(id) => {
                    let person = self.person_entry(id)?;
                    pages.push(Entry::Person(Box::new(person)));
                }
                Note::Journal => {}
            }
        }
        for (hash, to) in sent {
            let weight = self.weight(&hash)?;
            pages.sent(hash, &to, self.told_protection(&hash)?, weight);
        }
        self.journal_entries(&mut pages)?;
        for page in pages.finish() {
            self.write_copy(&page)?;
        }
        Ok(())
    }

    /// What an object that comes along weighs: one with media has a document of its own.
    fn weight(&self, hash: &Id) -> Result<usize, AgentError> {
        let message = self.store.get(Table::Octets, hash)?;
        Ok(match message {
            Some(message) if !kinds::needs(&message).is_empty() => FULL,
            Some(message) => message.len() / OBJECT,
            None => 0,
        })
    }

    pub(super) fn invite_entry(
        &self,
        token: [u8; 16],
        pages: &mut Pages,
    ) -> Result<(), AgentError> {
        let Some(invite) = self.store.record::<Invite>(Table::Invite, &token)? else {
            return Ok(());
        };
        let spent = invite.used_by.as_ref();
        let spent = spent.and_then(|id| <Id as hex::FromHex>::from_hex(id).ok());
        pages.push(Entry::Invite(SelfInvite {
            token: token.into(),
            expires: time(invite.expires)?,
            spent: spent.map(Into::into),
        }));
        Ok(())
    }

    pub(super) fn asked_entry(&self, request: Id, pages: &mut Pages) -> Result<(), AgentError> {
        let asked = self.store.record::<Asked>(Table::Asked, &request)?;
        if let Some(invite) = asked.and_then(|asked| asked.invite) {
            pages.push(Entry::Asked(SelfAsked {
                request: request.into(),
                token: invite.token.into(),
                inviter: invite.identity.into(),
            }));
        }
        Ok(())
    }

    /// What the relation to somebody is.
    pub(super) fn person_entry(&self, id: Id) -> Result<SelfPerson, AgentError> {
        let since: Option<Since> = self.store.record(Table::Person, &id)?;
        let relation = self.relation(id)?;
        let peer = self.peer(id)?;
        Ok(SelfPerson {
            id: id.into(),
            at: time(since.map_or(self.now, |since| since.at))?,
            credentials: peer.as_ref().and_then(credentials),
            petname: None,
            accepted: relation.accepted.as_ref().map(accepted).transpose()?,
            friend: relation.friend.as_ref().map(friend).transpose()?,
            blocked: relation.blocked.then_some(SelfPersonBlocked {}),
        })
    }

    /// The objects and certificates that a document names and that come along.
    fn enclosures(&self, page: &SelfCopy) -> Result<(Vec<Id>, Vec<Vec<u8>>), AgentError> {
        let mut objects: Vec<Id> = Vec::new();
        let mut certificates = Vec::new();
        for sent in &page.sent {
            if self.is_own(&sent.hash.0)? {
                objects.push(sent.hash.0);
            }
        }
        for person in &page.person {
            if let Some(named) = &person.credentials {
                objects.extend(named.chain.iter().map(|entry| entry.hash.0));
                objects.push(named.contact.hash.0);
                let peer = self.peer(person.id.0)?;
                let certificate = peer.as_ref().and_then(Peer::certificate);
                certificates.extend(certificate.map(|c| c.to_armor()).transpose()?);
            }
        }
        objects.sort_unstable();
        objects.dedup();
        Ok((objects, certificates))
    }

    /// Whether the object with a hash is by this person.
    fn is_own(&self, hash: &Id) -> Result<bool, AgentError> {
        let message = self.store.get(Table::Octets, hash)?;
        Ok(message.is_some_and(|message| kinds::author(&message) == Some(self.own.id)))
    }

    /// Seals a document to oneself, for the driver to append; several times where the media of
    /// what was sent don't fit into one mail.
    fn write_copy(&mut self, page: &SelfCopy) -> Result<(), AgentError> {
        let mut needs = Vec::new();
        for sent in &page.sent {
            let message = self.store.get(Table::Octets, &sent.hash.0)?;
            needs.extend(
                message
                    .map(|message| kinds::needs(&message))
                    .unwrap_or_default(),
            );
        }
        for load in self.loads(&needs) {
            let media = self.carried(&load)?;
            self.write_copy_with(page.clone(), media)?;
        }
        Ok(())
    }

    fn write_copy_with(
        &mut self,
        mut page: SelfCopy,
        media: Vec<Carried>,
    ) -> Result<(), AgentError> {
        let mut device = self.device()?;
        device.seq += 1;
        device.last = self.now;
        self.set_device(&device)?;
        let unfit = |error: &dyn std::fmt::Display| WireError::Xml(error.to_string());
        page.seq = Sequence::new(device.seq).map_err(|error| unfit(&error))?;
        let (hashes, mut certificates) = self.enclosures(&page)?;
        if !self.gate.enforces(&req::SELF_NO_SECRETS) {
            certificates.push(self.own.key.to_armor()?);
        }
        let mut objects = Vec::new();
        let mut fallback = vec![FALLBACK.to_owned()];
        for hash in hashes {
            if let Some(message) = self.store.get(Table::Octets, &hash)? {
                fallback.extend(kinds::fallback(&message));
                objects.push(message);
            }
        }
        let fallback = fallback.join("\n\n");
        let address = self.own.address.clone();
        let fields = self.fields(&address, &fallback, true).hidden(self.gate);
        let parts = Parts {
            fallback,
            delivery: Some(page.encode().map_err(|error| unfit(&error))?),
            objects,
            certificates,
            media,
        };
        let mail = self.seal_to_oneself(&fields, parts)?;
        let number = self.store.record::<u64>(Table::Own, COUNTER)?.unwrap_or(0) + 1;
        self.store.set(Table::Own, COUNTER, &number)?;
        self.store.put(Table::SelfCopy, number.to_be_bytes(), mail);
        Ok(())
    }

    fn seal_to_oneself(&mut self, fields: &Fields, parts: Parts) -> Result<Vec<u8>, AgentError> {
        let (inner, outer) = (self.boundary(), self.boundary());
        let payload = compose::payload(self.gate, fields, parts, &inner);
        let purpose = if self.gate.enforces(&req::SELF_PURPOSE) {
            Purpose::SelfCopy
        } else {
            Purpose::Delivery
        };
        let signing = self.own.key.signing()?;
        let readers = self.self_copy_readers()?;
        let to: Vec<&Certificate> = readers.iter().collect();
        let sealed = sealed::seal(self.gate, &signing, &to, &payload, purpose, self.now)?;
        Ok(compose::sealed(self.gate, fields, &sealed.armored, &outer))
    }

    /// Those who may read self-copies: oneself.
    fn self_copy_readers(&self) -> Result<Vec<Certificate>, AgentError> {
        let mut readers = vec![self.own.certificate.clone()];
        if !self.gate.enforces(&req::SELF_SEALED) {
            for friend in self.friends()? {
                readers.extend(self.peer(friend)?.and_then(|peer| peer.certificate()));
            }
        }
        Ok(readers)
    }
}

fn credentials(peer: &Peer) -> Option<Credentials> {
    let certificate = peer.certificate()?.to_octets().ok()?;
    Some(Credentials {
        chain: peer
            .chain
            .iter()
            .map(|entry| hash_ref(entry.hash))
            .collect(),
        contact: hash_ref(peer.contact),
        certificate: hash_ref(crate::wire::sha256(&certificate)),
    })
}

fn accepted(accepted: &Accepted) -> Result<SelfPersonAccepted, AgentError> {
    Ok(SelfPersonAccepted {
        request: accepted.request.into(),
        accept: accepted.accept.into(),
        sent: time(accepted.sent)?,
        until: time(accepted.until)?,
    })
}

fn friend(friend: &Friendship) -> Result<SelfFriend, AgentError> {
    let requests = friend.requests.iter().take(8);
    Ok(SelfFriend {
        since: time(friend.since)?,
        request: requests.map(|request| hash_ref(request.0)).collect(),
        accept: friend.my_accept.as_ref().map(|accept| hash_ref(accept.0)),
        confirm: friend.confirmed.as_ref().map(|confirm| SelfFriendConfirm {
            hash: confirm.object.into(),
            accept: confirm.accept.into(),
        }),
    })
}

/// What of a relation other devices are told of: a confirm sent again changes nothing.
pub(crate) fn told(relation: &Relation) -> impl PartialEq + use<> {
    let friend = relation.friend.as_ref();
    let handshake = friend.map(|friend| (friend.requests.clone(), friend.my_accept.clone()));
    let confirmed = friend.and_then(|friend| friend.confirmed.as_ref());
    let confirmed = confirmed.map(|confirm| (confirm.object, confirm.accept));
    let accepted = relation.accepted.as_ref().map(|accepted| accepted.accept);
    (relation.blocked, accepted, handshake, confirmed)
}
