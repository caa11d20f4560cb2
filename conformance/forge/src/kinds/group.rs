//! `group`, `join`, `leave`, `proposal`, and deliveries to all members of a group.

use crate::ForgeError;
use crate::draft::Protection;
use crate::draft::{Draft, Item, ObjectDraft};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::openpgp::{Subpacket, subpacket};
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::seed::random;
use crate::xml::Element;

/// What a mail to a group says in its field To.
pub const UNDISCLOSED: &str = "undisclosed-recipients:;";

/// A group as its owner keeps it.
#[derive(Debug, Clone)]
pub struct Group {
    /// The owner.
    pub owner: IdentityId,
    /// Its id.
    pub id: Id128,
    /// Its name.
    pub name: String,
    /// The members and their roles.
    pub members: Vec<(Peer, &'static str)>,
    /// Who is invited.
    pub invited: Vec<Peer>,
    /// The revision made last, from 1; 0 before the first.
    pub rev: i64,
    /// The object hash of that revision.
    pub hash: Hash,
}

/// A change that an admin proposes.
#[derive(Debug, Clone)]
pub enum Change {
    /// Invite somebody.
    Invite(IdentityId),
    /// Take somebody off the list.
    Remove(IdentityId),
    /// Another name.
    Rename(String),
}

impl Group {
    /// A group of somebody else, as far as a member has to know it to write to it.
    pub fn known(owner: IdentityId, id: Id128, hash: Hash) -> Self {
        Self {
            owner,
            id,
            name: String::new(),
            members: Vec::new(),
            invited: Vec::new(),
            rev: 0,
            hash,
        }
    }

    /// Makes somebody who was invited a member, or adds a member.
    pub fn admit(&mut self, peer: &Peer, role: &'static str) {
        self.drop(peer.id);
        self.members.push((peer.clone(), role));
    }

    /// Takes somebody off the list.
    pub fn drop(&mut self, id: IdentityId) {
        self.members.retain(|(member, _)| member.id != id);
        self.invited.retain(|invited| invited.id != id);
    }

    /// The element that names the group in an object for it.
    pub fn scope(&self) -> Element {
        Element::new("scope")
            .attribute("owner", self.owner)
            .attribute("id", self.id)
    }

    fn reference(&self) -> Element {
        Element::new("group")
            .attribute("id", self.id)
            .attribute("hash", self.hash)
    }

    fn payload(&self) -> Element {
        let member = |(peer, role): &(Peer, &'static str)| {
            Element::new("member")
                .attribute("id", peer.id)
                .attribute("role", role)
        };
        let invited = |peer: &Peer| Element::new("invited").attribute("id", peer.id);
        Element::new("group")
            .child(Element::new("name").text(&self.name))
            .children(self.members.iter().map(member))
            .children(self.invited.iter().map(invited))
    }
}

impl Puppet {
    /// A new group of this person, its only member.
    pub fn group(&mut self, name: &str) -> Group {
        Group {
            owner: self.id,
            id: Id128(random(&mut self.rng)),
            name: name.to_owned(),
            members: vec![(self.peer(), "owner")],
            invited: Vec::new(),
            rev: 0,
            hash: Hash([0; 32]),
        }
    }

    /// The object of the next revision of a group.
    pub fn group_object(&mut self, group: &mut Group, now: Instant) -> ObjectDraft {
        group.rev += 1;
        let fallback = format!("{} keeps the group {}.", self.name, group.name);
        let object = self.object(group.payload(), "group", &fallback, now);
        let object = ObjectDraft {
            id: group.id,
            rev: group.rev,
            ..object
        };
        group.hash = Hash::of(object.document());
        object
    }

    /// The delivery of a new revision to somebody, with the credentials of others.
    pub fn group_revision(
        &mut self,
        group: &mut Group,
        to: &Peer,
        others: &[&Self],
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let object = self.group_object(group, now);
        let mut draft = self.carry(to, vec![object], now)?;
        introduce(&mut draft, others);
        Ok(draft)
    }

    /// An object of this person for a group.
    pub fn object_for(
        &mut self,
        group: &Group,
        payload: Element,
        fallback: &str,
        now: Instant,
    ) -> ObjectDraft {
        let object = self.object(payload, "group", fallback, now);
        ObjectDraft {
            scope: Some(group.scope()),
            ..object
        }
    }

