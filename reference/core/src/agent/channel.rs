//! Channels and acknowledgements (specification, chapter "Delivery").

use std::collections::BTreeSet;

use kith_schemas::types;
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::{AgentError, DAY, Failure, Id, Step};
use crate::agent::group::deliver::member_key;
use crate::agent::media::Need;
use crate::agent::outgoing::Load;
use crate::agent::tick::Due;
use crate::gate::Gate;
use crate::store::{Read, Table, successor};

/// Most missing numbers in one ack.
const MISSING: usize = 32;
/// How often a missing delivery is sent again.
const RESENDS: u32 = 3;

/// A channel of somebody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Incoming {
    /// Who uses it.
    #[serde(with = "hex::serde")]
    pub owner: Id,
    /// Everything up to this number arrived or was skipped.
    pub upto: u64,
    /// What arrived beyond.
    pub beyond: BTreeSet<u64>,
    /// Since when something waits to be acknowledged.
    pub owed: Option<i64>,
}

/// The own channel to a peer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outgoing {
    /// Its id.
    #[serde(with = "hex::serde")]
    pub channel: [u8; 16],
    /// The number last used.
    pub last: u64,
    /// Numbers that may still be sent again.
    pub open: BTreeSet<u64>,
}

/// A numbered delivery that is not acknowledged yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sent {
    /// The recipient.
    #[serde(with = "hex::serde")]
    pub to: Id,
    /// The hashes of its objects.
    pub objects: Vec<String>,
    /// Co-members of a group whose credentials go along, in hex.
    #[serde(default)]
    pub others: Vec<String>,
    /// The revision of the group to which it went, by object hash in hex.
    #[serde(default)]
    pub group: Option<String>,
    /// What of their media went along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) media: Vec<Need>,
    /// When it was last handed to the outbox.
    pub at: i64,
    /// How often it was sent again because it was missing.
    pub resent: u32,
    /// Whether it was sent again because nothing was heard.
    pub repeated: bool,
    /// Whether an ack listed it as missing since.
    pub missing: bool,
    /// What a server said about a copy that can't be delivered.
    pub failed: Option<String>,
    /// Whether it left the outbox.
    pub submitted: bool,
    /// The Message-ID of the mail that carried it last.
    pub message_id: String,
}

impl Sent {
    /// The member of a group to whom it went, in hex.
    pub(crate) fn member(&self) -> Option<String> {
        self.group.as_ref().map(|_| hex::encode(self.to))
    }
}

pub(crate) fn sent_key(channel: &[u8; 16], number: u64) -> Vec<u8> {
    [&channel[..], &number.to_be_bytes()].concat()
}

/// The row of a delivery sent to a peer or, with all others, to a member of a group.
pub(crate) fn sent_row(channel: &[u8; 16], number: u64, member: Option<Id>) -> Vec<u8> {
    match member {
        Some(member) => member_key(channel, number, member),
        None => sent_key(channel, number),
    }
}

impl Incoming {
    /// A channel of which everything up to a number was received elsewhere.
    pub(crate) fn received(owner: Id, upto: u64) -> Self {
        Self {
            owner,
            upto,
            beyond: BTreeSet::new(),
            owed: None,
        }
    }

    fn highest(&self) -> u64 {
        self.beyond
            .last()
            .copied()
            .unwrap_or(self.upto)
            .max(self.upto)
    }

    fn skip_to(&mut self, upto: u64) {
        self.upto = self.upto.max(upto);
        self.beyond = self.beyond.split_off(&(self.upto + 1));
        while self.beyond.remove(&(self.upto + 1)) {
            self.upto += 1;
        }
    }

    /// The numbers that did not arrive, lowest first.
    pub fn missing(&self) -> impl Iterator<Item = u64> + '_ {
        (self.upto + 1..self.highest()).filter(|number| !self.beyond.contains(number))
    }

    fn ack(&self, gate: &dyn Gate, channel: [u8; 16]) -> Option<types::Ack> {
        let listed = if gate.enforces(&req::ACK_MISSING) {
            MISSING
        } else {
            0
        };
        let missing: Vec<u64> = self.missing().take(listed).collect();
        // What lies beyond the last number listed is told in a later ack.
        let highest = match missing.last() {
            Some(&last) if missing.len() == MISSING => last,
            _ => self.highest(),
        };
        Some(types::Ack {
            channel: channel.into(),
            upto: types::SequenceOrZero::new(self.upto).ok()?,
            highest: types::SequenceOrZero::new(highest).ok()?,
            missing: missing
                .into_iter()
                .filter_map(|n| types::Sequence::new(n).ok())
                .collect(),
        })
    }
}

/// A checked number of a delivery.
pub(crate) struct Numbered {
    channel: [u8; 16],
    number: u64,
    base: u64,
    state: Incoming,
    /// Whether the number was seen before.
    pub(crate) duplicate: bool,
}

/// Where a row is.
type Row = (Table, Vec<u8>);

