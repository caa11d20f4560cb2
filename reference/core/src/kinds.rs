//! The kinds of objects: one module each, with what is special about it.
//!
//! A new kind is a new schema, a new module that implements [`Kind`] for the schema's type, and
//! one line in [`of`].

use kith_schemas::types::{Audience, Delivery, Foreign, Object, Payload, SelfCopy};
use kith_schemas::{DecodeError, DecodeReason};
use kith_spec::{Rule, req};

use crate::agent::objects::{Body, Sender};
use crate::agent::peer::{Part, Parts, Peer};
use crate::agent::thread::Key;
use crate::agent::{Failure, Id, Step};
use crate::gate::{Gate, Violation};
use crate::wire::signed::Signed;

pub mod accept;
pub mod app;
pub mod app_update;
pub mod comment;
pub mod confirm;
pub mod contact;
pub mod decline;
pub mod end;
pub mod event;
pub mod field;
pub mod group;
pub mod hide;
pub mod identity;
pub(crate) mod introduce;
pub mod join;
pub mod leave;
pub mod message;
pub mod page;
pub mod post;
pub mod proposal;
pub mod reaction;
pub(crate) mod receipt;
pub mod relay;
pub mod request;
pub mod retract;
pub mod rsvp;
pub mod share;
pub mod withdraw;
mod write;

pub(crate) use write::{Draft, draft};

/// The features that this agent knows.
pub const FEATURES: &[&str] = &[
    "core", "social", "groups", "events", "mailbox", "pages", "apps",
];

/// The feature of those whose certificate has a post-quantum subkey.
pub const PQ: &str = "pq";

/// What is special about a kind, and what takes its objects.
pub(crate) trait Kind {
    /// Its properties.
    fn traits(&self) -> Traits;

    /// The identity that an addressed object names, and the rule that it be the reader's.
    fn addressed_to(&self) -> Option<(Id, Rule)> {
        None
    }

    /// The root of the thread that the object belongs to: its author may relay it.
    fn root(&self) -> Option<Key> {
        None
    }

    /// Takes an object that passed all checks that kinds have in common.
    ///
    /// # Errors
    ///
    /// The violation for which it is refused or held, or a failure on this side.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure>;
}

/// An object on its way into the store.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// The signed part.
    pub(crate) part: &'a Part,
    /// Its document.
    pub(crate) object: &'a Object,
    /// All parts of the mail.
    pub(crate) parts: &'a Parts,
    /// Who handed it over.
    pub(crate) sender: &'a Sender,
}

impl Arrival<'_> {
    /// The sender, if its identity is kept; none if it is just being introduced.
    pub(crate) fn known(&self, step: &Step<'_>) -> Result<Option<Peer>, Failure> {
        let known = step.peer(self.sender.peer.id)?;
        if known.is_none() && self.sender.introduced.is_none() {
            return Err(Violation(&req::FRIENDS_ONLY_FRIENDS).into());
        }
        Ok(known)
    }
}

/// Which checks the objects of a kind have in common with those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Makes or ends a relation; may come from somebody who is no friend.
    Handshake,
    /// Says who somebody is.
    Identity,
    /// Everything else: from friends, merged by revision, and its author may retract it.
    Content,
}

/// The properties of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    /// The name of its element.
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// The audiences that it allows, and the rule that says so.
    pub(crate) audiences: (&'static [Audience], Rule),
    /// Whether a delivery with it is numbered (`channel.none`).
    pub(crate) numbered: bool,
    /// Whether it has one revision only (`kind.revision`).
    pub(crate) once: bool,
    /// Whether members write it to their group (`group.content`).
    pub(crate) in_group: bool,
}

impl Traits {
    /// A kind of the handshake.
    pub(crate) const fn handshake(name: &'static str, numbered: bool) -> Self {
        Self {
            name,
            family: Family::Handshake,
            audiences: (&[Audience::Direct], &req::KIND_AUDIENCE),
            numbered,
            once: true,
            in_group: false,
        }
    }

    /// A kind that says who somebody is.
    pub(crate) const fn identity(name: &'static str) -> Self {
        Self {
            name,
            family: Family::Identity,
            audiences: (&[Audience::Any], &req::KIND_AUDIENCE),
            numbered: true,
            once: false,
            in_group: false,
        }
    }

    /// A kind with content, for these audiences.
    pub(crate) const fn content(
        name: &'static str,
        audiences: &'static [Audience],
        rule: Rule,
    ) -> Self {
        Self {
            name,
            family: Family::Content,
            audiences: (audiences, rule),
            numbered: true,
            once: false,
            in_group: false,
        }
    }

