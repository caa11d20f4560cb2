//! Faults of what a signature says: its purpose and its subpackets, in
//! deliveries and in objects.

use kith_spec::req;

use super::envelope::sign;
use super::{Base, Fault};
use crate::openpgp::{SignSpec, Subpacket, subpacket};

pub(super) fn faults() -> Vec<Fault> {
    [purpose(), matches(), hashed(), critical()].concat()
}

fn without_purpose(spec: &mut SignSpec) {
    spec.remove(subpacket::NOTATION);
}

fn twice(spec: &mut SignSpec) {
    let notation = spec.hashed.iter().find(|s| s.kind == subpacket::NOTATION);
    let notation = notation.cloned();
    spec.hashed.extend(notation);
}

fn critical_purpose(spec: &mut SignSpec) {
    for subpacket in &mut spec.hashed {
        subpacket.critical |= subpacket.kind == subpacket::NOTATION;
    }
}

/// Moves the hashed subpackets of a type to the unhashed area.
fn unhash(spec: &mut SignSpec, kind: u8) {
    let moved: Vec<_> = spec
        .hashed
        .iter()
        .filter(|s| s.kind == kind)
        .cloned()
        .collect();
    spec.remove(kind);
    spec.unhashed.extend(moved);
}

fn purpose_is(spec: &mut SignSpec, purpose: &str) {
    spec.replace(Subpacket::notation("kith", purpose));
}

fn unknown_subpacket() -> Subpacket {
    Subpacket::new(subpacket::PRIVATE, *b"unknown").critical()
}

fn unknown_notation() -> Subpacket {
    Subpacket::notation("unknown@kith.invalid", "important").critical()
}

fn purpose() -> Vec<Fault> {
    let rule = &req::SEC_PURPOSE;
    vec![
        Fault::new(
            "security/delivery-purpose-missing",
            "a delivery signature that does not say what it is for",
            rule,
            Base::Message,
        )
        .flags(&["signed-for-something-else"])
        .sealed(|_, draft| sign(draft, without_purpose)),
        Fault::new(
            "security/object-purpose-missing",
            "an object signature that does not say what it is for",
            rule,
            Base::Message,
        )
        .flags(&["signed-for-something-else"])
        .object(|_, object| without_purpose(&mut object.sign)),
        Fault::new(
            "security/delivery-purpose-twice",
            "a delivery signature that says twice what it is for",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, twice)),
        Fault::new(
            "security/object-purpose-twice",
            "an object signature that says twice what it is for",
            rule,
            Base::Message,
        )
        .object(|_, object| twice(&mut object.sign)),
        Fault::new(
            "security/delivery-purpose-both",
            "a delivery signature that is for a delivery and for an object",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            sign(draft, |spec| {
                spec.hashed.push(Subpacket::notation("kith", "object"));
            });
        }),
        Fault::new(
            "security/delivery-purpose-critical",
            "a delivery signature whose purpose is critical",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, critical_purpose)),
        Fault::new(
            "security/object-purpose-critical",
            "an object signature whose purpose is critical",
            rule,
            Base::Message,
        )
        .object(|_, object| critical_purpose(&mut object.sign)),
    ]
}

fn matches() -> Vec<Fault> {
    let rule = &req::SEC_PURPOSE_MATCHES;
    vec![
        Fault::new(
            "security/delivery-signed-as-object",
            "a delivery signature that is for an object",
            rule,
            Base::Message,
        )
        .flags(&["signed-for-something-else"])
        .sealed(|_, draft| sign(draft, |spec| purpose_is(spec, "object"))),
        Fault::new(
            "security/object-signed-as-delivery",
            "an object signature that is for a delivery",
            rule,
            Base::Message,
        )
        .flags(&["signed-for-something-else"])
        .object(|_, object| purpose_is(&mut object.sign, "delivery")),
        Fault::new(
            "security/object-signed-for-unknown-purpose",
            "an object signature for a purpose that nobody knows",
            rule,
            Base::Message,
        )
        .flags(&["signed-for-something-else"])
        .object(|_, object| purpose_is(&mut object.sign, "backup")),
    ]
}

fn hashed() -> Vec<Fault> {
    let rule = &req::SEC_HASHED_ONLY;
    vec![
        Fault::new(
            "security/delivery-purpose-unhashed",
            "a delivery signature whose purpose anybody could have added",
            rule,
            Base::Message,
        )
        .also(&req::SEC_PURPOSE)
        .flags(&["unhashed"])
        .sealed(|_, draft| sign(draft, |spec| unhash(spec, subpacket::NOTATION))),
        Fault::new(
            "security/object-purpose-unhashed",
            "an object signature whose purpose anybody could have added",
            rule,
            Base::Message,
        )
        .also(&req::SEC_PURPOSE)
        .flags(&["unhashed"])
        .object(|_, object| unhash(&mut object.sign, subpacket::NOTATION)),
        Fault::new(
            "security/intended-recipient-unhashed",
            "a delivery signature whose intended recipient anybody could have added",
            rule,
            Base::Message,
        )
        .also(&req::SEC_RECIPIENTS_AGREE)
        .flags(&["unhashed", "surreptitious-forwarding"])
        .sealed(|_, draft| sign(draft, |spec| unhash(spec, subpacket::INTENDED_RECIPIENT))),
    ]
}

fn critical() -> Vec<Fault> {
    let rule = &req::SEC_CRITICAL;
    vec![
        Fault::new(
            "security/delivery-critical-subpacket",
            "a delivery signature with a critical subpacket that nobody knows",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, |spec| spec.hashed.push(unknown_subpacket()))),
        Fault::new(
            "security/object-critical-subpacket",
            "an object signature with a critical subpacket that nobody knows",
            rule,
            Base::Message,
        )
        .object(|_, object| object.sign.hashed.push(unknown_subpacket())),
        Fault::new(
            "security/delivery-critical-notation",
            "a delivery signature with a critical notation that nobody knows",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, |spec| spec.hashed.push(unknown_notation()))),
        Fault::new(
            "security/object-critical-notation",
            "an object signature with a critical notation that nobody knows",
            rule,
            Base::Message,
        )
        .object(|_, object| object.sign.hashed.push(unknown_notation())),
    ]
}
