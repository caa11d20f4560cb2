//! `contact`: how an identity is reached (specification, section "Contact" of chapter "Identity").

use kith_schemas::types::{Address, Agreed, Audience, Contact, Epoch, Feature, Line, Payload};
use kith_spec::{Rule, req};

use super::write::unfit;
use super::{Arrival, Draft, FEATURES, Kind, PQ, Traits, draft};
use crate::agent::peer::{Part, Peer};
use crate::agent::{AgentError, Failure, Id, Step};
use crate::gate::{Gate, Violation};
use crate::store::Table;
use crate::wire::keys::{Certificate, PublicKey};
use crate::wire::{self};

/// The id of every contact (`contact.id`).
#[must_use]
pub fn id() -> [u8; 16] {
    let hash = wire::sha256(b"contact\0");
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// What an own contact says.
pub(crate) struct NewContact<'a> {
    pub(crate) author: Id,
    pub(crate) rev: u32,
    pub(crate) epoch: u16,
    pub(crate) name: Option<&'a str>,
    pub(crate) address: &'a str,
    pub(crate) introduce: bool,
    /// Whether the own certificate has a post-quantum subkey.
    pub(crate) protected: bool,
    pub(crate) now: i64,
}

/// The document of an own contact.
///
/// # Errors
///
/// When name or address don't fit the schema.
pub(crate) fn make(new: &NewContact<'_>) -> Result<Vec<u8>, AgentError> {
    crate::implements!(req::INTRODUCE_DEFAULT);
    let name = new.name.map(Line::new).transpose();
    let protected = new.protected.then_some(&PQ);
    let features = FEATURES.iter().chain(protected);
    let features = features.map(|feature| Feature::new(*feature));
    let contact = Contact {
        epoch: Epoch::new(new.epoch).map_err(unfit)?,
        introduce: new.introduce.then_some(Agreed::Yes),
        name: name.map_err(unfit)?,
        address: vec![Address::new(new.address).map_err(unfit)?],
        feature: features.collect::<Result<_, _>>().map_err(unfit)?,
    };
    let object = Draft {
        id: id(),
        rev: new.rev,
        audience: Audience::Any,
        fallback: format!("The address {}.", new.address),
        payload: Payload::Contact(contact),
    };
    draft(new.author, new.now, object)
}

/// Verifies the contact of somebody who introduces itself.
///
/// # Errors
///
/// The violation; `missing` if it is something else than a contact.
pub(crate) fn verify(
    gate: &dyn Gate,
    part: &Part,
    author: Id,
    keys: &[PublicKey],
    missing: Rule,
) -> Result<Contact, Violation> {
    let object = part.object.as_ref().map_err(|violation| *violation)?;
    let Payload::Contact(contact) = &object.payload else {
        return Err(Violation(missing));
    };
    super::check_form(gate, object, false)?;
    gate.check(&req::FRIENDS_REQUEST_CONTACT, object.author.0 == author)?;
    let newest = usize::from(contact.epoch.get()) + 1 == keys.len();
    gate.check(&req::CONTACT_AUTHOR, newest)?;
    part.signed
        .verify(gate, keys)
        .map_err(|violation| match violation.0.id {
            id if id == req::SEC_OBJECT_SIGNATURE.id => Violation(&req::FRIENDS_REQUEST_CONTACT),
            _ => violation,
        })?;
    let current = keys.last().map(std::slice::from_ref).unwrap_or_default();
    let newest = part.signed.verify(gate, current).is_ok();
    gate.check(&req::CONTACT_AUTHOR, newest)?;
    gate.check(&req::CONTACT_ID, object.id.0 == id())?;
    let clean = contact
        .name
        .as_ref()
        .is_none_or(|name| is_clean(name.as_str()));
    gate.check(&req::CONTACT_NAME_CHARACTERS, clean)?;
    Ok(contact.clone())
}

/// Whether a contact says that its owner's certificate has a post-quantum subkey.
pub(crate) fn is_protected(contact: &Contact) -> bool {
    let mut features = contact.feature.iter();
    features.any(|feature| feature.as_str() == PQ)
}

/// Checks that the certificate of a contact's author keeps what the contact says.
///
/// # Errors
///
/// The violation.
pub(crate) fn check_declared(
    gate: &dyn Gate,
    contact: &Contact,
    certificate: Option<&Certificate>,
    now: i64,
) -> Result<(), Violation> {
    let kept = || certificate.is_some_and(|certificate| certificate.is_protected(now));
    gate.check(&req::PQ_DECLARED, !is_protected(contact) || kept())
}

impl Kind for Contact {
    fn traits(&self) -> Traits {
        Traits::identity("contact")
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        match arrival.known(step)? {
            Some(peer) => update(step, arrival.part, &peer),
            None => Ok(()),
        }
    }
}

/// Takes a contact of an identity that is known.
fn update(step: &mut Step<'_>, part: &Part, peer: &Peer) -> Result<(), Failure> {
    let object = part.object.as_ref().map_err(|violation| *violation)?;
    let rule = &req::CONTACT_AUTHOR;
    let contact = verify(step.gate, part, peer.id, &peer.keys(), rule)?;
    let order = |epoch: u16, rev: u32, hash: Id| (epoch, rev, std::cmp::Reverse(hash));
    let newer = order(contact.epoch.get(), object.rev.get(), part.signed.hash)
        > order(peer.contact_epoch, peer.contact_rev, peer.contact);
    let certificate = peer.certificate();
    check_declared(step.gate, &contact, certificate.as_ref(), step.now)?;
    if newer || !step.gate.enforces(&req::CONTACT_LATEST) {
        let mut renewed = peer.clone();
        renewed.name = contact.name.as_ref().map(ToString::to_string);
        renewed.addresses = contact.address.iter().map(ToString::to_string).collect();
        renewed.contact_rev = object.rev.get();
        renewed.contact_epoch = contact.epoch.get();
        renewed.introducible = contact.introduce.is_some();
        renewed.protected = is_protected(&contact);
        renewed.contact = part.signed.hash;
        step.store
            .put(Table::Octets, part.signed.hash, part.signed.message.clone());
        step.set_peer(Some(peer), &renewed)?;
        step.release_withheld(&renewed)?;
    }
    Ok(())
}

/// No control characters, and nothing that turns the direction of text around.
pub(crate) fn is_clean(name: &str) -> bool {
    !name.chars().any(|character| {
        character.is_control()
            || matches!(character,
                '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_turn_text_around_are_not_clean() {
        assert!(is_clean("Žofie 🌲"));
        assert!(!is_clean("evil\u{202E}ecila") && !is_clean("a\u{7}"));
    }
}
