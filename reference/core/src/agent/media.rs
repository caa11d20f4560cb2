//! Media: the octets that objects refer to by hash (specification, sections "Media" and "Large
//! media" of chapter "Posts to friends").
//!
//! Octets are kept under their author and hash, with a row for every object that refers to them,
//! and go when the last of these goes.

use kith_schemas::types;
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::objects::{Entry, merge_key};
use super::peer::Parts;
use super::{ActError, AgentError, Failure, Id, Step};
use crate::gate::{Gate, Violation};
use crate::store::{Read, Table, Transaction, successor};
use crate::wire::{self, locked};

/// The types that are shown or played without asking (`media.inline`).
pub const INLINE: [&str; 10] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "video/mp4",
    "video/webm",
];
/// The types of thumbnails and photos.
pub(crate) const PICTURES: [&str; 2] = ["image/jpeg", "image/png"];

/// What the person adds to a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// The media type, in lower case without parameters.
    pub media_type: String,
    /// Where the octets are.
    pub content: Content,
    /// The name of the file.
    pub name: Option<String>,
    /// Width and height in pixels.
    pub dimensions: Option<(u16, u16)>,
    /// What stands for it where it is not seen or heard.
    pub alt: Option<String>,
    /// What stands below it.
    pub caption: Option<String>,
    /// A small picture: its octets, media type, width and height.
    pub thumbnail: Option<Preview>,
}

/// A small picture that stands for a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The octets.
    pub octets: Vec<u8>,
    /// The media type.
    pub media_type: String,
    /// Width and height in pixels.
    pub dimensions: (u16, u16),
}

/// Where the octets of an attachment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// They go along.
    Octets(Vec<u8>),
    /// They are on a server.
    Linked {
        /// Where: an `https` URI.
        href: String,
        /// The password of the OpenPGP message that they are.
        password: Option<String>,
        /// Their SHA-256.
        hash: Id,
        /// Their number.
        size: u64,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Octets(Vec::new())
    }
}

/// Octets on their way.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The SHA-256 of the octets.
    pub hash: Id,
    /// The media type.
    pub media_type: String,
    /// The name of the file.
    pub name: Option<String>,
    /// The octets.
    pub octets: Vec<u8>,
}

/// A reference to octets that travel in mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Need {
    #[serde(with = "hex::serde")]
    pub(crate) hash: Id,
    pub(crate) size: u64,
    pub(crate) media_type: String,
    pub(crate) name: Option<String>,
}

/// The parts that an object's media need: their octets, unless they are on a server, and their
/// thumbnails.
pub(crate) fn needs(media: &[types::Media]) -> Vec<Need> {
    let mut needs = Vec::new();
    for medium in media {
        if medium.source.is_none() {
            needs.push(Need {
                hash: medium.hash.0,
                size: medium.size.get(),
                media_type: medium.r#type.to_string(),
                name: medium.name.as_ref().map(ToString::to_string),
            });
        }
        needs.extend(medium.thumbnail.as_ref().map(|thumbnail| Need {
            hash: thumbnail.hash.0,
            size: thumbnail.size.get(),
            media_type: thumbnail.r#type.to_string(),
            name: None,
        }));
    }
    needs
}

/// The media of a payload.
pub(crate) fn of(payload: &types::Payload) -> &[types::Media] {
    match payload {
        types::Payload::Post(post) => &post.media,
        types::Payload::Message(message) => &message.media,
        types::Payload::Field(field) => match &field.property {
            types::Property::Photo(photo) => photo.media.as_slice(),
            _ => &[],
        },
        _ => &[],
    }
}

