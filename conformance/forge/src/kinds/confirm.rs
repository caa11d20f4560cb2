//! `confirm`: the proof that the accept arrived.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a confirm.
    pub fn confirm_object(&mut self, to: &Peer, accept: Hash, now: Instant) -> ObjectDraft {
        let payload = Element::new("confirm")
            .child(Element::new("to").attribute("id", to.id))
            .child(Element::new("accept").attribute("hash", accept));
        let fallback = format!("{} and you are now friends.", self.name);
        self.object(payload, "direct", &fallback, now)
    }

    /// A confirm, first on its channel.
    pub fn confirm(&mut self, to: &Peer, accept: Hash, now: Instant) -> Result<Draft, ForgeError> {
        let confirm = self.confirm_object(to, accept, now);
        let mut draft = self.delivery_on_channel(to, now)?;
        draft.subject.clone_from(&confirm.fallback);
        draft.objects.push(confirm.into());
        Ok(draft)
    }
}
