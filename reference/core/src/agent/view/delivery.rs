//! How far copies got, and what is missing (specification, chapter "Delivery").

use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::channel::{Incoming, Outgoing, Sent, sent_row};
use crate::agent::objects::{Entry, merge_key};
use crate::agent::outbox::{Recipient, audience_key};
use crate::agent::{AgentError, Id};
use crate::store::{Read, Table, successor};

/// How far a copy got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It waits in the outbox.
    Queued,
    /// A server took it.
    Sent,
    /// The other's agent has it.
    Acknowledged,
    /// It came back or was refused.
    Bounced,
}

/// A copy of an own object on its way to one person.
#[derive(Debug, Clone, Serialize)]
pub struct Copy {
    /// The object id, in hex.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The recipient, in hex.
    pub to: String,
    /// The recipient's address.
    pub address: String,
    /// How far it got.
    pub state: DeliveryState,
}

/// Deliveries that are missing.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// The sender, in hex.
    pub identity: String,
    /// The channel, in hex.
    pub channel: String,
    /// The missing numbers.
    pub missing: Vec<u64>,
}

impl View<'_> {
    /// The copies of the own messages and posts, the oldest first, as far as this device knows what
    /// became of them.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn deliveries(&self) -> Result<Vec<Copy>, AgentError> {
        self.copies(&self.own)
    }

    /// The copies of one own object: its kind, and its id in hex.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn deliveries_of(&self, kind: &str, id: &str) -> Result<Vec<Copy>, AgentError> {
        match hex::FromHex::from_hex(id) {
            Ok(id) => self.copies(&merge_key(self.own, kind, id)),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The copies of own objects whose merge keys begin so.
    fn copies(&self, from: &[u8]) -> Result<Vec<Copy>, AgentError> {
        let to = successor(from);
        let mut copies = Vec::new();
        for (key, _) in self.store.range(Table::Audience, from, &to, usize::MAX)? {
            let (subject, peer) = key.split_at(key.len().saturating_sub(32));
            let Ok(peer) = Id::try_from(peer) else {
                continue;
            };
            let Some(entry) = self.store.record::<Entry>(Table::Object, subject)? else {
                continue;
            };
            let Some(state) = self.delivery(subject, peer)? else {
                continue;
            };
            let copy = Copy {
                id: hex::encode(entry.id),
                kind: entry.kind,
                to: hex::encode(peer),
                address: self
                    .peer(peer)?
                    .map(|p| p.address().to_owned())
                    .unwrap_or_default(),
                state,
            };
            copies.push((entry.created, copy));
        }
        copies.sort_by_key(|(created, _)| *created);
        Ok(copies.into_iter().map(|(_, copy)| copy).collect())
    }

    /// How far a copy got. None where another device of the person sent it, or what it went by has
    /// ended since: nothing is known of it here.
    pub(super) fn delivery(
        &self,
        key: &[u8],
        peer: Id,
    ) -> Result<Option<DeliveryState>, AgentError> {
        let recipient: Option<Recipient> = self
            .store
            .record(Table::Audience, &audience_key(key, peer))?;
        let Some((channel, number)) = recipient.and_then(|recipient| recipient.carrier()) else {
            return Ok(None);
        };
        let sent = |member| -> Result<Option<Sent>, AgentError> {
            let row = sent_row(&channel, number, member);
            Ok(self.store.record(Table::Sent, &row)?)
        };
        let sent = match sent(None)? {
            Some(sent) => Some(sent),
            None => sent(Some(peer))?,
        };
        Ok(match sent {
            None => {
                let own: Option<Outgoing> = self.store.record(Table::Outgoing, &peer)?;
                let key = [&peer[..], &channel].concat();
                let to_group = self.store.get(Table::GroupOutgoing, &key)?.is_some();
                let current = own.is_some_and(|own| own.channel == channel) || to_group;
                current.then_some(DeliveryState::Acknowledged)
            }
            Some(sent) if sent.failed.is_some() => Some(DeliveryState::Bounced),
            Some(sent) if sent.submitted => Some(DeliveryState::Sent),
            Some(_) => Some(DeliveryState::Queued),
        })
    }

    /// Deliveries that are missing.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn gaps(&self) -> Result<Vec<Gap>, AgentError> {
        crate::implements!(req::ACK_GAP_SHOWN);
        let rows = self.store.records::<Incoming>(Table::Incoming, b"")?;
        let gaps = rows.into_iter().map(|(channel, state)| Gap {
            identity: hex::encode(state.owner),
            channel: hex::encode(channel),
            missing: state.missing().take(1000).collect(),
        });
        Ok(gaps.filter(|gap| !gap.missing.is_empty()).collect())
    }
}
