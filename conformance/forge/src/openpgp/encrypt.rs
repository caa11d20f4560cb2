//! Session keys, encryption subkeys and encrypted data.

use std::fmt;
use std::sync::Arc;

use pgp::composed::{Deserializable, KeyType, PlainSessionKey, RawSessionKey, SignedSecretKey};
use pgp::crypto::aead::{AeadAlgorithm, ChunkSize};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{
    PacketHeader, PubKeyInner, PublicKeyEncryptedSessionKey, PublicSubkey, SecretSubkey,
    SymEncryptedProtectedData, SymKeyEncryptedSessionKey,
};
use pgp::ser::Serialize;
use pgp::types::{
    DecryptionKey as _, EskType, Password, PkeskBytes, PlainSecretParams, SecretParams,
    StringToKey, Tag, Timestamp,
};

use super::PgpError;
use super::composite;
use super::key::{Fingerprint, KeyKind, public_packet};
use super::packet::{Packet, serialize, tag};
use crate::instant::Instant;
use crate::seed::{Rng, random};

const CIPHER: SymmetricKeyAlgorithm = SymmetricKeyAlgorithm::AES256;

/// A subkey that mail can be encrypted to.
#[derive(Clone)]
pub struct EncryptionKey(Arc<PublicSubkey>);

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({})", self.fingerprint())
    }
}

impl EncryptionKey {
    pub(crate) fn new(key: PublicSubkey) -> Self {
        Self(Arc::new(key))
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&*self.0)
    }

    /// Whether it is ML-KEM-768+X25519.
    pub fn is_composite(&self) -> bool {
        composite::of(&*self.0).is_some()
    }

    /// The body of its public-subkey packet.
    pub fn body(&self) -> Vec<u8> {
        public_packet(&*self.0)
    }
}

/// A subkey with its secret.
#[derive(Clone)]
pub(crate) struct DecryptionKey(Arc<SecretSubkey>);

impl DecryptionKey {
    pub(crate) fn generate(
        rng: &mut Rng,
        kind: KeyKind,
        created: Instant,
    ) -> Result<Self, PgpError> {
        let classical = |rng: &mut Rng, key_type: KeyType| {
            let (public, secret) = key_type.generate(rng)?;
            let created = Timestamp::from_secs(created.openpgp());
            let inner = PubKeyInner::new(kind.version(), key_type.to_alg(), created, None, public)?;
            SecretSubkey::new(PublicSubkey::from_inner(inner)?, secret)
        };
        let made = match kind {
            KeyKind::V4 => classical(rng, KeyType::ECDH(ECCCurve::Curve25519Legacy)),
            KeyKind::V6 | KeyKind::Mixed => classical(rng, KeyType::X25519),
            KeyKind::Pq => {
                let body = composite::encryption_key(rng, created);
                let header = PacketHeader::new_fixed(Tag::SecretSubkey, body.len() as u32);
                SecretSubkey::try_from_reader(header, body.as_slice())
            }
        };
        let inner = made.map_err(PgpError::rpgp("to make a subkey"))?;
        Ok(Self(Arc::new(inner)))
    }

    /// The subkeys of a person with these keys; a classical one comes first.
    pub(crate) fn generate_all(
        rng: &mut Rng,
        kind: KeyKind,
        created: Instant,
    ) -> Result<Vec<Self>, PgpError> {
        let kinds = match kind {
            KeyKind::Mixed => vec![KeyKind::V6, KeyKind::Pq],
            kind => vec![kind],
        };
        let mut subkeys = kinds.into_iter();
        subkeys.try_fold(Vec::new(), |mut made, kind| {
            made.push(Self::generate(rng, kind, created)?);
            Ok(made)
        })
    }

    /// The subkeys of a transferable secret key without a password.
    pub(crate) fn of_export(octets: &[u8]) -> Result<Vec<Self>, PgpError> {
        let key = SignedSecretKey::from_bytes(octets).map_err(PgpError::rpgp("a secret key"))?;
        let subkeys = key.secret_subkeys.into_iter();
        Ok(subkeys.map(|subkey| Self(Arc::new(subkey.key))).collect())
    }

    pub(crate) fn public(&self) -> EncryptionKey {
        EncryptionKey::new(self.0.public_key().clone())
    }

    pub(crate) fn secret_packet(&self) -> Packet {
        let body = self.0.to_bytes();
        Packet::new(
            tag::SECRET_SUBKEY,
            body.expect("writing to memory cannot fail"),
        )
    }

    /// The session key in a packet that is for this key.
    pub(crate) fn decrypt(
        &self,
        packet: &PublicKeyEncryptedSessionKey,
    ) -> Result<PlainSessionKey, PgpError> {
        if composite::of(self.0.public_key()).is_some() {
            return self.decrypt_composite(packet);
        }
        let kind = match packet {
            PublicKeyEncryptedSessionKey::V6 { .. } => EskType::V6,
            _ => EskType::V3_4,
        };
        packet
            .values()
            .and_then(|values| self.0.decrypt(&Password::empty(), values, kind))
            .and_then(|result| result)
            .map_err(PgpError::rpgp("to open a session key"))
    }
}

