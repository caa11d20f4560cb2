//! Opening an envelope.

use std::io::Read;

use pgp::composed::PlainSessionKey;
use pgp::packet::{
    CompressedData, PacketHeader, PublicKeyEncryptedSessionKey, SymEncryptedProtectedData,
};
use pgp::types::{PkeskVersion, Tag};

use super::signature::SignatureFacts;
use super::{EnvelopeFacts, Knowledge, ReadError};
use crate::openpgp::{DecryptionKey, Packet, PgpError, dearmor, split, tag};

/// No more than this is decompressed, in octets.
const LIMIT: u64 = 64 << 20;

/// An opened envelope: its payload, and what is needed to say the rest.
pub(super) struct Opened {
    pub(super) payload: Vec<u8>,
    signatures: Vec<Packet>,
    facts: EnvelopeFacts,
}

impl Opened {
    /// The facts, once the keys in the payload are known.
    pub(super) fn facts(self, knowledge: &Knowledge) -> EnvelopeFacts {
        let signatures = self.signatures.iter();
        let read = |packet| SignatureFacts::read(packet, &self.payload, knowledge);
        EnvelopeFacts {
            signatures: signatures.map(read).collect(),
            payload: self.payload.clone(),
            ..self.facts
        }
    }
}

pub(super) fn open(armored: &[u8], keys: &[DecryptionKey]) -> Result<Opened, ReadError> {
    let packets = split(&dearmor(armored)?)?;
    let mut facts = EnvelopeFacts {
        session_keys: Vec::new(),
        password_packets: packets.iter().filter(|p| p.tag == tag::SKESK).count(),
        seipd: 0,
        compression: 0,
        literal_mode: 0,
        signatures: Vec::new(),
        payload: Vec::new(),
        payload_length: 0,
    };
    let mut session_key = None;
    for packet in packets.iter().filter(|packet| packet.tag == tag::PKESK) {
        let read = PublicKeyEncryptedSessionKey::try_from_reader(
            header(Tag::PublicKeyEncryptedSessionKey, &packet.body),
            packet.body.as_slice(),
        );
        let read = read.map_err(PgpError::rpgp("a session-key packet"))?;
        facts.session_keys.push(name(&read));
        let mut opened = keys.iter().filter_map(|key| key.decrypt(&read).ok());
        session_key = session_key.or_else(|| opened.next());
    }
    let missing = ReadError::NotForReader(facts.session_keys.len());
    let session_key = session_key.ok_or(missing)?;
    let mut protected = packets.iter().filter(|packet| packet.tag == tag::SEIPD);
    let protected = protected
        .next()
        .ok_or(ReadError::Missing("protected data"))?;
    facts.seipd = protected.body.first().copied().unwrap_or(0);
    let plain = decrypt(protected, &session_key)?;
    let mut content = split(&plain)?;
    while content
        .first()
        .is_some_and(|packet| packet.tag == tag::COMPRESSED)
    {
        facts.compression += 1;
        content = split(&decompress(&content[0])?)?;
    }
    let mut literals = content.iter().filter(|packet| packet.tag == tag::LITERAL);
    let literal = literals
        .next()
        .ok_or(ReadError::Missing("literal packet"))?;
    facts.literal_mode = literal.body.first().copied().unwrap_or(0);
    let payload = literal.literal_content().to_vec();
    facts.payload_length = payload.len();
    let signatures = content.iter().filter(|packet| packet.tag == tag::SIGNATURE);
    Ok(Opened {
        signatures: signatures.cloned().collect(),
        payload,
        facts,
    })
}

fn name(packet: &PublicKeyEncryptedSessionKey) -> (u8, String) {
    match packet.version() {
        PkeskVersion::V6 => {
            let fingerprint = packet.fingerprint().ok().flatten();
            (6, fingerprint.map(ToString::to_string).unwrap_or_default())
        }
        version => {
            let id = packet.id().map(ToString::to_string);
            (version.into(), id.unwrap_or_default())
        }
    }
}

/// The packets in protected data, as octets.
pub(crate) fn decrypt(packet: &Packet, key: &PlainSessionKey) -> Result<Vec<u8>, ReadError> {
    let header = header(Tag::SymEncryptedProtectedData, &packet.body);
    let read = SymEncryptedProtectedData::try_from_reader(header, packet.body.as_slice());
    let read = read.map_err(PgpError::rpgp("protected data"))?;
    let plain = match key {
        PlainSessionKey::V3_4 { sym_alg, key } => {
            read.decrypt(key.as_ref(), Some(*sym_alg), Default::default())
        }
        PlainSessionKey::V5 { key } | PlainSessionKey::V6 { key } => {
            read.decrypt(key.as_ref(), None, Default::default())
        }
    };
    Ok(plain.map_err(PgpError::rpgp("protected data"))?)
}

fn decompress(packet: &Packet) -> Result<Vec<u8>, ReadError> {
    let header = header(Tag::CompressedData, &packet.body);
    let error = PgpError::rpgp("compressed data");
    let read = CompressedData::try_from_reader(header, packet.body.as_slice()).map_err(error)?;
    let reader = read
        .decompress()
        .map_err(PgpError::rpgp("compressed data"))?;
    let mut out = Vec::new();
    let read = reader.take(LIMIT).read_to_end(&mut out);
    read.map_err(|error| PgpError::rpgp("compressed data")(error.into()))?;
    Ok(out)
}

fn header(tag: Tag, body: &[u8]) -> PacketHeader {
    PacketHeader::new_fixed(tag, u32::try_from(body.len()).unwrap_or(u32::MAX))
}
