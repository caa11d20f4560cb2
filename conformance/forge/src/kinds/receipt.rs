//! `receipt`: tells the author of messages that they arrived or were read.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a receipt.
    pub fn receipt_object(
        &mut self,
        to: &Peer,
        delivered: &[Hash],
        seen: &[Hash],
        now: Instant,
    ) -> ObjectDraft {
        let named = |name: &'static str, hashes: &[Hash]| -> Vec<Element> {
            let one = |hash: &Hash| Element::new(name).attribute("hash", hash);
            hashes.iter().map(one).collect()
        };
        let payload = Element::new("receipt")
            .child(Element::new("to").attribute("id", to.id))
            .children(named("delivered", delivered))
            .children(named("seen", seen));
        let fallback = format!("{} received your messages.", self.name);
        self.object(payload, "direct", &fallback, now)
    }

    /// A receipt.
    pub fn receipt(
        &mut self,
        to: &Peer,
        delivered: &[Hash],
        seen: &[Hash],
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let receipt = self.receipt_object(to, delivered, seen, now);
        self.carry(to, vec![receipt], now)
    }
}
