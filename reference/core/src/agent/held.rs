//! Held objects, judged again when what was missing arrived (specification, chapter "Receiving").

use super::objects::Sender;
use super::peer::{Part, Parts, Peer};
use super::{AgentError, Failure, Id, Step};
use crate::kinds;
use crate::store::{Read, Table, successor};
use crate::wire::signed::Signed;

impl Step<'_> {
    /// Judges again what a friend sent that could not be judged before.
    pub(crate) fn release_held(&mut self, peer: &Peer) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Held, &peer.id, &successor(&peer.id), usize::MAX)?;
        for (key, _) in rows {
            self.release(&key)?;
        }
        Ok(())
    }

    /// Judges one held object again.
    pub(crate) fn release(&mut self, key: &[u8]) -> Result<(), AgentError> {
        let held = self.store.get(Table::Held, key)?;
        let sender = key.get(..32).and_then(|id| Id::try_from(id).ok());
        let sender = sender.map(|id| self.peer(id)).transpose()?.flatten();
        let (Some(message), Some(peer)) = (held, sender) else {
            return Ok(());
        };
        self.store.delete(Table::Held, key);
        let Ok(signed) = Signed::parse(self.gate, &message) else {
            return Ok(());
        };
        let object = kinds::decode(self.gate, &signed.octets);
        let part = Ok(Part { signed, object });
        let none = Parts {
            objects: Vec::new(),
            certificates: Vec::new(),
            media: Vec::new(),
        };
        let sender = Sender::of(peer, None);
        match self.judge_object(&part, &none, &sender, false) {
            Ok(_) | Err(Failure::Violation(_)) => {}
            Err(Failure::Agent(error)) => return Err(error),
        }
        Ok(())
    }
}
