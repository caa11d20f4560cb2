//! Certificates: made from a specification that a fault can change, and read
//! for the key to encrypt to.

use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::types::KeyDetails;

use super::composite;
use super::encrypt::{DecryptionKey, EncryptionKey};
use super::key::{Fingerprint, KeyKind, SigningKey};
use super::packet::{Packet, serialize, tag};
use super::signature::{
    HashAlgorithm, SignSpec, Subpacket, signature_packet, signature_type, subpacket,
};
use super::{ArmorKind, PgpError, armor};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::seed::{Rng, random};

/// A transferable public key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The packets.
    pub binary: Vec<u8>,
    /// The armored form, as it stands in a part.
    pub armored: Vec<u8>,
    /// The SHA-256 of the binary form: what delivery documents and credentials name.
    pub hash: Hash,
}

impl Certificate {
    /// From its packets.
    pub fn from_binary(binary: Vec<u8>) -> Self {
        Self {
            armored: armor(ArmorKind::PublicKey, &binary),
            hash: Hash::of(&binary),
            binary,
        }
    }

    fn read(&self) -> Result<SignedPublicKey, PgpError> {
        SignedPublicKey::from_bytes(self.binary.as_slice())
            .map_err(PgpError::rpgp("to read a certificate"))
    }

    /// The fingerprint of the primary key.
    pub fn primary(&self) -> Result<Fingerprint, PgpError> {
        Ok(Fingerprint::of(&self.read()?.primary_key))
    }

    /// The body of the primary key's packet.
    pub fn primary_body(&self) -> Result<Vec<u8>, PgpError> {
        Ok(super::public_packet(&self.read()?.primary_key))
    }

    /// The newest subkey that is for encryption; a composite one before all others.
    pub fn encryption_key(&self) -> Result<EncryptionKey, PgpError> {
        self.newest(|_| true)
    }

    /// The newest subkey for encryption that is no composite one.
    pub fn classical_key(&self) -> Result<EncryptionKey, PgpError> {
        self.newest(|composite| !composite)
    }

    fn newest(&self, wanted: fn(bool) -> bool) -> Result<EncryptionKey, PgpError> {
        let certificate = self.read()?;
        let usable = certificate.public_subkeys.into_iter().filter(|subkey| {
            subkey.signatures.iter().any(|signature| {
                let flags = signature.key_flags();
                flags.encrypt_comms() || flags.encrypt_storage()
            })
        });
        usable
            .filter(|subkey| wanted(composite::of(&subkey.key).is_some()))
            .max_by_key(|subkey| {
                (
                    composite::of(&subkey.key).is_some(),
                    subkey.key.created_at(),
                )
            })
            .map(|subkey| EncryptionKey::new(subkey.key))
            .ok_or(PgpError::Certificate("encryption subkey"))
    }

    /// Whether the certificate's features say that protected data of version 2
    /// can be read.
    pub fn seipd_v2(&self) -> Result<bool, PgpError> {
        let details = self.read()?.details;
        let users = details.users.iter().flat_map(|user| &user.signatures);
        let mut signatures = details.direct_signatures.iter().chain(users);
        Ok(signatures.any(|signature| {
            signature
                .features()
                .is_some_and(pgp::packet::Features::seipd_v2)
        }))
    }
}

/// A subkey in a [`CertificateSpec`].
#[derive(Debug, Clone)]
pub struct SubkeySpec {
    /// The key.
    pub key: EncryptionKey,
    /// The key flags in its binding.
    pub flags: u8,
    /// Seconds from the creation of the key to its end.
    pub expires: Option<u32>,
    /// Whether there is a binding signature.
    pub bound: bool,
    /// Whether the binding signature is broken.
    pub corrupt: bool,
}

impl SubkeySpec {
    /// A subkey for encryption that doesn't expire.
    pub(crate) fn new(key: EncryptionKey) -> Self {
        Self {
            key,
            flags: SUBKEY_FLAGS,
            expires: None,
            bound: true,
            corrupt: false,
        }
    }
}

/// What a certificate says. Everything in it may be changed.
#[derive(Debug, Clone)]
pub struct CertificateSpec {
    /// The primary key.
    pub key: SigningKey,
    /// When its self-signatures are made.
    pub created: Instant,
    /// The user ID.
    pub user_id: String,
    /// The primary key's flags.
    pub flags: u8,
    /// Whether the flags stand in the unhashed area instead.
    pub flags_unhashed: bool,
    /// Seconds from the creation of the key to its end.
    pub expires: Option<u32>,
    /// When its owner revoked it.
    pub revoked: Option<Instant>,
    /// The features: 1 for protected data of version 1, 8 for version 2.
    pub features: u8,
    /// The hash of the self-signatures.
    pub hash: HashAlgorithm,
    /// Whether the self-signatures are broken.
    pub corrupt: bool,
    /// The subkeys.
    pub subkeys: Vec<SubkeySpec>,
    /// Packets added at the end.
    pub extra: Vec<Packet>,
}

/// Certify and sign.
const PRIMARY_FLAGS: u8 = 0x03;
/// Encrypt communication and storage.
const SUBKEY_FLAGS: u8 = 0x0C;

