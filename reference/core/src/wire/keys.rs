//! Keys and certificates: making them, and the rules for those of others
//! (specification, section "Certificates" of chapter "Security", and chapters "Identity" and
//! "Post-quantum keys").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kith_spec::{limit, req};
use sequoia_openpgp::cert::prelude::*;
use sequoia_openpgp::crypto::KeyPair;
use sequoia_openpgp::packet::key::{PrimaryRole, PublicParts, SecretParts, UnspecifiedRole};
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::packet::{Key, Packet, UserID};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};
use sequoia_openpgp::policy::{Policy, StandardPolicy};
use sequoia_openpgp::serialize::{Marshal, MarshalInto};
use sequoia_openpgp::types::{
    Features, KeyFlags, PublicKeyAlgorithm, RevocationStatus, SignatureType,
};
use sequoia_openpgp::{Cert, Fingerprint, Profile};

use super::WireError;
use crate::gate::{Gate, Violation};

/// A bare primary public key.
pub type PublicKey = Key<PublicParts, UnspecifiedRole>;

/// Which keys to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Version 4 with Curve25519, which today's mail programs read.
    V4,
    /// Version 6 with Ed25519 and X25519.
    V6,
    /// Version 6 with Ed25519, X25519 and ML-KEM-768+X25519: in reach of all who know version 6,
    /// and protected towards those who know the last.
    Mixed,
    /// Version 6 with ML-DSA-65+Ed25519 and ML-KEM-768+X25519.
    Pq,
}

/// A secret primary key that signs.
pub struct SigningKey {
    key: Key<SecretParts, PrimaryRole>,
}

impl SigningKey {
    pub(super) fn pair(&self) -> sequoia_openpgp::Result<KeyPair> {
        self.key.clone().into_keypair()
    }

    /// The key hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        key_hash(&PublicKey::from(self.key.clone().take_secret().0))
    }

    /// The bare public-key packet, header included.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write the key.
    pub fn packet(&self) -> Result<Vec<u8>, WireError> {
        let packet: Packet = self.key.clone().take_secret().0.into();
        packet.to_vec().map_err(WireError::openpgp)
    }
}

/// A person's own secret key: certificate and secrets.
#[derive(Clone)]
pub struct OwnKey {
    cert: Cert,
}

impl OwnKey {
    /// Generates a key that certifies and signs, with a subkey for encryption.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library fails.
    pub fn generate(
        gate: &dyn Gate,
        kind: KeyKind,
        address: Option<&str>,
        now: i64,
    ) -> Result<Self, WireError> {
        crate::implements!(req::SEC_KEY_VERSIONS, req::SEC_OWN_PRIMARY);
        let profile = match kind {
            KeyKind::V4 => Profile::RFC4880,
            _ => Profile::RFC9580,
        };
        let suite = match kind {
            KeyKind::Pq => CipherSuite::MLDSA65_Ed25519,
            _ => CipherSuite::Cv25519,
        };
        crate::implements!(req::PQ_GENERATE);
        let encryption = KeyFlags::empty()
            .set_transport_encryption()
            .set_storage_encryption();
        let features = match kind {
            KeyKind::V4 if gate.enforces(&req::SEC_V4_READABLE) => Features::empty().set_seipdv1(),
            _ => Features::empty().set_seipdv1().set_seipdv2(),
        };
        let make = || {
            let mut builder = CertBuilder::new()
                .set_cipher_suite(suite)
                .set_profile(profile)?
                .set_features(features)?
                .set_creation_time(system_time(now))
                .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
                .set_validity_period(None)
                .add_subkey(encryption.clone(), None, None);
            if kind == KeyKind::Mixed {
                // Of this suite, the key for encryption is ML-KEM-768+X25519.
                let suite = CipherSuite::MLDSA65_Ed25519;
                builder = builder.add_subkey(encryption, None, suite);
            }
            if let Some(address) = address {
                builder = builder.add_userid(UserID::from(format!("<{address}>")));
            }
            builder.generate()
        };
        let (cert, _) = make().map_err(WireError::openpgp)?;
        Ok(Self { cert })
    }

    /// Reads a transferable secret key.
    ///
    /// # Errors
    ///
    /// When it is none, or locked with a password.
    pub fn from_octets(octets: &[u8]) -> Result<Self, WireError> {
        let cert = Cert::from_bytes(octets).map_err(WireError::openpgp)?;
        if !cert.is_tsk() {
            return Err(WireError::Key(
                "it holds no secret key; import the secret key instead",
            ));
        }
        if cert
            .keys()
            .secret()
            .any(|key| !key.key().has_unencrypted_secret())
        {
            return Err(WireError::Key(
                "it is locked with a password; remove that first",
            ));
        }
        Ok(Self { cert })
    }

