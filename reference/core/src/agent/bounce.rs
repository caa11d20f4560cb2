//! Delivery status notifications (RFC 3464) change the delivery state of one copy, nothing else
//! (specification, section "Mail that is not from people" of chapter "Delivery").

use kith_spec::req;

use super::channel::{Sent, sent_row};
use super::objects::Entry;
use super::outbox::Recipient;
use super::relation::Asked;
use super::tick::Due;
use super::{ActError, AgentError, DAY, Event, Id, Step};
use crate::store::{Read, Table, successor};
use crate::wire::mime::Entity;

/// What stands before the hash of a request whose mail may come back.
const REQUEST: &[u8] = b"request ";
/// Days for which a notification about a group mail or a request is awaited.
const AWAITED: i64 = 30;

impl Step<'_> {
    /// Notes that a copy came back, if the notification holds the Message-ID of one that is open.
    pub(super) fn note_bounce(&mut self, octets: &[u8]) -> Result<(), AgentError> {
        let Some(report) = Entity::parse(octets).filter(|mail| mail.root == "multipart/report")
        else {
            return Ok(());
        };
        let status = report.of_type("message/delivery-status").next();
        let status = status.map(|leaf| String::from_utf8_lossy(&leaf.content).to_lowercase());
        let failed = status.as_ref().is_some_and(|text| {
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
            match key.strip_prefix(REQUEST) {
                Some(request) => self.request_came_back(request)?,
                None => self.copy_came_back(&key, status.as_deref().unwrap_or_default())?,
            }
        }
        Ok(())
    }

    /// Awaits a notification about a mail, for a row of [`Table::Sent`] or one of [`request_row`].
    pub(super) fn await_bounce(
        &mut self,
        message_id: &str,
        row: Vec<u8>,
    ) -> Result<(), AgentError> {
        self.store.put(Table::MessageId, message_id.as_bytes(), row);
        let message_id = message_id.to_owned();
        self.due(self.now + AWAITED * DAY, &Due::ForgetMail { message_id })
    }

    /// A request came back: nobody has that address, or not now.
    fn request_came_back(&mut self, request: &[u8]) -> Result<(), AgentError> {
        let Some(mut asked) = self.store.record::<Asked>(Table::Asked, request)? else {
            return Ok(());
        };
        let reason =
            "the mail came back; check the address, and send the request again or withdraw it";
        asked.failed = Some(reason.to_owned());
        self.store.set(Table::Asked, request, &asked)?;
        self.events.push(Event::Undelivered {
            to: asked.address,
            reason: reason.to_owned(),
            again: false,
        });
        Ok(())
    }

    /// A copy came back: that to one person, or those to the members of a group whom the
    /// notification names.
    fn copy_came_back(&mut self, key: &[u8], status: &str) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Sent, key, &successor(key), usize::MAX)?;
        for (row, _) in rows {
            let Some(mut sent) = self.store.record::<Sent>(Table::Sent, &row)? else {
                continue;
            };
            let peer = self.peer(sent.to)?;
            let named = |address: &String| status.contains(&address.to_lowercase());
            let named = peer.is_some_and(|peer| peer.addresses.iter().any(named));
            if sent.group.is_some() && !named {
                continue;
            }
            let (reason, again) = ("the mail came back".to_owned(), true);
            sent.failed = Some(reason.clone());
            let to = self.shown_name(sent.to)?;
            self.store.set(Table::Sent, row, &sent)?;
            self.events.push(Event::Undelivered { to, reason, again });
        }
        Ok(())
    }

    /// Sends the copies of an own object again that came back or were refused, because the person
    /// wants it (`send.permanent`).
    pub(super) fn resend_failed(&mut self, object: &Entry) -> Result<(), ActError> {
        let key = object.key();
        let mut again = 0;
        for (row, recipient) in self.store.records::<Recipient>(Table::Audience, &key)? {
            let peer = Id::try_from(&row[key.len()..]);
            let (Some((channel, number)), Ok(peer)) = (recipient.carrier(), peer) else {
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

/// What stands in [`Table::MessageId`] for the mail of an own request.
pub(super) fn request_row(request: Id) -> Vec<u8> {
    [REQUEST, &request].concat()
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
