//! Reading what an agent sent: facts only. What they mean is judged elsewhere.
//!
//! MIME is read with `mailparse`, XML with `roxmltree`, OpenPGP with rPGP.

use crate::draft::{Ack, Channel, Party};
use crate::hash::{Hash, Id128, IdentityId, ObjectHash};
use crate::instant::Instant;
use crate::kinds::RequestRef;
use crate::openpgp::{Certificate, DecryptionKey, Fingerprint};
use crate::peer::Peer;
use crate::puppet::Puppet;

mod document;
mod envelope;
mod knowledge;
mod mail;
mod object;
mod signature;

pub(crate) use envelope::decrypt;

pub use document::XmlNode;
pub use knowledge::Knowledge;
pub use mail::{MULTIPARTS, MimeNode, too_many_multiparts};
pub use signature::{NotationFacts, SignatureFacts};

/// Why a mail could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not a mail.
    #[error("the mail is not MIME: {0}")]
    Mime(#[from] mailparse::MailParseError),
    /// Too many multiparts to go down into.
    #[error("the mail names more than {MULTIPARTS} multiparts")]
    Multiparts,
    /// The envelope is not OpenPGP.
    #[error("the envelope cannot be read: {0}")]
    Envelope(#[from] crate::PgpError),
    /// No key of the reader fits.
    #[error("none of the {0} session-key packets opens with the reader's keys")]
    NotForReader(usize),
    /// A packet is missing.
    #[error("the envelope holds no {0}")]
    Missing(&'static str),
    /// A document is not XML.
    #[error("the {what} is not XML: {error}")]
    Xml {
        /// Which document.
        what: &'static str,
        /// Why not.
        error: roxmltree::Error,
    },
    /// A document lacks something.
    #[error("the {what} lacks `{field}`, or has it in a wrong form")]
    Field {
        /// Which document.
        what: &'static str,
        /// What it lacks.
        field: &'static str,
    },
}

/// What stands in a mail.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The outer header fields, unfolded and decoded, in order.
    pub fields: Vec<(String, String)>,
    /// The MIME tree outside the envelope.
    pub outside: MimeNode,
    /// The envelope, in sealed mail.
    pub envelope: Option<EnvelopeFacts>,
    /// The MIME tree of the decrypted part, in sealed mail.
    pub inside: Option<MimeNode>,
    /// The HP-Outer fields of the decrypted part.
    pub hp_outer: Vec<String>,
    /// The delivery document, in sealed mail.
    pub delivery: Option<DeliveryFacts>,
    /// The document of a self-copy, as it stands in the mail.
    pub self_document: Option<Vec<u8>>,
    /// The objects, in order.
    pub objects: Vec<ObjectFacts>,
    /// The certificates, in order.
    pub certificates: Vec<Certificate>,
    /// The first text part.
    pub text: Option<String>,
}

/// The packets of an envelope.
#[derive(Debug, Clone)]
pub struct EnvelopeFacts {
    /// The session-key packets: version, and key ID or fingerprint in hexadecimal.
    pub session_keys: Vec<(u8, String)>,
    /// Packets for a password.
    pub password_packets: usize,
    /// The version of the protected data.
    pub seipd: u8,
    /// Layers of compression.
    pub compression: usize,
    /// The literal's format.
    pub literal_mode: u8,
    /// The signatures.
    pub signatures: Vec<SignatureFacts>,
    /// The octets of the payload.
    pub payload: Vec<u8>,
    /// How many octets the payload has, padding included.
    pub payload_length: usize,
}

/// A delivery document.
#[derive(Debug, Clone)]
pub struct DeliveryFacts {
    /// The sender.
    pub from: Party,
    /// The recipients.
    pub to: Vec<Party>,
    /// The place in the channel.
    pub channel: Option<Channel>,
    /// The acks.
    pub acks: Vec<Ack>,
    /// The nonce to be echoed.
    pub path: Option<Id128>,
    /// The nonces echoed.
    pub echoes: Vec<Id128>,
    /// The objects listed.
    pub objects: Vec<ObjectHash>,
    /// The certificates listed.
    pub certificates: Vec<Hash>,
    /// The octets.
    pub xml: Vec<u8>,
    /// The document.
    pub root: XmlNode,
}

/// An object.
#[derive(Debug, Clone)]
pub struct ObjectFacts {
    /// The hash of the object octets.
    pub hash: ObjectHash,
    /// The object octets.
    pub xml: Vec<u8>,
    /// The OpenPGP message.
    pub octets: Vec<u8>,
    /// The types of its packets, in order.
    pub packets: Vec<u8>,
    /// The literal's format.
    pub literal_mode: u8,
    /// Who says it.
    pub author: IdentityId,
    /// Its id.
    pub id: Id128,
    /// Its kind: the payload's name, with another namespace in braces before it.
    pub kind: String,
    /// Its revision.
    pub rev: i64,
    /// When it was written.
    pub created: Instant,
    /// For whom.
    pub audience: String,
    /// The plain text.
    pub fallback: String,
    /// The features required.
    pub requires: Vec<String>,
    /// The payload.
    pub payload: XmlNode,
    /// The signature.
    pub signature: Option<SignatureFacts>,
}

impl Reading {
    /// The value of an outer field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first object of this kind.
    pub fn object(&self, kind: &str) -> Option<&ObjectFacts> {
        self.objects.iter().find(|object| object.kind == kind)
    }

    /// What an answer to the request in this mail names.
    pub fn request(&self) -> Option<RequestRef> {
        let object = self.object("request")?;
        Some(RequestRef {
            hash: object.hash,
            id: object.id,
            nonce: object.payload.attribute("nonce")?.parse().ok()?,
            author: object.author,
        })
    }

    /// Who sent the credentials in this mail, reachable at the first address of
    /// the contact.
    pub fn sender(&self) -> Option<Peer> {
        let contact = self.object("contact")?;
        Some(Peer {
            id: contact.author,
            address: contact.payload.child("address")?.text.clone(),
            certificate: self.certificates.first().cloned(),
        })
    }
}

impl Puppet {
    /// What stands in a mail to this person.
    pub fn read(&self, octets: &[u8], knowledge: &Knowledge) -> Result<Reading, ReadError> {
        mail::read(octets, self.decryption_keys(), knowledge)
    }

    /// The fingerprint of the primary key that mail to this person names.
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }
}

/// What stands in a mail, read with a transferable secret key as
/// [`Puppet::secret_key_export`] gives it.
pub fn read_with(
    octets: &[u8],
    secret: &[u8],
    knowledge: &Knowledge,
) -> Result<Reading, ReadError> {
    let keys = DecryptionKey::of_export(secret)?;
    mail::read(octets, &keys, knowledge)
}

/// The payload of a message, for tests of the algorithms alone.
#[cfg(test)]
pub(crate) fn open_plain(message: &[u8], keys: &[DecryptionKey]) -> Result<Vec<u8>, ReadError> {
    Ok(envelope::open(message, keys)?.payload)
}

/// What stands in an open mail.
pub fn read_open(octets: &[u8], knowledge: &Knowledge) -> Result<Reading, ReadError> {
    mail::read(octets, &[], knowledge)
}