    /// Members write it to their group, too.
    pub(crate) const fn in_group(mut self) -> Self {
        self.in_group = true;
        self
    }
}

/// What handles a payload.
pub(crate) fn of(payload: &Payload) -> &dyn Kind {
    match payload {
        Payload::Identity(kind) => kind,
        Payload::Contact(kind) => kind,
        Payload::Request(kind) => kind,
        Payload::Accept(kind) => kind,
        Payload::Confirm(kind) => kind,
        Payload::Decline(kind) => kind,
        Payload::End(kind) => kind,
        Payload::Introduce(kind) => kind,
        Payload::Message(kind) => kind,
        Payload::Receipt(kind) => kind,
        Payload::Post(kind) => kind,
        Payload::Comment(kind) => kind,
        Payload::Reaction(kind) => kind,
        Payload::Share(kind) => kind,
        Payload::Hide(kind) => kind,
        Payload::Retract(kind) => kind,
        Payload::Page(kind) => kind,
        Payload::Relay(kind) => kind,
        Payload::App(kind) => kind,
        Payload::AppUpdate(kind) => kind,
        Payload::Group(kind) => kind,
        Payload::Join(kind) => kind,
        Payload::Leave(kind) => kind,
        Payload::Proposal(kind) => kind,
        Payload::Event(kind) => kind,
        Payload::Rsvp(kind) => kind,
        Payload::Withdraw(kind) => kind,
        Payload::Field(kind) => kind,
        Payload::Foreign(kind) => kind,
    }
}

/// The names of the kinds that a retract can't name (`retract.kinds`).
pub(crate) const FINAL: [&str; 7] = [
    "identity", "contact", "request", "accept", "confirm", "decline", "end",
];

/// The names of the kinds whose ids are derived from what they are about; they are emptied, and
/// never retracted (`retract.derived`).
pub(crate) const DERIVED: [&str; 2] = ["field", "reaction"];

/// The kind of a payload: its local name, preceded by its namespace unless that is Kith's.
#[must_use]
pub fn name(payload: &Payload) -> String {
    match payload {
        Payload::Foreign(foreign) => format!("{{{}}}{}", foreign.namespace, foreign.name),
        payload => of(payload).traits().name.to_owned(),
    }
}

/// A kind that this agent doesn't know: its signed fallback is shown.
impl Kind for Foreign {
    fn traits(&self) -> Traits {
        const PRIVATE: &[Audience] = &[Audience::Direct, Audience::Friends];
        Traits::content("", PRIVATE, &req::KIND_AUDIENCE).in_group()
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let fallback = arrival.object.fallback.to_string();
        if step.gate.enforces(&req::KIND_UNKNOWN) {
            step.merge(arrival.part, arrival.object, Body::Unknown { fallback })?;
        }
        Ok(())
    }
}

/// Rules of an object's form that the schema can't say.
///
/// `to_group` tells whether it came in a delivery to a group, where the audience is that of the
/// delivery (`group.content`).
pub(crate) fn check_form(
    gate: &dyn Gate,
    object: &Object,
    to_group: bool,
) -> Result<(), Violation> {
    let traits = of(&object.payload).traits();
    let (allowed, rule) = traits.audiences;
    let elsewhere = to_group && traits.in_group;
    gate.check(rule, elsewhere || allowed.contains(&object.audience))?;
    gate.check(&req::KIND_REVISION, !traits.once || object.rev.get() == 1)
}

/// What is public comes in open mail, and what is not doesn't.
pub(crate) fn check_openness(
    gate: &dyn Gate,
    object: &Object,
    open: bool,
) -> Result<(), Violation> {
    let traits = of(&object.payload).traits();
    // What is said under a public post goes to its author in sealed mail.
    let reply = !open && of(&object.payload).root().is_some();
    if traits.family != Family::Content || reply {
        return Ok(());
    }
    let public = object.audience == Audience::Public;
    let (allowed, rule) = traits.audiences;
    match (open, public) {
        (true, _) => gate.check(&req::MAIL_OPEN_PRIVATE, public),
        // A kind that can be private should have been.
        (false, true) if allowed.len() > 1 => gate.check(rule, false),
        (false, _) => gate.check(&req::PAGE_OPEN, !public),
    }
}

/// Whether a part says who somebody else than its sender is.
pub(crate) fn speaks_for_another(part: Option<&Part>, sender: Id) -> bool {
    let identity = traits(part).is_some_and(|traits| traits.family == Family::Identity);
    let object = part.and_then(|part| part.object.as_ref().ok());
    identity && object.is_some_and(|object| object.author.0 != sender)
}

