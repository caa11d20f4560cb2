//! `introduce`: a friend hands over chain, contact and certificate of another friend
//! (specification, section "Introductions" of chapter "Friends").

use kith_schemas::types::{Audience, Credentials, HashRef, Introduce, Payload, Person};
use kith_spec::{Rule, limit, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::introduction::Introduction;
use crate::agent::outgoing::Load;
use crate::agent::peer::{self, Part, Parts, Peer};
use crate::agent::{AgentError, DAY, Event, Failure, Id, Step};

/// Hands `person` over to `to`.
pub(crate) fn send(step: &mut Step<'_>, to: &Peer, person: &Peer) -> Result<(), AgentError> {
    let reference = |hash: Id| HashRef { hash: hash.into() };
    let certificate = person.certificate_octets().to_vec();
    let chain: Vec<Id> = person.chain.iter().map(|entry| entry.hash).collect();
    let introduce = Introduce {
        to: Person { id: to.id.into() },
        person: Person {
            id: person.id.into(),
        },
        credentials: Credentials {
            chain: chain.iter().copied().map(reference).collect(),
            contact: reference(person.contact),
            certificate: reference(crate::wire::sha256(&certificate)),
        },
    };
    let (id, name) = (step.random(), step.own.shown());
    let hash = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{name} introduces {} to you.", person.shown()),
        payload: Payload::Introduce(introduce),
    })?;
    let mut objects = chain;
    objects.extend([person.contact, hash]);
    step.deliver(
        to,
        Load {
            objects,
            numbered: true,
            certificates: vec![certificate],
            ..Load::default()
        },
    )?;
    Ok(())
}

/// Whether a part is what an introduction of the sender hands over.
pub(crate) fn carries(parts: &Parts, part: &Part, sender: Id) -> bool {
    let Ok(object) = &part.object else {
        return false;
    };
    if object.author.0 == sender
        || super::of(&object.payload).traits().family != super::Family::Identity
    {
        return false;
    }
    let mut objects = parts.objects.iter().flatten();
    objects.any(|part_of| match &part_of.object {
        Ok(by) if by.author.0 == sender => match &by.payload {
            Payload::Introduce(introduce) => {
                let named = &introduce.credentials;
                let mut chain = named.chain.iter();
                named.contact.hash.0 == part.signed.hash
                    || chain.any(|entry| entry.hash.0 == part.signed.hash)
            }
            _ => false,
        },
        _ => false,
    })
}

impl Kind for Introduce {
    fn traits(&self) -> Traits {
        Traits {
            once: true,
            ..Traits::content("introduce", &[Audience::Direct], &req::KIND_AUDIENCE)
        }
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::INTRODUCE_ADDRESSED))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        crate::implements!(req::INTRODUCE_NOTHING_ELSE);
        let by = &arrival.sender.peer;
        let person = self.person.id.0;
        let third = person != by.id && person != step.own.id;
        step.gate.check(&req::INTRODUCE_THIRD, third)?;
        let missing = &req::INTRODUCE_CREDENTIALS;
        let (gate, now) = (step.gate, step.now);
        let introduced =
            peer::introduce(gate, arrival.parts, person, &self.credentials, missing, now)?;
        step.gate
            .check(&req::INTRODUCE_CONSENT, introduced.peer.introducible)?;
        step.check_rival(arrival.parts, &introduced.peer)?;
        let mut standing = step.standing(by.id)?;
        let since = now - limit::INTRODUCE_DAYS as i64 * DAY;
        standing.introductions.retain(|at| *at > since);
        let few = (standing.introductions.len() as u64) < limit::INTRODUCE_COUNT;
        step.gate.check(&req::INTRODUCE_LIMIT, few)?;
        standing.introductions.push(now);
        step.set_standing(by.id, &standing)?;
        if step.is_friend(person)? {
            return Ok(());
        }
        let (name, shown_by) = (introduced.peer.shown(), step.shown_name(by.id)?);
        step.keep_introduction(&Introduction {
            by: by.id,
            at: now,
            peer: introduced.peer,
        })?;
        step.events.push(Event::Introduced { name, by: shown_by });
        Ok(())
    }
}
