//! OpenPGP (RFC 9580) at the level of packets.
//!
//! The framing and the signature packets are written here, so that a fault can
//! change any octet; keys, key agreement and encryption are rPGP's.

mod armor;
mod certificate;
pub(crate) mod composite;
mod encrypt;
mod key;
mod packet;
mod signature;

pub use armor::{ArmorKind, armor, dearmor};
pub use certificate::{Certificate, CertificateSpec, SubkeySpec};
pub(crate) use encrypt::{DecryptionKey, encrypt_slowly};
pub use encrypt::{EncryptionKey, SessionKey, encrypt_with_password};
pub(crate) use key::public_packet;
pub use key::{Fingerprint, KeyKind, SigningKey, key_hash};
pub use packet::{Packet, frame, serialize, split, tag};
pub(crate) use signature::verifies_composite;
pub use signature::{HashAlgorithm, SignSpec, Subpacket, signature_type, subpacket};

/// What OpenPGP data could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PgpError {
    /// The octets are no sequence of packets.
    #[error("no OpenPGP packet at octet {0}: the header or the length is wrong")]
    Framing(usize),
    /// Not armor, or not the right one.
    #[error("no OpenPGP armor: {0}")]
    Armor(&'static str),
    /// rPGP refused.
    #[error("rPGP refused {what}: {error}")]
    Rpgp {
        /// What was being done.
        what: &'static str,
        /// Why not.
        error: Box<pgp::errors::Error>,
    },
    /// A composite key or session key doesn't hold together.
    #[error("the {0} is none of ML-KEM-768+X25519, or for another key")]
    Composite(&'static str),
    /// A certificate lacks what is needed.
    #[error("the certificate has no {0}")]
    Certificate(&'static str),
}

impl PgpError {
    pub(crate) fn rpgp(what: &'static str) -> impl FnOnce(pgp::errors::Error) -> Self {
        move |error| Self::Rpgp {
            what,
            error: Box::new(error),
        }
    }
}
