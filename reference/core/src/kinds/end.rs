//! `end`: the end of a friendship or request (specification, section "Decline, end and block" of
//! chapter "Friends").

use kith_schemas::types::{Audience, End, HashRef, Payload, Person};
use kith_spec::{Rule, limit, req};
use serde::{Deserialize, Serialize};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::channel::Outgoing;
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::relation::Handshake;
use crate::agent::tick::Due;
use crate::agent::{AgentError, DAY, Event, Failure, Id, Step};
use crate::store::{Read, Table, successor};

/// An end that is sent once more, since nobody acknowledges it: the row of [`Table::Ended`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// The channel, in hex, and number of its delivery.
    delivery: (String, u64),
    /// Whether it ended a friendship, after which the other stays known.
    friend: bool,
}

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
    let load = Load {
        objects: vec![end],
        numbered: true,
        ..Load::default()
    };
    let Some(delivery) = step.deliver(peer, load)? else {
        return Ok(());
    };
    let friend = step.relation(peer.id)?.friend.is_some();
    let key = [peer.id, end].concat();
    step.store
        .set(Table::Ended, key, &Ended { delivery, friend })?;
    let at = step.now + limit::UNACKNOWLEDGED_DAYS as i64 * DAY;
    step.due(at, &Due::End { peer: peer.id, end })
}

/// Sends an end once more, unless it is on a channel that goes on, where a lost delivery is found.
pub(crate) fn send_again(step: &mut Step<'_>, id: Id, end: Id) -> Result<(), AgentError> {
    let key = [id, end].concat();
    let ended: Option<Ended> = step.store.record(Table::Ended, &key)?;
    let (Some(ended), Some(peer)) = (ended, step.peer(id)?) else {
        return Ok(());
    };
    step.store.delete(Table::Ended, key);
    let own: Option<Outgoing> = step.store.record(Table::Outgoing, &id)?;
    let (channel, number) = &ended.delivery;
    let goes_on = own.is_some_and(|own| hex::encode(own.channel) == *channel);
    let channel = <[u8; 16] as hex::FromHex>::from_hex(channel).ok();
    let again = channel.map(|channel| (channel, *number));
    if again.is_some() && !goes_on && step.gate.enforces(&req::FRIENDS_END_AGAIN) {
        let load = Load {
            objects: vec![end],
            numbered: true,
            again,
            automatic: true,
            ..Load::default()
        };
        step.deliver(&peer, load)?;
    }
    match ended.friend {
        true => Ok(()),
        false => step.forget_stranger(id),
    }
}

impl Step<'_> {
    /// Forgets the ends that would be sent to somebody once more: all where a new handshake begins,
    /// and else the one whose delivery failed for good.
    pub(crate) fn forget_ends(
        &mut self,
        peer: Id,
        failed: Option<&(String, u64)>,
    ) -> Result<(), AgentError> {
        let rows = self
            .store
            .range(Table::Ended, &peer, &successor(&peer), usize::MAX)?;
        for (key, _) in rows {
            let ended: Option<Ended> = self.store.record(Table::Ended, &key)?;
            if failed.is_none_or(|failed| ended.is_some_and(|ended| ended.delivery == *failed)) {
                self.store.delete(Table::Ended, key);
            }
        }
        Ok(())
    }
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
        if !current && step.was_accepted(&arrival.part.signed.hash)? {
            return Ok(());
        }
        step.gate.check(&req::FRIENDS_END_HANDSHAKE, current)?;
        step.events.push(Event::Ended { name: peer.shown() });
        if ends_pending && !ends_friendship {
            step.forget_pending(peer.id)?;
            return Ok(step.forget_stranger(peer.id)?);
        }
        Ok(step.become_strangers(peer)?)
    }
}