/// The authors of the chains that a mail brings because the sender hands on what they wrote.
pub(crate) fn handed_over(parts: &Parts, sender: Id) -> Vec<Id> {
    let parts_of = parts.objects.iter().flatten();
    let author = |part: &Part| {
        let object = part.object.as_ref().ok()?;
        let relayed = of(&object.payload)
            .root()
            .is_some_and(|root| root.author == sender);
        let shared = share::is_handed_on(part, parts, sender);
        (relayed || shared).then_some(object.author.0)
    };
    parts_of.filter_map(author).collect()
}

/// Whether a part is an object of the handshake.
pub(crate) fn is_handshake(part: Option<&Part>) -> bool {
    traits(part).is_some_and(|traits| traits.family == Family::Handshake)
}

/// Whether these objects only take back what was said before, which a former friend may
/// (`retract.after-end`).
pub(crate) fn is_taking_back(objects: &[&Result<Part, (Id, Violation)>]) -> bool {
    let names = || {
        let parts = objects.iter().map(|part| traits(part.as_ref().ok()));
        parts.map(|traits| traits.map_or("", |traits| traits.name))
    };
    names().any(|name| name == "retract")
        && names().all(|name| matches!(name, "retract" | "identity"))
}

/// Whether a delivery with this object has no channel (`channel.none`).
pub(crate) fn is_unnumbered(part: Option<&Part>) -> bool {
    traits(part).is_some_and(|traits| !traits.numbered)
}

/// The place of an object in the order in which the objects of a delivery are judged.
pub(crate) fn rank(part: Option<&Part>) -> u8 {
    let is = |name| traits(part).is_some_and(|traits| traits.name == name);
    let (group, end) = (is("group"), is("end"));
    match traits(part).map(|traits| (traits.family, traits.once)) {
        // The list says whose credentials may come along.
        _ if group => 0,
        // A confirm that rides with the end of its handshake is void after it.
        _ if end => 4,
        Some((Family::Handshake, _)) => 0,
        Some((Family::Identity, true)) => 1,
        Some((Family::Identity, false)) => 2,
        _ => 3,
    }
}

fn traits(part: Option<&Part>) -> Option<Traits> {
    let object = part?.object.as_ref().ok()?;
    Some(of(&object.payload).traits())
}

/// Decodes an object document.
pub(crate) fn decode(gate: &dyn Gate, octets: &[u8]) -> Result<Object, Violation> {
    crate::implements!(req::XML_EXTENSION);
    Object::decode(octets).or_else(|error| tolerate(gate, &error, octets))
}

/// Decodes a delivery document.
pub(crate) fn decode_delivery(octets: &[u8]) -> Result<Delivery, Violation> {
    Delivery::decode(octets).map_err(|error| Violation(xml_rule(&error)))
}

/// Decodes a document that a device wrote for the others.
pub(crate) fn decode_self(octets: &[u8]) -> Result<SelfCopy, Violation> {
    SelfCopy::decode(octets).map_err(|error| match &error.reason {
        DecodeReason::UnexpectedElement { expected, .. } if expected == "self" => {
            Violation(&req::SELF_DOCUMENT)
        }
        _ => Violation(xml_rule(&error)),
    })
}

/// The media of a signed object that travel in mail.
pub(crate) fn needs(message: &[u8]) -> Vec<crate::agent::media::Need> {
    let signed = Signed::parse(&crate::gate::Strict, message).ok();
    let object = signed.and_then(|signed| Object::decode(&signed.octets).ok());
    object.map_or_else(Vec::new, |object| {
        crate::agent::media::needs(crate::agent::media::of(&object.payload))
    })
}

/// The author of a signed object, without a check of its signature.
pub(crate) fn author(message: &[u8]) -> Option<Id> {
    let signed = Signed::parse(&crate::gate::Strict, message).ok()?;
    let object = Object::decode(&signed.octets).ok()?;
    Some(object.author.0)
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

/// The document of a signed object that was checked before.
pub(crate) fn document(message: &[u8]) -> Option<Object> {
    let signed = Signed::parse(&crate::gate::Strict, message).ok()?;
    Object::decode(&signed.octets).ok()
}

/// The signed fallback of an object that is worth a person's reading.
pub(crate) fn fallback(message: &[u8]) -> Option<String> {
    let object = document(message)?;
    let shown = of(&object.payload).traits().family != Family::Identity;
    shown.then(|| object.fallback.to_string())
}
