//! Media: the element in an object and the part of the mail (chapter Posts to friends).

use crate::hash::Hash;
use crate::mime::{Part, TransferEncoding};
use crate::xml::Element;

/// A medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// The media type.
    pub media_type: String,
    /// The octets.
    pub octets: Vec<u8>,
}

impl Medium {
    /// A medium of these octets.
    pub fn new(media_type: &str, octets: impl Into<Vec<u8>>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            octets: octets.into(),
        }
    }

    /// The SHA-256 of the octets.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.octets)
    }

    /// The element `media` for it, or `thumbnail`.
    pub fn element(&self, name: &str) -> Element {
        Element::new(name)
            .attribute("hash", self.hash())
            .attribute("size", self.octets.len())
            .attribute("type", &self.media_type)
    }

    /// The part of the mail.
    pub fn part(&self) -> Part {
        Part::content(
            &self.media_type,
            self.octets.as_slice(),
            TransferEncoding::Base64,
        )
        .field("Content-Disposition", "inline")
    }
}
