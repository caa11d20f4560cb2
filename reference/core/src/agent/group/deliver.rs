//! One mail to all members, and each member's acknowledgements (specification, section "Deliveries
//! to a group" of chapter "Groups").

use kith_schemas::types;
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::Group;
use crate::agent::channel::{Sent, sent_key};
use crate::agent::outbox::{Copy, Recipient, audience_key};
use crate::agent::outgoing::{Outgoing, numbers, party};
use crate::agent::peer::Peer;
use crate::agent::tick::Due;
use crate::agent::{AgentError, DAY, Id, Step, channel};
use crate::store::Table;

/// What `To` says outside and inside of a mail to a group (`group.outer`).
const UNDISCLOSED: &str = "undisclosed-recipients:;";

/// The own channel to a revision of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MemberChannel {
    /// Its id.
    #[serde(with = "hex::serde")]
    pub channel: [u8; 16],
    /// The number last used.
    pub last: u64,
}

/// What goes to a group.
pub(crate) struct GroupLoad {
    /// The objects, by hash.
    pub(crate) objects: Vec<Id>,
    /// The merge key whose delivery state this is, and its revision.
    pub(crate) subject: Option<(Vec<u8>, u32)>,
}

/// One numbered delivery to a revision of a group.
struct Numbered {
    group: Id,
    channel: [u8; 16],
    number: u64,
    base: u64,
}

