//! The composite algorithms of RFC 9980 that chapter "Post-quantum keys" uses:
//! ML-DSA-65+Ed25519 and ML-KEM-768+X25519.
//!
//! rPGP carries their keys, signatures and session keys as octets that it doesn't know.
//! What they mean is done here; a composite is the two algorithms one after the other,
//! the classical one first, in keys, signatures and session keys alike.

use ed25519_dalek::{Signer, Verifier};
use ml_dsa::MlDsa65;
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{DecapsulationKey, EncapsulationKey, MlKem768};
use pgp::crypto::aes_kw;
use pgp::types::{KeyDetails, PublicParams};
use sha3::{Digest, Sha3_256};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::instant::Instant;
use crate::seed::{Rng, random};

/// The algorithm ML-DSA-65+Ed25519.
pub(crate) const SIGN: u8 = 30;
/// The algorithm ML-KEM-768+X25519.
pub(crate) const ENCRYPT: u8 = 35;
/// The cipher AES-256, as session-key packets of version 3 name it.
pub(super) const AES_256: u8 = 9;

/// What a public X25519, a public or secret Ed25519, and an ephemeral X25519 key have.
const CURVE: usize = 32;
const ED25519_SIGNATURE: usize = 64;
const ML_KEM_CIPHERTEXT: usize = 1088;

/// Ends the input of the key derivation, with its length.
const DOMAIN: &[u8] = b"OpenPGPCompositeKDFv1";

/// The algorithm and the material of a key, if it is a composite one of version 6.
pub(crate) fn of(key: &impl KeyDetails) -> Option<(u8, &[u8])> {
    let algorithm = u8::from(key.algorithm());
    match key.public_params() {
        PublicParams::Unknown { data } if u8::from(key.version()) == 6 => {
            matches!(algorithm, SIGN | ENCRYPT).then_some((algorithm, data))
        }
        _ => None,
    }
}

/// The body of a secret-key packet with a new signing key, without passphrase.
pub(super) fn signing_key(rng: &mut Rng, created: Instant) -> Vec<u8> {
    let (classical, seed): ([u8; CURVE], [u8; 32]) = (random(rng), random(rng));
    let point = ed25519_dalek::SigningKey::from_bytes(&classical).verifying_key();
    let lattice = ml_dsa::SigningKey::<MlDsa65>::from_seed(&seed.into());
    let lattice = ml_dsa::Keypair::verifying_key(&lattice).encode();
    let public = [&point.to_bytes()[..], &lattice].concat();
    secret_body(created, SIGN, &public, &[&classical[..], &seed].concat())
}

/// The body of a secret-key packet with a new encryption key, without passphrase.
pub(super) fn encryption_key(rng: &mut Rng, created: Instant) -> Vec<u8> {
    let (classical, seed): ([u8; CURVE], [u8; 64]) = (random(rng), random(rng));
    let point = x25519(classical, X25519_BASEPOINT_BYTES);
    let lattice = DecapsulationKey::<MlKem768>::from_seed(seed.into());
    let public = [&point[..], &lattice.encapsulation_key().to_bytes()].concat();
    secret_body(created, ENCRYPT, &public, &[&classical[..], &seed].concat())
}

fn secret_body(created: Instant, algorithm: u8, public: &[u8], secret: &[u8]) -> Vec<u8> {
    let time = created.openpgp().to_be_bytes();
    let length = (public.len() as u32).to_be_bytes();
    // A zero before the secret says that no passphrase protects it.
    [&[6][..], &time, &[algorithm], &length, public, &[0], secret].concat()
}

/// A signature over a digest.
pub(super) fn sign(secret: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
    let (classical, seed) = secret.split_first_chunk::<CURVE>()?;
    let seed: [u8; 32] = seed.try_into().ok()?;
    let classical = ed25519_dalek::SigningKey::from_bytes(classical).sign(digest);
    let lattice = ml_dsa::SigningKey::<MlDsa65>::from_seed(&seed.into());
    // Without randomness: the same draft gives the same octets.
    let lattice = ml_dsa::signature::Signer::sign(&lattice, digest).encode();
    Some([&classical.to_bytes()[..], &lattice].concat())
}

