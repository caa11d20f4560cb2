//! What earlier mails of a scene make of a later one: channels, acks, confirms.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Mail;
use super::read::document::{Ack, DeliveryFacts};
use super::read::mime::Entity;

/// A channel that the agent uses.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnChannel {
    /// To whom.
    pub(super) to: String,
    /// The objects of each number.
    pub(super) objects: BTreeMap<u64, Vec<String>>,
}

impl OwnChannel {
    /// The highest number used.
    pub(super) fn last(&self) -> u64 {
        self.objects.last_key_value().map_or(0, |(seq, _)| *seq)
    }
}

/// A channel on which somebody sends to the agent.
#[derive(Debug, Clone, Default)]
pub(super) struct PeerChannel {
    /// Whose it is.
    pub(super) from: String,
    /// What was put into the mailbox.
    delivered: BTreeSet<u64>,
    /// What the agent had fetched when its last sync ended.
    pub(super) arrived: BTreeSet<u64>,
    /// What of that the agent had acknowledged.
    pub(super) acknowledged: BTreeSet<u64>,
}

/// A confirm that the agent sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Confirm {
    /// The confirm's object hash.
    pub(super) hash: String,
    /// The deliveries it rode in: channel and number.
    pub(super) carried: BTreeSet<(String, u64)>,
    /// Whether the other side has it.
    pub(super) acknowledged: bool,
}

/// What was seen so far in a scene.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub(super) message_ids: BTreeSet<String>,
    pub(super) channels: BTreeMap<String, OwnChannel>,
    pub(super) peers: BTreeMap<String, PeerChannel>,
    /// By the other's identity.
    pub(super) confirms: BTreeMap<String, Confirm>,
    /// The Message-IDs of mails to groups.
    pub(super) group_mails: BTreeSet<String>,
    /// The members in each revision of a group, by its hash.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    /// For which revision of a group a channel was used.
    pub(super) group_channels: BTreeMap<String, String>,
    /// Whether something was delivered that the judge can't open, as the agent makes its own keys:
    /// what it acknowledged is not known.
    pub(super) blind: bool,
    pending_acks: Vec<Ack>,
    pending_ends: Vec<String>,
}

fn covers(ack: &Ack, seq: u64) -> bool {
    seq <= ack.upto || (seq <= ack.highest && !ack.missing.contains(&seq))
}

impl Memory {
    /// Remembers a mail that the agent sent.
    pub(super) fn sent(&mut self, mail: &Mail, outer: &Entity) {
        self.message_ids
            .extend(outer.only("Message-ID").map(str::to_owned));
        self.remember_groups(mail);
        let Some(delivery) = mail.delivery() else {
            return;
        };
        if let (Some(group), Some(channel)) = (&delivery.group, &delivery.channel) {
            self.group_channels
                .insert(channel.id.clone(), group.clone());
            self.group_mails
                .extend(outer.only("Message-ID").map(str::to_owned));
        }
        let to = delivery
            .to
            .first()
            .map(|party| party.id.clone())
            .unwrap_or_default();
        for ack in &delivery.acks {
            if let Some(channel) = self.peers.get_mut(&ack.channel) {
                let covered = channel.arrived.iter().filter(|seq| covers(ack, **seq));
                channel.acknowledged.extend(covered.copied());
            }
        }
        if let Some(channel) = &delivery.channel {
            let own = self.channels.entry(channel.id.clone()).or_default();
            own.to.clone_from(&to);
            own.objects
                .entry(channel.seq)
                .or_insert_with(|| delivery.objects.clone());
        }
        self.remember_confirm(mail, delivery, &to);
        if mail.object("end").is_some() {
            self.confirms.remove(&to);
        }
    }

    /// Remembers the lists of groups.
    fn remember_groups(&mut self, mail: &Mail) {
        for object in mail.readable().filter(|object| object.kind == "group") {
            let members = object.payload.all("member");
            let members = members.filter_map(|member| member.attribute("id"));
            self.groups
                .insert(object.hash.clone(), members.map(str::to_owned).collect());
        }
    }

    fn remember_confirm(&mut self, mail: &Mail, delivery: &DeliveryFacts, to: &str) {
        let Some(object) = mail.object("confirm") else {
            return;
        };
        let confirm = self.confirms.entry(to.to_owned()).or_default();
        if confirm.hash != object.hash {
            let hash = object.hash.clone();
            *confirm = Confirm {
                hash,
                ..Confirm::default()
            };
        }
        let channel = delivery.channel.as_ref();
        confirm
            .carried
            .extend(channel.map(|channel| (channel.id.clone(), channel.seq)));
    }

    /// Remembers a valid mail that was put into the agent's mailbox.
    pub(crate) fn delivered(&mut self, mail: &Mail) {
        self.remember_groups(mail);
        let Some(delivery) = mail.delivery() else {
            return;
        };
        if let Some(channel) = &delivery.channel {
            let peer = self.peers.entry(channel.id.clone()).or_default();
            peer.from.clone_from(&delivery.from.id);
            peer.delivered.insert(channel.seq);
        }
        self.pending_acks.extend(delivery.acks.iter().cloned());
        if mail.object("end").is_some() {
            self.pending_ends.push(delivery.from.id.clone());
        }
    }

    /// Remembers that there was a mail that can't be opened.
    pub(crate) fn delivered_unread(&mut self) {
        self.blind = true;
    }

    /// The agent has synced: what was delivered has arrived.
    pub(crate) fn synced(&mut self) {
        for channel in self.peers.values_mut() {
            channel.arrived.extend(channel.delivered.iter().copied());
        }
        for ack in std::mem::take(&mut self.pending_acks) {
            for confirm in self.confirms.values_mut() {
                let here =
                    |(channel, seq): &(String, u64)| *channel == ack.channel && covers(&ack, *seq);
                confirm.acknowledged |= confirm.carried.iter().any(here);
            }
        }
        for from in std::mem::take(&mut self.pending_ends) {
            self.confirms.remove(&from);
            self.peers.retain(|_, channel| channel.from != from);
        }
    }
}
