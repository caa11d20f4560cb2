//! `hide`: the author of a root no longer shows something under it.

use super::RevisionRef;
use crate::draft::ObjectDraft;
use crate::instant::Instant;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// The object of a hide.
    pub fn hide_object(
        &mut self,
        root: &RevisionRef,
        target: &RevisionRef,
        now: Instant,
    ) -> ObjectDraft {
        let payload = Element::new("hide")
            .child(root.key("root"))
            .child(target.key("target"));
        let fallback = format!("{} hides a {}.", self.name, target.kind);
        self.object(payload, "friends", &fallback, now)
    }
}
