//! `confirm`: the requester's proof that the accept arrived (specification, section "Confirm" of
//! chapter "Friends").

use kith_schemas::types::{self, Audience, HashRef, Payload, Person};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::relation::{Confirm, Friendship, Handshake};
use crate::agent::{AgentError, Failure, Id, Step};
use crate::gate::Violation;

/// Sends a confirm for an accept, the same object again if there was one.
pub(crate) fn send(step: &mut Step<'_>, peer: &Peer, accept: Id) -> Result<(), AgentError> {
    let mut relation = step.relation(peer.id)?;
    let Some(friend) = relation.friend.as_mut() else {
        return Ok(());
    };
    if !step.gate.enforces(&req::FRIENDS_CONFIRM_SENT) {
        return Ok(());
    }
    let earlier = friend
        .confirmed
        .take()
        .filter(|confirm| confirm.accept == accept);
    let object = match earlier {
        Some(confirm) => confirm.object,
        None => sign(step, peer, accept)?,
    };
    let confirm = Confirm {
        object,
        accept,
        sent: step.now,
    };
    friend.confirm = Some(confirm.clone());
    friend.confirmed = Some(confirm);
    step.set_relation(peer.id, &relation)?;
    deliver(step, peer, object)
}

/// Sends a confirm that was signed before.
pub(crate) fn deliver(step: &mut Step<'_>, peer: &Peer, confirm: Id) -> Result<(), AgentError> {
    let load = Load {
        objects: vec![confirm],
        numbered: true,
        automatic: true,
        ..Load::default()
    };
    step.deliver(peer, load)?;
    Ok(())
}

pub(crate) fn sign(step: &mut Step<'_>, peer: &Peer, accept: Id) -> Result<Id, AgentError> {
    let confirm = types::Confirm {
        to: Person { id: peer.id.into() },
        accept: HashRef {
            hash: accept.into(),
        },
    };
    let name = step.own.shown();
    let id = step.random();
    step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{name} confirms: you are connected on Kith."),
        payload: Payload::Confirm(confirm),
    })
}

impl Kind for types::Confirm {
    fn traits(&self) -> Traits {
        Traits::handshake("confirm", true)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Takes a confirm of an own accept.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let sender = arrival.sender;
        let peer = &sender.peer;
        let relation = step.relation(peer.id)?;
        let named = self.accept.hash.0;
        if step.confirm_follower(peer, named)? {
            return Ok(());
        }
        if let Some(friend) = &relation.friend {
            let known = friend.my_accept == Some(Handshake(named));
            return Ok(step.gate.check(&req::FRIENDS_CONFIRM_UNKNOWN, known)?);
        }
        let Some(accepted) = relation.accepted else {
            let awaited = step.pending(peer.id)?.is_some()
                && step.has_other_devices()?
                && step.gate.enforces(&req::SELF_CONFIRM_HELD);
            let rule = if awaited {
                &req::FRIENDS_CONFIRM_UNKNOWN
            } else {
                &req::FRIENDS_ONLY_FRIENDS
            };
            return Err(Violation(rule).into());
        };
        step.gate
            .check(&req::FRIENDS_CONFIRM_UNKNOWN, accepted.accept == named)?;
        let mut requests = vec![Handshake(accepted.request)];
        requests.extend(
            step.asked(peer)?
                .iter()
                .map(|asked| Handshake(asked.request)),
        );
        let friendship = Friendship {
            since: step.now,
            requests,
            my_accept: Some(Handshake(accepted.accept)),
            ..Friendship::default()
        };
        step.become_friends(peer, friendship)?;
        step.met_at(peer.id, peer.address())?;
        Ok(step.greet_with_fields(peer.id)?)
    }
}
