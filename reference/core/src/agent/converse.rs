//! What the person does in threads: comments, reactions, shares, and moderating one's own
//! (specification, chapter "Comments").

use super::act::unknown;
use super::objects::{Body, Entry, merge_key};
use super::thread::{Key, REPLIES, ROOTS};
use super::{ActError, Id, Step};
use crate::kinds;
use crate::kinds::comment::Under;
use crate::store::Table;

/// An object as the person names it: author and object id.
type Named = (Id, [u8; 16]);

impl Step<'_> {
    pub(super) fn comment(
        &mut self,
        root: Named,
        parent: Option<Named>,
        text: &str,
        private: bool,
    ) -> Result<[u8; 16], ActError> {
        let (root, parent) = self.place(root, parent)?;
        let under = Under {
            root: &root,
            parent: parent.as_ref(),
            private,
        };
        kinds::comment::write(self, &under, text, None)
    }

    pub(super) fn react(
        &mut self,
        root: Named,
        parent: Option<Named>,
        symbols: &[String],
        private: bool,
    ) -> Result<[u8; 16], ActError> {
        let (root, parent) = self.place(root, parent)?;
        let under = Under {
            root: &root,
            parent: parent.as_ref(),
            private,
        };
        kinds::reaction::write(self, &under, symbols)
    }

    pub(super) fn edit_comment(
        &mut self,
        earlier: &Entry,
        text: &str,
    ) -> Result<[u8; 16], ActError> {
        let Body::Comment {
            root,
            parent,
            private,
            ..
        } = &earlier.body
        else {
            return Err(unknown("comment of yours", &earlier.id, "timeline"));
        };
        let named = |key: &Key| (key.author, key.id);
        let (root, parent) = self.place(named(root), parent.as_ref().map(named))?;
        let under = Under {
            root: &root,
            parent: parent.as_ref(),
            private: *private,
        };
        kinds::comment::write(self, &under, text, Some(earlier))
    }

    pub(super) fn share(
        &mut self,
        (author, id): Named,
        text: Option<&str>,
    ) -> Result<[u8; 16], ActError> {
        let missing = || unknown("post", &id, "timeline");
        let post = self.shareable(author, id)?.ok_or_else(missing)?;
        kinds::share::write(self, &post, text, None)
    }

    pub(super) fn edit_share(&mut self, earlier: &Entry, text: &str) -> Result<[u8; 16], ActError> {
        let missing = || unknown("shared post", &earlier.id, "timeline");
        let Body::Share { target, .. } = &earlier.body else {
            return Err(missing());
        };
        let post = self
            .shareable(target.author, target.id)?
            .ok_or_else(missing)?;
        kinds::share::write(self, &post, Some(text), Some(earlier))
    }

    pub(super) fn hide_reply(&mut self, (author, id): Named) -> Result<[u8; 16], ActError> {
        let missing = || unknown("comment or reaction under a post of yours", &id, "thread");
        let target = self.present(author, &REPLIES, id)?.ok_or_else(missing)?;
        let root = target
            .body
            .root()
            .filter(|root| root.author == self.own.id)
            .ok_or_else(missing)?;
        let root = self.entry(&root.merge_key())?.ok_or_else(missing)?;
        kinds::hide::write(self, &root, &target)
    }

    pub(super) fn allow_relaying(&mut self, id: [u8; 16], allow: bool) -> Result<(), ActError> {
        let missing = || unknown("post or share of yours", &id, "timeline");
        let root = self.present(self.own.id, &ROOTS, id)?.ok_or_else(missing)?;
        if allow {
            self.store.delete(Table::Stopped, root.key());
        } else {
            self.store.put(Table::Stopped, root.key(), Vec::new());
        }
        Ok(())
    }

    /// The root and parent that the person names.
    fn place(
        &self,
        root: Named,
        parent: Option<Named>,
    ) -> Result<(Entry, Option<Entry>), ActError> {
        let entry = self
            .present(root.0, &ROOTS, root.1)?
            .ok_or_else(|| unknown("post or share", &root.1, "timeline"))?;
        let Some((author, id)) = parent else {
            return Ok((entry, None));
        };
        let here = |parent: &Entry| parent.body.root() == Some(&Key::from(&entry));
        let parent = self
            .present(author, &["comment"], id)?
            .filter(here)
            .ok_or_else(|| unknown("comment under this", &id, "thread"))?;
        Ok((entry, Some(parent)))
    }

    /// An object that is there and was not taken back.
    fn present(&self, author: Id, kinds: &[&str], id: [u8; 16]) -> Result<Option<Entry>, ActError> {
        for kind in kinds {
            let entry = self.entry(&merge_key(author, kind, id))?;
            if let Some(entry) = entry.filter(|entry| !entry.retracted) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}