impl DecryptionKey {
    fn decrypt_composite(
        &self,
        packet: &PublicKeyEncryptedSessionKey,
    ) -> Result<PlainSessionKey, PgpError> {
        let public = composite::of(self.0.public_key()).map(|(_, public)| public);
        let opened = match (self.0.secret_params(), packet.values()) {
            (
                SecretParams::Plain(PlainSecretParams::Unknown { data, .. }),
                Ok(PkeskBytes::Other { key }),
            ) if packet.match_identity(&*self.0) => public
                .and_then(|public| composite::open(public, data, u8::from(packet.version()), key)),
            _ => None,
        };
        let (cipher, key) = opened.ok_or(PgpError::Composite("session-key packet"))?;
        let key = key.into();
        Ok(match cipher {
            Some(cipher) => PlainSessionKey::V3_4 {
                sym_alg: cipher.into(),
                key,
            },
            None => PlainSessionKey::V6 { key },
        })
    }
}

/// The key of one encrypted message.
#[derive(Debug, Clone)]
pub struct SessionKey(RawSessionKey);

impl SessionKey {
    /// A fresh one.
    pub fn random(rng: &mut Rng) -> Self {
        Self(random::<32>(rng).to_vec().into())
    }

    #[cfg(test)]
    pub(crate) fn octets(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The session-key packet for a recipient: version 3 with protected data of
    /// version 1, version 6 with version 2.
    pub fn pkesk(
        &self,
        rng: &mut Rng,
        to: &EncryptionKey,
        version: u8,
    ) -> Result<Packet, PgpError> {
        if let Some((_, public)) = composite::of(&*to.0) {
            let cipher = (version != 6).then_some(composite::AES_256);
            let sealed = composite::seal(rng, public, cipher, self.0.as_ref());
            let sealed = sealed.ok_or(PgpError::Composite("encryption subkey"))?;
            let whom = to.fingerprint();
            let head = match version {
                6 => [&[6, 33][..], &whom.with_version()].concat(),
                _ => [&[3][..], &whom.key_id()].concat(),
            };
            let body = [&head[..], &[composite::ENCRYPT], &sealed].concat();
            return Ok(Packet::new(tag::PKESK, body));
        }
        let packet = match version {
            6 => PublicKeyEncryptedSessionKey::from_session_key_v6(rng, &self.0, &*to.0),
            _ => PublicKeyEncryptedSessionKey::from_session_key_v3(rng, &self.0, CIPHER, &*to.0),
        };
        let body = packet.and_then(|packet| packet.to_bytes());
        let body = body.map_err(PgpError::rpgp("to encrypt a session key"))?;
        Ok(Packet::new(tag::PKESK, body))
    }

    /// Encrypted and integrity protected data, version 1 or 2.
    pub fn seipd(&self, rng: &mut Rng, version: u8, plain: &[u8]) -> Result<Packet, PgpError> {
        let key = self.0.as_ref();
        let packet = match version {
            2 => {
                let (aead, chunk) = (AeadAlgorithm::Ocb, ChunkSize::C64KiB);
                SymEncryptedProtectedData::encrypt_seipdv2(rng, CIPHER, aead, chunk, key, plain)
            }
            _ => SymEncryptedProtectedData::encrypt_seipdv1(rng, CIPHER, key, plain),
        };
        let body = packet.and_then(|packet| packet.to_bytes());
        let body = body.map_err(PgpError::rpgp("to encrypt data"))?;
        Ok(Packet::new(tag::SEIPD, body))
    }

    /// Encrypted data without integrity protection, which nobody may accept.
    pub fn sed(&self, rng: &mut Rng, plain: &[u8]) -> Result<Packet, PgpError> {
        let body = CIPHER.encrypt(rng, self.0.as_ref(), plain);
        let body = body.map_err(PgpError::rpgp("to encrypt data"))?;
        Ok(Packet::new(tag::SED, body))
    }
}

/// An OpenPGP message in binary, encrypted with a password: how large media stand on a server.
pub fn encrypt_with_password(
    rng: &mut Rng,
    password: &str,
    content: &[u8],
) -> Result<Vec<u8>, PgpError> {
    // The password is random, so its derivation need not be slow.
    let derivation = StringToKey::new_iterated(&mut *rng, HashAlgorithm::Sha256, 96);
    let plain = Packet::literal(b'b', content).octets();
    encrypt_for(rng, password, derivation, &plain)
}

/// Packets encrypted with a passphrase that goes through Argon2, as exports are.
pub(crate) fn encrypt_slowly(
    rng: &mut Rng,
    passphrase: &str,
    plain: &[u8],
) -> Result<Vec<u8>, PgpError> {
    // One pass over 64 MiB would be usual; the suite writes many, of random words.
    let derivation = StringToKey::Argon2 {
        salt: random(rng),
        t: 1,
        p: 1,
        m_enc: 12,
    };
    encrypt_for(rng, passphrase, derivation, plain)
}

fn encrypt_for(
    rng: &mut Rng,
    password: &str,
    derivation: StringToKey,
    plain: &[u8],
) -> Result<Vec<u8>, PgpError> {
    let key = SessionKey::random(rng);
    let packet = SymKeyEncryptedSessionKey::encrypt_v4(
        &Password::from(password),
        &key.0,
        derivation,
        CIPHER,
    );
    let body = packet.and_then(|packet| packet.to_bytes());
    let body = body.map_err(PgpError::rpgp("to encrypt with a password"))?;
    let data = key.seipd(rng, 1, plain)?;
    Ok(serialize(&[Packet::new(tag::SKESK, body), data]))
}
