//! The envelope: signed, perhaps compressed, encrypted.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::Hook;
use crate::ForgeError;
use crate::openpgp::{EncryptionKey, Fingerprint, Packet, SessionKey, SignSpec, serialize, tag};
use crate::seed::{Rng, random};

/// Whom an envelope is encrypted to.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The primary key, as the signature names it.
    pub primary: Fingerprint,
    /// The subkey.
    pub key: EncryptionKey,
}

/// How the data is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Version 1, with a modification detection code.
    V1,
    /// Version 2, authenticated encryption.
    V2,
    /// Not at all: the old packet without integrity protection.
    None,
    /// Not encrypted: only signed.
    Clear,
}

/// An envelope before it is made.
#[derive(Debug, Clone)]
pub struct EnvelopeDraft {
    /// The signatures, the outermost first.
    pub signatures: Vec<SignSpec>,
    /// Whom it is encrypted to.
    pub recipients: Vec<Recipient>,
    /// Whether a packet for a password is added.
    pub password: bool,
    /// How it is protected.
    pub protection: Protection,
    /// Layers of compression.
    pub compression: usize,
    /// The literal's format.
    pub literal_mode: u8,
    /// Changes the packets that are encrypted, before compression.
    pub content: Hook<Vec<Packet>>,
    /// Changes the octets that are encrypted.
    pub plain: Hook<Vec<u8>>,
    /// Changes the packets outside: session keys and encrypted data.
    pub packets: Hook<Vec<Packet>>,
}

impl EnvelopeDraft {
    /// The OpenPGP message that holds a payload.
    pub(crate) fn seal(&self, rng: &mut Rng, payload: &[u8]) -> Result<Vec<u8>, ForgeError> {
        let mut content = vec![Packet::literal(self.literal_mode, payload)];
        for (depth, sign) in self.signatures.iter().rev().enumerate() {
            let (mut one_pass, signature) = sign.sign(rng, payload);
            if let Some(last) = one_pass.body.last_mut()
                && depth > 0
            {
                // Another one-pass signature follows.
                *last = 0;
            }
            content.insert(0, one_pass);
            content.push(signature);
        }
        let mut plain = serialize(&self.content.apply(content));
        for _ in 0..self.compression {
            plain = compress(&plain).octets();
        }
        let plain = self.plain.apply(plain);
        let key = SessionKey::random(rng);
        let (pkesk, data) = match self.protection {
            Protection::V1 => (3, key.seipd(rng, 1, &plain)?),
            Protection::V2 => (6, key.seipd(rng, 2, &plain)?),
            Protection::None => (3, key.sed(rng, &plain)?),
            Protection::Clear => return Ok(plain),
        };
        let mut packets = Vec::new();
        for recipient in &self.recipients {
            packets.push(key.pkesk(rng, &recipient.key, pkesk)?);
        }
        if self.password {
            packets.push(password_packet(rng));
        }
        packets.push(data);
        Ok(serialize(&self.packets.apply(packets)))
    }
}

/// A compressed data packet (DEFLATE).
pub(crate) fn compress(octets: &[u8]) -> Packet {
    let mut encoder = DeflateEncoder::new(vec![1], Compression::best());
    let written = encoder.write_all(octets).and_then(|()| encoder.finish());
    Packet::new(
        tag::COMPRESSED,
        written.expect("writing to memory cannot fail"),
    )
}

/// A packet that claims to hold the session key under a password: version 4,
/// AES-256, salted and iterated SHA-256.
fn password_packet(rng: &mut Rng) -> Packet {
    let (salt, key): ([u8; 8], [u8; 33]) = (random(rng), random(rng));
    Packet::new(
        tag::SKESK,
        [&[4, 9, 3, 8][..], &salt, &[0x60], &key].concat(),
    )
}
