//! `decline`: the answer no, sent only when the person wants to tell (specification, section
//! "Decline, end and block" of chapter "Friends").

use kith_schemas::types::{Audience, Decline, HashRef, Payload, Person};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::relation::{Asked, Pending};
use crate::agent::{AgentError, Event, Failure, Id, Step};
use crate::gate::Violation;
use crate::store::Table;

/// Tells somebody that the request is declined.
pub(crate) fn send(step: &mut Step<'_>, peer: &Peer, pending: &Pending) -> Result<(), AgentError> {
    let decline = Decline {
        to: Person { id: peer.id.into() },
        request: HashRef {
            hash: pending.request.into(),
        },
        credentials: step.own.credentials(),
    };
    let name = step.own.shown();
    let id = step.random();
    let decline = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{name} declined your request on Kith."),
        payload: Payload::Decline(decline),
    })?;
    let load = Load {
        objects: vec![decline],
        credentials: true,
        ..Load::default()
    };
    step.deliver(peer, load)?;
    Ok(())
}

impl Kind for Decline {
    fn traits(&self) -> Traits {
        Traits::handshake("decline", false)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Takes a decline of an own request.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let sender = arrival.sender;
        let unknown = Violation(&req::FRIENDS_DECLINE_REQUEST);
        let hash = self.request.hash.0;
        let asked = step
            .store
            .record::<Asked>(Table::Asked, &hash)?
            .ok_or(unknown)?;
        let peer = sender
            .introduced
            .as_ref()
            .map_or(&sender.peer, |introduced| &introduced.peer);
        let claimed = peer.has_address(&asked.address);
        step.gate.check(&req::FRIENDS_DECLINE_REQUEST, claimed)?;
        step.store.delete(Table::Asked, hash);
        step.events.push(Event::Ended { name: peer.shown() });
        Ok(())
    }
}
