//! `accept`: the answer yes.

use super::RequestRef;
use crate::ForgeError;
use crate::draft::Draft;
use crate::instant::Instant;
use crate::invite::Invite;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// An accept, with everything it names.
    pub fn accept(
        &mut self,
        request: &RequestRef,
        to: &Peer,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        self.accept_invited(request, None, to, now)
    }

    /// An accept of a request that was made from an invite of this person.
    pub fn accept_invited(
        &mut self,
        request: &RequestRef,
        invite: Option<&Invite>,
        to: &Peer,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let proof = invite.map(|invite| invite.accept_proof(request.hash, self.id));
        let payload = Element::new("accept")
            .attribute("nonce", request.nonce)
            .child(Element::new("to").attribute("id", to.id))
            .child(Element::new("request").attribute("hash", request.hash))
            .child(self.credentials())
            .children(proof.map(|proof| Element::new("invite").attribute("proof", proof)));
        let fallback = format!("{} is now your friend.", self.name);
        let accept = self.object(payload, "direct", &fallback, now);
        let mut draft = self.delivery(to, now)?;
        draft.objects = self.credential_objects();
        draft.objects.push(accept.into());
        draft.certificates.push(self.certificate.clone());
        draft.subject = fallback;
        Ok(draft)
    }
}
