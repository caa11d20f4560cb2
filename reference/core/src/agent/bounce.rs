//! Delivery status notifications (RFC 3464) change the delivery state of one copy, nothing else
//! (specification, section "Mail that is not from people" of chapter "Delivery").

use kith_spec::req;

use super::channel::Sent;
use super::{AgentError, Event, Step};
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
            let reason = "the mail came back".to_owned();
            sent.failed = Some(reason.clone());
            let to = self.shown_name(sent.to)?;
            self.store.set(Table::Sent, key, &sent)?;
            self.events.push(Event::Undelivered { to, reason });
        }
        Ok(())
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
