//! Signature packets of version 4 and 6 (RFC 9580, section 5.2), any of whose
//! octets a fault can choose.

use pgp::crypto::hash::HashAlgorithm as Rpgp;

use super::composite;
use super::key::{Fingerprint, KeyKind, SigningKey};
use super::packet::{Packet, tag};
use crate::instant::Instant;
use crate::seed::{Rng, random};

/// Signature types.
pub mod signature_type {
    /// Over a binary document.
    pub const BINARY: u8 = 0x00;
    /// Over a text document.
    pub const TEXT: u8 = 0x01;
    /// Positive certification of a user ID.
    pub const CERTIFICATION: u8 = 0x13;
    /// Subkey binding.
    pub const SUBKEY_BINDING: u8 = 0x18;
    /// Direct key.
    pub const DIRECT_KEY: u8 = 0x1F;
    /// Key revocation.
    pub const KEY_REVOCATION: u8 = 0x20;
}

/// Subpacket types.
pub mod subpacket {
    /// Signature creation time.
    pub const CREATED: u8 = 2;
    /// Signature expiration time.
    pub const EXPIRES: u8 = 3;
    /// Key expiration time.
    pub const KEY_EXPIRES: u8 = 9;
    /// Preferred symmetric ciphers.
    pub const SYMMETRIC: u8 = 11;
    /// Issuer key ID.
    pub const ISSUER: u8 = 16;
    /// Notation data.
    pub const NOTATION: u8 = 20;
    /// Preferred hash algorithms.
    pub const HASHES: u8 = 21;
    /// Primary user ID.
    pub const PRIMARY_USER_ID: u8 = 25;
    /// Key flags.
    pub const KEY_FLAGS: u8 = 27;
    /// Reason for revocation.
    pub const REVOCATION_REASON: u8 = 29;
    /// Features.
    pub const FEATURES: u8 = 30;
    /// Issuer fingerprint.
    pub const ISSUER_FINGERPRINT: u8 = 33;
    /// Intended recipient fingerprint.
    pub const INTENDED_RECIPIENT: u8 = 35;
    /// A type for private use, which no agent knows.
    pub const PRIVATE: u8 = 101;
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// RIPEMD-160.
    Ripemd160,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    pub(crate) fn id(self) -> u8 {
        match self {
            Self::Md5 => 1,
            Self::Sha1 => 2,
            Self::Ripemd160 => 3,
            Self::Sha256 => 8,
            Self::Sha512 => 10,
        }
    }

    fn digest(self, octets: &[u8]) -> Vec<u8> {
        let digest = Rpgp::from(self.id()).digest(octets);
        digest.expect("these five hashes are rPGP's")
    }
}

/// One signature subpacket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subpacket {
    /// The type, see [`subpacket`].
    pub kind: u8,
    /// Whether who does not know it must not accept the signature.
    pub critical: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl Subpacket {
    /// A subpacket that is not critical.
    pub fn new(kind: u8, body: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            critical: false,
            body: body.into(),
        }
    }

    /// The same, critical.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// A human-readable notation.
    pub fn notation(name: &str, value: &str) -> Self {
        let length = |text: &str| (text.len() as u16).to_be_bytes();
        let mut body = vec![0x80, 0, 0, 0];
        body.extend(length(name));
        body.extend(length(value));
        body.extend(name.bytes());
        body.extend(value.bytes());
        Self::new(subpacket::NOTATION, body)
    }

    /// An intended recipient.
    pub fn intended(recipient: &Fingerprint) -> Self {
        Self::new(subpacket::INTENDED_RECIPIENT, recipient.with_version())
    }

    /// A time, for the types that hold one.
    pub fn seconds(kind: u8, seconds: u32) -> Self {
        Self::new(kind, seconds.to_be_bytes())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let length = self.body.len() + 1;
        match length {
            0..192 => out.push(length as u8),
            192..8384 => out.extend([192 + ((length - 192) >> 8) as u8, (length - 192) as u8]),
            _ => {
                out.push(255);
                out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            }
        }
        out.push(self.kind | if self.critical { 0x80 } else { 0 });
        out.extend_from_slice(&self.body);
    }
}

/// How a document is signed. Everything in it may be changed.
#[derive(Debug, Clone)]
pub struct SignSpec {
    /// With which key.
    pub key: SigningKey,
    /// The type, see [`signature_type`].
    pub kind: u8,
    /// The hash.
    pub hash: HashAlgorithm,
    /// The hashed subpackets.
    pub hashed: Vec<Subpacket>,
    /// The unhashed subpackets.
    pub unhashed: Vec<Subpacket>,
    /// What is signed instead of the literal's content.
    pub instead: Option<Vec<u8>>,
    /// Whether one bit of the signature is turned over.
    pub corrupt: bool,
}

impl SignSpec {
    /// A binary signature, with the time and the issuer.
    pub fn new(key: &SigningKey, created: Instant) -> Self {
        let fingerprint = key.fingerprint();
        let unhashed = match key.kind() {
            KeyKind::V4 => vec![Subpacket::new(subpacket::ISSUER, fingerprint.key_id())],
            _ => Vec::new(),
        };
        Self {
            key: key.clone(),
            kind: signature_type::BINARY,
            hash: HashAlgorithm::Sha256,
            hashed: vec![
                Subpacket::seconds(subpacket::CREATED, created.openpgp()),
                Subpacket::new(subpacket::ISSUER_FINGERPRINT, fingerprint.with_version()),
            ],
            unhashed,
            instead: None,
            corrupt: false,
        }
    }

