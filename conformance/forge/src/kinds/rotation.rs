//! `identity` and `contact` on their way to friends: rotations and moves.

use crate::ForgeError;
use crate::draft::{Draft, Item};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;

impl Puppet {
    /// Takes the next key, and tells a friend: entry, contact and certificate.
    pub fn rotation(
        &mut self,
        to: &Peer,
        compromised: &[i64],
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        self.rotate(now, compromised);
        let entry = self.chain.last().cloned().map(Item::Signed);
        let mut draft = self.renewal(to, now)?;
        draft.objects.splice(0..0, entry);
        Ok(draft)
    }

    /// Moves to another address, and tells a friend.
    pub fn moved(&mut self, to: &Peer, address: &str, now: Instant) -> Result<Draft, ForgeError> {
        address.clone_into(&mut self.address);
        self.renew_contact(now);
        self.renewal(to, now)
    }

    /// A delivery of the contact, with the certificate.
    fn renewal(&mut self, to: &Peer, now: Instant) -> Result<Draft, ForgeError> {
        let mut draft = self.delivery_on_channel(to, now)?;
        draft.objects.push(self.contact.clone().into());
        draft.certificates.push(self.certificate.clone());
        draft.subject.clone_from(&self.contact.fallback);
        Ok(draft)
    }
}