impl CertificateSpec {
    pub(crate) fn new(
        key: &SigningKey,
        subkeys: impl IntoIterator<Item = EncryptionKey>,
        user_id: String,
        created: Instant,
    ) -> Self {
        Self {
            key: key.clone(),
            created,
            user_id,
            flags: PRIMARY_FLAGS,
            flags_unhashed: false,
            expires: None,
            revoked: None,
            features: match key.kind() {
                KeyKind::V4 => 0x01,
                _ => 0x09,
            },
            hash: HashAlgorithm::Sha256,
            corrupt: false,
            subkeys: subkeys.into_iter().map(SubkeySpec::new).collect(),
            extra: Vec::new(),
        }
    }

    /// The certificate.
    pub fn certificate(&self, rng: &mut Rng) -> Certificate {
        Certificate::from_binary(serialize(&self.packets(rng, None)))
    }

    /// Whether mail under it is protected after quantum computers.
    pub fn has_composite_subkey(&self) -> bool {
        let mut subkeys = self.subkeys.iter();
        subkeys.any(|subkey| subkey.bound && subkey.key.is_composite())
    }

    /// The packets, with the secrets where they are given.
    pub(crate) fn packets(&self, rng: &mut Rng, secrets: Option<&[DecryptionKey]>) -> Vec<Packet> {
        let primary = hashed_key(self.key.kind(), &self.key.public_body());
        let mut packets = vec![match secrets {
            Some(_) => self.key.secret_packet(),
            None => self.key.public_packet(),
        }];
        if let Some(revoked) = self.revoked {
            let spec = SignSpec {
                kind: signature_type::KEY_REVOCATION,
                ..SignSpec::new(&self.key, revoked)
            }
            .hashed(Subpacket::new(subpacket::REVOCATION_REASON, [2]));
            packets.push(signature_packet(&spec, &random(rng), &primary));
        }
        if self.key.kind().is_v6() {
            let spec = self.self_signature(signature_type::DIRECT_KEY);
            packets.push(signature_packet(&spec, &random(rng), &primary));
        }
        let user_id = Packet::new(tag::USER_ID, self.user_id.as_bytes());
        let length = (self.user_id.len() as u32).to_be_bytes();
        let data = [&primary, &[0xB4][..], &length, self.user_id.as_bytes()].concat();
        packets.push(user_id);
        let spec = self.self_signature(signature_type::CERTIFICATION);
        packets.push(signature_packet(&spec, &random(rng), &data));
        for subkey in &self.subkeys {
            let mut secrets = secrets.unwrap_or_default().iter();
            let wanted = subkey.key.fingerprint();
            let secret = secrets.find(|secret| secret.public().fingerprint() == wanted);
            packets.push(match secret {
                Some(secret) => secret.secret_packet(),
                None => Packet::new(tag::PUBLIC_SUBKEY, subkey.key.body()),
            });
            if subkey.bound {
                let data = [
                    primary.clone(),
                    hashed_key(self.key.kind(), &subkey.key.body()),
                ];
                let spec = self.binding(subkey);
                packets.push(signature_packet(&spec, &random(rng), &data.concat()));
            }
        }
        packets.extend(self.extra.iter().cloned());
        packets
    }

    fn self_signature(&self, kind: u8) -> SignSpec {
        let mut spec = SignSpec::new(&self.key, self.created);
        spec.kind = kind;
        spec.hash = self.hash;
        spec.corrupt = self.corrupt;
        let flags = Subpacket::new(subpacket::KEY_FLAGS, [self.flags]);
        if self.flags_unhashed {
            spec.unhashed.push(flags);
        } else {
            spec.hashed.push(flags);
        }
        spec.hashed.extend([
            Subpacket::new(subpacket::FEATURES, [self.features]),
            // AES-256 and AES-128; SHA-512 and SHA-256.
            Subpacket::new(subpacket::SYMMETRIC, [9, 7]),
            Subpacket::new(subpacket::HASHES, [10, 8]),
        ]);
        if kind == signature_type::CERTIFICATION {
            let primary = Subpacket::new(subpacket::PRIMARY_USER_ID, [1]);
            spec.hashed.push(primary);
        }
        if let Some(seconds) = self.expires {
            let expires = Subpacket::seconds(subpacket::KEY_EXPIRES, seconds);
            spec.hashed.push(expires);
        }
        spec
    }

    fn binding(&self, subkey: &SubkeySpec) -> SignSpec {
        let mut spec = SignSpec::new(&self.key, self.created);
        spec.kind = signature_type::SUBKEY_BINDING;
        spec.hash = self.hash;
        spec.corrupt = subkey.corrupt;
        let flags = Subpacket::new(subpacket::KEY_FLAGS, [subkey.flags]);
        spec.hashed.push(flags);
        if let Some(seconds) = subkey.expires {
            let expires = Subpacket::seconds(subpacket::KEY_EXPIRES, seconds);
            spec.hashed.push(expires);
        }
        spec
    }
}

/// A key in the form that signatures hash (RFC 9580, section 5.2.4).
fn hashed_key(kind: KeyKind, body: &[u8]) -> Vec<u8> {
    match kind {
        KeyKind::V4 => [&[0x99][..], &(body.len() as u16).to_be_bytes(), body].concat(),
        _ => [&[0x9B][..], &(body.len() as u32).to_be_bytes(), body].concat(),
    }
}
