//! What is protected after quantum computers: never less than somebody declared, and shown to the
//! person (specification, chapter "Post-quantum keys").

use kith_spec::req;

use super::peer::Peer;
use super::{AgentError, Event, Id, Step};
use crate::store::{Read, Table};

/// What the person reads when nothing can be sent.
pub(crate) const WITHHELD: &str = "the contact promises a post-quantum key, and the certificate has \
     no valid one any more; wait until this person has renewed it";

impl Step<'_> {
    /// Whether nothing can be sent because one of the recipients declared a post-quantum subkey and
    /// has none. The person is told.
    pub(crate) fn is_withheld(&mut self, recipients: &[Peer]) -> Result<bool, AgentError> {
        let now = self.now;
        let lost = recipients.iter().find(|peer| {
            let certificate = peer.certificate();
            peer.protected && !certificate.is_some_and(|known| known.is_protected(now))
        });
        let Some(peer) = lost.filter(|_| self.gate.enforces(&req::PQ_NO_DOWNGRADE)) else {
            return Ok(false);
        };
        let name = self.shown_name(peer.id)?;
        self.events.push(Event::Withheld {
            name,
            why: WITHHELD.to_owned(),
        });
        Ok(true)
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
}
