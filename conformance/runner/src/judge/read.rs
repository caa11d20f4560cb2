//! One mail, taken apart layer by layer with other libraries than the agent's and the
//! forge's: mailparse, sequoia, roxmltree.

pub mod document;
pub mod mime;
pub mod openpgp;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use memchr::memmem;
use sequoia_openpgp::Cert;
use sha2::{Digest, Sha256};

use document::{DeliveryFacts, ObjectFacts};
use mime::Entity;
use openpgp::{CertificateFacts, Keyring, MessageFacts, Protection, SessionKeyPacket};

/// The media type of delivery documents.
pub const DELIVERY: &str = "application/kith+xml";
/// The media type of objects.
pub const OBJECT: &str = "application/kith-object";
/// The media type of certificates.
pub const CERTIFICATE: &str = "application/pgp-keys";

/// Why a mail could not be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the errors inside say what they mean")]
pub enum ReadError {
    #[error(transparent)]
    Mime(#[from] mime::MimeError),
    #[error(transparent)]
    OpenPgp(#[from] openpgp::OpenPgpError),
    #[error(transparent)]
    Xml(#[from] document::XmlError),
}

/// An object part, as far as it could be read.
#[derive(Debug, Clone)]
pub struct ObjectPart {
    /// The OpenPGP message.
    pub message: MessageFacts,
    /// What it says; `Err` if it isn't an object document.
    pub object: Result<ObjectFacts, ReadError>,
}

/// The decrypted part of a sealed mail.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The payload's octets: what was encrypted.
    pub octets: Vec<u8>,
    /// As MIME.
    pub root: Entity,
    /// The delivery documents; there should be one.
    pub deliveries: Vec<Result<DeliveryFacts, ReadError>>,
}

/// What a mail is.
#[derive(Debug, Clone)]
pub enum Form {
    /// It has an envelope.
    Sealed {
        /// The envelope's packets.
        envelope: MessageFacts,
        /// What was inside.
        payload: Box<Payload>,
    },
    /// It has objects in the clear.
    Open,
    /// It is no Kith mail.
    Other,
}

/// One mail, taken apart.
#[derive(Debug, Clone)]
pub struct Mail {
    /// As it was sent.
    pub octets: Vec<u8>,
    /// Its MIME tree.
    pub root: Entity,
    /// What it is.
    pub form: Form,
    /// The objects, in the order of their parts.
    pub objects: Vec<ObjectPart>,
    /// The certificates, in the order of their parts.
    pub certificates: Vec<Result<CertificateFacts, ReadError>>,
}

impl Mail {
    /// Takes a mail apart. Certificates that come with it are used to verify it.
    ///
    /// # Errors
    /// If it isn't even MIME, or an envelope can't be opened with the keyring.
    pub fn read(octets: &[u8], keyring: &Keyring) -> Result<Self, ReadError> {
        let root = Entity::read(octets, "mail")?;
        let envelope = match root.media_type.as_str() {
            "multipart/encrypted" => root.parts.get(1).map(|part| part.body.as_slice()),
            _ => None,
        };
        let opened = envelope.map(|octets| openpgp::message(octets, keyring));
        let mut opened = opened.transpose()?;
        let inner = match &opened {
            Some(message) => Some(Entity::read(&message.content, "decrypted part")?),
            None => None,
        };
        let carrier = inner.as_ref().unwrap_or(&root);
        let certificates = certificates(carrier);
        let keyring = with_brought(keyring, &certificates);
        let objects = objects(carrier, &keyring)?;
        let signed = |message: &MessageFacts| message.signatures.iter().all(|s| s.signer.is_some());
        if let (Some(octets), Some(message)) = (envelope, &opened)
            && !signed(message)
        {
            // By now the certificates that came along are known.
            opened = Some(openpgp::message(octets, &keyring)?);
        }
        let form = match (opened, inner) {
            (Some(envelope), Some(root)) => {
                let payload = Payload {
                    octets: envelope.content.clone(),
                    deliveries: deliveries(&root),
                    root,
                };
                let payload = Box::new(payload);
                Form::Sealed { envelope, payload }
            }
            _ if objects.is_empty() => Form::Other,
            _ => Form::Open,
        };
        Ok(Self {
            octets: octets.to_vec(),
            root,
            form,
            objects,
            certificates,
        })
    }

    /// The one delivery document of a sealed mail.
    pub fn delivery(&self) -> Option<&DeliveryFacts> {
        match &self.form {
            Form::Sealed { payload, .. } => match payload.deliveries.as_slice() {
                [Ok(delivery)] => Some(delivery),
                _ => None,
            },
            _ => None,
        }
    }

    /// The session-key packets of the envelope.
    pub fn session_keys(&self) -> &[SessionKeyPacket] {
        match &self.form {
            Form::Sealed { envelope, .. } => &envelope.session_keys,
            _ => &[],
        }
    }

    /// The objects that could be read.
    pub fn readable(&self) -> impl Iterator<Item = &ObjectFacts> {
        self.objects
            .iter()
            .filter_map(|part| part.object.as_ref().ok())
    }

    /// The first object of a kind.
    pub fn object(&self, kind: &str) -> Option<&ObjectFacts> {
        self.readable().find(|object| object.kind == kind)
    }

    /// The kinds of its objects, in order, without those of credentials.
    pub fn kinds(&self) -> Vec<&str> {
        let kinds = self.readable().map(|object| object.kind.as_str());
        kinds
            .filter(|kind| !matches!(*kind, "identity" | "contact"))
            .collect()
    }

    /// Whether these octets stand anywhere in it, in any layer.
    pub fn holds(&self, token: &str) -> bool {
        let within = |octets: &[u8]| contains(octets, token.as_bytes());
        let inner = match &self.form {
            Form::Sealed { payload, .. } => within(&payload.octets),
            _ => false,
        };
        inner
            || within(&self.octets)
            || self
                .objects
                .iter()
                .any(|part| within(&part.message.content))
    }

    /// All layers for people.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for field in &self.root.fields {
            let _ = writeln!(text, "{}: {}", field.name, field.value);
        }
        let _ = write!(text, "\n── MIME tree\n{}", self.root.tree());
        if let Form::Sealed { envelope, payload } = &self.form {
            let protection = match envelope.protection {
                Protection::None => "not encrypted",
                Protection::Unprotected => "encrypted without integrity protection",
                Protection::Version1 => "encrypted, version 1",
                Protection::Version2 => "encrypted, version 2",
            };
            let signers: Vec<_> = envelope
                .signatures
                .iter()
                .map(|s| s.signer.as_deref().unwrap_or("somebody unknown"))
                .collect();
            let signers = signers.join(", ");
            let _ = writeln!(text, "\n── envelope\n{protection}, signed by {signers}");
            let _ = write!(text, "\n── MIME tree inside\n{}", payload.root.tree());
            for delivery in payload.deliveries.iter().flatten() {
                let _ = writeln!(text, "\n── delivery\n{}", indented(&delivery.octets));
            }
        }
        for part in &self.objects {
            let _ = writeln!(text, "\n── object\n{}", indented(&part.message.content));
        }
        text
    }
}

