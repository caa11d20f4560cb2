//! Signatures as facts.

use pgp::packet::{PacketHeader, Signature, Subpacket, SubpacketData};
use pgp::types::Tag;

use super::Knowledge;
use crate::instant::Instant;
use crate::openpgp::{Fingerprint, Packet, composite, verifies_composite};

/// A notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotationFacts {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether it is critical.
    pub critical: bool,
    /// Whether it stands in the hashed area.
    pub hashed: bool,
}

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFacts {
    /// The version; 0 where the packet cannot be read.
    pub version: u8,
    /// The type.
    pub kind: u8,
    /// The hash algorithm.
    pub hash: u8,
    /// When it was made, by its hashed area.
    pub created: Option<Instant>,
    /// The issuers it names.
    pub issuers: Vec<Fingerprint>,
    /// The notations.
    pub notations: Vec<NotationFacts>,
    /// The intended recipients in the hashed area.
    pub intended: Vec<Fingerprint>,
    /// The types of the hashed subpackets.
    pub hashed: Vec<u8>,
    /// The types of the unhashed subpackets.
    pub unhashed: Vec<u8>,
    /// The known key it verifies under.
    pub verified: Option<Fingerprint>,
}

impl SignatureFacts {
    /// What the hashed notation `kith` says the signature is for.
    pub fn purpose(&self) -> Option<&str> {
        let mut notations = self.notations.iter();
        notations
            .find(|notation| notation.hashed && notation.name == "kith")
            .map(|notation| notation.value.as_str())
    }

    pub(super) fn read(packet: &Packet, data: &[u8], knowledge: &Knowledge) -> Self {
        let mut facts = Self {
            version: 0,
            kind: 0xFF,
            hash: 0,
            created: None,
            issuers: Vec::new(),
            notations: Vec::new(),
            intended: Vec::new(),
            hashed: Vec::new(),
            unhashed: Vec::new(),
            verified: None,
        };
        let length = u32::try_from(packet.body.len()).unwrap_or(u32::MAX);
        let header = PacketHeader::new_fixed(Tag::Signature, length);
        let Ok(signature) = Signature::try_from_reader(header, packet.body.as_slice()) else {
            return facts;
        };
        let Some(config) = signature.config() else {
            return facts;
        };
        facts.version = config.version().into();
        facts.kind = config.typ().into();
        facts.hash = config.hash_alg.into();
        facts.created = config
            .created()
            .map(|time| Instant(i64::from(time.as_secs())));
        for subpacket in config.hashed_subpackets() {
            facts.hashed.push(subpacket.typ().as_u8(false));
            facts.subpacket(subpacket, true);
        }
        for subpacket in config.unhashed_subpackets() {
            facts.unhashed.push(subpacket.typ().as_u8(false));
            facts.subpacket(subpacket, false);
        }
        let keys = knowledge.keys().iter();
        let verified = keys.into_iter().find(|key| match composite::of(*key) {
            Some((_, public)) => verifies_composite(packet, public, data),
            None => signature.verify(key, data).is_ok(),
        });
        facts.verified = verified.map(Fingerprint::of);
        facts
    }

    fn subpacket(&mut self, subpacket: &Subpacket, hashed: bool) {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        match &subpacket.data {
            SubpacketData::IssuerFingerprint(fingerprint) => {
                self.issuers.extend(read_fingerprint(fingerprint));
            }
            SubpacketData::IntendedRecipientFingerprint(fingerprint) if hashed => {
                self.intended.extend(read_fingerprint(fingerprint));
            }
            SubpacketData::Notation(notation) => self.notations.push(NotationFacts {
                name: text(&notation.name),
                value: text(&notation.value),
                critical: subpacket.is_critical,
                hashed,
            }),
            _ => {}
        }
    }
}

fn read_fingerprint(fingerprint: &pgp::types::Fingerprint) -> Option<Fingerprint> {
    Some(Fingerprint {
        version: fingerprint.version()?.into(),
        octets: fingerprint.as_bytes().to_vec(),
    })
}