    /// With the notation `kith` that says what the signature is for.
    #[must_use]
    pub fn purpose(mut self, purpose: &str) -> Self {
        self.hashed.push(Subpacket::notation("kith", purpose));
        self
    }

    /// With one more hashed subpacket.
    #[must_use]
    pub fn hashed(mut self, subpacket: Subpacket) -> Self {
        self.hashed.push(subpacket);
        self
    }

    /// Removes every hashed subpacket of this type.
    pub fn remove(&mut self, kind: u8) {
        self.hashed.retain(|subpacket| subpacket.kind != kind);
    }

    /// Replaces every hashed subpacket of this type by one.
    pub fn replace(&mut self, subpacket: Subpacket) {
        self.remove(subpacket.kind);
        self.hashed.push(subpacket);
    }

    /// The one-pass signature packet and the signature packet over a document.
    pub(crate) fn sign(&self, rng: &mut Rng, document: &[u8]) -> (Packet, Packet) {
        let salt: [u8; 16] = random(rng);
        let data = self.instead.as_deref().unwrap_or(document);
        let signature = match self.kind {
            signature_type::TEXT => signature_packet(self, &salt, &with_crlf(data)),
            _ => signature_packet(self, &salt, data),
        };
        let fingerprint = self.key.fingerprint();
        let (kind, hash, algorithm) = (self.kind, self.hash.id(), self.key.algorithm());
        let one_pass = match self.key.kind() {
            KeyKind::V4 => [&[3, kind, hash, algorithm], &fingerprint.key_id()[..], &[1]].concat(),
            _ => {
                let salt_length = [self.salt(&salt).len() as u8];
                let head = [6, kind, hash, algorithm];
                let salt = self.salt(&salt);
                [&head[..], &salt_length, salt, &fingerprint.octets, &[1]].concat()
            }
        };
        (Packet::new(tag::ONE_PASS, one_pass), signature)
    }

    fn salt<'a>(&self, salt: &'a [u8; 16]) -> &'a [u8] {
        match self.key.kind() {
            KeyKind::V4 => &[],
            _ => salt,
        }
    }
}

/// Whether a signature packet of version 6 over a binary document verifies under a composite
/// key.
pub(crate) fn verifies_composite(packet: &Packet, public: &[u8], data: &[u8]) -> bool {
    let verify = || {
        let (head, rest) = packet.body.split_first_chunk::<4>()?;
        let (_, rest) = area(rest)?;
        let signed = &packet.body[..packet.body.len() - rest.len()];
        let (_, rest) = area(rest)?;
        let (&salt_length, rest) = rest.get(2..)?.split_first()?;
        let (salt, signature) = rest.split_at_checked(usize::from(salt_length))?;
        let &[6, signature_type::BINARY, composite::SIGN, hash] = head else {
            return None;
        };
        let length = (signed.len() as u32).to_be_bytes();
        let hashed = [salt, data, signed, &[6, 0xFF], &length].concat();
        let digest = Rpgp::from(hash).digest(&hashed).ok()?;
        composite::verify(public, &digest, signature).then_some(())
    };
    verify().is_some()
}

/// An area of subpackets in a signature of version 6, and what follows it.
fn area(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// A text as signatures over texts hash it.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut before = 0;
    for &octet in text {
        if octet == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        before = octet;
    }
    out
}

/// A signature packet over `data`, which for keys and user IDs is in the form
/// that their signatures hash.
pub(crate) fn signature_packet(spec: &SignSpec, salt: &[u8; 16], data: &[u8]) -> Packet {
    let key = &spec.key;
    let salt = spec.salt(salt);
    let area = |subpackets: &[Subpacket]| {
        let mut octets = Vec::new();
        for subpacket in subpackets {
            subpacket.write(&mut octets);
        }
        let length = octets.len() as u32;
        match key.kind() {
            KeyKind::V4 => [&(length as u16).to_be_bytes()[..], &octets].concat(),
            _ => [&length.to_be_bytes()[..], &octets].concat(),
        }
    };
    let version = match key.kind() {
        KeyKind::V4 => 4,
        _ => 6,
    };
    let mut body = vec![version, spec.kind, key.algorithm(), spec.hash.id()];
    body.extend(area(&spec.hashed));
    let length = (body.len() as u32).to_be_bytes();
    let trailer = [&[version, 0xFF], &length[..]].concat();
    let digest = spec.hash.digest(&[salt, data, &body, &trailer].concat());
    body.extend(area(&spec.unhashed));
    body.extend(&digest[..2]);
    if key.kind().is_v6() {
        body.push(salt.len() as u8);
        body.extend(salt);
    }
    let mut signature = key.sign(spec.hash, &digest);
    if spec.corrupt
        && let Some(last) = signature.last_mut()
    {
        *last ^= 1;
    }
    body.extend(signature);
    Packet::new(tag::SIGNATURE, body)
}
