//! Judging a self-copy and taking what it tells (specification, section "Self-copies" of chapter
//! "Devices").

use kith_schemas::types::{
    self, Object, Payload, Request, SelfAnswered, SelfArrived, SelfAsked, SelfCopy, SelfInvite,
    SelfPerson, SelfSent,
};
use kith_spec::req;
use sequoia_openpgp::packet::Signature;

use super::Device;
use super::notes::Since;
use crate::agent::channel::Incoming;
use crate::agent::invite::Invite;
use crate::agent::objects::{Sender, merge_key};
use crate::agent::outbox::{Recipient, audience_key};
use crate::agent::peer::{self, Part, Parts, Peer};
use crate::agent::receive::{Judged, ObjectVerdict, Verdict};
use crate::agent::relation::{Accepted, Asked, AskedInvite, Confirm, Handshake};
use crate::agent::tick::Due;
use crate::agent::{AgentError, Failure, Id, Step};
use crate::gate::Violation;
use crate::kinds::{self, Arrival, Family};
use crate::store::{Read, Table};
use crate::wire::mime::{self, Entity};
use crate::wire::sealed::Opened;
use crate::wire::signature::{self, Purpose};
use crate::wire::signed::Signed;

impl Step<'_> {
    /// Judges a mail whose signature says that it is a self-copy.
    pub(in crate::agent) fn judge_self(&mut self, opened: &Opened, payload: &Entity) -> Judged {
        self.check_payload(payload)?;
        let parts = Parts::of(self.gate, payload);
        let signature = opened.check_form(self.gate, Purpose::SelfCopy, self.now)?;
        let own = self.own_peer()?;
        let keys = own.keys();
        let mut keys = keys.iter().enumerate();
        let valid = keys.any(|(epoch, key)| !own.is_compromised(epoch) && opened.is_signed_by(key));
        self.gate.check(&req::SELF_OWN_KEY, valid)?;
        self.check_own_envelope(opened, signature)?;
        let document = payload.of_type(mime::DELIVERY).next();
        let document = document.ok_or(Violation(&req::MAIL_PAYLOAD))?;
        let copy = kinds::decode_self(&document.content)?;
        let mine = copy.id.0 == self.own.id;
        self.gate.check(&req::SELF_IDENTITY, mine)?;
        self.take_self(&copy, &parts)
    }

    fn check_own_envelope(&self, opened: &Opened, signature: &Signature) -> Result<(), Failure> {
        let intended = signature::intended_recipients(self.gate, signature);
        self.gate
            .check(&req::SEC_NO_PASSWORD, opened.passwords == 0)?;
        let own = self.own.fingerprints(false);
        let mine = own.iter().any(|key| intended.contains(key));
        self.gate.check(&req::SEC_FOR_ME, mine)?;
        let agree = intended.len() == opened.session_keys;
        self.gate.check(&req::SEC_RECIPIENTS_AGREE, agree)?;
        let alone = intended.len() == 1;
        Ok(self.gate.check(&req::SEC_ONE_RECIPIENT, alone)?)
    }

    /// Takes a document of a device; `parts` holds what it names.
    pub(super) fn take_self(&mut self, copy: &SelfCopy, parts: &Parts) -> Judged {
        crate::implements!(req::SELF_EFFECT, req::DEVICES_SAME_KEYS);
        let mine = self.device()?;
        let from = copy.device.0;
        if from == mine.id {
            if copy.seq.get() <= mine.seq {
                return Ok(Vec::new());
            }
            self.restart()?;
        }
        self.see_device(copy)?;
        let (events, quiet) = (self.events.len(), self.quiet);
        self.quiet = self.gate.enforces(&req::SELF_EFFECT);
        let mut changed = Vec::new();
        for person in &copy.person {
            changed.extend(self.take_person(person, parts, from)?);
        }
        let own = self.own_peer()?;
        let mut verdicts = Vec::new();
        for sent in &copy.sent {
            verdicts.extend(self.take_sent(sent, parts, &own)?);
        }
        for asked in &copy.asked {
            self.take_asked(asked)?;
        }
        for answered in &copy.answered {
            self.take_answered(answered)?;
        }
        for invite in &copy.invite {
            self.take_invite(invite)?;
        }
        for seen in &copy.seen {
            self.take_protection(seen.hash.0, seen.protected.as_ref())?;
            self.journal_from(seen)?;
        }
        for arrived in &copy.arrived {
            self.take_arrived(arrived)?;
        }
        self.quiet = quiet;
        self.events.truncate(events);
        crate::implements!(req::SELF_CONFIRM_HELD);
        for peer in changed {
            self.release_held(&peer)?;
        }
        Ok(verdicts)
    }

    fn see_device(&mut self, copy: &SelfCopy) -> Result<(), AgentError> {
        let id = copy.device.0;
        let known: Option<Device> = self.store.record(Table::Device, &id)?;
        let last = copy.created.unix_seconds();
        if known.as_ref().is_some_and(|known| known.last > last) {
            return Ok(());
        }
        let device = Device {
            id,
            seq: copy.seq.get(),
            name: copy.name.as_ref().map(ToString::to_string),
            last,
        };
        Ok(self.store.set(Table::Device, id, &device)?)
    }

    /// Takes over what the relation to somebody is, if nothing later is known. Returns whom it
    /// concerns.
    fn take_person(
        &mut self,
        person: &SelfPerson,
        parts: &Parts,
        device: [u8; 16],
    ) -> Result<Option<Peer>, Failure> {
        let id = person.id.0;
        let at = person.at.unix_seconds();
        let since = Since { at, device };
        let known: Option<Since> = self.store.record(Table::Person, &id)?;
        let late = known.is_some_and(|known| known >= since);
        if late && self.gate.enforces(&req::SELF_ANY_ORDER) {
            return Ok(None);
        }
        self.store.set(Table::Person, id, &since)?;
        if let Some(named) = &person.credentials {
            let missing = &req::SELF_DOCUMENT;
            // What is expired or incomplete by now is no reason to lose the rest.
            if let Ok(introduced) = peer::introduce(self.gate, parts, id, named, missing, at) {
                self.keep_peer(introduced)?;
            }
        }
        let Some(peer) = self.peer(id)? else {
            return Ok(None);
        };
        self.set_person(person, &peer)?;
        Ok(Some(peer))
    }

    fn set_person(&mut self, person: &SelfPerson, peer: &Peer) -> Result<(), AgentError> {
        let mut relation = self.relation(peer.id)?;
        relation.blocked = person.blocked.is_some();
        relation.accepted = person.accepted.as_ref().map(|accepted| Accepted {
            request: accepted.request.0,
            accept: accepted.accept.0,
            sent: accepted.sent.unix_seconds(),
            repeated: 0,
            until: accepted.until.unix_seconds(),
        });
        let waits = relation.accepted.is_some();
        if waits || person.friend.is_some() {
            self.forget_ends(peer.id, None)?;
        }
        match &person.friend {
            Some(friend) => {
                let mut friendship = relation.friend.take().unwrap_or_default();
                friendship.since = friend.since.unix_seconds();
                let requests = friend.request.iter();
                friendship.requests = requests.map(|hash| Handshake(hash.hash.0)).collect();
                friendship.my_accept = friend.accept.as_ref().map(|hash| Handshake(hash.hash.0));
                friendship.confirmed = friend.confirm.as_ref().map(|confirm| Confirm {
                    object: confirm.hash.0,
                    accept: confirm.accept.0,
                    sent: person.at.unix_seconds(),
                });
                relation.friend = Some(friendship);
                for asked in self.asked(peer)? {
                    self.store.delete(Table::Asked, asked.request);
                }
                self.forget_pending(peer.id)?;
            }
            None if relation.friend.take().is_some() => self.drop_channel(peer.id)?,
            None => {}
        }
        if waits {
            self.forget_pending(peer.id)?;
            self.plan_accept(peer.id)?;
        }
        self.set_relation(peer.id, &relation)
    }

    /// Takes over an own object that another device sent.
    fn take_sent(
        &mut self,
        sent: &SelfSent,
        parts: &Parts,
        own: &Peer,
    ) -> Result<Option<ObjectVerdict>, AgentError> {
        let hash = sent.hash.0;
        self.take_protection(hash, sent.protected.as_ref())?;
        let to: Vec<Id> = sent.to.iter().map(|person| person.id.0).collect();
        let Some(part) = parts.object(hash) else {
            // Somebody else's, which that device relayed.
            for id in &to {
                self.note_told(hash, *id);
            }
            return Ok(None);
        };
        let verdict = match self.adopt_own(part, parts, &to, own) {
            Ok(()) => Verdict::ACCEPT,
            Err(Failure::Violation(violation)) => Verdict::of(violation),
            Err(Failure::Agent(error)) => return Err(error),
        };
        Ok(Some(ObjectVerdict { hash, verdict }))
    }

    fn adopt_own(
        &mut self,
        part: &Part,
        parts: &Parts,
        to: &[Id],
        own: &Peer,
    ) -> Result<(), Failure> {
        let object = part.object.as_ref().map_err(|violation| *violation)?;
        let mine = object.author.0 == self.own.id;
        self.gate.check(&req::SELF_AUTHOR, mine)?;
        part.signed.verify(self.gate, &own.keys())?;
        let hash = part.signed.hash;
        match kinds::of(&object.payload).traits().family {
            Family::Content => self.adopt_content(part, object, parts, own)?,
            _ => self
                .store
                .put(Table::Octets, hash, part.signed.message.clone()),
        }
        if let Payload::Request(request) = &object.payload {
            self.adopt_request(part, object, request)?;
        }
        let kind = kinds::name(&object.payload);
        let key = merge_key(self.own.id, &kind, object.id.0);
        if object.audience == types::Audience::Public {
            self.note_published(&key, hash);
        }
        for id in to {
            self.note_told(hash, *id);
            self.adopt_recipient(&key, *id, object.rev.get(), hash)?;
        }
        Ok(())
    }

    /// Lets the kind take an own object as it takes those of others, as of when it was written.
    fn adopt_content(
        &mut self,
        part: &Part,
        object: &Object,
        parts: &Parts,
        own: &Peer,
    ) -> Result<(), Failure> {
        let now = self.now;
        self.now = object.created.unix_seconds().min(now);
        let sender = Sender::of(own.clone(), None);
        let arrival = Arrival {
            part,
            object,
            parts,
            sender: &sender,
        };
        let taken = kinds::of(&object.payload).take(self, &arrival);
        let taken = taken.and_then(|()| self.take_media(parts, self.own.id, object));
        self.now = now;
        taken
    }

    fn note_told(&mut self, object: Id, to: Id) {
        self.store
            .put(Table::Told, [object, to].concat(), Vec::new());
    }

    /// Whether an object went to somebody from here or, as far as this device was told, from
    /// another.
    pub(crate) fn was_sent(&self, object: Id, to: Id) -> Result<bool, AgentError> {
        Ok(self
            .store
            .get(Table::Told, &[object, to].concat())?
            .is_some())
    }

    /// Remembers who has a revision that another device sent.
    pub(crate) fn adopt_recipient(
        &mut self,
        key: &[u8],
        id: Id,
        rev: u32,
        hash: Id,
    ) -> Result<(), AgentError> {
        let row = audience_key(key, id);
        let known: Option<Recipient> = self.store.record(Table::Audience, &row)?;
        let rev = known.as_ref().map_or(rev, |known| known.rev.max(rev));
        let gone = known.as_ref().is_some_and(|known| known.gone);
        let (delivery, mut hashes) =
            known.map_or_else(Default::default, |known| (known.delivery, known.hashes));
        let hash = hex::encode(hash);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
        let recipient = Recipient {
            delivery,
            rev,
            gone,
            hashes,
        };
        Ok(self.store.set(Table::Audience, row, &recipient)?)
    }

    fn adopt_request(
        &mut self,
        part: &Part,
        object: &Object,
        request: &Request,
    ) -> Result<(), AgentError> {
        let hash = part.signed.hash;
        let answered = [&self.own.id[..], &object.id.0].concat();
        let done = self.store.get(Table::Seen, &answered)?.is_some()
            || self.store.get(Table::Asked, &hash)?.is_some();
        let asked = Asked {
            failed: None,
            request: hash,
            id: object.id.0,
            nonce: request.nonce.0,
            address: request.to.address.to_string(),
            sent: object.created.unix_seconds(),
            note: request.note.as_ref().map(ToString::to_string),
            invite: None,
            follow: request.purpose == types::Purpose::Follow,
        };
        let friend = self.friends_with(hash)?;
        if done || friend || asked.until() < self.now {
            return Ok(());
        }
        self.store.set(Table::Asked, hash, &asked)?;
        self.plan_asked(&asked)
    }

    /// Whether a friendship came from this request.
    fn friends_with(&self, request: Id) -> Result<bool, AgentError> {
        for id in self.friends()? {
            let friend = self.relation(id)?.friend;
            if friend.is_some_and(|friend| friend.requests.contains(&Handshake(request))) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a request that another device accepted waits no more, by the clock's time.
    pub(crate) fn is_settled(
        &self,
        part: &Part,
        object: &Object,
        request: &Request,
        today: i64,
    ) -> Result<bool, AgentError> {
        let hash = part.signed.hash;
        if !self.accepted_elsewhere(&hash)? {
            return Ok(false);
        }
        let author = object.author.0;
        let seen = [&author[..], &object.id.0].concat();
        let relation = self.relation(author)?;
        let friend = relation.friend.as_ref();
        Ok(request.expires.unix_seconds() < today
            || self.store.get(Table::Seen, &seen)?.is_some()
            || friend.is_some_and(|friend| friend.requests.contains(&Handshake(hash)))
            || relation
                .accepted
                .is_some_and(|accepted| accepted.request == hash))
    }

    fn take_asked(&mut self, told: &SelfAsked) -> Result<(), AgentError> {
        let key = told.request.0;
        if let Some(mut asked) = self.store.record::<Asked>(Table::Asked, &key)? {
            asked.invite = Some(AskedInvite {
                token: told.token.0,
                identity: told.inviter.0,
            });
            self.store.set(Table::Asked, key, &asked)?;
        }
        Ok(())
    }

    fn take_answered(&mut self, told: &SelfAnswered) -> Result<(), AgentError> {
        let (author, id) = (told.author.0, told.id.0);
        let until = told.until.unix_seconds();
        if until < self.now {
            return Ok(());
        }
        let key = [&author[..], &id].concat();
        self.store.set(Table::Seen, key.clone(), &until)?;
        self.due(until + 1, &Due::Unsee { key })?;
        let pending = self.pending(author)?;
        if pending.is_some_and(|pending| pending.id == id) {
            self.forget_pending(author)?;
            self.forget_stranger(author)?;
        }
        if author == self.own.id {
            let asked = self.all_asked()?;
            for asked in asked.into_iter().filter(|asked| asked.id == id) {
                self.store.delete(Table::Asked, asked.request);
            }
        }
        Ok(())
    }

    fn take_invite(&mut self, told: &SelfInvite) -> Result<(), AgentError> {
        let known: Option<Invite> = self.store.record(Table::Invite, &told.token.0)?;
        let used = known.and_then(|known| known.used_by);
        let invite = Invite {
            expires: told.expires.unix_seconds(),
            used_by: used.or_else(|| told.spent.as_ref().map(|id| hex::encode(id.0))),
        };
        Ok(self.store.set(Table::Invite, told.token.0, &invite)?)
    }

    /// What another device received, this one need not wait for.
    fn take_arrived(&mut self, told: &SelfArrived) -> Result<(), AgentError> {
        let channel = told.channel.0;
        let known: Option<Incoming> = self.store.record(Table::Incoming, &channel)?;
        if known.is_some() {
            return Ok(());
        }
        let state = Incoming::received(told.owner.0, told.upto.get());
        let key = [&told.owner.0[..], &channel].concat();
        self.store.put(Table::ChannelOf, key, Vec::new());
        Ok(self.store.set(Table::Incoming, channel, &state)?)
    }

    /// This person as others know it.
    pub(crate) fn own_peer(&self) -> Result<Peer, AgentError> {
        let mut entries = Vec::new();
        for hash in &self.own.chain {
            let message = self.store.get(Table::Octets, hash)?;
            let signed = message.and_then(|message| Signed::parse(self.gate, &message).ok());
            entries.extend(signed.map(|signed| {
                let object = kinds::decode(self.gate, &signed.octets);
                Part { signed, object }
            }));
        }
        Ok(Peer::oneself(self.own, &entries)?)
    }
}
