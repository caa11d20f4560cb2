//! What is protected after quantum computers: never less than somebody declared, and shown to the
//! person (specification, chapter "Post-quantum keys").

use kith_schemas::types::SelfProtected;
use kith_spec::req;

use super::group::GroupId;
use super::group::deliver::GroupLoad;
use super::objects::Entry;
use super::outgoing::Load;
use super::peer::Peer;
use super::{ActError, AgentError, Event, Id, Step, media};
use crate::store::{Read, Table, successor};

/// What the person reads when nothing can be sent.
pub(crate) const WITHHELD: &str = "the contact promises a post-quantum key, and the certificate has \
     no valid one any more; wait until this person has renewed it";

impl Step<'_> {
    /// Whether nothing can be sent because one of the recipients declared a post-quantum subkey and
    /// has none. The person is told.
    pub(crate) fn is_withheld(&mut self, recipients: &[Peer]) -> Result<bool, AgentError> {
        self.withhold(recipients, None, &[])
    }

    fn without_subkey<'p>(&self, recipients: &'p [Peer]) -> Option<&'p Peer> {
        let now = self.now;
        let lost = recipients.iter().find(|peer| {
            let certificate = peer.certificate();
            peer.protected && !certificate.is_some_and(|known| known.is_protected(now))
        });
        lost.filter(|_| self.gate.enforces(&req::PQ_NO_DOWNGRADE))
    }

    /// Whether nothing can be sent, as [`is_withheld`](Self::is_withheld) tells; what it is about
    /// waits until that changes.
    pub(crate) fn withhold(
        &mut self,
        recipients: &[Peer],
        subject: Option<&[u8]>,
        objects: &[Id],
    ) -> Result<bool, AgentError> {
        let Some(lost) = self.without_subkey(recipients) else {
            return Ok(false);
        };
        if let Some(subject) = subject.filter(|_| self.gate.enforces(&req::PQ_WITHHELD)) {
            let objects: Vec<String> = objects.iter().map(hex::encode).collect();
            let key = [&lost.id[..], subject].concat();
            self.store.set(Table::Withheld, key, &objects)?;
        }
        let name = self.shown_name(lost.id)?;
        self.events.push(Event::Withheld {
            name,
            why: WITHHELD.to_owned(),
        });
        Ok(true)
    }

    /// Sends what waited for somebody, whose certificate or contact just changed.
    pub(crate) fn release_withheld(&mut self, peer: &Peer) -> Result<(), AgentError> {
        if self.without_subkey(std::slice::from_ref(peer)).is_some() {
            return Ok(());
        }
        let waiting =
            self.store
                .range(Table::Withheld, &peer.id, &successor(&peer.id), usize::MAX)?;
        for (key, _) in waiting {
            let objects: Option<Vec<String>> = self.store.record(Table::Withheld, &key)?;
            self.store.delete(Table::Withheld, key.clone());
            let subject = &key[peer.id.len()..];
            let Some(entry) = self.entry(subject)?.filter(|entry| !entry.retracted) else {
                continue;
            };
            match entry.scope {
                Some(group) => self.release_to_group(group, &entry)?,
                None => self.release_to(peer, &entry, &objects.unwrap_or_default())?,
            }
        }
        match self.settle_fields(true) {
            Err(ActError::Agent(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn release_to(
        &mut self,
        peer: &Peer,
        entry: &Entry,
        objects: &[String],
    ) -> Result<(), AgentError> {
        if !self.is_friend(peer.id)? {
            return Ok(());
        }
        // What others wrote goes along with their chains, as it was; the own goes as it is now.
        let decode = |hash: &String| <Id as hex::FromHex>::from_hex(hash).ok();
        let mut objects: Vec<Id> = objects.iter().filter_map(decode).collect();
        if entry.author == self.own.id || objects.is_empty() {
            objects = vec![entry.hash];
        }
        let needs = media::needs(&self.media_of(entry)?);
        for media in self.loads(&needs) {
            let load = Load {
                objects: objects.clone(),
                media,
                numbered: true,
                automatic: true,
                subject: Some(entry.key()),
                ..Load::default()
            };
            self.deliver_subject(peer, load, entry.rev)?;
        }
        Ok(())
    }

    fn release_to_group(&mut self, group: GroupId, entry: &Entry) -> Result<(), AgentError> {
        let members = match self.writable_group(group) {
            Ok(members) => members,
            Err(ActError::Agent(error)) => return Err(error),
            // The person left, or a member is not known any more.
            Err(_) => return Ok(()),
        };
        let load = GroupLoad {
            objects: vec![entry.hash],
            subject: Some((entry.key(), entry.rev)),
        };
        self.deliver_to_group(&members, &load)
    }

    /// Notes how a mail with an object was encrypted. One mail that is not protected is enough
    /// that the object isn't.
    pub(crate) fn note_protection(&mut self, object: Id, now: bool) -> Result<(), AgentError> {
        let before = self.store.get(Table::Protection, &object)?;
        let before = before.is_none_or(|before| before == [1]);
        let protected = vec![u8::from(before && now)];
        self.store.put(Table::Protection, object, protected);
        Ok(())
    }

    /// What other devices are told of how the mails with an object were encrypted.
    pub(crate) fn told_protection(&self, object: &Id) -> Result<Option<SelfProtected>, AgentError> {
        if !self.gate.enforces(&req::SELF_PROTECTED) {
            return Ok(None);
        }
        let noted = self.store.get(Table::Protection, object)?;
        Ok(noted.map(|protected| match protected == [1] {
            true => SelfProtected::Yes,
            false => SelfProtected::No,
        }))
    }

    /// Takes over what another device tells of that.
    pub(crate) fn take_protection(
        &mut self,
        object: Id,
        told: Option<&SelfProtected>,
    ) -> Result<(), AgentError> {
        match told {
            Some(told) => self.note_protection(object, *told == SelfProtected::Yes),
            None => Ok(()),
        }
    }
}