/// Whether both halves of a signature verify.
pub(crate) fn verify(public: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let both = || {
        let (point, lattice) = public.split_first_chunk::<CURVE>()?;
        let (first, second) = signature.split_first_chunk::<ED25519_SIGNATURE>()?;
        let point = ed25519_dalek::VerifyingKey::from_bytes(point).ok()?;
        let first = ed25519_dalek::Signature::from_bytes(first);
        let lattice = lattice.try_into().ok()?;
        let lattice = ml_dsa::VerifyingKey::<MlDsa65>::decode(lattice);
        let second = ml_dsa::Signature::<MlDsa65>::decode(second.try_into().ok()?)?;
        point.verify(digest, &first).ok()?;
        ml_dsa::signature::Verifier::verify(&lattice, digest, &second).ok()
    };
    both().is_some()
}

/// The algorithm's part of a session-key packet. Version 3 names the cipher in it.
pub(super) fn seal(
    rng: &mut Rng,
    public: &[u8],
    cipher: Option<u8>,
    session_key: &[u8],
) -> Option<Vec<u8>> {
    let (point, lattice) = public.split_first_chunk::<CURVE>()?;
    let (ephemeral, message): ([u8; CURVE], [u8; 32]) = (random(rng), random(rng));
    let share = Shares {
        ephemeral: x25519(ephemeral, X25519_BASEPOINT_BYTES),
        classical: x25519(ephemeral, *point),
        point: *point,
    };
    let lattice = EncapsulationKey::<MlKem768>::new(lattice.try_into().ok()?).ok()?;
    let (ciphertext, secret) = lattice.encapsulate_deterministic(&message.into());
    let wrapped = aes_kw::wrap(&share.combine(&secret), session_key).ok()?;
    let rest = [cipher.as_slice(), &wrapped].concat();
    let length = u8::try_from(rest.len()).ok()?;
    Some([&share.ephemeral[..], &ciphertext, &[length], &rest].concat())
}

/// The session key in the algorithm's part of a session-key packet, and the cipher that
/// version 3 names.
pub(super) fn open(
    public: &[u8],
    secret: &[u8],
    version: u8,
    sealed: &[u8],
) -> Option<(Option<u8>, Vec<u8>)> {
    let (classical, seed) = secret.split_first_chunk::<CURVE>()?;
    let seed: [u8; 64] = seed.try_into().ok()?;
    let (ephemeral, rest) = sealed.split_first_chunk::<CURVE>()?;
    let (ciphertext, rest) = rest.split_first_chunk::<ML_KEM_CIPHERTEXT>()?;
    let (length, rest) = rest.split_first()?;
    let rest = (rest.len() == usize::from(*length)).then_some(rest)?;
    let (cipher, wrapped) = match version {
        3 => rest
            .split_first()
            .map(|(cipher, rest)| (Some(*cipher), rest))?,
        _ => (None, rest),
    };
    let share = Shares {
        ephemeral: *ephemeral,
        classical: x25519(*classical, *ephemeral),
        point: *public.first_chunk()?,
    };
    let lattice = DecapsulationKey::<MlKem768>::from_seed(seed.into());
    let secret = lattice.decapsulate(ciphertext.into());
    let key = aes_kw::unwrap(&share.combine(&secret), wrapped).ok()?;
    Some((cipher, key.to_vec()))
}

#[cfg(test)]
mod tests;

/// What X25519 gives to the key that wraps the session key.
struct Shares {
    ephemeral: [u8; CURVE],
    classical: [u8; CURVE],
    point: [u8; CURVE],
}

impl Shares {
    /// The wrapping key, which neither algorithm's secret gives alone.
    fn combine(&self, lattice: &[u8]) -> [u8; 32] {
        let hash = Sha3_256::new()
            .chain_update(lattice)
            .chain_update(self.classical)
            .chain_update(self.ephemeral)
            .chain_update(self.point)
            .chain_update([ENCRYPT])
            .chain_update(DOMAIN)
            .chain_update([DOMAIN.len() as u8]);
        hash.finalize().into()
    }
}
