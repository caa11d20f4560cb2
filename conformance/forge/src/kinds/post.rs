//! `post`: what a person tells all friends.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a post.
    pub fn post_object(&mut self, text: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("post").child(Element::new("text").text(text));
        let fallback = format!("{} posted: {text}", self.name);
        self.object(payload, "friends", &fallback, now)
    }

    /// The copy of a new post for one friend.
    pub fn post(&mut self, to: &Peer, text: &str, now: Instant) -> Result<Draft, ForgeError> {
        let post = self.post_object(text, now);
        self.carry(to, vec![post], now)
    }

    /// The next revision of a message or post with another text.
    #[must_use]
    pub fn edited(&self, object: &ObjectDraft, text: &str, now: Instant) -> ObjectDraft {
        let mut object = object.clone();
        object.rev += 1;
        object.created = now;
        if let Some(element) = object.payload.find("text") {
            element.set_text(text);
        }
        object.fallback = format!("{} changed it to: {text}", self.name);
        object
    }
}