/// What the schema can't say about media.
pub(crate) fn check(gate: &dyn Gate, media: &[types::Media]) -> Result<(), Violation> {
    for medium in media {
        let fits = medium.source.is_some() || medium.size.get() <= limit::MEDIA_OCTETS;
        gate.check(&req::MEDIA_TOO_LARGE, fits)?;
        if let Some(thumbnail) = &medium.thumbnail {
            let small = thumbnail.size.get() <= limit::THUMBNAIL_OCTETS;
            let picture = PICTURES.contains(&thumbnail.r#type.as_str());
            gate.check(&req::MEDIA_THUMBNAIL, small && picture)?;
        }
    }
    Ok(())
}

fn media_key(author: Id, hash: Id) -> Vec<u8> {
    [author, hash].concat()
}

/// The octets of a medium, if they are kept.
pub(crate) fn kept(
    store: &Transaction<'_>,
    author: Id,
    hash: Id,
) -> Result<Option<Vec<u8>>, AgentError> {
    Ok(store.get(Table::Media, &media_key(author, hash))?)
}

/// Whether the octets of a medium are there for the object with this merge key, without reading
/// them.
pub(crate) fn is_kept(
    store: &Transaction<'_>,
    author: Id,
    hash: Id,
    object: &[u8],
) -> Result<bool, AgentError> {
    let key = [&media_key(author, hash), object].concat();
    Ok(store.get(Table::MediaUse, &key)?.as_deref() == Some(&[1]))
}

/// What is wrong with something that shall be sent.
fn unfit(what: impl std::fmt::Display) -> ActError {
    ActError::Media(what.to_string())
}

impl Step<'_> {
    /// The media of an own object; their octets are kept.
    ///
    /// # Errors
    ///
    /// [`ActError::Media`] when one can't be sent.
    pub(crate) fn attach(
        &mut self,
        attachments: &[Attachment],
    ) -> Result<Vec<types::Media>, ActError> {
        attachments.iter().map(|one| self.attach_one(one)).collect()
    }

    fn attach_one(&mut self, one: &Attachment) -> Result<types::Media, ActError> {
        let (hash, size, source) = match &one.content {
            Content::Octets(octets) => {
                let hash = self.keep_own_octets(octets, limit::MEDIA_OCTETS)?;
                (hash, octets.len() as u64, None)
            }
            Content::Linked {
                href,
                password,
                hash,
                size,
            } => {
                let password = password.as_deref().map(types::MediaPassword::new);
                let source = types::Source {
                    href: types::HttpsAddress::new(href.as_str()).map_err(unfit)?,
                    password: password.transpose().map_err(unfit)?,
                };
                (*hash, *size, Some(source))
            }
        };
        let thumbnail = match &one.thumbnail {
            Some(preview) => Some(self.attach_preview(preview)?),
            None => None,
        };
        let text = |text: &Option<String>| text.as_deref().map(types::Caption::new).transpose();
        let pixels = |pixels| types::Dimension::new(pixels).map_err(unfit);
        Ok(types::Media {
            hash: hash.into(),
            size: types::MediaSize::new(size).map_err(unfit)?,
            r#type: types::MediaType::new(one.media_type.as_str()).map_err(unfit)?,
            name: one
                .name
                .as_deref()
                .map(types::FileName::new)
                .transpose()
                .map_err(unfit)?,
            width: one.dimensions.map(|(width, _)| pixels(width)).transpose()?,
            height: one
                .dimensions
                .map(|(_, height)| pixels(height))
                .transpose()?,
            alt: text(&one.alt).map_err(unfit)?,
            caption: text(&one.caption).map_err(unfit)?,
            thumbnail,
            source,
        })
    }

    fn attach_preview(&mut self, preview: &Preview) -> Result<types::Thumbnail, ActError> {
        let (width, height) = preview.dimensions;
        Ok(types::Thumbnail {
            hash: self
                .keep_own_octets(&preview.octets, limit::THUMBNAIL_OCTETS)?
                .into(),
            size: types::MediaSize::new(preview.octets.len() as u64).map_err(unfit)?,
            r#type: types::MediaType::new(preview.media_type.as_str()).map_err(unfit)?,
            width: Some(types::Dimension::new(width).map_err(unfit)?),
            height: Some(types::Dimension::new(height).map_err(unfit)?),
        })
    }

    fn keep_own_octets(&mut self, octets: &[u8], most: u64) -> Result<Id, ActError> {
        if octets.is_empty() {
            return Err(unfit("it is empty"));
        }
        if octets.len() as u64 > most {
            return Err(unfit(format_args!(
                "it has {} octets, and {most} are the most in a mail; put it on a server and link to it",
                octets.len()
            )));
        }
        // A receiver would take it for a second envelope (`mail.one-envelope`).
        if octets.starts_with(b"-----BEGIN PGP MESSAGE") {
            return Err(unfit(
                "it is an armored OpenPGP message; pack it into an archive",
            ));
        }
        let hash = wire::sha256(octets);
        self.store
            .put(Table::Media, media_key(self.own.id, hash), octets.to_vec());
        Ok(hash)
    }

    /// Notes that an object refers to media of its author, and lets go what it referred to before.
    pub(crate) fn use_media(
        &mut self,
        entry: &Entry,
        media: &[types::Media],
        before: &[types::Media],
    ) -> Result<(), AgentError> {
        let new = needs(media);
        for need in &new {
            self.note_use(entry.author, need.hash, &entry.key())?;
        }
        let gone = media.iter().filter(|medium| medium.source.is_some());
        let linked: Vec<Id> = gone.map(|medium| medium.hash.0).collect();
        for hash in linked {
            self.note_use(entry.author, hash, &entry.key())?;
        }
        for medium in before {
            let mut hashes = vec![medium.hash.0];
            hashes.extend(medium.thumbnail.iter().map(|thumbnail| thumbnail.hash.0));
            for hash in hashes {
                let stays = media.iter().any(|medium| refers(medium, hash));
                if !stays {
                    self.drop_use(entry.author, hash, &entry.key())?;
                }
            }
        }
        Ok(())
    }

    fn note_use(&mut self, author: Id, hash: Id, object: &[u8]) -> Result<(), AgentError> {
        let reused = author == self.own.id || self.gate.enforces(&req::MEDIA_KEPT);
        let present = reused
            && self
                .store
                .get(Table::Media, &media_key(author, hash))?
                .is_some();
        let key = [&media_key(author, hash), object].concat();
        self.store
            .put(Table::MediaUse, key, vec![u8::from(present)]);
        Ok(())
    }

    fn drop_use(&mut self, author: Id, hash: Id, object: &[u8]) -> Result<(), AgentError> {
        let media = media_key(author, hash);
        self.store
            .delete(Table::MediaUse, [&media, object].concat());
        let left = self
            .store
            .range(Table::MediaUse, &media, &successor(&media), 1)?;
        if left.is_empty() {
            self.store.delete(Table::Media, media);
        }
        Ok(())
    }

    /// Takes the parts of a mail to which an object in it refers, as far as the newest revision of
    /// that object refers to them too.
    pub(crate) fn take_media(
        &mut self,
        parts: &Parts,
        author: Id,
        object: &types::Object,
    ) -> Result<(), Failure> {
        let key = merge_key(author, &crate::kinds::name(&object.payload), object.id.0);
        for need in needs(of(&object.payload)) {
            let uses = [&media_key(author, need.hash), &key[..]].concat();
            let wanted = self.store.get(Table::MediaUse, &uses)?.is_some();
            if let Some(octets) = self.matching(parts, &need).filter(|_| wanted) {
                self.store
                    .put(Table::Media, media_key(author, need.hash), octets.to_vec());
                self.mark_present(author, need.hash)?;
            }
        }
        if !self.gate.enforces(&req::MEDIA_UNLISTED) {
            for part in &parts.media {
                self.store.put(
                    Table::Media,
                    media_key(author, part.hash),
                    part.octets.clone(),
                );
            }
        }
        Ok(())
    }

    /// The part whose octets, size and type are what the object says.
    fn matching<'p>(&self, parts: &'p Parts, need: &Need) -> Option<&'p [u8]> {
        let strict = self.gate.enforces(&req::MEDIA_MATCH);
        let part = parts.media.iter().find(|part| {
            let agrees =
                part.octets.len() as u64 == need.size && part.media_type == need.media_type;
            part.hash == need.hash && (agrees || !strict)
        })?;
        Some(&part.octets)
    }

    fn mark_present(&mut self, author: Id, hash: Id) -> Result<(), AgentError> {
        let media = media_key(author, hash);
        for (key, _) in self
            .store
            .range(Table::MediaUse, &media, &successor(&media), usize::MAX)?
        {
            self.store.put(Table::MediaUse, key, vec![1]);
        }
        Ok(())
    }

    /// The octets that go along with an own object, in loads of which each fits into one mail.
    pub(crate) fn loads(&self, needs: &[Need]) -> Vec<Vec<Need>> {
        let mut loads: Vec<Vec<Need>> = vec![Vec::new()];
        let mut size = 0;
        let mut seen = Vec::new();
        for need in needs {
            if seen.contains(&need.hash) {
                continue;
            }
            seen.push(need.hash);
            size += need.size;
            let full = size > limit::DELIVERY_MEDIA_OCTETS;
            if full && self.gate.enforces(&req::MEDIA_SPLIT) {
                loads.push(Vec::new());
                size = need.size;
            }
            if let Some(load) = loads.last_mut() {
                load.push(need.clone());
            }
        }
        loads
    }

    /// The octets of own media.
    pub(crate) fn carried(&self, needs: &[Need]) -> Result<Vec<Carried>, AgentError> {
        let mut carried = Vec::new();
        for need in needs {
            if let Some(octets) = kept(&self.store, self.own.id, need.hash)? {
                carried.push(Carried {
                    hash: need.hash,
                    media_type: need.media_type.clone(),
                    name: need.name.clone(),
                    octets,
                });
            }
        }
        Ok(carried)
    }

    /// Takes what the person fetched from where an object says, if it is what the object says.
    pub(crate) fn fetched(
        &mut self,
        author: Id,
        medium: &types::Media,
        octets: &[u8],
    ) -> Result<(), ActError> {
        crate::implements!(req::LINK_ON_REQUEST);
        let Some(source) = &medium.source else {
            return Err(unfit("it travels in mail and is not fetched"));
        };
        let agrees =
            octets.len() as u64 == medium.size.get() && wire::sha256(octets) == medium.hash.0;
        if !agrees && self.gate.enforces(&req::LINK_CHECK) {
            return Err(unfit(
                "what the server holds is not what the author linked to: another hash or size",
            ));
        }
        let content = match &source.password {
            Some(password) if self.gate.enforces(&req::LINK_PASSWORD) => {
                locked::unlock(octets, password.as_str()).map_err(unfit)?
            }
            _ => octets.to_vec(),
        };
        self.store
            .put(Table::Media, media_key(author, medium.hash.0), content);
        Ok(self.mark_present(author, medium.hash.0)?)
    }
}

fn refers(medium: &types::Media, hash: Id) -> bool {
    medium.hash.0 == hash
        || medium
            .thumbnail
            .as_ref()
            .is_some_and(|thumbnail| thumbnail.hash.0 == hash)
}
