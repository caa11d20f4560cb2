//! Primary keys: Ed25519 in the form of version 4 that GnuPG reads, and of version 6;
//! ML-DSA-65+Ed25519.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::Signer;
use pgp::composed::KeyType;
use pgp::crypto::hash::HashAlgorithm as Rpgp;
use pgp::packet::{PacketHeader, PubKeyInner, PublicKey, SecretKey};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, KeyVersion, PlainSecretParams, SecretParams, Tag, Timestamp};
use sha2::{Digest, Sha256};

use super::packet::{Packet, tag};
use super::{HashAlgorithm, PgpError, composite};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::seed::Rng;

/// What keys a puppet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Version 4: EdDSA and ECDH over Curve25519.
    V4,
    /// Version 6: Ed25519 and X25519.
    V6,
    /// Version 6: Ed25519 and X25519, and ML-KEM-768+X25519 beside it.
    Mixed,
    /// Version 6: ML-DSA-65+Ed25519 and ML-KEM-768+X25519.
    Pq,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V4, Self::V6, Self::Mixed, Self::Pq];
    /// Those of the class `core`.
    pub const CLASSICAL: [Self; 2] = [Self::V4, Self::V6];

    /// Whether keys and signatures are of version 6.
    pub(crate) fn is_v6(self) -> bool {
        self != Self::V4
    }

    pub(crate) fn version(self) -> KeyVersion {
        match self {
            Self::V4 => KeyVersion::V4,
            Self::V6 | Self::Mixed | Self::Pq => KeyVersion::V6,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
            Self::Mixed => "mixed",
            Self::Pq => "pq",
        })
    }
}

/// A fingerprint: the key's version and 20 or 32 octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// The version of the key.
    pub version: u8,
    /// The fingerprint.
    pub octets: Vec<u8>,
}

impl Fingerprint {
    pub(crate) fn of(key: &impl KeyDetails) -> Self {
        Self {
            version: key.version().into(),
            octets: key.fingerprint().as_bytes().to_vec(),
        }
    }

    /// The key ID: the part of the fingerprint that older packets name.
    pub fn key_id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        let part = match self.version {
            6 => self.octets.get(..8),
            _ => self
                .octets
                .len()
                .checked_sub(8)
                .and_then(|at| self.octets.get(at..)),
        };
        if let Some(part) = part {
            id.copy_from_slice(part);
        }
        id
    }

    /// The octets of a subpacket that names this key.
    pub(crate) fn with_version(&self) -> Vec<u8> {
        [&[self.version], self.octets.as_slice()].concat()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.octets))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A primary key with its secret. Clones share it.
#[derive(Clone)]
pub struct SigningKey {
    inner: Arc<SecretKey>,
    kind: KeyKind,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.kind, self.fingerprint())
    }
}

impl SigningKey {
    /// A new key.
    pub fn generate(rng: &mut Rng, kind: KeyKind, created: Instant) -> Result<Self, PgpError> {
        let classical = |rng: &mut Rng, key_type: KeyType| {
            let (public, secret) = key_type.generate(rng)?;
            let created = Timestamp::from_secs(created.openpgp());
            let inner = PubKeyInner::new(kind.version(), key_type.to_alg(), created, None, public)?;
            SecretKey::new(PublicKey::from_inner(inner)?, secret)
        };
        let made = match kind {
            KeyKind::V4 => classical(rng, KeyType::Ed25519Legacy),
            KeyKind::V6 | KeyKind::Mixed => classical(rng, KeyType::Ed25519),
            KeyKind::Pq => {
                let body = composite::signing_key(rng, created);
                let header = PacketHeader::new_fixed(Tag::SecretKey, body.len() as u32);
                SecretKey::try_from_reader(header, body.as_slice())
            }
        };
        let inner = made.map_err(PgpError::rpgp("to make a primary key"))?;
        Ok(Self {
            inner: Arc::new(inner),
            kind,
        })
    }

    /// The version.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&*self.inner)
    }

    /// The body of the public-key packet.
    pub fn public_body(&self) -> Vec<u8> {
        public_packet(self.inner.public_key())
    }

    /// The bare primary public-key packet.
    pub fn public_packet(&self) -> Packet {
        Packet::new(tag::PUBLIC_KEY, self.public_body())
    }

    /// The bare primary secret-key packet, without passphrase.
    pub fn secret_packet(&self) -> Packet {
        let body = self.inner.to_bytes();
        Packet::new(
            tag::SECRET_KEY,
            body.expect("writing to memory cannot fail"),
        )
    }

    /// The key hash: what names an identity and what `next` commits to.
    pub fn key_hash(&self) -> Hash {
        key_hash(&self.public_body())
    }

    pub(crate) fn algorithm(&self) -> u8 {
        self.inner.algorithm().into()
    }

    /// The algorithm-specific part of a signature over this digest.
    pub(crate) fn sign(&self, algorithm: HashAlgorithm, digest: &[u8]) -> Vec<u8> {
        debug_assert_eq!(
            digest.len(),
            Rpgp::from(algorithm.id()).digest_size().unwrap_or(0)
        );
        let octets = match self.inner.secret_params() {
            // rPGP makes no signatures over short hashes, which faults need.
            SecretParams::Plain(PlainSecretParams::Ed25519(key)) => key.sign(digest).to_bytes(),
            SecretParams::Plain(PlainSecretParams::EdDSALegacy(
                pgp::crypto::eddsa_legacy::SecretKey::Ed25519(key),
            )) => key.sign(digest).to_bytes(),
            SecretParams::Plain(PlainSecretParams::Unknown { data, .. }) => {
                let signature = composite::sign(data, digest);
                return signature.expect("because `generate` made this key");
            }
            _ => unreachable!("because `generate` makes no other keys"),
        };
        match self.kind.is_v6() {
            true => octets.to_vec(),
            false => [mpi(&octets[..32]), mpi(&octets[32..])].concat(),
        }
    }
}

/// A multiprecision integer (RFC 9580, section 3.2).
fn mpi(octets: &[u8]) -> Vec<u8> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = &octets[zeros..];
    let bits = octets
        .first()
        .map_or(0, |first| octets.len() * 8 - first.leading_zeros() as usize);
    let mut out = (bits as u16).to_be_bytes().to_vec();
    out.extend_from_slice(octets);
    out
}

/// The body of a public-key packet.
pub(crate) fn public_packet(key: &impl Serialize) -> Vec<u8> {
    key.to_bytes().expect("writing to memory cannot fail")
}

/// The key hash of the body of a public-key packet (chapter Terms).
pub fn key_hash(body: &[u8]) -> Hash {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut hasher = Sha256::new();
    hasher.update([0x9B]);
    hasher.update(length.to_be_bytes());
    hasher.update(body);
    Hash(hasher.finalize().into())
}
