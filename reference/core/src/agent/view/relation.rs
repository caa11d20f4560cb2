//! Friends, requests and relations (specification, chapter "Friends").

use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::peer::Peer;
use crate::agent::relation::{Asked, Pending, Relation, State};
use crate::agent::{AgentError, Id, address};
use crate::store::Table;

/// A friend.
#[derive(Debug, Clone, Serialize)]
pub struct Friend {
    /// The identity id, in hex.
    pub identity: String,
    /// The address.
    pub address: String,
    /// The name that the person gave, else the claimed one.
    pub name: Option<String>,
    /// Since when, unix seconds.
    pub since: i64,
}

/// Which way a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Somebody asks.
    Incoming,
    /// The person asked.
    Outgoing,
    /// The person accepted and waits for the confirm.
    Accepted,
}

/// A request.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// The object id, in hex.
    pub request: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The other identity, in hex, if it is known.
    pub identity: Option<String>,
    /// The other's address.
    pub address: String,
    /// The other's claimed name.
    pub name: Option<String>,
    /// The words that went with it.
    pub note: Option<String>,
    /// Object ids, in hex, of requests of others that claim the same address or name.
    pub rivals: Vec<String>,
    /// Whether the own server authenticated the mail.
    pub authenticated: bool,
    /// Whether it was made from an invite.
    pub invited: bool,
    /// The friend who introduced the other, in hex.
    pub introduced: Option<String>,
    /// What the person should know.
    pub warning: Option<String>,
}

/// A relation and its state.
#[derive(Debug, Clone, Serialize)]
pub struct RelationState {
    /// The identity, in hex, if it is known.
    pub identity: Option<String>,
    /// The address, if it is known.
    pub address: Option<String>,
    /// The state in the table `relationship`.
    pub state: State,
}

impl View<'_> {
    /// The friends.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn friends(&self) -> Result<Vec<Friend>, AgentError> {
        let mut friends = Vec::new();
        for (id, relation) in self.relations_of()? {
            let Some(friend) = relation.friend.filter(|_| !relation.blocked) else {
                continue;
            };
            let Some(peer) = self.peer(id)? else { continue };
            friends.push(Friend {
                identity: hex::encode(id),
                address: peer.address().to_owned(),
                name: self.standing(id)?.petname.or(peer.name),
                since: friend.since,
            });
        }
        Ok(friends)
    }

    /// The requests that wait, in all directions.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn requests(&self) -> Result<Vec<Request>, AgentError> {
        let mut requests = self.incoming()?;
        for asked in self.asked()? {
            requests.push(Request {
                request: hex::encode(asked.id),
                direction: Direction::Outgoing,
                identity: asked
                    .invite
                    .as_ref()
                    .map(|invite| hex::encode(invite.identity)),
                address: asked.address,
                name: None,
                note: asked.note,
                rivals: Vec::new(),
                authenticated: false,
                invited: asked.invite.is_some(),
                introduced: None,
                warning: asked.failed,
            });
        }
        for (id, relation) in self.relations_of()? {
            let Some(accepted) = relation.accepted.filter(|_| !relation.blocked) else {
                continue;
            };
            let Some(peer) = self.peer(id)? else { continue };
            requests.push(Request {
                request: hex::encode(&accepted.request[..16]),
                direction: Direction::Accepted,
                identity: Some(hex::encode(id)),
                address: peer.address().to_owned(),
                name: peer.name.clone(),
                note: None,
                rivals: Vec::new(),
                authenticated: false,
                invited: false,
                introduced: None,
                warning: None,
            });
        }
        Ok(requests)
    }

    fn incoming(&self) -> Result<Vec<Request>, AgentError> {
        let rows = self.store.records::<Pending>(Table::Pending, b"")?;
        let mut pending = Vec::new();
        for (_, request) in rows {
            if request.expires >= self.now {
                let peer = self.peer(request.from)?;
                pending.extend(peer.map(|peer| (request, peer)));
            }
        }
        crate::implements!(req::FRIENDS_REQUEST_RIVALS);
        let rivals = |mine: &Peer| -> Vec<String> {
            let rival = |other: &&(Pending, Peer)| {
                other.1.id != mine.id
                    && (other
                        .1
                        .addresses
                        .iter()
                        .any(|address| mine.has_address(address))
                        || mine.name.is_some() && other.1.name == mine.name)
            };
            pending
                .iter()
                .filter(rival)
                .map(|(request, _)| hex::encode(request.id))
                .collect()
        };
        let shown = pending.iter().map(|(request, peer)| Request {
            request: hex::encode(request.id),
            direction: Direction::Incoming,
            identity: Some(hex::encode(peer.id)),
            address: peer.address().to_owned(),
            name: peer.name.clone(),
            note: request.note.clone(),
            rivals: rivals(peer),
            authenticated: request.authenticated,
            invited: false,
            introduced: request.introduced.clone(),
            warning: request.warning.clone(),
        });
        Ok(shown.collect())
    }

    fn asked(&self) -> Result<Vec<Asked>, AgentError> {
        let rows = self.store.records::<Asked>(Table::Asked, b"")?;
        Ok(rows
            .into_iter()
            .map(|(_, asked)| asked)
            .filter(|a| !a.follow && a.until() >= self.now)
            .collect())
    }

    /// Every relation and its state.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn relations(&self) -> Result<Vec<RelationState>, AgentError> {
        let mut asked = self.asked()?;
        let mut states = Vec::new();
        let pending = self.incoming()?;
        let mut ids: Vec<Id> = self.relations_of()?.into_iter().map(|(id, _)| id).collect();
        let waiting = pending
            .iter()
            .filter_map(|request| request.identity.as_ref());
        ids.extend(waiting.filter_map(|id| <Id as hex::FromHex>::from_hex(id).ok()));
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let relation: Relation = self.store.record(Table::Relation, &id)?.unwrap_or_default();
            let peer = self.peer(id)?;
            let to_peer = |asked: &Asked| {
                peer.as_ref()
                    .is_some_and(|peer| peer.has_address(&asked.address))
            };
            let crossing = asked.iter().any(to_peer);
            let waits = pending
                .iter()
                .any(|request| request.identity == Some(hex::encode(id)));
            let state = relation.state(waits, crossing);
            asked.retain(|asked| !to_peer(asked));
            let address = peer.map(|peer| peer.address().to_owned());
            states.push(RelationState {
                identity: Some(hex::encode(id)),
                address,
                state,
            });
        }
        let alone = asked.into_iter().map(|asked| RelationState {
            identity: None,
            address: Some(asked.address),
            state: State::Requested,
        });
        states.extend(alone);
        Ok(states)
    }

    /// The identity of a friend, given its id or a unique beginning, address or name.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn find(&self, wanted: &str) -> Result<Vec<Friend>, AgentError> {
        let matches = |friend: &Friend| {
            friend.identity.starts_with(&wanted.to_ascii_lowercase()) && wanted.len() >= 8
                || address::same(&friend.address, wanted)
                || friend.name.as_deref() == Some(wanted)
        };
        Ok(self.friends()?.into_iter().filter(matches).collect())
    }

    /// The friends' certificates in armor.
    ///
    /// # Errors
    ///
    /// When the store or the OpenPGP library fails.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, AgentError> {
        let mut certificates = Vec::new();
        for (id, relation) in self.relations_of()? {
            if relation.friend.is_none() || relation.blocked {
                continue;
            }
            let certificate = self.peer(id)?.and_then(|peer| peer.certificate());
            if let Some(certificate) = certificate {
                certificates.push(certificate.to_armor()?);
            }
        }
        Ok(certificates)
    }
}
