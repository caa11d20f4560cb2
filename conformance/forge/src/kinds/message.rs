//! `message`: what one person writes to one other.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a message.
    pub fn message_object(
        &mut self,
        to: &Peer,
        text: &str,
        parent: Option<Hash>,
        now: Instant,
    ) -> ObjectDraft {
        let parent = parent.map(|hash| Element::new("parent").attribute("hash", hash));
        let payload = Element::new("message")
            .child(Element::new("to").attribute("id", to.id))
            .children(parent)
            .child(Element::new("text").text(text));
        let fallback = format!("{} writes: {text}", self.name);
        self.object(payload, "direct", &fallback, now)
    }

    /// A message.
    pub fn message(&mut self, to: &Peer, text: &str, now: Instant) -> Result<Draft, ForgeError> {
        let message = self.message_object(to, text, None, now);
        self.carry(to, vec![message], now)
    }

    /// A delivery on the channel with these objects.
    pub fn carry(
        &mut self,
        to: &Peer,
        objects: Vec<ObjectDraft>,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let mut draft = self.delivery_on_channel(to, now)?;
        if let Some(first) = objects.first() {
            draft.subject = first.fallback.lines().next().unwrap_or_default().to_owned();
        }
        draft.objects = objects.into_iter().map(Into::into).collect();
        Ok(draft)
    }
}
