//! `receipt`: tells the author of messages that they arrived or were read (specification, section
//! "Receipt" of chapter "Private messages").

use kith_schemas::types::{Audience, Hash, HashRef, Object, Payload, Person, Receipt};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::peer::Peer;
use crate::agent::receipts::ReceiptDue;
use crate::agent::{AgentError, Failure, Id, Step};
use crate::gate::Strict;
use crate::store::{Read, Table};
use crate::wire::signed::Signed;

/// The most messages in one receipt.
const MOST: usize = 64;
/// What is stored for a message that arrived, and for one that was read.
pub(crate) const DELIVERED: u8 = 1;
pub(crate) const SEEN: u8 = 2;

/// Signs what a friend is to be told, in as many receipts as it takes.
pub(crate) fn write(
    step: &mut Step<'_>,
    peer: &Peer,
    due: &ReceiptDue,
) -> Result<Vec<Id>, AgentError> {
    let references = |hashes: &[String]| -> Vec<HashRef> {
        let hash = |hash: &String| {
            hex::FromHex::from_hex(hash)
                .ok()
                .map(|hash: Id| hash.into())
        };
        let hashes = hashes.iter().filter_map(hash);
        hashes.map(|hash: Hash| HashRef { hash }).collect()
    };
    let (delivered, seen) = (references(&due.delivered), references(&due.seen));
    let count = delivered.len().max(seen.len()).div_ceil(MOST);
    let part = |all: &[HashRef], number: usize| {
        all.iter().skip(number * MOST).take(MOST).copied().collect()
    };
    let mut receipts = Vec::new();
    for number in 0..count {
        let receipt = Receipt {
            to: Person { id: peer.id.into() },
            delivered: part(&delivered, number),
            seen: part(&seen, number),
        };
        let (id, name) = (step.random(), step.own.shown());
        receipts.push(step.sign(Draft {
            id,
            rev: 1,
            audience: Audience::Direct,
            fallback: format!("{name} received your messages."),
            payload: Payload::Receipt(receipt),
        })?);
    }
    Ok(receipts)
}

impl Kind for Receipt {
    fn traits(&self) -> Traits {
        Traits {
            once: true,
            ..Traits::content("receipt", &[Audience::Direct], &req::KIND_AUDIENCE)
        }
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::RECEIPT_ADDRESSED))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let from = arrival.sender.peer.id;
        if !step.gate.enforces(&req::RECEIPT_NO_RECEIPT) {
            step.owe_receipt(from, arrival.part.signed.hash, false)?;
        }
        let named = |hashes: &[HashRef], state| {
            let named = hashes.iter().map(|named| (named.hash.0, state));
            named.collect::<Vec<(Id, u8)>>()
        };
        let delivered = named(&self.delivered, DELIVERED);
        for (hash, state) in delivered.into_iter().chain(named(&self.seen, SEEN)) {
            if !is_own_message_to(step, hash, from)? {
                continue;
            }
            let known = step.store.get(Table::Receipt, &hash)?;
            let known = known.and_then(|state| state.first().copied());
            let state = match known {
                Some(known) if step.gate.enforces(&req::RECEIPT_READ_FOLLOWS) => state.max(known),
                _ => state,
            };
            step.store.put(Table::Receipt, hash, vec![state]);
        }
        Ok(())
    }
}

/// Whether a hash is that of an own message to somebody.
fn is_own_message_to(step: &Step<'_>, hash: Id, to: Id) -> Result<bool, AgentError> {
    let Some(message) = step.store.get(Table::Octets, &hash)? else {
        return Ok(false);
    };
    let object = Signed::parse(&Strict, &message).ok();
    let object = object.and_then(|signed| Object::decode(&signed.octets).ok());
    Ok(object.is_some_and(|object| {
        let own = object.author.0 == step.own.id;
        let anybody = !step.gate.enforces(&req::RECEIPT_MESSAGES);
        match &object.payload {
            Payload::Message(message) => {
                let direct = message.to.as_ref().is_some_and(|person| person.id.0 == to);
                own && (direct || anybody)
            }
            _ => false,
        }
    }))
}
