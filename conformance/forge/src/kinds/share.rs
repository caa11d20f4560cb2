//! `share`: a public post of somebody else, with words of one's own.

use super::RevisionRef;
use crate::ForgeError;
use crate::draft::{Draft, Item, ObjectDraft, SignedObject};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// A post for everybody.
    pub fn public_post_object(&mut self, text: &str, now: Instant) -> ObjectDraft {
        let mut post = self.post_object(text, now);
        "public".clone_into(&mut post.audience);
        post
    }

    /// The object of a share.
    pub fn share_object(&mut self, target: &RevisionRef, text: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("share")
            .child(target.element("target"))
            .child(Element::new("text").text(text));
        let fallback = format!("{} shared a post: {text}", self.name);
        self.object(payload, "friends", &fallback, now)
    }

    /// The copy of a share for one friend, with the post that it shares.
    pub fn share(
        &mut self,
        to: &Peer,
        (author, post): (&Puppet, &SignedObject),
        text: &str,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let share = self.share_object(&RevisionRef::of(post, "post"), text, now);
        let mut draft = self.carry(to, Vec::new(), now)?;
        draft.subject.clone_from(&share.fallback);
        draft.objects = author.chain.iter().cloned().map(Item::Signed).collect();
        draft.objects.push(post.clone().into());
        draft.objects.push(share.into());
        Ok(draft)
    }
}
