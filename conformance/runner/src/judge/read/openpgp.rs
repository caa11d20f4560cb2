//! OpenPGP as sequoia reads it (RFC 9580): envelopes, objects, certificates.
//!
//! Facts only: what is there, and whether signatures verify cryptographically. Times,
//! key flags and the rest of the rules are judged elsewhere.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sequoia_openpgp as openpgp;

use openpgp::Cert;
use openpgp::KeyHandle;
use openpgp::crypto::SessionKey;
use openpgp::packet::key::{KeyParts, KeyRole};
use openpgp::packet::signature::subpacket::{SubpacketTag, SubpacketValue};
use openpgp::packet::{Key, PKESK, SEIP, Signature};
use openpgp::parse::buffered_reader::BufferedReader as _;
use openpgp::parse::{PacketParser, PacketParserBuilder, PacketParserResult, Parse};
use openpgp::policy::StandardPolicy;
use openpgp::serialize::MarshalInto;
use openpgp::types::{DataFormat, PublicKeyAlgorithm, SymmetricAlgorithm};
use openpgp::{Packet, PacketPile};
use sha2::{Digest, Sha256};

/// OpenPGP data that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sequoia cannot read the {what}: {reason}")]
pub struct OpenPgpError {
    what: &'static str,
    reason: String,
}

impl OpenPgpError {
    fn new(what: &'static str, reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        Self { what, reason }
    }
}

/// A session-key packet for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKeyPacket {
    /// Its version: 3 or 6.
    pub version: u8,
    /// Its public-key algorithm, by its number.
    pub algorithm: u8,
    /// The key id or fingerprint of the (sub)key it is for, in hexadecimal.
    pub recipient: Option<String>,
}

/// How the content of an envelope is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// It is not encrypted.
    None,
    /// Encrypted without integrity protection.
    Unprotected,
    /// Version 1, with a modification detection code.
    Version1,
    /// Version 2, with an AEAD algorithm.
    Version2,
}

/// One notation in a signature's hashed area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notation {
    /// Its name.
    pub name: String,
    /// Its value, as text.
    pub value: String,
    /// Whether a reader who doesn't know it must reject the signature.
    pub critical: bool,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFacts {
    /// Its version.
    pub version: u8,
    /// Its type: 0 is a signature of a binary document.
    pub kind: u8,
    /// The hash algorithm's name.
    pub hash: String,
    /// When it says it was made, Unix seconds.
    pub created: Option<i64>,
    /// The intended recipients' fingerprints, in upper-case hexadecimal, in order.
    pub intended: Vec<String>,
    /// The notations of the hashed area.
    pub notations: Vec<Notation>,
    /// The numbers of the unhashed subpackets.
    pub unhashed: Vec<u8>,
    /// The numbers of critical subpackets of the hashed area.
    pub critical: Vec<u8>,
    /// The fingerprint of the primary key under which it verifies, if one does.
    pub signer: Option<String>,
}

/// What was found in an OpenPGP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFacts {
    /// The session-key packets for keys.
    pub session_keys: Vec<SessionKeyPacket>,
    /// How many session-key packets for passwords there are.
    pub passwords: usize,
    /// How it is protected.
    pub protection: Protection,
    /// How many layers of compression there are.
    pub compression: usize,
    /// How many one-pass signature packets there are.
    pub one_pass: usize,
    /// The formats of the literal data packets: `b`, `t`, `u`.
    pub literals: Vec<char>,
    /// The signatures, in order.
    pub signatures: Vec<SignatureFacts>,
    /// The names of packets that have no place in a message.
    pub strange: Vec<String>,
    /// The content of the last literal data packet.
    pub content: Vec<u8>,
}

/// A certificate.
#[derive(Debug, Clone)]
pub struct CertificateFacts {
    /// SHA-256 of its packets in binary.
    pub hash: String,
    /// Its packets in binary.
    pub binary: Vec<u8>,
    /// The key hash of its primary key.
    pub key_hash: String,
    /// The primary key's fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// As sequoia has it.
    pub cert: Arc<Cert>,
}

/// Keys by which a message may be opened, and certificates by which it may verify.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// Transferable secret keys.
    pub secrets: Vec<Arc<Cert>>,
    /// Certificates of possible signers.
    pub signers: Vec<Arc<Cert>>,
}

