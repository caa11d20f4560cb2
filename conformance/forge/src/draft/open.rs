//! Open mail: signed objects, not encrypted.

use super::mail::{MailDraft, boundary, text};
use super::{Hook, Item, Mail, SignedObject};
use crate::ForgeError;
use crate::mime::{Part, TransferEncoding};
use crate::openpgp::Certificate;
use crate::seed::Rng;

/// An open mail before it is written.
#[derive(Debug, Clone)]
pub struct OpenDraft {
    /// The objects, in order.
    pub objects: Vec<Item>,
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The mail.
    pub mail: MailDraft,
    /// Changes the parts before they are put together.
    pub parts: Hook<Vec<Part>>,
}

impl OpenDraft {
    pub(crate) fn new(mail: MailDraft) -> Self {
        Self {
            objects: Vec::new(),
            certificates: Vec::new(),
            mail,
            parts: Hook::default(),
        }
    }

    /// Signs every object now, so that their hashes can be named.
    pub fn sign(&mut self, rng: &mut Rng) -> Vec<SignedObject> {
        let signed: Vec<_> = self.objects.iter().map(|item| item.signed(rng)).collect();
        self.objects = signed.iter().cloned().map(Item::Signed).collect();
        signed
    }

    /// The mail.
    pub fn render(&self, rng: &mut Rng) -> Result<Mail, ForgeError> {
        let objects: Vec<_> = self.objects.iter().map(|item| item.signed(rng)).collect();
        let message_id = self.mail.id(rng);
        let said = objects.last().map(|object| object.fallback.as_str());
        let made = || text(said.into_iter());
        let text = self.mail.text.clone().unwrap_or_else(made);
        let mut parts = vec![Part::text(&text)];
        parts.extend(objects.iter().map(SignedObject::part));
        parts.extend(self.certificates.iter().map(certificate_part));
        let parts = self.parts.apply(parts);
        let root = Part::multipart("multipart/mixed", &boundary(rng), parts)
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
}

/// A part with a certificate.
pub(crate) fn certificate_part(certificate: &Certificate) -> Part {
    let kind = "application/pgp-keys";
    Part::content(
        kind,
        certificate.armored.as_slice(),
        TransferEncoding::SevenBit,
    )
}
