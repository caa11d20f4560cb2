//! Objects of kinds that no version will ever define.

use crate::draft::ObjectDraft;
use crate::instant::Instant;
use crate::puppet::Puppet;
use crate::xml::{Element, NEVER_ASSIGNED};

impl Puppet {
    /// An object of a kind that nobody knows, for all friends.
    pub fn foreign_object(&mut self, text: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("x:wave")
            .attribute("xmlns:x", NEVER_ASSIGNED)
            .child(Element::new("x:hand").text("left"));
        let fallback = format!("{} waves: {text}", self.name);
        self.object(payload, "friends", &fallback, now)
    }
}
