//! `decline`: the answer no, where the person wants to tell.

use super::RequestRef;
use crate::ForgeError;
use crate::draft::Draft;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// A decline, with everything it names.
    pub fn decline(
        &mut self,
        request: &RequestRef,
        to: &Peer,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let payload = Element::new("decline")
            .child(Element::new("to").attribute("id", to.id))
            .child(Element::new("request").attribute("hash", request.hash))
            .child(self.credentials());
        let fallback = format!("{} says no to your request.", self.name);
        let decline = self.object(payload, "direct", &fallback, now);
        let mut draft = self.delivery(to, now)?;
        draft.objects = self.credential_objects();
        draft.objects.push(decline.into());
        draft.certificates.push(self.certificate.clone());
        draft.subject = fallback;
        Ok(draft)
    }
}