impl Step<'_> {
    /// Sends objects to all members of the newest revision.
    pub(crate) fn deliver_to_group(
        &mut self,
        group: &Group,
        load: &GroupLoad,
    ) -> Result<(), AgentError> {
        crate::implements!(req::GROUP_DELIVERY, req::GROUP_DIRECT, req::GROUP_ACKS);
        if self.quiet {
            return Ok(());
        }
        let peers = self.members(group)?;
        let subject = load.subject.as_ref().map(|(key, _)| &key[..]);
        if self.withhold(&peers, subject, &load.objects)? {
            return Ok(());
        }
        for peer in &peers {
            self.note_sent(&load.objects, Some(peer.id))?;
        }
        if peers.is_empty() {
            return Ok(());
        }
        let key = if self.gate.enforces(&req::GROUP_CHANNEL) {
            group.hash.to_vec()
        } else {
            group.id.key()
        };
        let known: Option<MemberChannel> = self.store.record(Table::GroupChannel, &key)?;
        let mut own = known.unwrap_or(MemberChannel {
            channel: self.random(),
            last: 0,
        });
        own.last += 1;
        self.store.set(Table::GroupChannel, key, &own)?;
        let mut base = own.last;
        for peer in &peers {
            base = base.min(self.number_for(peer.id, &own, group, load)?);
        }
        let numbered = Numbered {
            group: group.hash,
            channel: own.channel,
            number: own.last,
            base,
        };
        self.send_to_group(&numbered, &load.objects, &peers, &peers, false)?;
        if let Some((subject, rev)) = &load.subject {
            for peer in &peers {
                let delivery = Some((hex::encode(own.channel), own.last));
                let key = audience_key(subject, peer.id);
                let known: Option<Recipient> = self.store.record(Table::Audience, &key)?;
                let mut hashes = known.map(|known| known.hashes).unwrap_or_default();
                hashes.extend(load.objects.iter().map(hex::encode));
                let recipient = Recipient {
                    delivery,
                    rev: *rev,
                    gone: false,
                    hashes,
                };
                self.store.set(Table::Audience, key, &recipient)?;
            }
        }
        Ok(())
    }

    /// The other members of the newest revision.
    pub(super) fn members(&self, group: &Group) -> Result<Vec<Peer>, AgentError> {
        let mut peers = Vec::new();
        for id in group.list.member_ids().filter(|id| *id != self.own.id) {
            peers.extend(self.peer(id)?);
        }
        Ok(peers)
    }

    /// Notes that a member is owed an acknowledgement; returns the least open number.
    fn number_for(
        &mut self,
        member: Id,
        own: &MemberChannel,
        group: &Group,
        load: &GroupLoad,
    ) -> Result<u64, AgentError> {
        let key = [&member[..], &own.channel].concat();
        let known: Option<channel::Outgoing> = self.store.record(Table::GroupOutgoing, &key)?;
        let mut open = known.unwrap_or(channel::Outgoing {
            channel: own.channel,
            last: 0,
            open: std::collections::BTreeSet::new(),
        });
        open.last = own.last;
        open.open.insert(own.last);
        let base = open.open.first().copied().unwrap_or(own.last);
        self.store.set(Table::GroupOutgoing, key, &open)?;
        let sent = Sent {
            to: member,
            objects: load.objects.iter().map(hex::encode).collect(),
            at: self.now,
            group: Some(hex::encode(group.hash)),
            ..Sent::default()
        };
        let key = member_key(&own.channel, own.last, member);
        self.store.set(Table::Sent, key, &sent)?;
        let at = self.now + limit::UNACKNOWLEDGED_DAYS as i64 * DAY;
        self.due(
            at,
            &Due::Unacknowledged {
                channel: own.channel,
                number: own.last,
                member: Some(hex::encode(member)),
            },
        )?;
        Ok(base)
    }

    /// Sends a delivery again to the one member that lacks it, as long as its revision counts.
    pub(crate) fn resend_to_member(
        &mut self,
        channel: [u8; 16],
        number: u64,
        sent: &Sent,
    ) -> Result<(), AgentError> {
        let hash = sent.group.as_deref().and_then(super::decode);
        let Some(hash) = hash else { return Ok(()) };
        let Some(revision) = self.revision(hash)?.filter(|r| r.is_current(self.now)) else {
            return Ok(());
        };
        let still = self.group(revision.group)?;
        let still = still.is_some_and(|g| {
            g.list.role(sent.to).is_some() && g.state(self.own.id) == super::GroupState::Member
        });
        if !still || !self.gate.enforces(&req::GROUP_RESEND) {
            return Ok(());
        }
        let mut peers = Vec::new();
        for id in revision.list.member_ids().filter(|id| *id != self.own.id) {
            peers.extend(self.peer(id)?);
        }
        if self.is_withheld(&peers)? {
            return Ok(());
        }
        let only: Vec<Peer> = peers.iter().filter(|p| p.id == sent.to).cloned().collect();
        let numbered = Numbered {
            group: hash,
            channel,
            number,
            base: number.min(self.base_of(channel, &peers)?.unwrap_or(number)),
        };
        let objects: Vec<Id> = sent
            .objects
            .iter()
            .filter_map(|hash| super::decode(hash))
            .collect();
        self.send_to_group(&numbered, &objects, &peers, &only, true)
    }

    fn base_of(&self, channel: [u8; 16], peers: &[Peer]) -> Result<Option<u64>, AgentError> {
        let mut base = None;
        for peer in peers {
            let key = [&peer.id[..], &channel].concat();
            let open: Option<channel::Outgoing> = self.store.record(Table::GroupOutgoing, &key)?;
            let first = open.and_then(|open| open.open.first().copied());
            base = [base, first].into_iter().flatten().min();
        }
        Ok(base)
    }

    /// Makes one mail for all recipients, and hands it to the outbox once for each target: so one
    /// address that a server refuses doesn't keep the mail from the others.
    fn send_to_group(
        &mut self,
        numbered: &Numbered,
        objects: &[Id],
        recipients: &[Peer],
        targets: &[Peer],
        automatic: bool,
    ) -> Result<(), AgentError> {
        let reference = |hash: Id| types::HashRef { hash: hash.into() };
        let mut to = Vec::new();
        for peer in recipients {
            to.push(party(peer.id, peer.address())?);
        }
        let Numbered {
            channel,
            number,
            base,
            ..
        } = *numbered;
        let delivery = types::Delivery {
            from: party(self.own.id, &self.own.address)?,
            to,
            group: Some(reference(numbered.group)),
            channel: Some(numbers(channel, number, base)?),
            ack: Vec::new(),
            path: None,
            echo: Vec::new(),
            object: objects.iter().copied().map(reference).collect(),
            certificate: Vec::new(),
        };
        let (messages, fallback) = self.signed_objects(objects)?;
        let address = match recipients.first() {
            Some(first) if !self.gate.enforces(&req::GROUP_OUTER) => first.address(),
            _ => UNDISCLOSED,
        };
        let outgoing = Outgoing {
            fields: self.fields(address, &fallback, automatic).hidden(self.gate),
            delivery: Some(delivery),
            objects: messages,
            certificates: Vec::new(),
            fallback,
            media: Vec::new(),
        };
        let message_id = outgoing.fields.message_id.clone();
        let mail = self.seal(outgoing, recipients)?;
        self.await_bounce(&message_id, sent_key(&channel, number))?;
        for target in targets {
            let copy = Copy {
                to: target.address().to_owned(),
                delivery: Some((hex::encode(channel), number)),
                peer: Some(hex::encode(target.id)),
                ..Copy::default()
            };
            self.enqueue(copy, mail.clone())?;
        }
        Ok(())
    }
}

/// The row of a numbered delivery to one member of a group.
pub(crate) fn member_key(channel: &[u8; 16], number: u64, member: Id) -> Vec<u8> {
    [sent_key(channel, number), member.to_vec()].concat()
}
