//! `end`: the end of a friendship, or of a request.

use crate::ForgeError;
use crate::draft::Draft;
use crate::hash::Hash;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// An end of the handshake with these requests.
    pub fn end(&mut self, to: &Peer, requests: &[Hash], now: Instant) -> Result<Draft, ForgeError> {
        let requests = requests.iter();
        let payload = Element::new("end")
            .child(Element::new("to").attribute("id", to.id))
            .children(requests.map(|hash| Element::new("request").attribute("hash", hash)));
        let fallback = format!("{} ends the friendship.", self.name);
        let end = self.object(payload, "direct", &fallback, now);
        let mut draft = self.delivery_on_channel(to, now)?;
        draft.subject = fallback;
        draft.objects.push(end.into());
        Ok(draft)
    }
}
