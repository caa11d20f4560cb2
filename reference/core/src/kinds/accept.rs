//! `accept`: the answer yes (specification, section "Accept" of chapter "Friends").

use kith_schemas::types::{Accept, AcceptInvite, Audience, Hash, HashRef, Payload, Person};
use kith_spec::{Rule, limit, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::outgoing::Load;
use crate::agent::peer::{Part, Peer};
use crate::agent::relation::{Accepted, Asked, Friendship, Handshake, Pending};
use crate::agent::{AgentError, DAY, Failure, Id, Step, invite};
use crate::gate::Violation;
use crate::store::Table;

/// Accepts a pending request.
pub(crate) fn answer(
    step: &mut Step<'_>,
    peer: &Peer,
    pending: &Pending,
    token: Option<&[u8; 16]>,
) -> Result<(), AgentError> {
    let proof = token.map(|token| AcceptInvite {
        proof: Hash::from(invite::accept_proof(token, &pending.request, &step.own.id)),
    });
    let said = format!("{} accepted: you are friends on Kith.", step.own.shown());
    let accept = sign(step, peer, (pending.request, pending.nonce), proof, said)?;
    let mut relation = step.relation(peer.id)?;
    relation.friend = None;
    relation.accepted = Some(Accepted {
        request: pending.request,
        accept,
        sent: step.now,
        repeated: 0,
        until: pending.created + limit::ACCEPT_DAYS as i64 * DAY,
    });
    step.set_relation(peer.id, &relation)?;
    step.drop_channel(peer.id)?;
    step.note_answered(pending.from, pending.id, pending.expires);
    step.forget_pending(peer.id)?;
    step.plan_accept(peer.id)?;
    let load = Load {
        objects: vec![accept],
        credentials: true,
        ..Load::default()
    };
    step.deliver(peer, load)?;
    step.release_held(peer)
}

/// Accepts a request to follow the own page.
pub(crate) fn follow(
    step: &mut Step<'_>,
    peer: &Peer,
    request: Id,
    nonce: [u8; 16],
) -> Result<Id, AgentError> {
    let said = format!("You follow {} on Kith.", step.own.shown());
    let accept = sign(step, peer, (request, nonce), None, said)?;
    let load = Load {
        objects: vec![accept],
        credentials: true,
        automatic: true,
        ..Load::default()
    };
    step.deliver(peer, load)?;
    Ok(accept)
}

fn sign(
    step: &mut Step<'_>,
    peer: &Peer,
    (request, nonce): (Id, [u8; 16]),
    invite: Option<AcceptInvite>,
    fallback: String,
) -> Result<Id, AgentError> {
    step.forget_ends(peer.id, None)?;
    let accept = Accept {
        nonce: nonce.into(),
        to: Person { id: peer.id.into() },
        request: HashRef {
            hash: request.into(),
        },
        credentials: step.own.credentials(),
        invite,
    };
    let id = step.random();
    step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback,
        payload: Payload::Accept(accept),
    })
}

impl Kind for Accept {
    fn traits(&self) -> Traits {
        Traits::handshake("accept", false)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Takes an accept of an own request.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let Arrival { part, sender, .. } = *arrival;
        let gate = step.gate;
        let peer = &sender.peer;
        let introduced = sender.introduced.as_ref();
        let introduced = introduced.ok_or(Violation(&req::FRIENDS_ACCEPT_CREDENTIALS))?;
        let named = &self.credentials;
        let brought = named.contact.hash.0 == introduced.peer.contact
            && named.chain.last().map(|e| e.hash.0) == introduced.peer.chain.last().map(|e| e.hash);
        gate.check(&req::FRIENDS_ACCEPT_CREDENTIALS, brought)?;
        let relation = step.relation(peer.id)?;
        let answered = Handshake(self.request.hash.0);
        if let Some(friend) = relation
            .friend
            .as_ref()
            .filter(|f| f.requests.contains(&answered))
        {
            return repeated(step, part, peer, friend);
        }
        if step.repeat_following(peer, answered.0, part.signed.hash)? {
            return Ok(());
        }
        let asked = step
            .store
            .record::<Asked>(Table::Asked, &self.request.hash.0)?;
        let asked = asked.ok_or(Violation(&req::FRIENDS_ACCEPT_REQUEST))?;
        gate.check(&req::FRIENDS_ACCEPT_REQUEST, asked.nonce == self.nonce.0)?;
        gate.check(&req::FRIENDS_ACCEPT_WINDOW, step.now <= asked.until())?;
        let claimed = introduced.peer.has_address(&asked.address);
        gate.check(&req::FRIENDS_ACCEPT_ADDRESS, claimed)?;
        if let Some(invite) = &asked.invite {
            gate.check(&req::FRIENDS_INVITE_IDENTITY, invite.identity == peer.id)?;
            let proof = invite::accept_proof(&invite.token, &asked.request, &peer.id);
            let proved = self
                .invite
                .as_ref()
                .is_some_and(|given| given.proof.0 == proof);
            gate.check(&req::FRIENDS_INVITE_ANSWER, proved)?;
        }
        let peer = step.keep_introduced(introduced)?;
        if asked.follow {
            return Ok(step.begin_following(&peer, &asked, part.signed.hash)?);
        }
        step.store.delete(Table::Asked, asked.request);
        let mut requests = vec![Handshake(asked.request)];
        requests.extend(
            relation
                .accepted
                .iter()
                .map(|accepted| Handshake(accepted.request)),
        );
        let friendship = Friendship {
            since: step.now,
            requests,
            my_accept: relation.accepted.map(|accepted| Handshake(accepted.accept)),
            ..Friendship::default()
        };
        step.become_friends(&peer, friendship)?;
        step.met_at(peer.id, &asked.address)?;
        super::confirm::send(step, &peer, part.signed.hash)?;
        step.greet_with_fields(peer.id)?;
        step.release_held(&peer)?;
        Ok(())
    }
}

/// An accept for a handshake that is complete: the confirm was lost.
fn repeated(
    step: &mut Step<'_>,
    part: &Part,
    peer: &Peer,
    friend: &Friendship,
) -> Result<(), Failure> {
    let today = |sent: i64| step.now - sent < DAY;
    let last = friend.confirmed.as_ref();
    let done = last.is_some_and(|c| c.accept == part.signed.hash && today(c.sent));
    if done && step.gate.enforces(&req::FRIENDS_CONFIRM_SENT) {
        return Ok(());
    }
    Ok(super::confirm::send(step, peer, part.signed.hash)?)
}
