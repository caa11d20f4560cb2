//! The kinds of objects: one module each, with what is special about it.
//!
//! A new kind is a new schema, a new module, and one line in each of the lists below.

use kith_schemas::types::{Audience, Delivery, Object, Payload};
use kith_schemas::{DecodeError, DecodeReason};
use kith_spec::{Rule, req};

use crate::agent::objects::{Body, Sender};
use crate::agent::peer::{Part, Parts};
use crate::agent::{Failure, Id, Step};
use crate::gate::{Gate, Violation};
use crate::wire::signed::Signed;

pub mod accept;
pub mod confirm;
pub mod contact;
pub mod decline;
pub mod end;
pub mod identity;
pub mod message;
pub mod post;
pub mod request;
pub mod retract;
mod write;

pub(crate) use write::{Draft, draft};

/// The features that this agent knows.
pub const FEATURES: &[&str] = &["core", "social", "mailbox"];

/// The kind of a payload: its local name, preceded by its namespace unless that is Kith's.
#[must_use]
pub fn name(payload: &Payload) -> String {
    match payload {
        Payload::Identity(_) => "identity".to_owned(),
        Payload::Contact(_) => "contact".to_owned(),
        Payload::Request(_) => "request".to_owned(),
        Payload::Accept(_) => "accept".to_owned(),
        Payload::Confirm(_) => "confirm".to_owned(),
        Payload::Decline(_) => "decline".to_owned(),
        Payload::End(_) => "end".to_owned(),
        Payload::Message(_) => "message".to_owned(),
        Payload::Post(_) => "post".to_owned(),
        Payload::Retract(_) => "retract".to_owned(),
        Payload::Foreign(foreign) => format!("{{{}}}{}", foreign.namespace, foreign.name),
    }
}

/// Takes an object that passed all checks that kinds have in common.
pub(crate) fn take(
    step: &mut Step<'_>,
    part: &Part,
    object: &Object,
    payload: &Payload,
    parts: &Parts,
    sender: &Sender,
) -> Result<(), Failure> {
    match payload {
        Payload::Request(request) => {
            let missing = &req::FRIENDS_REQUEST_CREDENTIALS;
            let named = &request.credentials;
            let id = object.author.0;
            let introduced =
                crate::agent::peer::introduce(step.gate, parts, id, named, missing, step.now)?;
            let peer = introduced.peer.clone();
            let sender = Sender {
                peer,
                introduced: Some(introduced),
                authenticated: sender.authenticated,
            };
            request::take(step, part, object, request, &sender)
        }
        Payload::Accept(accept) => accept::take(step, part, accept, sender),
        Payload::Confirm(confirm) => confirm::take(step, confirm, sender),
        Payload::Decline(decline) => decline::take(step, decline, sender),
        Payload::End(end) => end::take(step, end, sender),
        Payload::Message(message) => message::take(step, part, object, message),
        Payload::Post(post) => post::take(step, part, object, post, sender),
        Payload::Retract(retract) => retract::take(step, object, retract),
        Payload::Foreign(_) => {
            let fallback = object.fallback.to_string();
            if step.gate.enforces(&req::KIND_UNKNOWN) {
                step.merge(part, object, Body::Unknown { fallback })?;
            }
            Ok(())
        }
        Payload::Identity(_) | Payload::Contact(_) => Ok(()),
    }
}

/// The audiences that a kind allows, and the rule that says so.
fn audiences(payload: &Payload) -> (&'static [Audience], Rule) {
    const PERSON: &[Audience] = &[Audience::Direct];
    const ANYBODY: &[Audience] = &[Audience::Any];
    const FRIENDS: &[Audience] = &[Audience::Friends];
    const PRIVATE: &[Audience] = &[Audience::Direct, Audience::Friends];
    match payload {
        Payload::Identity(_) | Payload::Contact(_) => (ANYBODY, &req::KIND_AUDIENCE),
        Payload::Request(_)
        | Payload::Accept(_)
        | Payload::Confirm(_)
        | Payload::Decline(_)
        | Payload::End(_) => (PERSON, &req::KIND_AUDIENCE),
        Payload::Message(_) => (PERSON, &req::MESSAGE_AUDIENCE),
        Payload::Post(_) => (FRIENDS, &req::POST_AUDIENCE),
        Payload::Retract(_) | Payload::Foreign(_) => (PRIVATE, &req::KIND_AUDIENCE),
    }
}

