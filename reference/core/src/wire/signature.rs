//! The rules that object and delivery signatures have in common (specification, chapter
//! "Security": algorithms, purpose, hashed subpackets).

use kith_spec::{Rule, req};
use sequoia_openpgp::packet::Signature;
use sequoia_openpgp::packet::signature::subpacket::{Subpacket, SubpacketTag, SubpacketValue};
use sequoia_openpgp::types::{HashAlgorithm, SignatureType};
use sequoia_openpgp::{Fingerprint, KeyHandle};

use crate::gate::{Gate, Violation};

/// The notation that says what a signature is for.
pub const NOTATION: &str = "kith";

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Says who wrote something.
    Object,
    /// Says who handed it to whom.
    Delivery,
    /// Says that a device tells it the other devices of the same person.
    SelfCopy,
}

impl Purpose {
    /// The notation's value.
    #[must_use]
    pub fn value(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Delivery => "delivery",
            Self::SelfCopy => "self",
        }
    }

    fn type_rule(self) -> Rule {
        match self {
            Self::Object => &req::SEC_OBJECT_TYPE,
            Self::Delivery | Self::SelfCopy => &req::SEC_ENVELOPE_TYPE,
        }
    }
}

/// The subpackets that may be believed: the hashed ones.
fn believed<'a>(gate: &dyn Gate, signature: &'a Signature) -> Vec<&'a Subpacket> {
    let mut subpackets: Vec<_> = signature.hashed_area().iter().collect();
    if !gate.enforces(&req::SEC_HASHED_ONLY) {
        subpackets.extend(signature.unhashed_area().iter());
    }
    subpackets
}

/// Checks all that doesn't need the signer's key.
///
/// # Errors
///
/// The violation.
pub fn check_form(
    gate: &dyn Gate,
    signature: &Signature,
    purpose: Purpose,
) -> Result<(), Violation> {
    let type_rule = purpose.type_rule();
    gate.check(type_rule, signature.typ() == SignatureType::Binary)?;
    gate.check(&req::SEC_HASH, is_strong(signature.hash_algo()))?;
    check_critical(gate, signature)?;
    check_purpose(gate, signature, purpose)
}

fn is_strong(hash: HashAlgorithm) -> bool {
    !matches!(
        hash,
        HashAlgorithm::MD5
            | HashAlgorithm::SHA1
            | HashAlgorithm::RipeMD
            | HashAlgorithm::Private(_)
            | HashAlgorithm::Unknown(_)
    )
}

fn check_critical(gate: &dyn Gate, signature: &Signature) -> Result<(), Violation> {
    let known = |subpacket: &Subpacket| {
        matches!(
            subpacket.tag(),
            SubpacketTag::SignatureCreationTime
                | SubpacketTag::SignatureExpirationTime
                | SubpacketTag::Issuer
                | SubpacketTag::IssuerFingerprint
                | SubpacketTag::IntendedRecipient
        ) || is_purpose(subpacket)
    };
    let unknown = |subpacket: &Subpacket| subpacket.critical() && !known(subpacket);
    gate.check(
        &req::SEC_CRITICAL,
        !signature.hashed_area().iter().any(unknown),
    )
}

fn check_purpose(
    gate: &dyn Gate,
    signature: &Signature,
    purpose: Purpose,
) -> Result<(), Violation> {
    let purposes = |subpackets: Vec<&Subpacket>| -> Vec<Vec<u8>> {
        let values = subpackets.into_iter().filter_map(|s| match s.value() {
            SubpacketValue::NotationData(data) if is_purpose(s) => Some(data.value().to_vec()),
            _ => None,
        });
        values.collect()
    };
    let critical = signature
        .hashed_area()
        .iter()
        .any(|s| is_purpose(s) && s.critical());
    gate.check(&req::SEC_PURPOSE, !critical)?;
    let found = purposes(believed(gate, signature));
    if found.is_empty() {
        let hidden = purposes(signature.unhashed_area().iter().collect());
        gate.check(&req::SEC_HASHED_ONLY, hidden.is_empty())?;
    }
    gate.check(&req::SEC_PURPOSE, found.len() == 1)?;
    let matches = found
        .iter()
        .all(|value| value == purpose.value().as_bytes());
    gate.check(&req::SEC_PURPOSE_MATCHES, matches)
}

fn is_purpose(subpacket: &Subpacket) -> bool {
    match subpacket.value() {
        SubpacketValue::NotationData(data) => data.name() == NOTATION,
        _ => false,
    }
}

/// Whether a signature's hashed notation names a purpose, as a hint how to judge it.
#[must_use]
pub fn claims(signature: &Signature, purpose: Purpose) -> bool {
    signature.hashed_area().iter().any(|s| match s.value() {
        SubpacketValue::NotationData(data) => {
            is_purpose(s) && data.value() == purpose.value().as_bytes()
        }
        _ => false,
    })
}

/// The intended recipients that the signature names.
#[must_use]
pub fn intended_recipients(gate: &dyn Gate, signature: &Signature) -> Vec<Fingerprint> {
    let recipients = believed(gate, signature)
        .into_iter()
        .filter_map(|s| match s.value() {
            SubpacketValue::IntendedRecipient(fingerprint) => Some(fingerprint.clone()),
            _ => None,
        });
    recipients.collect()
}

/// Intended recipients in the unhashed area, which nobody may believe.
#[must_use]
pub fn has_unhashed_recipients(signature: &Signature) -> bool {
    let tag = SubpacketTag::IntendedRecipient;
    signature.unhashed_area().subpackets(tag).next().is_some()
}

/// The fingerprint of the issuer: a hint where to look for the key, nothing more.
#[must_use]
pub fn issuer(signature: &Signature) -> Option<Fingerprint> {
    signature
        .get_issuers()
        .into_iter()
        .find_map(|handle| match handle {
            KeyHandle::Fingerprint(fingerprint) => Some(fingerprint),
            KeyHandle::KeyID(_) => None,
        })
}

/// The time of signing in unix seconds, 0 where it is missing.
#[must_use]
pub fn created(signature: &Signature) -> i64 {
    let time = signature
        .hashed_area()
        .subpacket(SubpacketTag::SignatureCreationTime);
    match time.map(Subpacket::value) {
        Some(SubpacketValue::SignatureCreationTime(time)) => i64::from(u32::from(*time)),
        _ => 0,
    }
}
