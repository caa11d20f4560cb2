//! Deliveries to a group: who may send them, and which wait (specification, section "Deliveries to
//! a group" of chapter "Groups").

use std::collections::BTreeSet;

use kith_schemas::types::{self, Audience, Payload};
use kith_spec::{Outcome, limit, req};
use serde::{Deserialize, Serialize};

use super::{GroupId, GroupState, Role};
use crate::agent::objects::Sender;
use crate::agent::peer::{self, Part, Parts, Peer};
use crate::agent::receive::{ObjectVerdict, Verdict};
use crate::agent::tick::Due;
use crate::agent::{AgentError, DAY, Failure, Id, Step};
use crate::gate::Violation;
use crate::kinds::{self, Family};
use crate::store::{Read, Table, successor};
use crate::wire;

/// A mail that waits for a revision of a group.
#[derive(Serialize, Deserialize)]
struct Waiting {
    #[serde(with = "hex::serde")]
    octets: Vec<u8>,
}

impl Step<'_> {
    /// Whether a delivery has to wait: nobody knows yet whether its sender is a member.
    pub(crate) fn awaits_group(
        &self,
        delivery: &types::Delivery,
        known: bool,
    ) -> Result<bool, AgentError> {
        let Some(named) = &delivery.group else {
            return Ok(false);
        };
        Ok(match self.revision(named.hash.0)? {
            None => true,
            Some(revision) => !known && revision.list.role(delivery.from.id.0).is_some(),
        })
    }

    /// Checks that a delivery to a group goes from a member to the members.
    pub(crate) fn check_group(
        &self,
        delivery: &types::Delivery,
        sender: Id,
    ) -> Result<Option<GroupId>, Failure> {
        let Some(named) = &delivery.group else {
            return Ok(None);
        };
        let gate = self.gate;
        let unknown = Violation(&req::GROUP_REVISION_UNKNOWN);
        let revision = self.revision(named.hash.0)?;
        let revision = revision.ok_or(unknown)?;
        let group = self.group(revision.group)?.ok_or(unknown)?;
        let mut expected: BTreeSet<Id> = revision.list.member_ids().collect();
        let writes = expected.remove(&sender);
        let named: BTreeSet<Id> = delivery.to.iter().map(|party| party.id.0).collect();
        let all = named == expected && named.len() == delivery.to.len();
        let state = group.state(self.own.id);
        // Who is not among the members gets no delivery at all.
        let mine = state == GroupState::Member;
        gate.check(&req::GROUP_RECIPIENTS, all || !writes)?;
        let still = group.list.role(sender).is_some();
        gate.check(&req::GROUP_SENDER, writes && still)?;
        gate.check(&req::GROUP_SUPERSEDED, revision.is_current(self.now))?;
        gate.check(&req::GROUP_NOT_JOINED, mine)?;
        Ok(Some(revision.group))
    }

    /// Checks an object's group against that of its delivery.
    pub(crate) fn check_scope(
        &self,
        object: &types::Object,
        sender: &Sender,
    ) -> Result<(), Violation> {
        let gate = self.gate;
        let kind = kinds::of(&object.payload).traits();
        let scoped = object.audience == Audience::Group && kind.name != "group";
        gate.check(&req::GROUP_SCOPE, scoped == object.scope.is_some())?;
        if let Some(group) = sender.group
            && kind.family != Family::Identity
        {
            let scope = object.scope.as_ref().map(GroupId::from);
            let fits = scope == Some(group) && kind.in_group;
            gate.check(&req::GROUP_CONTENT, fits)?;
        }
        Ok(())
    }

    /// Whether somebody who is no friend may send this to the person.
    pub(crate) fn co_member_may(
        &self,
        object: &types::Object,
        sender: &Sender,
    ) -> Result<bool, AgentError> {
        let from = sender.peer.id;
        if !self.gate.enforces(&req::GROUP_CO_MEMBERS) {
            return self.is_co_member(from);
        }
        let own = |id: [u8; 16], owner: Id| -> Result<bool, AgentError> {
            let group = self.group(GroupId { owner, id })?;
            Ok(group.is_some_and(|group| group.list.lists(from)))
        };
        Ok(match &object.payload {
            _ if sender.group.is_some() => true,
            Payload::Group(_) => self
                .group(GroupId {
                    owner: from,
                    id: object.id.0,
                })?
                .is_some(),
            Payload::Retract(retract) if retract.target.kind.as_str() == "group" => {
                own(retract.target.id.0, from)?
            }
            Payload::Join(join) => own(join.group.id.0, self.own.id)?,
            Payload::Leave(leave) => own(leave.group.id.0, self.own.id)?,
            Payload::Proposal(proposal) => own(proposal.group.id.0, self.own.id)?,
            Payload::Rsvp(rsvp) => match self.own_event(rsvp.event.id.0)? {
                Some(event) => match event.scope {
                    Some(scope) => self.is_member(scope, from)?,
                    None => false,
                },
                None => false,
            },
            _ => false,
        })
    }

    pub(crate) fn is_member(&self, id: GroupId, person: Id) -> Result<bool, AgentError> {
        Ok(self
            .group(id)?
            .is_some_and(|group| group.list.role(person).is_some()))
    }

    /// Whom the groups of an owner list as members, a list in the same mail included.
    pub(crate) fn listed_by(&self, owner: Id, parts: &Parts) -> Result<BTreeSet<Id>, AgentError> {
        let mut listed = BTreeSet::new();
        for group in self.groups_of(owner)? {
            listed.extend(group.list.member_ids());
        }
        let objects = parts.objects.iter().flatten();
        for object in objects.filter_map(|part| part.object.as_ref().ok()) {
            if let Payload::Group(group) = &object.payload
                && object.author.0 == owner
            {
                listed.extend(group.member.iter().map(|member| member.id.0));
            }
        }
        Ok(listed)
    }

    /// Takes the credentials of co-members that the owner of a group sends; the verdicts on their
    /// parts.
    pub(crate) fn take_co_members(
        &mut self,
        delivery: &types::Delivery,
        parts: &Parts,
        owner: &Peer,
    ) -> Result<Vec<ObjectVerdict>, Failure> {
        let mut verdicts = Vec::new();
        let mut listed = BTreeSet::new();
        for group in self.groups_of(owner.id)? {
            listed.extend(group.list.member_ids());
        }
        if listed.is_empty() {
            return Ok(verdicts);
        }
        let parts_of = foreign_parts(delivery, parts, owner.id);
        let authors: BTreeSet<Id> = parts_of.iter().map(|(author, _)| *author).collect();
        for author in authors {
            let mine: Vec<&Part> = parts_of
                .iter()
                .filter(|(of, _)| *of == author)
                .map(|(_, part)| *part)
                .collect();
            let judged = match self
                .gate
                .check(&req::GROUP_CREDENTIALS, listed.contains(&author))
            {
                Ok(()) => self.take_co_member(author, &mine, parts),
                Err(violation) => Err(violation.into()),
            };
            let verdict = match judged {
                Ok(()) => Verdict::ACCEPT,
                Err(Failure::Violation(violation)) => Verdict::of(violation),
                Err(error) => return Err(error),
            };
            let hashes = mine.iter().map(|part| part.signed.hash);
            verdicts.extend(hashes.map(|hash| ObjectVerdict { hash, verdict }));
        }
        Ok(verdicts)
    }

    fn take_co_member(&mut self, id: Id, mine: &[&Part], parts: &Parts) -> Result<(), Failure> {
        if id == self.own.id {
            return Ok(());
        }
        let rule = &req::GROUP_CREDENTIALS;
        let credentials = credentials(mine, parts).ok_or(Violation(rule))?;
        let introduced = peer::introduce(self.gate, parts, id, &credentials, rule, self.now)?;
        if let Some(known) = self.peer(id)? {
            let shared = known.chain.iter().zip(&introduced.peer.chain);
            let rival = shared
                .into_iter()
                .any(|(known, new)| known.hash != new.hash);
            self.gate.check(&req::IDENTITY_FIRST_SEEN, !rival)?;
            if introduced.peer.chain.len() < known.chain.len() {
                return Ok(());
            }
        }
        self.keep_peer(introduced)?;
        Ok(())
    }

    /// Keeps a mail until the revision that it names is there, if there is room.
    pub(crate) fn hold_mail(&mut self, octets: &[u8]) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::HeldMail, &[], &successor(&[]), usize::MAX)?;
        let held: usize = rows.iter().map(|(_, row)| row.len() / 2).sum();
        if (held + octets.len()) as u64 > limit::HELD_OCTETS {
            return Ok(());
        }
        let key = wire::sha256(octets);
        let until = self.now + limit::HELD_DAYS as i64 * DAY;
        self.due(until, &Due::ReleaseMail { key })?;
        let waiting = Waiting {
            octets: octets.to_vec(),
        };
        Ok(self.store.set(Table::HeldMail, key, &waiting)?)
    }

    /// Judges again the mails that waited for a revision or for credentials.
    pub(crate) fn release_mail(&mut self) -> Result<(), AgentError> {
        let rows = self.store.records::<Waiting>(Table::HeldMail, b"")?;
        for (key, waiting) in rows {
            let (saved, events) = (self.store.savepoint(), self.events.len());
            self.store.delete(Table::HeldMail, key.clone());
            match self.judge(&waiting.octets) {
                Ok(_) => {}
                Err(Failure::Violation(violation)) => {
                    self.store.restore(saved);
                    self.events.truncate(events);
                    if violation.outcome() != Outcome::Hold {
                        self.store.delete(Table::HeldMail, key);
                    }
                }
                Err(Failure::Agent(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The listed identity objects and contacts of others.
fn foreign_parts<'p>(
    delivery: &types::Delivery,
    parts: &'p Parts,
    owner: Id,
) -> Vec<(Id, &'p Part)> {
    let listed = |hash: Id| delivery.object.iter().any(|listed| listed.hash.0 == hash);
    let parts = parts.objects.iter().flatten();
    parts
        .filter(|part| listed(part.signed.hash))
        .filter_map(|part| {
            let object = part.object.as_ref().ok()?;
            let identity = kinds::of(&object.payload).traits().family == Family::Identity;
            (identity && object.author.0 != owner).then_some((object.author.0, part))
        })
        .collect()
}

/// The credentials of one identity among the parts of a mail: chain, contact, and the certificate
/// whose primary key is the newest of the chain.
fn credentials(mine: &[&Part], parts: &Parts) -> Option<types::Credentials> {
    let reference = |hash: Id| types::HashRef { hash: hash.into() };
    let mut entries = Vec::new();
    let mut contact = None;
    for part in mine {
        match &part.object.as_ref().ok()?.payload {
            Payload::Identity(entry) => entries.push((entry.epoch.get(), part, entry)),
            Payload::Contact(_) => contact = Some(part.signed.hash),
            _ => {}
        }
    }
    entries.sort_by_key(|(epoch, _, _)| *epoch);
    let (_, _, newest) = entries.last()?;
    let key = wire::keys::parse_bare(newest.key.as_bytes()).ok()?;
    let certificate = parts.certificates.iter().find(|(_, certificate)| {
        let certificate = certificate.as_ref().ok();
        certificate.is_some_and(|certificate| certificate.primary() == key)
    });
    Some(types::Credentials {
        chain: entries
            .iter()
            .map(|(_, part, _)| reference(part.signed.hash))
            .collect(),
        contact: reference(contact?),
        certificate: reference(certificate?.0),
    })
}

/// Whether a certificate belongs to somebody whose chain came along and whom the sender's groups
/// list.
pub(crate) fn is_introduced(
    certificate: &wire::keys::Certificate,
    parts: &Parts,
    listed: &BTreeSet<Id>,
) -> bool {
    let objects = parts.objects.iter().flatten();
    objects
        .filter_map(|part| part.object.as_ref().ok())
        .any(|object| match &object.payload {
            Payload::Identity(entry) if listed.contains(&object.author.0) => {
                wire::keys::parse_bare(entry.key.as_bytes())
                    .is_ok_and(|key| certificate.primary() == key)
            }
            _ => false,
        })
}

impl Role {
    /// Whether proposals of this role count.
    pub(crate) fn proposes(self) -> bool {
        self == Self::Admin
    }
}
