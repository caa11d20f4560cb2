//! `end`: the end of a friendship or request (specification, section "Decline, end and block" of
//! chapter "Friends").

use kith_schemas::types::{Audience, End, HashRef, Payload, Person};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::relation::Handshake;
use crate::agent::{AgentError, Event, Failure, Id, Step};

/// Ends the handshake with a peer.
pub(crate) fn send(step: &mut Step<'_>, peer: &Peer, requests: &[Id]) -> Result<(), AgentError> {
    let reference = |hash: &Id| HashRef {
        hash: (*hash).into(),
    };
    let end = End {
        to: Person { id: peer.id.into() },
        request: requests.iter().take(2).map(reference).collect(),
    };
    let name = step.own.shown();
    let id = step.random();
    let end = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{name} ended the connection with you on Kith."),
        payload: Payload::End(end),
    })?;
    step.deliver(
        peer,
        Load {
            objects: vec![end],
            numbered: true,
            ..Load::default()
        },
    )?;
    Ok(())
}

impl Kind for End {
    fn traits(&self) -> Traits {
        Traits::handshake("end", true)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Takes an end of the handshake that is current.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let sender = arrival.sender;
        let peer = &sender.peer;
        let relation = step.relation(peer.id)?;
        let pending = step.pending(peer.id)?;
        let named = |hash: Id| self.request.iter().any(|request| request.hash.0 == hash);
        if step.end_following(peer, &named)? {
            return Ok(());
        }
        let friend = relation.friend.iter().flat_map(|friend| &friend.requests);
        let ends_friendship = friend.clone().any(|Handshake(hash)| named(*hash))
            || relation
                .accepted
                .as_ref()
                .is_some_and(|accepted| named(accepted.request));
        let ends_pending = pending
            .as_ref()
            .is_some_and(|pending| named(pending.request));
        let current = ends_friendship || ends_pending;
        step.gate.check(&req::FRIENDS_END_HANDSHAKE, current)?;
        step.events.push(Event::Ended { name: peer.shown() });
        if ends_pending && !ends_friendship {
            step.forget_pending(peer.id)?;
            return Ok(step.forget_stranger(peer.id)?);
        }
        Ok(step.become_strangers(peer)?)
    }
}