/// How many certificates are remembered: the puppets' come again in mail after mail.
const REMEMBERED: usize = 200;

thread_local! {
    static CERTIFICATES: RefCell<HashMap<[u8; 32], CertificateFacts>> = RefCell::default();
}

/// Reads a certificate or a transferable secret key.
///
/// # Errors
/// If it is none.
pub fn certificate(octets: &[u8]) -> Result<CertificateFacts, OpenPgpError> {
    let key: [u8; 32] = Sha256::digest(octets).into();
    let known = CERTIFICATES.with_borrow(|known| known.get(&key).cloned());
    if let Some(facts) = known {
        return Ok(facts);
    }
    let facts = parse(octets)?;
    CERTIFICATES.with_borrow_mut(|known| {
        if known.len() == REMEMBERED {
            known.clear();
        }
        known.insert(key, facts.clone());
    });
    Ok(facts)
}

fn parse(octets: &[u8]) -> Result<CertificateFacts, OpenPgpError> {
    let bad = |error: &dyn std::fmt::Display| OpenPgpError::new("certificate", error);
    let mut binary = Vec::new();
    if octets.starts_with(b"-----") {
        let mut armor = openpgp::armor::Reader::from_bytes(octets, None);
        armor
            .read_to_end(&mut binary)
            .map_err(|error| bad(&error))?;
    } else {
        binary.extend_from_slice(octets);
    }
    let cert = Cert::from_bytes(&binary).map_err(|error| bad(&error))?;
    Ok(CertificateFacts {
        hash: hex::encode(Sha256::digest(&binary)),
        key_hash: key_hash(cert.primary_key().key())?,
        fingerprint: cert.fingerprint().to_hex(),
        cert: Arc::new(cert),
        binary,
    })
}

/// SHA-256 over the octet 0x9B, the body's length and the public-key packet's body.
fn key_hash<P, R>(key: &Key<P, R>) -> Result<String, OpenPgpError>
where
    P: KeyParts,
    R: KeyRole,
{
    let bad = |error: &dyn std::fmt::Display| OpenPgpError::new("primary key", error);
    let public = key.parts_as_public().role_as_primary().clone();
    let packet = MarshalInto::to_vec(&Packet::from(public)).map_err(|error| bad(&error))?;
    let body = body(&packet).ok_or_else(|| bad(&"its packet has no body"))?;
    let length = u32::try_from(body.len()).map_err(|error| bad(&error))?;
    let hash = Sha256::new()
        .chain_update([0x9b])
        .chain_update(length.to_be_bytes());
    Ok(hex::encode(hash.chain_update(body).finalize()))
}

/// The body of a packet with a header of the present form (RFC 9580, section 4.2.1).
fn body(packet: &[u8]) -> Option<&[u8]> {
    let header = match packet.get(1)? {
        0..192 => 2,
        192..224 => 3,
        255 => 6,
        _ => return None,
    };
    packet.get(header..)
}

/// The fingerprint and the key hash of the bare primary public-key packet in these
/// octets.
///
/// # Errors
/// If there is another packet, or a second one.
pub fn bare_key(octets: &[u8]) -> Result<(String, String), OpenPgpError> {
    let bad = |error: &dyn std::fmt::Display| OpenPgpError::new("bare key", error);
    let pile = PacketPile::from_bytes(octets).map_err(|error| bad(&error))?;
    let packets: Vec<Packet> = pile.into_children().collect();
    match packets.as_slice() {
        [Packet::PublicKey(key)] => Ok((key.fingerprint().to_hex(), key_hash(key)?)),
        _ => Err(bad(&"it is not exactly one public-key packet")),
    }
}

/// Whether the primary key may certify and sign, by valid self-signatures, at a time in
/// Unix seconds.
pub fn may_certify_and_sign(cert: &Cert, now: i64) -> bool {
    let policy = StandardPolicy::new();
    let Some(now) = instant(now) else {
        return false;
    };
    let valid = cert.with_policy(&policy, now);
    valid.is_ok_and(|cert| {
        let key = cert.primary_key();
        key.for_certification() && key.for_signing()
    })
}

