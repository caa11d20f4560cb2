//! Acknowledgements.

use crate::ForgeError;
use crate::draft::{Ack, Draft};
use crate::hash::Id128;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;

/// An ack of everything up to a number.
pub fn ack(channel: Id128, upto: i64) -> Ack {
    Ack {
        channel,
        upto,
        highest: upto,
        missing: Vec::new(),
    }
}

impl Puppet {
    /// A bare acknowledgement: no objects, no channel.
    pub fn acknowledge(
        &mut self,
        to: &Peer,
        acks: Vec<Ack>,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let mut draft = self.delivery(to, now)?;
        draft.delivery.acks = acks;
        draft.mail.auto_submitted = Some("auto-generated".to_owned());
        Ok(draft)
    }
}
