//! Delivery status notifications (RFC 3464) change the delivery state of one copy, nothing else
//! (specification, section "Mail that is not from people" of chapter "Delivery").

use kith_spec::req;

use super::channel::{Sent, sent_row};
use super::objects::Entry;
use super::outbox::Recipient;
use super::{ActError, AgentError, Event, Id, Step};
use crate::store::{Read, Table};
use crate::wire::mime::Entity;

impl Step<'_> {
    /// Notes that a copy came back, if the notification holds the Message-ID of one that is open.
    pub(super) fn note_bounce(&mut self, octets: &[u8]) -> Result<(), AgentError> {
        let Some(report) = Entity::parse(octets).filter(|mail| mail.root == "multipart/report")
        else {
            return Ok(());
        };
        let status = report.of_type("message/delivery-status").next();
        let failed = status.is_some_and(|leaf| {
            let text = String::from_utf8_lossy(&leaf.content).to_ascii_lowercase();
            text.lines()
                .any(|line| line.starts_with("action:") && line.contains("failed"))
        });
        if !failed || !self.gate.enforces(&req::LOOP_BOUNCE_SHOWN) {
            return Ok(());
        }
        for id in message_ids(octets) {
            let Some(key) = self.store.get(Table::MessageId, id.as_bytes())? else {
                continue;
            };
            let Some(mut sent) = self.store.record::<Sent>(Table::Sent, &key)? else {
                continue;
            };
            let (reason, again) = ("the mail came back".to_owned(), true);
            sent.failed = Some(reason.clone());
            let to = self.shown_name(sent.to)?;
            self.store.set(Table::Sent, key, &sent)?;
            self.events.push(Event::Undelivered { to, reason, again });
        }
        Ok(())
    }
}

impl Step<'_> {
    /// Sends the copies of an own object again that came back or were refused, because the person
    /// wants it (`send.permanent`).
    pub(super) fn resend_failed(&mut self, object: &Entry) -> Result<(), ActError> {
        let key = object.key();
        let mut again = 0;
        for (row, recipient) in self.store.records::<Recipient>(Table::Audience, &key)? {
            let delivery = recipient.delivery.and_then(|(channel, number)| {
                let channel = <[u8; 16] as hex::FromHex>::from_hex(channel).ok()?;
                Some((channel, number))
            });
            let peer = Id::try_from(&row[key.len()..]);
            let (Some((channel, number)), Ok(peer)) = (delivery, peer) else {
                continue;
            };
            for member in [None, Some(peer)] {
                let row = sent_row(&channel, number, member);
                let sent = self.store.record::<Sent>(Table::Sent, &row)?;
                if let Some(mut sent) = sent.filter(|sent| sent.failed.is_some()) {
                    sent.failed = None;
                    sent.submitted = false;
                    self.resend(channel, number, sent, false)?;
                    again += 1;
                }
            }
        }
        if again > 0 {
            return Ok(());
        }
        Err(ActError::State {
            name: hex::encode(object.id),
            reason: "no copy of it came back, so there is nothing to send again",
        })
    }
}

/// The Message-IDs that a notification quotes.
fn message_ids(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    let lines = text.lines().filter(|line| {
        line.get(..11)
            .is_some_and(|name| name.eq_ignore_ascii_case("message-id:"))
    });
    let ids = lines.filter_map(|line| line.split_once('<')?.1.split_once('>'));
    ids.map(|(id, _)| id.to_owned()).take(16).collect()
}