/// Rules of an object's form that the schema can't say.
pub(crate) fn check_form(gate: &dyn Gate, object: &Object) -> Result<(), Violation> {
    let (allowed, rule) = audiences(&object.payload);
    gate.check(rule, allowed.contains(&object.audience))?;
    let once = is_handshake_kind(&object.payload)
        || matches!(object.payload, Payload::Identity(_) | Payload::Request(_));
    gate.check(&req::KIND_REVISION, !once || object.rev.get() == 1)
}

/// The identity that an addressed object names.
pub(crate) fn addressed_to(object: &Object) -> Option<Id> {
    let person = match &object.payload {
        Payload::Accept(accept) => &accept.to,
        Payload::Confirm(confirm) => &confirm.to,
        Payload::Decline(decline) => &decline.to,
        Payload::End(end) => &end.to,
        Payload::Message(message) => &message.to,
        _ => return None,
    };
    Some(person.id.0)
}

/// Whether a kind may come from somebody who is no friend.
pub(crate) fn is_handshake_kind(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::Request(_)
            | Payload::Accept(_)
            | Payload::Confirm(_)
            | Payload::Decline(_)
            | Payload::End(_)
    )
}

pub(crate) fn is_handshake(part: Option<&Part>) -> bool {
    payload(part).is_some_and(is_handshake_kind)
}

/// Whether a delivery with this object has no channel (`channel.none`).
pub(crate) fn is_unnumbered(part: Option<&Part>) -> bool {
    let unnumbered = |payload: &Payload| {
        matches!(
            payload,
            Payload::Request(_) | Payload::Accept(_) | Payload::Decline(_)
        )
    };
    payload(part).is_some_and(unnumbered)
}

/// The place of an object in the order in which the objects of a delivery are judged.
pub(crate) fn rank(part: Option<&Part>) -> u8 {
    match payload(part) {
        Some(payload) if is_handshake_kind(payload) => 0,
        Some(Payload::Identity(_)) => 1,
        Some(Payload::Contact(_)) => 2,
        _ => 3,
    }
}

fn payload(part: Option<&Part>) -> Option<&Payload> {
    part?.object.as_ref().ok().map(|object| &object.payload)
}

/// Decodes an object document.
pub(crate) fn decode(gate: &dyn Gate, octets: &[u8]) -> Result<Object, Violation> {
    crate::implements!(req::XML_EXTENSION);
    Object::decode(octets).or_else(|error| tolerate(gate, &error, octets))
}

/// Decodes a delivery document.
pub(crate) fn decode_delivery(gate: &dyn Gate, octets: &[u8]) -> Result<Delivery, Violation> {
    let _ = gate;
    Delivery::decode(octets).map_err(|error| Violation(xml_rule(&error)))
}

/// A broken agent that doesn't check documents reads what it can: the document without its
/// declaration of a type, or without what doesn't belong.
fn tolerate(gate: &dyn Gate, error: &DecodeError, octets: &[u8]) -> Result<Object, Violation> {
    let rule = xml_rule(error);
    let violation = Violation(rule);
    if gate.enforces(rule) {
        return Err(violation);
    }
    let text = String::from_utf8_lossy(octets);
    let start = text.find("<object").ok_or(violation)?;
    Object::decode(&text.as_bytes()[start..]).map_err(|_| violation)
}

fn xml_rule(error: &DecodeError) -> Rule {
    match &error.reason {
        DecodeReason::TooLarge { .. } => &req::XML_SIZE,
        DecodeReason::Doctype => &req::XML_NO_DOCTYPE,
        DecodeReason::Utf8 | DecodeReason::Declaration | DecodeReason::NotWellFormed(_) => {
            &req::XML_WELL_FORMED
        }
        DecodeReason::TooDeep | DecodeReason::TooManyNodes | DecodeReason::TooManyAttributes => {
            &req::XML_DEPTH
        }
        _ => &req::XML_SCHEMA,
    }
}

/// The signed fallback of an object that is worth a person's reading.
pub(crate) fn fallback(message: &[u8]) -> Option<String> {
    let signed = Signed::parse(&crate::gate::Strict, message).ok()?;
    let object = Object::decode(&signed.octets).ok()?;
    let shown = !matches!(object.payload, Payload::Identity(_) | Payload::Contact(_));
    shown.then(|| object.fallback.to_string())
}
