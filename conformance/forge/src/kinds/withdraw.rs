//! `withdraw`: takes an object back from one person.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a withdraw of everything up to the target's revision.
    pub fn withdraw_object(
        &mut self,
        to: &Peer,
        target: &ObjectDraft,
        kind: &str,
        now: Instant,
    ) -> ObjectDraft {
        let named = Element::new("target")
            .attribute("author", target.author)
            .attribute("id", target.id)
            .attribute("kind", kind);
        let payload = Element::new("withdraw")
            .attribute("upto", target.rev)
            .child(Element::new("to").attribute("id", to.id))
            .child(named);
        let fallback = format!("{} took back a {kind}.", self.name);
        self.object(payload, "direct", &fallback, now)
    }

    /// A withdraw of a post.
    pub fn withdraw(
        &mut self,
        to: &Peer,
        target: &ObjectDraft,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let withdraw = self.withdraw_object(to, target, "post", now);
        self.carry(to, vec![withdraw], now)
    }
}
