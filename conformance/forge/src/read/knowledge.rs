//! The keys that a reader knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgp::packet::{PacketHeader, PublicKey};
use pgp::types::Tag;

use super::{Reading, XmlNode};
use crate::openpgp::{Certificate, split, tag};

/// Primary keys that signatures are checked against. A reading checks against
/// the keys in its own mail too: facts say which key verified, not whose it is.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    keys: Vec<PublicKey>,
}

impl Knowledge {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the primary key of a certificate.
    pub fn certificate(&mut self, certificate: &Certificate) {
        if let Ok(body) = certificate.primary_body() {
            self.key(&body);
        }
    }

    /// Adds the keys of a chain: the XML of its identity objects.
    pub fn identity(&mut self, xml: &[u8]) {
        let Ok(root) = XmlNode::parse("identity", xml) else {
            return;
        };
        let key = root
            .child("identity")
            .and_then(|identity| identity.child("key"));
        let octets = key.and_then(|key| STANDARD.decode(key.text.trim()).ok());
        let packets = octets.and_then(|octets| split(&octets).ok());
        for packet in packets.unwrap_or_default() {
            if packet.tag == tag::PUBLIC_KEY {
                self.key(&packet.body);
            }
        }
    }

    /// Adds what stands in a mail.
    pub fn learn(&mut self, reading: &Reading) {
        for certificate in &reading.certificates {
            self.certificate(certificate);
        }
        for object in &reading.objects {
            self.identity(&object.xml);
        }
    }

    fn key(&mut self, body: &[u8]) {
        let Ok(length) = u32::try_from(body.len()) else {
            return;
        };
        let header = PacketHeader::new_fixed(Tag::PublicKey, length);
        if let Ok(key) = PublicKey::try_from_reader(header, body)
            && !self.keys.contains(&key)
        {
            self.keys.push(key);
        }
    }

    pub(crate) fn keys(&self) -> &[PublicKey] {
        &self.keys
    }
}
