//! Objects: XML, signed once by their author.

use super::Hook;
use crate::hash::{Hash, Id128, IdentityId, ObjectHash};
use crate::instant::Instant;
use crate::mime::{Part, TransferEncoding};
use crate::openpgp::{Packet, SignSpec, serialize};
use crate::seed::Rng;
use crate::xml::{Element, NAMESPACE};

/// An object before it is signed.
#[derive(Debug, Clone)]
pub struct ObjectDraft {
    /// The identity that says it.
    pub author: IdentityId,
    /// Its id.
    pub id: Id128,
    /// Its revision, from 1.
    pub rev: i64,
    /// When it was written.
    pub created: Instant,
    /// For whom: `direct`, `friends`, `group`, `public` or `any`.
    pub audience: String,
    /// The element that names the group it is for.
    pub scope: Option<Element>,
    /// Features that a reader must know.
    pub requires: Vec<String>,
    /// The object as plain text.
    pub fallback: String,
    /// The element that gives it its kind.
    pub payload: Element,
    /// The element `ext` of the object.
    pub ext: Option<Element>,
    /// Changes the root element before it is written.
    pub root: Hook<Element>,
    /// Changes the octets of the XML.
    pub xml: Hook<Vec<u8>>,
    /// How it is signed.
    pub sign: SignSpec,
    /// The literal's format.
    pub literal_mode: u8,
    /// Changes the packets: one-pass signature, literal, signature.
    pub packets: Hook<Vec<Packet>>,
    /// Changes the octets of the part.
    pub octets: Hook<Vec<u8>>,
}

impl ObjectDraft {
    /// The XML.
    pub fn document(&self) -> Vec<u8> {
        let requires = self.requires.iter();
        let root = Element::new("object")
            .attribute("xmlns", NAMESPACE)
            .attribute("author", self.author)
            .attribute("id", self.id)
            .attribute("rev", self.rev)
            .attribute("created", self.created)
            .attribute("audience", &self.audience)
            .children(requires.map(|feature| Element::new("requires").text(feature)))
            .children(self.scope.clone())
            .child(Element::new("fallback").text(&self.fallback))
            .child(self.payload.clone())
            .children(self.ext.clone());
        let text = self.root.apply(root).document();
        self.xml.apply(text.into_bytes())
    }

    /// The signed object.
    pub fn sign(&self, rng: &mut Rng) -> SignedObject {
        let xml = self.document();
        let (one_pass, signature) = self.sign.sign(rng, &xml);
        let literal = Packet::literal(self.literal_mode, &xml);
        let packets = self.packets.apply(vec![one_pass, literal, signature]);
        SignedObject {
            octets: self.octets.apply(serialize(&packets)),
            hash: Hash::of(&xml),
            xml,
            fallback: self.fallback.clone(),
            key: (self.author, self.id),
        }
    }
}

/// An object as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedObject {
    /// The OpenPGP message.
    pub octets: Vec<u8>,
    /// The object octets.
    pub xml: Vec<u8>,
    /// Their SHA-256.
    pub hash: ObjectHash,
    /// The object as plain text.
    pub fallback: String,
    /// Author and id.
    pub key: (IdentityId, Id128),
}

impl SignedObject {
    pub(crate) fn part(&self) -> Part {
        let kind = "application/kith-object";
        Part::content(kind, self.octets.as_slice(), TransferEncoding::Base64)
    }
}

/// An object in a draft mail.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "drafts are few and short-lived")]
pub enum Item {
    /// To be signed when the mail is rendered.
    Draft(ObjectDraft),
    /// Signed before.
    Signed(SignedObject),
}

impl Item {
    pub(crate) fn signed(&self, rng: &mut Rng) -> SignedObject {
        match self {
            Self::Draft(draft) => draft.sign(rng),
            Self::Signed(object) => object.clone(),
        }
    }

    /// The draft, where it is one.
    pub fn draft(&mut self) -> Option<&mut ObjectDraft> {
        match self {
            Self::Draft(draft) => Some(draft),
            Self::Signed(_) => None,
        }
    }
}

impl From<ObjectDraft> for Item {
    fn from(draft: ObjectDraft) -> Self {
        Self::Draft(draft)
    }
}

impl From<SignedObject> for Item {
    fn from(object: SignedObject) -> Self {
        Self::Signed(object)
    }
}
