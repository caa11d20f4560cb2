//! Media (specification, section "Media" of chapter "Posts to friends").

use kith_schemas::types::{self, Payload};
use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::media::{self, INLINE};
use crate::agent::objects::{Entry, merge_key};
use crate::agent::{AgentError, Id};
use crate::kinds;
use crate::store::{Read, Table};

/// A picture, sound, video or file of a post, message or profile.
#[derive(Debug, Clone, Serialize)]
pub struct Medium {
    /// The SHA-256 of its octets, or of those at its source, in hex.
    pub hash: String,
    /// The number of these octets.
    pub size: u64,
    /// The media type.
    pub media_type: String,
    /// The name of the file, as its author says.
    pub name: Option<String>,
    /// Width and height in pixels.
    pub dimensions: Option<(u16, u16)>,
    /// What stands for it where it is not seen or heard.
    pub alt: Option<String>,
    /// What stands below it.
    pub caption: Option<String>,
    /// Where it can be fetched, if it doesn't travel in mail.
    pub href: Option<String>,
    /// Whether what is there is encrypted.
    pub encrypted: bool,
    /// Whether its octets are here.
    pub available: bool,
    /// Whether the octets of its thumbnail are here.
    pub thumbnail: bool,
    /// Whether it may be shown or played without asking.
    pub inline: bool,
}

impl View<'_> {
    pub(super) fn payload(&self, entry: &Entry) -> Result<Option<Payload>, AgentError> {
        let message = self.store.get(Table::Octets, &entry.hash)?;
        let object = message.and_then(|message| kinds::document(&message));
        Ok(object.map(|object| object.payload))
    }

    pub(super) fn media(&self, entry: &Entry) -> Result<Vec<Medium>, AgentError> {
        let Some(payload) = self.payload(entry)? else {
            return Ok(Vec::new());
        };
        let media = media::of(&payload).iter();
        media.map(|one| self.medium(entry, one)).collect()
    }

    fn medium(&self, entry: &Entry, medium: &types::Media) -> Result<Medium, AgentError> {
        let text = |text: &Option<types::Caption>| text.as_ref().map(ToString::to_string);
        let pixels = |one: &Option<types::Dimension>| one.as_ref().map(|pixels| pixels.get());
        let key = entry.key();
        let kept = |hash: Id| media::is_kept(&self.store, entry.author, hash, &key);
        let media_type = medium.r#type.to_string();
        Ok(Medium {
            hash: medium.hash.to_string(),
            size: medium.size.get(),
            inline: INLINE.contains(&media_type.as_str())
                || !self.gate.enforces(&req::MEDIA_INLINE),
            media_type,
            name: medium.name.as_ref().map(ToString::to_string),
            dimensions: pixels(&medium.width).zip(pixels(&medium.height)),
            alt: text(&medium.alt),
            caption: text(&medium.caption),
            href: medium.source.as_ref().map(|source| source.href.to_string()),
            encrypted: medium
                .source
                .as_ref()
                .is_some_and(|source| source.password.is_some()),
            available: kept(medium.hash.0)?,
            thumbnail: match &medium.thumbnail {
                Some(thumbnail) => kept(thumbnail.hash.0)?,
                None => false,
            },
        })
    }

    /// The octets of a medium of a post or message, if they are here: by author, object id and
    /// position from 0. With `thumbnail`, those of its thumbnail.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn octets(
        &self,
        author: Id,
        id: [u8; 16],
        position: usize,
        thumbnail: bool,
    ) -> Result<Option<Vec<u8>>, AgentError> {
        for kind in ["post", "message", "field"] {
            let key = merge_key(author, kind, id);
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            let Some(payload) = self.payload(&entry)? else {
                continue;
            };
            let Some(medium) = media::of(&payload).get(position) else {
                continue;
            };
            let hash = match &medium.thumbnail {
                Some(preview) if thumbnail => preview.hash.0,
                None if thumbnail => return Ok(None),
                _ => medium.hash.0,
            };
            if media::is_kept(&self.store, author, hash, &key)? {
                return media::kept(&self.store, author, hash);
            }
        }
        Ok(None)
    }
}