impl Step<'_> {
    /// Checks the number of a delivery, without effect.
    pub(crate) fn check_number(
        &self,
        sender: Id,
        channel: &types::Channel,
    ) -> Result<Numbered, Failure> {
        let number = channel.seq.get();
        let base = channel.base.get();
        self.gate.check(&req::CHANNEL_BASE, base <= number)?;
        let known = self
            .store
            .record::<Incoming>(Table::Incoming, &channel.id.0)?;
        let fresh = Incoming {
            owner: sender,
            upto: 0,
            beyond: BTreeSet::new(),
            owed: None,
        };
        let mut state = known.unwrap_or(fresh);
        self.gate
            .check(&req::CHANNEL_OWNER, state.owner == sender)?;
        if self.gate.enforces(&req::CHANNEL_SKIP) {
            state.skip_to(base - 1);
        }
        let furthest = state.highest() + limit::CHANNEL_WINDOW;
        self.gate.check(&req::CHANNEL_WINDOW, number <= furthest)?;
        let duplicate = number <= state.upto || state.beyond.contains(&number);
        Ok(Numbered {
            channel: channel.id.0,
            number,
            base,
            state,
            duplicate,
        })
    }

    /// Records that a delivery arrived, and that it waits to be acknowledged.
    pub(crate) fn arrived(&mut self, numbered: Numbered) -> Result<(), AgentError> {
        crate::implements!(req::ACK_MEANING, req::CHANNEL_TABLE);
        let Numbered {
            channel,
            number,
            base,
            mut state,
            ..
        } = numbered;
        state.beyond.insert(number);
        if self.gate.enforces(&req::CHANNEL_SKIP) {
            state.skip_to(base.saturating_sub(1).max(state.upto));
        }
        if number <= state.upto {
            state.beyond.remove(&number);
        }
        if state.owed.is_none() {
            state.owed = Some(self.now);
            self.due(self.now + DAY, &Due::Ack { peer: state.owner })?;
        }
        self.store.put(
            Table::ChannelOf,
            [&state.owner[..], &channel].concat(),
            Vec::new(),
        );
        Ok(self.store.set(Table::Incoming, channel, &state)?)
    }

    /// Records that something without a number arrived: nothing is owed for that.
    pub(crate) fn arrived_unnumbered(&mut self, peer: Id) -> Result<(), AgentError> {
        if self.gate.enforces(&req::ACK_NO_ACK) {
            return Ok(());
        }
        for (channel, mut state) in self.channels_of(peer)? {
            state.owed = Some(self.now);
            self.store.set(Table::Incoming, channel, &state)?;
        }
        self.due(self.now + DAY, &Due::Ack { peer })
    }

    /// The acks that are owed to a peer; they count as given.
    pub(crate) fn take_acks(&mut self, peer: Id) -> Result<Vec<types::Ack>, AgentError> {
        let mut acks = Vec::new();
        for (channel, mut state) in self.channels_of(peer)? {
            if state.owed.take().is_some() && acks.len() < 16 {
                acks.extend(state.ack(self.gate, channel));
                self.store.set(Table::Incoming, channel, &state)?;
            }
        }
        Ok(acks)
    }

    /// The channels of a peer, one for each device.
    pub(crate) fn channels_of(&self, peer: Id) -> Result<Vec<([u8; 16], Incoming)>, AgentError> {
        let mut channels = Vec::new();
        for (key, _) in self
            .store
            .range(Table::ChannelOf, &peer, &successor(&peer), usize::MAX)?
        {
            let Ok(channel) = <[u8; 16]>::try_from(&key[peer.len()..]) else {
                continue;
            };
            if let Some(state) = self.store.record(Table::Incoming, &channel)? {
                channels.push((channel, state));
            }
        }
        Ok(channels)
    }

    /// Takes an ack of a peer. One for what was never sent has no effect.
    pub(crate) fn acknowledged(&mut self, peer: Id, ack: &types::Ack) -> Result<(), AgentError> {
        let Some((place, mut own)) = self.acknowledges(peer, ack.channel.0)? else {
            return Ok(());
        };
        let (upto, highest) = (ack.upto.get(), ack.highest.get());
        let foreign = own.channel != ack.channel.0 || upto > own.last || highest > own.last;
        if foreign && self.gate.enforces(&req::ACK_FOREIGN) {
            return Ok(());
        }
        let missing: BTreeSet<u64> = ack.missing.iter().map(|n| n.get()).collect();
        for number in own.open.clone() {
            let key = match place.0 {
                Table::GroupOutgoing => member_key(&own.channel, number, peer),
                _ => sent_key(&own.channel, number),
            };
            let Some(mut sent) = self.store.record::<Sent>(Table::Sent, &key)? else {
                continue;
            };
            if missing.contains(&number) {
                self.is_missing(&own.channel, number, &key, &mut sent)?;
            } else if number <= highest.max(upto) {
                self.confirm_arrived(peer, &sent)?;
                self.store
                    .delete(Table::MessageId, sent.message_id.as_bytes());
                self.store.delete(Table::Sent, key);
                own.open.remove(&number);
            }
        }
        Ok(self.store.set(place.0, place.1, &own)?)
    }

    /// The own channel that a peer acknowledges, and its row: the one to the peer, or to a group.
    fn acknowledges(
        &self,
        peer: Id,
        channel: [u8; 16],
    ) -> Result<Option<(Row, Outgoing)>, AgentError> {
        let key = [&peer[..], &channel].concat();
        if let Some(own) = self.store.record(Table::GroupOutgoing, &key)? {
            return Ok(Some(((Table::GroupOutgoing, key), own)));
        }
        let own = self.store.record(Table::Outgoing, &peer)?;
        Ok(own.map(|own| ((Table::Outgoing, peer.to_vec()), own)))
    }

    fn is_missing(
        &mut self,
        channel: &[u8; 16],
        number: u64,
        key: &[u8],
        sent: &mut Sent,
    ) -> Result<(), AgentError> {
        if sent.missing || sent.resent >= RESENDS {
            return Ok(());
        }
        sent.missing = true;
        self.store.set(Table::Sent, key, sent)?;
        let at = (sent.at + DAY).max(self.now);
        self.due(
            at,
            &Due::Missing {
                channel: *channel,
                number,
                member: sent.member(),
            },
        )
    }

    /// A confirm that arrived need not ride any more.
    fn confirm_arrived(&mut self, peer: Id, sent: &Sent) -> Result<(), AgentError> {
        self.page_has(peer, &sent.objects)?;
        let (_, head) = self.own.head();
        if sent.objects.contains(&hex::encode(head)) {
            let mut standing = self.standing(peer)?;
            standing.told = self.own.epoch();
            self.set_standing(peer, &standing)?;
        }
        let mut relation = self.relation(peer)?;
        let Some(friend) = relation.friend.as_mut() else {
            return Ok(());
        };
        let carried = |confirm: &mut super::relation::Confirm| {
            sent.objects.contains(&hex::encode(confirm.object))
        };
        if friend.confirm.take_if(carried).is_some() {
            self.set_relation(peer, &relation)?;
        }
        Ok(())
    }

    /// The next number of the channel to a peer.
    pub(crate) fn number(
        &mut self,
        peer: Id,
        load: &Load,
    ) -> Result<([u8; 16], u64, u64), AgentError> {
        let known = self.store.record::<Outgoing>(Table::Outgoing, &peer)?;
        let mut own = match known {
            Some(own) => own,
            None => Outgoing {
                channel: self.channel_id(),
                last: 0,
                open: BTreeSet::new(),
            },
        };
        own.last += 1;
        own.open.insert(own.last);
        let number = own.last;
        let base = own.open.first().copied().unwrap_or(number);
        let sent = Sent {
            to: peer,
            objects: load.objects.iter().map(hex::encode).collect(),
            others: load.others.iter().map(hex::encode).collect(),
            media: load.media.clone(),
            at: self.now,
            ..Sent::default()
        };
        self.store
            .set(Table::Sent, sent_key(&own.channel, number), &sent)?;
        self.store.set(Table::Outgoing, peer, &own)?;
        let at = self.now + limit::UNACKNOWLEDGED_DAYS as i64 * DAY;
        self.due(
            at,
            &Due::Unacknowledged {
                channel: own.channel,
                number,
                member: None,
            },
        )?;
        Ok((own.channel, number, base))
    }

    fn channel_id(&mut self) -> [u8; 16] {
        if self.gate.enforces(&req::CHANNEL_FRESH) {
            self.random()
        } else {
            [7; 16]
        }
    }

    /// Gives up a number: the base rises past it.
    pub(crate) fn give_up(
        &mut self,
        peer: Id,
        channel: &[u8; 16],
        number: u64,
    ) -> Result<(), AgentError> {
        if let Some((place, mut own)) = self.acknowledges(peer, *channel)?
            && own.channel == *channel
        {
            own.open.remove(&number);
            self.store.set(place.0, place.1, &own)?;
        }
        Ok(())
    }

    /// Notes which mail carries a numbered delivery.
    pub(crate) fn carried_by(
        &mut self,
        channel: &[u8; 16],
        number: u64,
        message_id: &str,
    ) -> Result<(), AgentError> {
        let key = sent_key(channel, number);
        if let Some(mut sent) = self.store.record::<Sent>(Table::Sent, &key)? {
            self.store
                .delete(Table::MessageId, sent.message_id.as_bytes());
            message_id.clone_into(&mut sent.message_id);
            self.store.set(Table::Sent, key.clone(), &sent)?;
            self.store.put(Table::MessageId, message_id.as_bytes(), key);
        }
        Ok(())
    }

    /// Ends the own channel to a peer. A later friendship opens a new one.
    pub(crate) fn drop_channel(&mut self, peer: Id) -> Result<(), AgentError> {
        if let Some(own) = self.store.record::<Outgoing>(Table::Outgoing, &peer)? {
            for number in own.open {
                let key = sent_key(&own.channel, number);
                if let Some(sent) = self.store.record::<Sent>(Table::Sent, &key)? {
                    self.store
                        .delete(Table::MessageId, sent.message_id.as_bytes());
                }
                self.store.delete(Table::Sent, key);
            }
            self.store.delete(Table::Outgoing, peer);
        }
        Ok(())
    }
}
