//! Receipts on their way out (specification, section "Receipt" of chapter "Private messages").

use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::objects::{Body, merge_key};
use super::outgoing::Load;
use super::peer::Peer;
use super::tick::Due;
use super::{ActError, AgentError, DAY, Id, Step};
use crate::kinds;
use crate::store::Table;

/// What a friend is to be told of the messages that it wrote.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ReceiptDue {
    /// Since when something waits.
    pub(crate) since: i64,
    /// Hashes of messages that arrived, in hex.
    pub(crate) delivered: Vec<String>,
    /// Hashes of messages that were read, in hex.
    pub(crate) seen: Vec<String>,
}

impl Step<'_> {
    pub(crate) fn receipts_due(&self, peer: Id) -> Result<Option<ReceiptDue>, AgentError> {
        Ok(self.store.record(Table::ReceiptDue, &peer)?)
    }

    /// A message arrived, or was read: its author is told with the next delivery, if the person
    /// agreed.
    pub(crate) fn owe_receipt(&mut self, peer: Id, hash: Id, seen: bool) -> Result<(), AgentError> {
        let agreed = match seen {
            true => self.own.consent.seen,
            false => self.own.consent.delivered,
        };
        if !agreed && self.gate.enforces(&req::RECEIPT_CONSENT) {
            return Ok(());
        }
        let mut due = self.receipts_due(peer)?.unwrap_or(ReceiptDue {
            since: self.now,
            ..ReceiptDue::default()
        });
        let list = match seen {
            true => &mut due.seen,
            false => &mut due.delivered,
        };
        let hash = hex::encode(hash);
        if !list.contains(&hash) {
            list.push(hash);
        }
        self.store.set(Table::ReceiptDue, peer, &due)?;
        self.due(self.now + DAY, &Due::Ack { peer })
    }

    /// The receipts that wait ride in a numbered delivery.
    pub(crate) fn ride_receipt(&mut self, peer: &Peer, load: &mut Load) -> Result<(), AgentError> {
        crate::implements!(req::RECEIPT_RIDES);
        let Some(due) = self.receipts_due(peer.id)?.filter(|_| load.numbered) else {
            return Ok(());
        };
        self.store.delete(Table::ReceiptDue, peer.id);
        for receipt in kinds::receipt::write(self, peer, &due)? {
            load.objects.push(receipt);
        }
        Ok(())
    }

    /// The person read a message of somebody else.
    pub(crate) fn read(&mut self, author: Id, id: [u8; 16]) -> Result<(), ActError> {
        let missing = || super::act::unknown("message", &id, "messages");
        let key = merge_key(author, "message", id);
        let entry = self.entry(&key)?.ok_or_else(missing)?;
        match entry.body {
            Body::Message { peer, .. } if peer == author => {
                Ok(self.owe_receipt(author, entry.hash, true)?)
            }
            _ => Err(missing()),
        }
    }
}