    /// The transferable secret key.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write the key.
    pub fn to_octets(&self) -> Result<Vec<u8>, WireError> {
        self.cert.as_tsk().to_vec().map_err(WireError::openpgp)
    }

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        let key = self.cert.primary_key().key();
        match key.version() {
            4 => KeyKind::V4,
            _ if key.pk_algo() == PublicKeyAlgorithm::MLDSA65_Ed25519 => KeyKind::Pq,
            _ if has_composite(&self.cert) => KeyKind::Mixed,
            _ => KeyKind::V6,
        }
    }

    /// The fingerprint of the primary key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// The key with a user ID. Keys that were made to be rotated to have none, and GnuPG and its
    /// friends don't take those.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library fails.
    pub fn named(&self, address: &str, now: i64) -> Result<Self, WireError> {
        if self.cert.userids().next().is_some() {
            return Ok(self.clone());
        }
        let name = || {
            let cert = self.cert.clone();
            let policy = StandardPolicy::new();
            let direct = cert.with_policy(&policy, system_time(now))?;
            let direct = direct.direct_key_signature()?.clone();
            let binding = SignatureBuilder::from(direct)
                .set_type(SignatureType::PositiveCertification)
                .set_signature_creation_time(system_time(now))?;
            let mut pair = cert
                .primary_key()
                .key()
                .clone()
                .parts_into_secret()?
                .into_keypair()?;
            let user = UserID::from(format!("<{address}>"));
            let binding = user.bind(&mut pair, &cert, binding)?;
            let packets: [Packet; 2] = [user.into(), binding.into()];
            Ok(cert.insert_packets(packets)?.0)
        };
        let cert = name().map_err(WireError::openpgp)?;
        Ok(Self { cert })
    }

    /// The transferable secret key in armor, for other OpenPGP programs.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write the key.
    pub fn to_armor(&self) -> Result<Vec<u8>, WireError> {
        let mut armored = Vec::new();
        let tsk = self.cert.as_tsk();
        tsk.armored()
            .serialize(&mut armored)
            .map_err(WireError::openpgp)?;
        Ok(armored)
    }

    /// The primary key.
    ///
    /// # Errors
    ///
    /// When its secret is missing.
    pub fn signing(&self) -> Result<SigningKey, WireError> {
        let key = self.cert.primary_key().key().clone().parts_into_secret();
        Ok(SigningKey {
            key: key.map_err(WireError::openpgp)?,
        })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        Certificate {
            cert: self.cert.clone().strip_secret_key_material(),
        }
    }

    /// The secret encryption keys, newest first.
    pub(super) fn decryption_keys(&self) -> Vec<Key<SecretParts, UnspecifiedRole>> {
        let subkeys = self.cert.keys().subkeys().secret();
        let mut keys: Vec<_> = subkeys
            .map(|key| key.key().clone().role_into_unspecified())
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.creation_time()));
        keys
    }
}

/// Somebody's certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub(super) cert: Cert,
}

impl Certificate {
    /// Reads a certificate, armored or binary.
    ///
    /// # Errors
    ///
    /// The violation, when it is too large or none.
    pub fn parse(gate: &dyn Gate, octets: &[u8]) -> Result<Self, Violation> {
        // Armor adds a third and a few lines.
        let largest = limit::CERTIFICATE_OCTETS * 3 / 2;
        gate.check(&req::SEC_CERT_SIZE, octets.len() as u64 <= largest)?;
        let cert = Cert::from_bytes(octets).map_err(|_| Violation(&req::SEC_CERT_PRIMARY))?;
        let certificate = Self {
            cert: cert.strip_secret_key_material(),
        };
        let size = certificate
            .to_octets()
            .map_or(u64::MAX, |octets| octets.len() as u64);
        gate.check(&req::SEC_CERT_SIZE, size <= limit::CERTIFICATE_OCTETS)?;
        Ok(certificate)
    }

    /// The transferable public key.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write it.
    pub fn to_octets(&self) -> Result<Vec<u8>, WireError> {
        self.cert.to_vec().map_err(WireError::openpgp)
    }

    /// The certificate in armor, for a part `application/pgp-keys`.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write it.
    pub fn to_armor(&self) -> Result<Vec<u8>, WireError> {
        let mut armored = Vec::new();
        self.cert
            .armored()
            .serialize(&mut armored)
            .map_err(WireError::openpgp)?;
        Ok(armored)
    }

    /// The fingerprint of the primary key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// The bare primary key.
    #[must_use]
    pub fn primary(&self) -> PublicKey {
        self.cert
            .primary_key()
            .key()
            .clone()
            .role_into_unspecified()
    }

    /// Whether it has a valid encryption subkey ML-KEM-768+X25519 at a time.
    #[must_use]
    pub fn is_protected(&self, now: i64) -> bool {
        let policy = StandardPolicy::new();
        let valid = || self.cert.with_policy(&policy, system_time(now));
        has_composite(&self.cert)
            && valid().is_ok_and(|valid| encryption_key(&valid, is_composite).is_some())
    }