    /// A post to a group.
    pub fn group_post_object(&mut self, group: &Group, text: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("post").child(Element::new("text").text(text));
        let fallback = format!("{} posted: {text}", self.name);
        self.object_for(group, payload, &fallback, now)
    }

    /// A message to a group.
    pub fn group_message_object(&mut self, group: &Group, text: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("message").child(Element::new("text").text(text));
        let fallback = format!("{} writes: {text}", self.name);
        self.object_for(group, payload, &fallback, now)
    }

    /// The retract of a group by its owner, which goes to each member like a revision.
    pub fn group_retract_object(&mut self, group: &Group, now: Instant) -> ObjectDraft {
        let retract = self.retract_object((group.owner, group.id), "group", "group", now);
        ObjectDraft {
            scope: Some(group.scope()),
            ..retract
        }
    }

    /// A delivery to all members of a group but this person, numbered in the channel of the
    /// revision.
    pub fn deliver_to_group(
        &mut self,
        group: &Group,
        objects: Vec<ObjectDraft>,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let others = group.members.iter().filter(|(peer, _)| peer.id != self.id);
        let others: Vec<Peer> = others.map(|(peer, _)| peer.clone()).collect();
        let first = others.first().ok_or(ForgeError::EmptyGroup)?;
        let mut draft = self.delivery(first, now)?;
        address_to(&mut draft, &others)?;
        draft.delivery.group = Some(group.hash);
        draft.delivery.channel = Some(self.next_seq(group.hash));
        draft.mail.header_to = Some(UNDISCLOSED.to_owned());
        if let Some(first) = objects.first() {
            draft.subject = first.fallback.lines().next().unwrap_or_default().to_owned();
        }
        draft.objects = objects.into_iter().map(Into::into).collect();
        Ok(draft)
    }

    /// The answer yes to an invitation into a group.
    pub fn join(&mut self, owner: &Peer, group: &Group, now: Instant) -> Result<Draft, ForgeError> {
        let words = "joins the group.";
        self.tell_owner("join", None, words, owner, group, now)
    }

    /// The end of a membership, or the answer no.
    pub fn leave(
        &mut self,
        owner: &Peer,
        group: &Group,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let words = "leaves the group.";
        self.tell_owner("leave", None, words, owner, group, now)
    }

    /// A change that this person wants the owner's agent to make.
    pub fn proposal(
        &mut self,
        owner: &Peer,
        group: &Group,
        change: &Change,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let change = match change {
            Change::Invite(id) => Element::new("invite").attribute("id", id),
            Change::Remove(id) => Element::new("remove").attribute("id", id),
            Change::Rename(name) => Element::new("rename").text(name),
        };
        let words = "proposes a change of the group.";
        self.tell_owner("proposal", Some(change), words, owner, group, now)
    }

    fn tell_owner(
        &mut self,
        kind: &str,
        content: Option<Element>,
        words: &str,
        owner: &Peer,
        group: &Group,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let payload = Element::new(kind)
            .child(Element::new("to").attribute("id", owner.id))
            .child(group.reference())
            .children(content);
        let fallback = format!("{} {words}", self.name);
        let object = self.object(payload, "direct", &fallback, now);
        self.carry(owner, vec![object], now)
    }
}

/// Makes these the recipients of a delivery, in the document, the signature and the session keys.
pub fn address_to(draft: &mut Draft, recipients: &[Peer]) -> Result<(), ForgeError> {
    draft.delivery.to = recipients.iter().map(Peer::party).collect();
    let mut keys = Vec::new();
    let mut all_v2 = true;
    for peer in recipients {
        keys.push(peer.recipient()?);
        all_v2 &= peer.certificate()?.seipd_v2()?;
    }
    draft.envelope.protection = match all_v2 {
        true => Protection::V2,
        false => Protection::V1,
    };
    for sign in &mut draft.envelope.signatures {
        sign.hashed
            .retain(|packet| packet.kind != subpacket::INTENDED_RECIPIENT);
        let intended = keys.iter().map(|key| Subpacket::intended(&key.primary));
        sign.hashed.extend(intended);
    }
    draft.envelope.recipients = keys;
    Ok(())
}

/// Adds the credentials of people to a delivery, before its last object.
pub fn introduce(draft: &mut Draft, others: &[&Puppet]) {
    for other in others {
        let credentials: Vec<Item> = other.credential_objects();
        let last = draft.objects.len().saturating_sub(1);
        draft.objects.splice(last..last, credentials);
        draft.certificates.push(other.certificate.clone());
    }
}
