//! Self-copies: what a device of a person tells the person's other devices.

use crate::ForgeError;
use crate::draft::{Draft, SignedObject};
use crate::hash::{Id128, IdentityId};
use crate::instant::Instant;
use crate::openpgp::{SignSpec, Subpacket};
use crate::puppet::Puppet;
use crate::xml::{Element, NAMESPACE};

impl Puppet {
    /// A self-copy of another device of this person, which sent an object to somebody and got
    /// another one a minute before.
    pub fn self_copy(
        &mut self,
        sent: SignedObject,
        to: IdentityId,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let me = self.peer();
        let mut draft = self.delivery(&me, now)?;
        let sign = SignSpec::new(&self.key, now).purpose("self");
        let primary = &me.recipient()?.primary;
        draft.envelope.signatures = vec![sign.hashed(Subpacket::intended(primary))];
        let to = Element::new("to").attribute("id", to);
        let told = Element::new("sent").attribute("hash", sent.hash).child(to);
        let seen = Element::new("seen")
            .attribute("hash", crate::Hash::of("an object that was accepted"))
            .attribute("at", (now - 60).xml());
        let document = Element::new("self")
            .attribute("xmlns", NAMESPACE)
            .attribute("id", self.id)
            .attribute("device", Id128::random(&mut self.rng))
            .attribute("seq", 1)
            .attribute("created", now.xml())
            .child(Element::new("name").text("laptop"))
            .child(told)
            .child(seen);
        draft.delivery.root.set(move |_| document.clone());
        draft.subject.clone_from(&sent.fallback);
        draft.objects.push(sent.into());
        Ok(draft)
    }
}