    /// Checks what a sender's certificate must be at a time.
    ///
    /// # Errors
    ///
    /// The violation.
    pub fn check(&self, gate: &dyn Gate, now: i64) -> Result<(), Violation> {
        let policy = StandardPolicy::new();
        let time = system_time(now);
        let revoked = matches!(
            self.cert.revocation_status(&policy, time),
            RevocationStatus::Revoked(_)
        );
        gate.check(&req::SEC_CERT_REVOKED, !revoked)?;
        let Ok(valid) = self.cert.with_policy(&policy, time) else {
            return gate.check(&req::SEC_CERT_FLAGS, false);
        };
        let primary = valid.primary_key();
        gate.check(
            &req::SEC_CERT_FLAGS,
            primary.for_signing() && primary.for_certification(),
        )?;
        gate.check(&req::SEC_CERT_EXPIRED, valid.alive().is_ok())?;
        crate::implements!(req::PQ_ACCEPT_KEYS);
        let encrypts = encryption_key(&valid, |_| true).is_some();
        gate.check(&req::SEC_CERT_ENCRYPTION, encrypts)
    }
}

/// Whether a key is ML-KEM-768+X25519.
pub(super) fn is_composite(key: &PublicKey) -> bool {
    key.pk_algo() == PublicKeyAlgorithm::MLKEM768_X25519 && key.version() == 6
}

fn has_composite(cert: &Cert) -> bool {
    let mut subkeys = cert.keys().subkeys();
    subkeys.any(|subkey| is_composite(subkey.key().role_as_unspecified()))
}

/// Whether a primary key is ML-DSA-65+Ed25519.
#[must_use]
pub fn signs_composite(key: &PublicKey) -> bool {
    key.pk_algo() == PublicKeyAlgorithm::MLDSA65_Ed25519
}

/// The newest valid encryption subkey of those that are wanted.
fn encryption_key<'a>(
    cert: &ValidCert<'a>,
    wanted: fn(&PublicKey) -> bool,
) -> Option<ValidErasedKeyAmalgamation<'a, PublicParts>> {
    let keys = cert
        .keys()
        .subkeys()
        .supported()
        .alive()
        .revoked(false)
        .for_transport_encryption()
        .filter(|key| wanted(key.key().role_as_unspecified()));
    keys.max_by_key(|key| key.key().creation_time())
        .map(Into::into)
}

pub(super) fn recipient_key<'a>(
    gate: &dyn Gate,
    certificate: &'a Certificate,
    policy: &'a dyn Policy,
    now: i64,
) -> Result<ValidErasedKeyAmalgamation<'a, PublicParts>, WireError> {
    let valid = certificate
        .cert
        .with_policy(policy, system_time(now))
        .map_err(WireError::openpgp)?;
    if !gate.enforces(&req::SEC_RECIPIENT_KEY) {
        let keys = valid
            .keys()
            .subkeys()
            .supported()
            .for_transport_encryption();
        let oldest = keys
            .min_by_key(|key| key.key().creation_time())
            .map(Into::into);
        return oldest.ok_or(WireError::Key("it has no encryption subkey"));
    }
    let composite = encryption_key(&valid, is_composite);
    let classical = || encryption_key(&valid, |key| !is_composite(key));
    let found = match gate.enforces(&req::PQ_SUBKEY) {
        true => composite.or_else(classical),
        false => classical().or(composite),
    };
    found.ok_or(WireError::Key("it has no valid encryption subkey"))
}

/// The key hash: SHA-256 over 0x9B, four octets of length, and the public-key packet's body.
#[must_use]
pub fn key_hash(key: &PublicKey) -> [u8; 32] {
    let body = MarshalInto::to_vec(key).unwrap_or_default();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    super::sha256(&[&[0x9B][..], &length, &body].concat())
}

/// Reads exactly one bare primary public-key packet.
///
/// # Errors
///
/// The violation.
pub fn parse_bare(packet: &[u8]) -> Result<PublicKey, Violation> {
    let wrong = || Violation(&req::IDENTITY_KEY_PACKET);
    let PacketParserResult::Some(parser) = PacketParser::from_bytes(packet).map_err(|_| wrong())?
    else {
        return Err(wrong());
    };
    let (packet, rest) = parser.next().map_err(|_| wrong())?;
    match (packet, rest) {
        (Packet::PublicKey(key), PacketParserResult::EOF(_)) => Ok(key.role_into_unspecified()),
        _ => Err(wrong()),
    }
}

pub(super) fn system_time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs())
}

/// ASCII armor (RFC 9580, section 6.2), without the obsolete checksum.
#[must_use]
pub fn armor(label: &str, octets: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(octets);
    let mut armor = format!("-----BEGIN {label}-----\n\n");
    for line in base64.as_bytes().chunks(64) {
        armor.extend(line.iter().copied().map(char::from));
        armor.push('\n');
    }
    armor + &format!("-----END {label}-----\n")
}

/// The binary form of a part that may be armored.
#[must_use]
pub fn dearmor(octets: &[u8]) -> Vec<u8> {
    use std::io::Read;
    if octets.first().is_some_and(|octet| octet & 0x80 != 0) {
        return octets.to_vec();
    }
    let mut binary = Vec::new();
    let mut reader =
        sequoia_openpgp::armor::Reader::from_bytes(octets, None).take(limit::MAIL_OCTETS);
    match reader.read_to_end(&mut binary) {
        Ok(_) => binary,
        Err(_) => octets.to_vec(),
    }
}
