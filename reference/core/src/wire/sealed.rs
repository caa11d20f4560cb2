//! The envelope of a sealed mail: opening it with all its facts, and sealing
//! (specification, sections "Algorithms" and "The envelope" of chapter "Security").

use std::io::{Read, Write};

use kith_spec::{limit, req};
use sequoia_openpgp::Fingerprint;
use sequoia_openpgp::armor;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::{PKESK, Packet, SEIP, Signature};
use sequoia_openpgp::parse::{PacketParser, PacketParserBuilder, PacketParserResult, Parse};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::serialize::stream::{
    Armorer, Compressor, Encryptor, LiteralWriter, Message, Recipient, Signer,
};
use sequoia_openpgp::types::{DataFormat, HashAlgorithm, PublicKeyAlgorithm, SymmetricAlgorithm};

use super::keys::{self, Certificate, OwnKey, PublicKey, SigningKey};
use super::signature::{self, Purpose};
use super::{WireError, container};
use crate::gate::{Gate, Violation};

/// What an envelope held, its signature not yet verified.
#[derive(Debug)]
pub struct Opened {
    /// The decrypted MIME entity.
    pub payload: Vec<u8>,
    /// How many session-key packets there are for public keys.
    pub session_keys: usize,
    /// How many session-key packets there are for passwords.
    pub passwords: usize,
    /// Whether it is protected after quantum computers.
    pub protected: bool,
    signatures: Vec<Signature>,
    binary: bool,
    literals: usize,
}

/// Why an envelope can't be opened.
#[derive(Debug, Clone, Copy)]
pub enum Unopened {
    /// It is no OpenPGP message.
    NoMessage,
    /// It is not encrypted to this person.
    NotForUs,
    /// It breaks a rule.
    Broken(Violation),
}

impl From<Violation> for Unopened {
    fn from(violation: Violation) -> Self {
        Self::Broken(violation)
    }
}

impl Opened {
    /// Decrypts an envelope, armored or not.
    ///
    /// # Errors
    ///
    /// [`Unopened`].
    pub fn open(gate: &dyn Gate, message: &[u8], own: &[&OwnKey]) -> Result<Self, Unopened> {
        let mut opening = Opening::default();
        let mut result = PacketParserBuilder::from_bytes(message)
            .and_then(|builder| builder.max_recursion_depth(8).build())
            .map_err(|_| Unopened::NoMessage)?;
        while let PacketParserResult::Some(mut parser) = result {
            opening.packet(gate, &mut parser, own)?;
            let (packet, next) = parser.recurse().map_err(|_| opening.broken_data())?;
            opening.finished(gate, packet)?;
            result = next;
        }
        opening.result(gate)
    }

    /// Checks the delivery signature's form, all that doesn't need the signer's key.
    ///
    /// # Errors
    ///
    /// The violation.
    pub fn check_form(
        &self,
        gate: &dyn Gate,
        purpose: Purpose,
        now: i64,
    ) -> Result<&Signature, Violation> {
        let unsigned = Violation(&req::SEC_DELIVERY_SIGNED);
        let one = self.signatures.len() == 1 && self.literals == 1;
        gate.check(&req::SEC_DELIVERY_SIGNED, one)?;
        gate.check(&req::SEC_ENVELOPE_TYPE, self.binary)?;
        let signature = self.signatures.first().ok_or(unsigned)?;
        signature::check_form(gate, signature, purpose)?;
        let latest = now + limit::CLOCK_SKEW_SECONDS as i64;
        gate.check(
            &req::SEC_DELIVERY_TIME,
            signature::created(signature) <= latest,
        )?;
        Ok(signature)
    }

    /// Verifies the delivery signature under the sender's primary key.
    ///
    /// # Errors
    ///
    /// The violation.
    pub fn verify(&self, gate: &dyn Gate, key: &PublicKey) -> Result<(), Violation> {
        let valid = |signature: &Signature| signature.verify_document(key).is_ok();
        gate.check(
            &req::SEC_DELIVERY_SIGNATURE,
            self.signatures.iter().all(valid),
        )
    }

    /// Whether all signatures verify under a key.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let valid = |signature: &Signature| signature.verify_document(key).is_ok();
        self.signatures.iter().all(valid)
    }

    /// Whether the signature says that this is a note of a device to the others.
    #[must_use]
    pub fn is_self_copy(&self) -> bool {
        self.signatures
            .first()
            .is_some_and(|signature| signature::claims(signature, Purpose::SelfCopy))
    }

    /// The issuer's fingerprint: a hint where to look for the key.
    #[must_use]
    pub fn issuer(&self) -> Option<Fingerprint> {
        self.signatures.first().and_then(signature::issuer)
    }
}

