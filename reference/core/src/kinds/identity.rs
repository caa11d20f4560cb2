//! `identity`: one entry of an identity's chain (specification, chapter "Identity").

use std::collections::BTreeSet;

use kith_schemas::types::{Audience, Base64, Epoch, Hash, HashRef, Identity, Payload};
use kith_spec::req;

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits, draft};
use crate::agent::peer::{Entry, Part, Peer};
use crate::agent::{AgentError, Failure, Id, Step};
use crate::gate::{Gate, Violation};
use crate::store::Table;
use crate::wire::keys::{self, SigningKey};

/// The document of an entry.
///
/// # Errors
///
/// When a value doesn't fit the schema.
pub(crate) fn make(entry: &NewEntry<'_>) -> Result<Vec<u8>, AgentError> {
    let epoch = |number: u16| Epoch::new(number).map_err(unfit);
    let payload = Identity {
        epoch: epoch(entry.epoch)?,
        prev: entry.prev.map(|hash| HashRef { hash: hash.into() }),
        key: Base64::new(entry.key.packet()?).map_err(unfit)?,
        next: Hash::from(entry.next),
        compromised: entry
            .compromised
            .iter()
            .map(|number| epoch(*number))
            .collect::<Result<_, _>>()?,
    };
    let object = Draft {
        id: entry.random,
        rev: 1,
        audience: Audience::Any,
        fallback: format!("The key of {}.", entry.name),
        payload: Payload::Identity(payload),
    };
    draft(entry.id, entry.now, object)
}

/// What an entry says.
pub(crate) struct NewEntry<'a> {
    pub(crate) id: Id,
    pub(crate) random: [u8; 16],
    pub(crate) epoch: u16,
    pub(crate) prev: Option<Id>,
    pub(crate) key: &'a SigningKey,
    pub(crate) next: Id,
    pub(crate) compromised: Vec<u16>,
    pub(crate) name: &'a str,
    pub(crate) now: i64,
}

/// Verifies one entry against the entries before it.
///
/// # Errors
///
/// The violation.
pub(crate) fn verify(
    gate: &dyn Gate,
    part: &Part,
    author: Id,
    before: &[Entry],
) -> Result<Entry, Violation> {
    let object = part.object.as_ref().map_err(|violation| *violation)?;
    let Payload::Identity(identity) = &object.payload else {
        return Err(Violation(&req::IDENTITY_COMPLETE));
    };
    super::check_form(gate, object, false)?;
    gate.check(&req::IDENTITY_SELF_SIGNED, object.author.0 == author)?;
    let key = keys::parse_bare(identity.key.as_bytes())?;
    let signed = part.signed.verify(gate, std::slice::from_ref(&key));
    let signed = signed.or_else(|violation| match violation.0.id {
        id if id == req::SEC_OBJECT_SIGNATURE.id => gate.check(&req::IDENTITY_SELF_SIGNED, false),
        _ => Err(violation),
    });
    signed?;
    let last = before.last();
    let follows = identity.epoch.get() as usize == before.len()
        && identity.prev.as_ref().map(|prev| prev.hash.0) == last.map(|entry| entry.hash);
    gate.check(&req::IDENTITY_COMPLETE, follows)?;
    let committed = last.is_none_or(|entry| entry.next == keys::key_hash(&key));
    gate.check(&req::IDENTITY_COMMITTED, committed)?;
    let before = last.and_then(|entry| keys::parse_bare(&entry.key).ok());
    let weaker = before.is_some_and(|key| keys::signs_composite(&key));
    let weaker = weaker && !keys::signs_composite(&key);
    gate.check(&req::PQ_ROTATION, !weaker)?;
    let compromised: Vec<u16> = identity
        .compromised
        .iter()
        .map(|epoch| epoch.get())
        .collect();
    let distinct: BTreeSet<u16> = compromised.iter().copied().collect();
    let earlier = distinct.len() == compromised.len()
        && distinct.iter().all(|epoch| *epoch < identity.epoch.get());
    gate.check(&req::IDENTITY_COMPROMISED_EARLIER, earlier)?;
    Ok(Entry {
        hash: part.signed.hash,
        key: identity.key.as_bytes().to_vec(),
        next: identity.next.0,
        compromised,
    })
}

impl Kind for Identity {
    fn traits(&self) -> Traits {
        Traits {
            once: true,
            ..Traits::identity("identity")
        }
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let author = arrival.object.author.0;
        if author != arrival.sender.peer.id {
            return match step.peer(author)? {
                Some(peer) => update(step, arrival.part, &peer),
                None => step.author_chain(author, arrival.parts).map(drop),
            };
        }
        match arrival.known(step)? {
            Some(peer) => update(step, arrival.part, &peer),
            None => Ok(()),
        }
    }
}

/// What the person reads when a contact is frozen because of a rival entry.
pub(crate) const RIVAL: &str =
    "somebody else has this person's key: two different entries of the chain are signed by it";

/// Whether an entry would be valid in the place of the newest one: then the key is in two hands.
pub(crate) fn is_rival(gate: &dyn Gate, part: &Part, peer: &Peer, epoch: usize) -> bool {
    gate.enforces(&req::IDENTITY_RIVAL_FREEZES)
        && epoch == peer.epoch()
        && verify(gate, part, peer.id, &peer.chain[..epoch]).is_ok()
}

/// Judges an entry of an identity that is known: the same, the next one, or a rival.
fn update(step: &mut Step<'_>, part: &Part, peer: &Peer) -> Result<(), Failure> {
    let object = part.object.as_ref().map_err(|violation| *violation)?;
    let Payload::Identity(identity) = &object.payload else {
        return Ok(());
    };
    let epoch = identity.epoch.get() as usize;
    if let Some(known) = peer.chain.get(epoch) {
        let same = known.hash == part.signed.hash;
        if !same && is_rival(step.gate, part, peer, epoch) {
            step.freeze(peer, RIVAL)?;
        }
        step.gate.check(&req::IDENTITY_FIRST_SEEN, same)?;
        if !same {
            let mut rival = peer.clone();
            rival.chain.truncate(epoch);
            let entry = verify(step.gate, part, peer.id, &rival.chain)?;
            rival.chain.push(entry);
            step.set_peer(Some(peer), &rival)?;
        }
        return Ok(());
    }
    let entry = verify(step.gate, part, peer.id, &peer.chain)?;
    let mut grown = peer.clone();
    grown.chain.push(entry);
    step.store
        .put(Table::Octets, part.signed.hash, part.signed.message.clone());
    Ok(step.set_peer(Some(peer), &grown)?)
}
