//! `comment` and `reaction`: what is said under a post or share, and its way
//! through the author of that.

use crate::ForgeError;
use crate::draft::{Draft, Item, ObjectDraft, SignedObject};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::kinds::Group;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

/// One revision of an object, as comments, reactions and shares name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRef {
    /// Its author.
    pub author: IdentityId,
    /// Its id.
    pub id: Id128,
    /// Its kind.
    pub kind: String,
    /// The object hash of the revision.
    pub hash: Hash,
}

impl RevisionRef {
    /// The reference to a signed object of this kind.
    pub fn of(object: &SignedObject, kind: &str) -> Self {
        let (author, id) = object.key;
        Self {
            author,
            id,
            kind: kind.to_owned(),
            hash: object.hash,
        }
    }

    /// An element that names the revision.
    pub fn element(&self, name: &str) -> Element {
        self.key(name).attribute("hash", self.hash)
    }

    /// An element that names the object whatever its revision.
    pub fn key(&self, name: &str) -> Element {
        Element::new(name)
            .attribute("author", self.author)
            .attribute("id", self.id)
            .attribute("kind", &self.kind)
    }

    /// The id of anybody's reaction to it.
    pub fn reaction_id(&self) -> Id128 {
        let target = [&self.author.0[..], &self.id.0, self.kind.as_bytes()].concat();
        Id128::derived("reaction", &target)
    }
}

impl Puppet {
    /// A comment on a root or on a comment under it, with consent to relaying
    /// among friends.
    pub fn comment_object(
        &mut self,
        root: &RevisionRef,
        parent: Option<&RevisionRef>,
        text: &str,
        now: Instant,
    ) -> ObjectDraft {
        let payload = self
            .reply("comment", root, parent)
            .child(Element::new("text").text(text));
        let fallback = format!("{} commented: {text}", self.name);
        self.object(payload, "friends", &fallback, now)
    }

    /// The first revision of a reaction to a root or to a comment under it.
    pub fn reaction_object(
        &mut self,
        root: &RevisionRef,
        parent: Option<&RevisionRef>,
        symbols: &[&str],
        now: Instant,
    ) -> ObjectDraft {
        let symbol = |symbol: &&str| Element::new("symbol").text(*symbol);
        let payload = self
            .reply("reaction", root, parent)
            .children(symbols.iter().map(symbol));
        let fallback = format!("{} reacted: {}", self.name, symbols.join(" "));
        let object = self.object(payload, "friends", &fallback, now);
        ObjectDraft {
            id: parent.unwrap_or(root).reaction_id(),
            ..object
        }
    }

    /// A comment on a post of a group, for all its members.
    pub fn group_comment_object(
        &mut self,
        group: &Group,
        root: &RevisionRef,
        text: &str,
        now: Instant,
    ) -> ObjectDraft {
        let comment = self.comment_object(root, None, text, now);
        ObjectDraft {
            audience: "group".to_owned(),
            scope: Some(group.scope()),
            ..comment
        }
    }

    fn reply(&self, kind: &str, root: &RevisionRef, parent: Option<&RevisionRef>) -> Element {
        Element::new(kind)
            .child(root.element("root"))
            .children(parent.map(|parent| parent.element("parent")))
            .child(Element::new("name").text(&self.name))
    }

    /// A retract of a comment under a root.
    pub fn comment_retract_object(
        &mut self,
        comment: (IdentityId, Id128),
        root: &RevisionRef,
        now: Instant,
    ) -> ObjectDraft {
        let mut retract = self.retract_object(comment, "comment", "friends", now);
        retract.payload = retract.payload.child(root.key("root"));
        retract
    }

    /// A delivery that relays what somebody said, with that person's chain.
    pub fn relay(
        &mut self,
        to: &Peer,
        author: &Puppet,
        said: impl Into<Item>,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let mut draft = self.delivery_on_channel(to, now)?;
        draft.objects = author.chain.iter().cloned().map(Item::Signed).collect();
        draft.objects.push(said.into());
        Ok(draft)
    }
}