#[derive(Default)]
struct Opening {
    recipients: Vec<PKESK>,
    passwords: usize,
    layers: usize,
    payload: Option<Vec<u8>>,
    signatures: Vec<Signature>,
    binary: bool,
    literals: usize,
    decrypted: bool,
    /// Anything that has no place in an envelope.
    stray: bool,
    checked: bool,
}

impl Opening {
    /// Looks at a packet before its content is consumed.
    fn packet(
        &mut self,
        gate: &dyn Gate,
        parser: &mut PacketParser<'_>,
        own: &[&OwnKey],
    ) -> Result<(), Unopened> {
        match &parser.packet {
            Packet::SEIP(seip) => {
                let version = seip.version();
                let (algorithm, key) = self.session_key(version, own).ok_or(Unopened::NotForUs)?;
                container::decrypt(parser, algorithm, &key).map_err(|_| self.broken_data())?;
                self.decrypted = true;
                // In version 2 each chunk is checked before it is released.
                self.checked = matches!(parser.packet, Packet::SEIP(SEIP::V2(_)));
            }
            Packet::CompressedData(_) => {
                self.layers += 1;
                let one = self.layers == 1 && self.decrypted;
                gate.check(
                    &req::SEC_COMPRESSION_DEPTH,
                    one || self.layers < 4 && { !gate.enforces(&req::SEC_COMPRESSION_DEPTH) },
                )?;
            }
            Packet::Literal(literal) => {
                self.literals += 1;
                self.binary = literal.format() == DataFormat::Binary;
                self.read_literal(gate, parser)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_literal(
        &mut self,
        gate: &dyn Gate,
        parser: &mut PacketParser<'_>,
    ) -> Result<(), Unopened> {
        let mut content = Vec::new();
        let cap = limit::DECOMPRESSED_OCTETS + 1;
        let read = parser.take(cap).read_to_end(&mut content);
        read.map_err(|_| self.broken_data())?;
        gate.check(&req::SEC_COMPRESSION_OUTPUT, (content.len() as u64) < cap)?;
        self.payload.get_or_insert(content);
        Ok(())
    }

    /// Keeps what is known of a packet once its content is consumed.
    #[expect(
        deprecated,
        reason = "the only place where the check of version 1 shows"
    )]
    fn finished(&mut self, gate: &dyn Gate, packet: Packet) -> Result<(), Unopened> {
        match packet {
            Packet::PKESK(packet) => self.recipients.push(packet),
            Packet::SKESK(_) => self.passwords += 1,
            Packet::Signature(signature) => self.signatures.push(signature),
            Packet::MDC(mdc) => {
                gate.check(&req::SEC_INTEGRITY, mdc.valid())?;
                self.checked = true;
            }
            Packet::SEIP(_)
            | Packet::CompressedData(_)
            | Packet::OnePassSig(_)
            | Packet::Literal(_)
            | Packet::Marker(_)
            | Packet::Padding(_) => {}
            _ => self.stray = true,
        }
        Ok(())
    }

    fn session_key(
        &self,
        version: u8,
        own: &[&OwnKey],
    ) -> Option<(Option<SymmetricAlgorithm>, SessionKey)> {
        for key in own.iter().flat_map(|own| own.decryption_keys()) {
            let Ok(mut pair) = key.into_keypair() else {
                continue;
            };
            for recipient in &self.recipients {
                if let Some((algorithm, session_key)) = recipient.decrypt(&mut pair, None) {
                    let algorithm = if version == 1 { algorithm } else { None };
                    return Some((algorithm, session_key));
                }
            }
        }
        None
    }

    /// What a failure after decryption means: the data doesn't hold together.
    fn broken_data(&self) -> Unopened {
        if self.recipients.is_empty() {
            Unopened::NoMessage
        } else {
            Unopened::Broken(Violation(&req::SEC_INTEGRITY))
        }
    }

    fn result(self, gate: &dyn Gate) -> Result<Opened, Unopened> {
        if !self.decrypted {
            // Without integrity protection there is nothing to decrypt safely.
            return Err(self.broken_data());
        }
        gate.check(&req::SEC_INTEGRITY, self.checked)?;
        gate.check(&req::SEC_DELIVERY_SIGNED, !self.stray)?;
        let payload = self.payload.ok_or(Violation(&req::SEC_DELIVERY_SIGNED))?;
        let mut composite = self.recipients.iter().map(is_composite);
        Ok(Opened {
            payload,
            protected: is_protected(gate, &mut composite),
            session_keys: self.recipients.len(),
            passwords: self.passwords,
            signatures: self.signatures,
            binary: self.binary,
            literals: self.literals,
        })
    }
}

/// Whether a session-key packet is ML-KEM-768+X25519.
fn is_composite(packet: &PKESK) -> bool {
    let algorithm = match packet {
        PKESK::V3(packet) => packet.pk_algo(),
        PKESK::V6(packet) => packet.pk_algo(),
        _ => return false,
    };
    algorithm == PublicKeyAlgorithm::MLKEM768_X25519
}

/// Whether a mail is protected, given which of its session-key packets are.
fn is_protected(gate: &dyn Gate, packets: &mut dyn Iterator<Item = bool>) -> bool {
    let packets: Vec<bool> = packets.collect();
    match gate.enforces(&req::PQ_EVERY_PACKET) {
        true => !packets.is_empty() && packets.iter().all(|composite| *composite),
        false => packets.contains(&true),
    }
}

/// A sealed envelope.
pub struct Sealed {
    /// The armored message.
    pub armored: Vec<u8>,
    /// Whether it is protected after quantum computers.
    pub protected: bool,
}

/// Signs a payload, encrypts it to its recipients, and armors it.
///
/// # Errors
///
/// When a recipient has no valid encryption subkey or the OpenPGP library fails.
pub fn seal(
    gate: &dyn Gate,
    key: &SigningKey,
    recipients: &[&Certificate],
    payload: &[u8],
    purpose: Purpose,
    now: i64,
) -> Result<Sealed, WireError> {
    let policy = StandardPolicy::new();
    let (mut targets, mut composite) = (Vec::new(), Vec::new());
    for certificate in recipients {
        let key = keys::recipient_key(gate, certificate, &policy, now)?;
        composite.push(keys::is_composite(key.key().role_as_unspecified()));
        targets.push(Recipient::from(key));
    }
    let pair = key.pair().map_err(WireError::openpgp)?;
    let mut sealed = Vec::new();
    let write = || -> sequoia_openpgp::Result<()> {
        let message = Armorer::new(Message::new(&mut sealed))
            .kind(armor::Kind::Message)
            .build()?;
        let message = Encryptor::for_recipients(message, targets)
            .symmetric_algo(SymmetricAlgorithm::AES256)
            .build()?;
        let message = if gate.enforces(&req::MAIL_NO_COMPRESSION) {
            message
        } else {
            Compressor::new(message).build()?
        };
        let template = super::signed::template(purpose)?;
        let mut signer = Signer::with_template(message, pair, template)?
            .hash_algo(HashAlgorithm::SHA512)?
            .creation_time(keys::system_time(now));
        for certificate in recipients {
            signer = signer.add_intended_recipient(&certificate.cert);
        }
        let mut literal = LiteralWriter::new(signer.build()?)
            .format(DataFormat::Binary)
            .build()?;
        literal.write_all(payload)?;
        literal.finalize()
    };
    write().map_err(WireError::openpgp)?;
    Ok(Sealed {
        armored: sealed,
        protected: is_protected(gate, &mut composite.into_iter()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Strict;
    use crate::wire::keys::KeyKind;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn an_envelope_cut_short_is_broken() {
        let key = OwnKey::generate(&Strict, KeyKind::V4, None, NOW).unwrap();
        let (signing, certificate) = (key.signing().unwrap(), key.certificate());
        let purpose = Purpose::Delivery;
        let armored = seal(&Strict, &signing, &[&certificate], b"x", purpose, NOW).unwrap();
        let octets = keys::dearmor(&armored.armored);
        assert!(Opened::open(&Strict, &octets, &[&key]).is_ok());
        // The session-key packet has a length of one octet, the container one of two.
        let container = 2 + usize::from(octets[1]);
        let body = &octets[container + 3..];
        assert_eq!((octets[container], body[0]), (0xd2, 1));
        for length in 1..100 {
            let header = [0xd2, u8::try_from(length).unwrap()];
            let cut = [&octets[..container], &header, &body[..length]].concat();
            assert!(Opened::open(&Strict, &cut, &[&key]).is_err(), "{length}");
        }
    }
}