/// XML with each element on a line of its own, for people: what the octets are it is not.
fn indented(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    for piece in text.split_inclusive('>') {
        let piece = piece.trim();
        let (before, tag) = piece.split_at(piece.rfind('<').unwrap_or(0));
        let closes = tag.starts_with("</");
        depth -= usize::from(closes && depth > 0);
        if before.is_empty() && !out.is_empty() {
            let _ = write!(out, "\n{}", "  ".repeat(depth));
        }
        out.push_str(before);
        out.push_str(tag);
        let opens = tag.starts_with('<') && !tag.ends_with("/>") && !tag.starts_with("<?");
        depth += usize::from(opens && !closes);
    }
    out
}

/// Whether `needle` stands in `hay`.
pub fn contains(hay: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && memmem::find(hay, needle).is_some()
}

fn of_type<'a>(root: &'a Entity, media_type: &'a str) -> impl Iterator<Item = &'a Entity> {
    root.walk()
        .into_iter()
        .filter(move |entity| entity.media_type == media_type)
}

/// A keyring with the certificates that came along, as far as they are new.
fn with_brought<'a>(
    keyring: &'a Keyring,
    brought: &[Result<CertificateFacts, ReadError>],
) -> Cow<'a, Keyring> {
    let mut keyring = Cow::Borrowed(keyring);
    for facts in brought.iter().flatten() {
        let known = |cert: &Arc<Cert>| cert.fingerprint() == facts.cert.fingerprint();
        if !keyring.signers.iter().any(known) {
            keyring.to_mut().signers.push(Arc::clone(&facts.cert));
        }
    }
    keyring
}

fn objects(root: &Entity, keyring: &Keyring) -> Result<Vec<ObjectPart>, ReadError> {
    let read = |part: &Entity| -> Result<ObjectPart, ReadError> {
        let message = openpgp::message(&part.body, keyring)?;
        let object = document::object(&message.content).map_err(ReadError::from);
        Ok(ObjectPart { message, object })
    };
    of_type(root, OBJECT).map(read).collect()
}

fn certificates(root: &Entity) -> Vec<Result<CertificateFacts, ReadError>> {
    let read = |part: &Entity| openpgp::certificate(&part.body).map_err(ReadError::from);
    of_type(root, CERTIFICATE).map(read).collect()
}

fn deliveries(root: &Entity) -> Vec<Result<DeliveryFacts, ReadError>> {
    let read = |part: &Entity| document::delivery(&part.body).map_err(ReadError::from);
    of_type(root, DELIVERY).map(read).collect()
}

/// SHA-256 in hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    hex::encode(Sha256::digest(octets))
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn elements_stand_on_their_own_lines() {
        let xml = b"<a x='1'><b>text</b><c/><d><e/></d></a>";
        let lines = "<a x='1'>\n  <b>text</b>\n  <c/>\n  <d>\n    <e/>\n  </d>\n</a>";
        assert_eq!(indented(xml), lines);
        assert_eq!(indented(b"no markup"), "no markup");
    }
}
