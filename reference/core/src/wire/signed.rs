//! Signed objects: one one-pass signature, one binary literal, one signature
//! (specification, section "Objects" of chapter "Security").

use std::io::{Read, Write};
use std::time::{Duration, UNIX_EPOCH};

use kith_spec::{limit, req};
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::packet::signature::subpacket::NotationDataFlags;
use sequoia_openpgp::packet::{Key, Packet, Signature};
use sequoia_openpgp::parse::{PacketParser, PacketParserBuilder, PacketParserResult, Parse};
use sequoia_openpgp::serialize::stream::{LiteralWriter, Message, Signer};
use sequoia_openpgp::types::{DataFormat, HashAlgorithm, SignatureType};

use super::WireError;
use super::keys::SigningKey;
use super::signature::{self, NOTATION, Purpose};
use crate::gate::{Gate, Violation};

/// A signed object taken apart, its signature not yet verified.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The OpenPGP message as it arrived.
    pub message: Vec<u8>,
    /// The object octets: the literal's content.
    pub octets: Vec<u8>,
    /// The object hash.
    pub hash: [u8; 32],
    signature: Signature,
}

impl Signed {
    /// Takes a signed object apart.
    ///
    /// # Errors
    ///
    /// The violation, when it is anything but one signed literal.
    pub fn parse(gate: &dyn Gate, message: &[u8]) -> Result<Self, Violation> {
        let malformed = || Violation(&req::SEC_OBJECT_FORM);
        let (packets, octets) = packets(gate, message).ok_or_else(malformed)?;
        let octets = octets.ok_or_else(malformed)?;
        let signature = match packets.as_slice() {
            [
                Packet::OnePassSig(_),
                Packet::Literal(literal),
                Packet::Signature(signature),
            ] => {
                let binary = literal.format() == DataFormat::Binary;
                gate.check(&req::SEC_OBJECT_FORM, binary)?;
                signature.clone()
            }
            other if !gate.enforces(&req::SEC_OBJECT_FORM) => {
                let signature = other.iter().find_map(|packet| match packet {
                    Packet::Signature(signature) => Some(signature.clone()),
                    _ => None,
                });
                signature.ok_or_else(malformed)?
            }
            _ => return Err(malformed()),
        };
        let hash = super::sha256(&octets);
        Ok(Self {
            message: message.to_vec(),
            octets,
            hash,
            signature,
        })
    }

    /// Checks the signature's form and verifies it under one of `keys`.
    ///
    /// # Errors
    ///
    /// The violation.
    pub fn verify(
        &self,
        gate: &dyn Gate,
        keys: &[Key<PublicParts, UnspecifiedRole>],
    ) -> Result<(), Violation> {
        signature::check_form(gate, &self.signature, Purpose::Object)?;
        let intended = signature::intended_recipients(gate, &self.signature);
        gate.check(&req::SEC_OBJECT_NO_INTENDED, intended.is_empty())?;
        let valid = keys
            .iter()
            .any(|key| self.signature.verify_document(key).is_ok());
        gate.check(&req::SEC_OBJECT_SIGNATURE, valid)
    }
}

impl Signed {
    /// Which of `keys` made the signature.
    #[must_use]
    pub fn signer(&self, keys: &[Key<PublicParts, UnspecifiedRole>]) -> Option<usize> {
        keys.iter()
            .position(|key| self.signature.verify_document(key).is_ok())
    }
}

/// The packets of an unarmored message and the content of its one literal.
fn packets(gate: &dyn Gate, message: &[u8]) -> Option<(Vec<Packet>, Option<Vec<u8>>)> {
    // An armored or otherwise encoded object doesn't start with a packet.
    if gate.enforces(&req::SEC_OBJECT_FORM) && message.first().is_none_or(|octet| octet & 0x80 == 0)
    {
        return None;
    }
    let mut result: PacketParserResult<'_> = PacketParserBuilder::from_bytes(message)
        .ok()?
        .max_recursion_depth(2)
        .build()
        .ok()?;
    let (mut packets, mut content) = (Vec::new(), None);
    while let PacketParserResult::Some(mut parser) = result {
        if packets.len() > 8 {
            return None;
        }
        if matches!(parser.packet, Packet::Literal(_)) {
            let first = content.is_none();
            content = Some(read_literal(&mut parser)?);
            gate.check(&req::SEC_OBJECT_FORM, first).ok()?;
        }
        let (packet, next) = parser.recurse().ok()?;
        packets.push(packet);
        result = next;
    }
    Some((packets, content))
}

/// Reads the whole content, for its hash. Only a broken agent takes compressed objects, whose
/// content may be longer than the mail that brought it.
fn read_literal(parser: &mut PacketParser<'_>) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    parser
        .take(limit::DECOMPRESSED_OCTETS)
        .read_to_end(&mut content)
        .ok()?;
    Some(content)
}

/// Signs object octets.
///
/// # Errors
///
/// When the OpenPGP library fails.
pub fn sign(key: &SigningKey, octets: &[u8], now: i64) -> Result<Vec<u8>, WireError> {
    let mut message = Vec::new();
    let signer = Signer::with_template(
        Message::new(&mut message),
        key.pair().map_err(WireError::openpgp)?,
        template(Purpose::Object).map_err(WireError::openpgp)?,
    );
    let time = UNIX_EPOCH + Duration::from_secs(now.max(0).unsigned_abs());
    let write = || -> sequoia_openpgp::Result<()> {
        let signer = signer?
            .hash_algo(HashAlgorithm::SHA512)?
            .creation_time(time)
            .build()?;
        let mut literal = LiteralWriter::new(signer)
            .format(DataFormat::Binary)
            .build()?;
        literal.write_all(octets)?;
        literal.finalize()
    };
    write().map_err(WireError::openpgp)?;
    Ok(message)
}

/// A signature of type 0x00 with the notation for its purpose.
pub(super) fn template(purpose: Purpose) -> sequoia_openpgp::Result<SignatureBuilder> {
    SignatureBuilder::new(SignatureType::Binary).add_notation(
        NOTATION,
        purpose.value().as_bytes(),
        NotationDataFlags::empty().set_human_readable(),
        false,
    )
}
