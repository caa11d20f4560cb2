//! `retract`: takes back an object of its own author.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::{Id128, IdentityId};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a retract, with the audience of its target.
    pub fn retract_object(
        &mut self,
        target: (IdentityId, Id128),
        kind: &str,
        audience: &str,
        now: Instant,
    ) -> ObjectDraft {
        let (author, id) = target;
        let target = Element::new("target")
            .attribute("author", author)
            .attribute("id", id)
            .attribute("kind", kind);
        let payload = Element::new("retract").child(target);
        let fallback = format!("{} takes back what was said.", self.name);
        self.object(payload, audience, &fallback, now)
    }

    /// A retract of a message or post.
    pub fn retract(
        &mut self,
        to: &Peer,
        target: &ObjectDraft,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let (key, kind) = ((target.author, target.id), target.payload.name.clone());
        let retract = self.retract_object(key, &kind, &target.audience, now);
        self.carry(to, vec![retract], now)
    }
}
