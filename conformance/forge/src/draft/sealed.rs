//! Sealed mail: one delivery in one envelope (chapter Mail format).

use super::mail::{MailDraft, boundary, text};
use super::open::certificate_part;
use super::{DeliveryDraft, EnvelopeDraft, Hook, Item, Mail, SignedObject};
use crate::ForgeError;
use crate::media::Medium;
use crate::mime::{Body, Part, TransferEncoding};
use crate::openpgp::{ArmorKind, Certificate, armor};
use crate::seed::Rng;

/// A sealed mail before it is written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The objects, in order.
    pub objects: Vec<Item>,
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The media.
    pub media: Vec<Medium>,
    /// The delivery document.
    pub delivery: DeliveryDraft,
    /// The envelope.
    pub envelope: EnvelopeDraft,
    /// The outer mail.
    pub mail: MailDraft,
    /// The Subject inside.
    pub subject: String,
    /// Whether the payload is padded.
    pub padded: bool,
    /// Changes the decrypted part before it is written.
    pub inner: Hook<Part>,
    /// Changes the payload's octets.
    pub payload: Hook<Vec<u8>>,
    /// Changes the armored envelope.
    pub armored: Hook<Vec<u8>>,
}

/// The sizes of padded payloads, in octets.
const SIZES: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];

impl Draft {
    pub(crate) fn new(delivery: DeliveryDraft, envelope: EnvelopeDraft, mail: MailDraft) -> Self {
        Self {
            objects: Vec::new(),
            certificates: Vec::new(),
            media: Vec::new(),
            delivery,
            envelope,
            mail,
            subject: "Kith".to_owned(),
            padded: true,
            inner: Hook::default(),
            payload: Hook::default(),
            armored: Hook::default(),
        }
    }

    /// Signs every object now, so that their hashes can be named and sent again.
    pub fn sign(&mut self, rng: &mut Rng) -> Vec<SignedObject> {
        let signed: Vec<_> = self.objects.iter().map(|item| item.signed(rng)).collect();
        self.objects = signed.iter().cloned().map(Item::Signed).collect();
        signed
    }

    /// The mail.
    pub fn render(&self, rng: &mut Rng) -> Result<Mail, ForgeError> {
        let objects: Vec<_> = self.objects.iter().map(|item| item.signed(rng)).collect();
        let message_id = self.mail.id(rng);
        let inner = self.inner_part(rng, &objects, &message_id);
        let payload = self.payload.apply(self.inner.apply(inner).octets());
        let sealed = self.envelope.seal(rng, &payload)?;
        let armored = self.armored.apply(armor(ArmorKind::Message, &sealed));
        let control = Part::content(
            "application/pgp-encrypted",
            "Version: 1\r\n",
            TransferEncoding::SevenBit,
        );
        let kind = "application/octet-stream; name=\"encrypted.asc\"";
        let data = Part::content(kind, armored, TransferEncoding::SevenBit)
            .field("Content-Description", "A private Kith mail")
            .field("Content-Disposition", "inline; filename=\"encrypted.asc\"");
        let kind = "multipart/encrypted; protocol=\"application/pgp-encrypted\"";
        let root = Part::multipart(kind, &boundary(rng), vec![control, data])
            .fields_first(self.mail.outer(&message_id));
        let octets = self.mail.root.apply(root).octets();
        Ok(Mail {
            octets: self.mail.raw.apply(octets),
            objects: objects.iter().map(|object| object.hash).collect(),
            message_id,
            from: self.mail.from.clone(),
            to: self.mail.to.clone(),
        })
    }

    /// The decrypted part, padded.
    fn inner_part(&self, rng: &mut Rng, objects: &[SignedObject], message_id: &str) -> Part {
        let hashes: Vec<_> = objects.iter().map(|object| object.hash).collect();
        let certificates: Vec<_> = self.certificates.iter().map(|c| c.hash).collect();
        let xml = self.delivery.document(&hashes, &certificates);
        let made = || text(objects.iter().map(|object| object.fallback.as_str()));
        let mut parts = vec![
            Part::text(&self.mail.text.clone().unwrap_or_else(made)),
            Part::content("application/kith+xml", xml, TransferEncoding::Base64),
        ];
        parts.extend(objects.iter().map(SignedObject::part));
        parts.extend(self.certificates.iter().map(certificate_part));
        parts.extend(self.media.iter().map(Medium::part));
        let outer = self.mail.protected(message_id, &self.mail.subject);
        let mut fields = self.mail.protected(message_id, &self.subject);
        let copies = outer.into_iter();
        fields.extend(
            copies.map(|(name, value)| ("HP-Outer".to_owned(), format!("{name}: {value}"))),
        );
        let kind = "multipart/mixed; hp=\"cipher\"";
        let mut part = Part::multipart(kind, &boundary(rng), parts).fields_first(fields);
        if self.padded {
            pad(&mut part);
        }
        part
    }
}

/// Fills the epilogue so that the part has the next of the sizes.
pub(crate) fn pad(part: &mut Part) {
    let length = part.octets().len();
    let Some(size) = SIZES.into_iter().find(|size| *size >= length) else {
        return;
    };
    let mut missing = size - length;
    let Body::Multipart { epilogue, .. } = &mut part.body else {
        return;
    };
    while missing > 0 {
        let line = missing.min(78);
        epilogue.push_str(&".".repeat(line.saturating_sub(2).max(usize::from(line == 1))));
        if line > 1 {
            epilogue.push_str("\r\n");
        }
        missing -= line;
    }
}