/// Whether a version 4 key says, by valid self-signatures, that it reads integrity protected data
/// of version 2, at a time in Unix seconds.
pub fn declares_v2_as_v4(cert: &Cert, now: i64) -> bool {
    let policy = StandardPolicy::new();
    let Some(now) = instant(now) else {
        return false;
    };
    let valid = cert.with_policy(&policy, now);
    let declared = valid.is_ok_and(|cert| {
        let features = openpgp::cert::Preferences::features(&cert);
        features.is_some_and(|features| features.supports_seipdv2())
    });
    declared && cert.primary_key().key().version() == 4
}

fn instant(seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(seconds).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The newest encryption subkey of a certificate that is valid at a time, Unix
/// seconds: fingerprint and key id, in hexadecimal. Either of those that are ML-KEM-768+X25519,
/// or of the others.
pub fn encryption_key(cert: &Cert, composite: bool, now: i64) -> Option<[String; 2]> {
    let policy = StandardPolicy::new();
    let now = instant(now)?;
    let valid = cert.keys().subkeys().with_policy(&policy, now);
    let usable = valid.alive().revoked(false).for_transport_encryption();
    let wanted = |algorithm| (algorithm == PublicKeyAlgorithm::MLKEM768_X25519) == composite;
    let usable = usable.filter(|key| wanted(key.key().pk_algo()));
    let newest = usable.max_by_key(|key| key.key().creation_time())?;
    Some([
        newest.key().fingerprint().to_hex(),
        newest.key().keyid().to_hex(),
    ])
}

/// Reads an OpenPGP message, armored or not, decrypting it where a secret key fits.
///
/// # Errors
/// If it is no OpenPGP data, or can't be decrypted with the keys that are there.
pub fn message(octets: &[u8], keyring: &Keyring) -> Result<MessageFacts, OpenPgpError> {
    let bad = |error| OpenPgpError::new("message", error);
    let mut reader = Reader::new(keyring);
    let builder = PacketParserBuilder::from_bytes(octets).map_err(bad)?;
    let mut next = builder.buffer_unread_content().build().map_err(bad)?;
    while let PacketParserResult::Some(mut parser) = next {
        reader.before(&mut parser)?;
        let (packet, after) = parser.recurse().map_err(bad)?;
        reader.after(packet);
        next = after;
    }
    Ok(reader.facts)
}

struct Reader<'a> {
    keyring: &'a Keyring,
    sealed: Vec<PKESK>,
    facts: MessageFacts,
}

impl<'a> Reader<'a> {
    fn new(keyring: &'a Keyring) -> Self {
        Self {
            keyring,
            sealed: Vec::new(),
            facts: MessageFacts {
                session_keys: Vec::new(),
                passwords: 0,
                protection: Protection::None,
                compression: 0,
                one_pass: 0,
                literals: Vec::new(),
                signatures: Vec::new(),
                strange: Vec::new(),
                content: Vec::new(),
            },
        }
    }

    /// Opens a container before its content is read.
    fn before(&mut self, parser: &mut PacketParser<'_>) -> Result<(), OpenPgpError> {
        let algorithm = match &parser.packet {
            Packet::SEIP(SEIP::V1(_)) => {
                // The library panics where there is less than an empty container holds: a block,
                // its last two octets again, and the packet of the modification detection code.
                let empty = parser.data_hard(16 + 2 + 22);
                empty.map_err(|e| OpenPgpError::new("envelope", e))?;
                None
            }
            Packet::SEIP(SEIP::V2(seip)) => Some(seip.symmetric_algo()),
            _ => return Ok(()),
        };
        let (found, key) = self
            .session_key()
            .ok_or_else(|| OpenPgpError::new("envelope", "none of the known keys opens it"))?;
        let algorithm = found.or(algorithm);
        parser
            .decrypt(algorithm, &key)
            .map_err(|e| OpenPgpError::new("envelope", e))
    }

    fn session_key(&self) -> Option<(Option<SymmetricAlgorithm>, SessionKey)> {
        let secrets = self.keyring.secrets.iter();
        let keys = secrets.flat_map(|cert| cert.keys().unencrypted_secret());
        for key in keys {
            let handles = [
                KeyHandle::from(key.key().fingerprint()),
                KeyHandle::from(key.key().keyid()),
            ];
            let Ok(mut pair) = key.key().clone().into_keypair() else {
                continue;
            };
            for packet in &self.sealed {
                let fits = packet
                    .recipient()
                    .is_none_or(|to| handles.iter().any(|handle| handle.aliases(&to)));
                if fits && let Some(opened) = packet.decrypt(&mut pair, None) {
                    return Some(opened);
                }
            }
        }
        None
    }

