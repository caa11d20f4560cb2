//! `introduce`: hands a friend the credentials of another friend.

use crate::ForgeError;
use crate::draft::Draft;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// An introduction, with everything it names.
    pub fn introduce(
        &mut self,
        to: &Peer,
        person: &Puppet,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let payload = Element::new("introduce")
            .child(Element::new("to").attribute("id", to.id))
            .child(Element::new("person").attribute("id", person.id))
            .child(person.credentials());
        let fallback = format!("{} introduces {} to you.", self.name, person.name);
        let introduce = self.object(payload, "direct", &fallback, now);
        let mut draft = self.delivery_on_channel(to, now)?;
        draft.objects = person.credential_objects();
        draft.objects.push(introduce.into());
        draft.certificates.push(person.certificate.clone());
        draft.subject = fallback;
        Ok(draft)
    }
}