    fn after(&mut self, packet: Packet) {
        let facts = &mut self.facts;
        match packet {
            Packet::PKESK(packet) => {
                facts.session_keys.push(SessionKeyPacket {
                    version: packet.version(),
                    algorithm: algorithm(&packet),
                    recipient: packet.recipient().map(|to| to.to_hex()),
                });
                self.sealed.push(packet);
            }
            Packet::SKESK(_) => facts.passwords += 1,
            Packet::SEIP(SEIP::V1(_)) => facts.protection = Protection::Version1,
            Packet::SEIP(_) => facts.protection = Protection::Version2,
            Packet::CompressedData(_) => facts.compression += 1,
            Packet::OnePassSig(_) => facts.one_pass += 1,
            Packet::Literal(literal) => {
                facts.literals.push(match literal.format() {
                    DataFormat::Binary => 'b',
                    DataFormat::Unicode => 'u',
                    _ => 't',
                });
                facts.content = literal.body().to_vec();
            }
            Packet::Signature(signature) => {
                facts
                    .signatures
                    .push(signature_facts(&signature, &self.keyring.signers));
            }
            Packet::Unknown(packet) if packet.tag() == openpgp::packet::Tag::SED => {
                facts.protection = Protection::Unprotected;
            }
            #[expect(
                deprecated,
                reason = "a modification detection code ends every version-1 container"
            )]
            Packet::MDC(_) => {}
            Packet::Padding(_) | Packet::Marker(_) => {}
            other => facts.strange.push(other.tag().to_string()),
        }
    }
}

/// The number of a session-key packet's algorithm; 0 where it has none.
fn algorithm(packet: &PKESK) -> u8 {
    match packet {
        PKESK::V3(packet) => packet.pk_algo().into(),
        PKESK::V6(packet) => packet.pk_algo().into(),
        _ => 0,
    }
}

fn signature_facts(signature: &Signature, signers: &[Arc<Cert>]) -> SignatureFacts {
    let hashed = signature.hashed_area();
    let notations = hashed
        .iter()
        .filter_map(|subpacket| match subpacket.value() {
            SubpacketValue::NotationData(notation) => Some(Notation {
                name: notation.name().to_owned(),
                value: String::from_utf8_lossy(notation.value()).into_owned(),
                critical: subpacket.critical(),
            }),
            _ => None,
        });
    let intended = hashed
        .iter()
        .filter_map(|subpacket| match subpacket.value() {
            SubpacketValue::IntendedRecipient(fingerprint) => Some(fingerprint.to_hex()),
            _ => None,
        });
    let created = signature.signature_creation_time();
    let seconds = created.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    // Whom a signature names as issuer is only a hint, and saves trying everybody.
    let issuers = signature.get_issuers();
    let named = |cert: &&Arc<Cert>| {
        let handle = cert.key_handle();
        issuers.is_empty() || issuers.iter().any(|issuer| issuer.aliases(&handle))
    };
    let verifies = |cert: &&Arc<Cert>| {
        let key = cert.primary_key().key().clone();
        signature.verify_document(&key).is_ok()
    };
    let signer = signers.iter().filter(named).find(verifies);
    let tag = |tag: SubpacketTag| u8::from(tag);
    SignatureFacts {
        version: signature.version(),
        kind: u8::from(signature.typ()),
        hash: signature.hash_algo().to_string(),
        created: seconds.and_then(|seconds| i64::try_from(seconds.as_secs()).ok()),
        intended: intended.collect(),
        notations: notations.collect(),
        unhashed: signature
            .unhashed_area()
            .iter()
            .map(|s| tag(s.tag()))
            .collect(),
        critical: hashed
            .iter()
            .filter(|s| s.critical())
            .map(|s| tag(s.tag()))
            .collect(),
        signer: signer.map(|cert| cert.fingerprint().to_hex()),
    }
}
