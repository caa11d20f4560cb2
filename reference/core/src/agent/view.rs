//! What the person sees.

use kith_spec::req;
use serde::Serialize;

use super::channel::{Outgoing, Sent, sent_key};
use super::objects::{Body, Entry};
use super::outbox::{Recipient, audience_key};
use super::peer::Peer;
use super::relation::{Relation, State};
use super::{Agent, AgentError, Id, address};
use crate::store::{Read, Table, Transaction, successor};

/// A friend.
#[derive(Debug, Clone, Serialize)]
pub struct Friend {
    /// The identity id, in hex.
    pub identity: String,
    /// The address.
    pub address: String,
    /// The claimed name.
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

/// How far a copy got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It waits in the outbox.
    Queued,
    /// A server took it.
    Sent,
    /// The other's agent has it.
    Acknowledged,
    /// It came back or was refused.
    Bounced,
}

/// A private message.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// The object id, in hex.
    pub id: String,
    /// The object hash of its last revision, in hex.
    pub hash: String,
    /// Its author, in hex.
    pub author: String,
    /// Its recipient, in hex.
    pub to: String,
    /// The text.
    pub text: String,
    /// The object hash, in hex, of the message that it answers.
    pub parent: Option<String>,
    /// When it was created, unix seconds.
    pub created: i64,
    /// When it arrived, unix seconds.
    pub received: i64,
    /// Its revision.
    pub rev: u32,
    /// How far an own one got.
    pub delivery: Option<DeliveryState>,
}

/// A copy of an own object on its way to one person.
#[derive(Debug, Clone, Serialize)]
pub struct Copy {
    /// The object id, in hex.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The recipient, in hex.
    pub to: String,
    /// The recipient's address.
    pub address: String,
    /// How far it got.
    pub state: DeliveryState,
}

/// A post, or an object of a kind that this agent doesn't know.
#[derive(Debug, Clone, Serialize)]
pub struct Post {
    /// The object id, in hex.
    pub id: String,
    /// Its author, in hex.
    pub author: String,
    /// The author's name as it is shown.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The text, or the signed fallback.
    pub text: String,
    /// When it was created, unix seconds.
    pub created: i64,
    /// Its revision.
    pub rev: u32,
}

/// Deliveries that are missing.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// The sender, in hex.
    pub identity: String,
    /// The channel, in hex.
    pub channel: String,
    /// The missing numbers.
    pub missing: Vec<u64>,
}

/// Reads a store for the person.
pub struct View<'a> {
    own: Id,
    store: Transaction<'a>,
    now: i64,
}

impl Agent {
    /// What the person sees at a time.
    #[must_use]
    pub fn view<'a>(&self, store: &'a dyn Read, now: i64) -> View<'a> {
        View {
            own: self.own.id,
            store: Transaction::new(store),
            now,
        }
    }
}

impl View<'_> {
    fn peer(&self, id: Id) -> Result<Option<Peer>, AgentError> {
        Ok(self.store.record(Table::Peer, &id)?)
    }

    fn relations_of(&self) -> Result<Vec<(Id, Relation)>, AgentError> {
        let rows = self.store.records::<Relation>(Table::Relation, b"")?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, r)| Some((key.try_into().ok()?, r)))
            .collect())
    }

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
                name: peer.name.clone(),
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
                warning: None,
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
                warning: None,
            });
        }
        Ok(requests)
    }

    fn incoming(&self) -> Result<Vec<Request>, AgentError> {
        let rows = self
            .store
            .records::<super::relation::Pending>(Table::Pending, b"")?;
        let mut pending = Vec::new();
        for (_, request) in rows {
            if request.expires >= self.now {
                let peer = self.peer(request.from)?;
                pending.extend(peer.map(|peer| (request, peer)));
            }
        }
        crate::implements!(req::FRIENDS_REQUEST_RIVALS);
        let rivals = |mine: &Peer| -> Vec<String> {
            let rival = |other: &&(super::relation::Pending, Peer)| {
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
            warning: request.warning.clone(),
        });
        Ok(shown.collect())
    }

    fn asked(&self) -> Result<Vec<super::relation::Asked>, AgentError> {
        let rows = self
            .store
            .records::<super::relation::Asked>(Table::Asked, b"")?;
        Ok(rows
            .into_iter()
            .map(|(_, asked)| asked)
            .filter(|a| a.until() >= self.now)
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
            let to_peer = |asked: &super::relation::Asked| {
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

    /// The messages with one identity, or with all, in display order.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn messages(&self, with: Option<Id>) -> Result<Vec<Message>, AgentError> {
        let prefix = with.map_or_else(Vec::new, |id| id.to_vec());
        let rows = self
            .store
            .range(Table::Thread, &prefix, &successor(&prefix), usize::MAX)?;
        let mut messages = Vec::new();
        for (_, key) in rows {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            let Body::Message { peer, parent, text } = &entry.body else {
                continue;
            };
            let own = entry.author == self.own;
            if self.is_blocked(*peer)? {
                continue;
            }
            messages.push(Message {
                id: hex::encode(entry.id),
                hash: hex::encode(entry.hash),
                author: hex::encode(entry.author),
                to: hex::encode(if own { *peer } else { self.own }),
                text: text.clone(),
                parent: parent.clone(),
                created: entry.created,
                received: entry.received,
                rev: entry.rev,
                delivery: if own {
                    Some(self.delivery(&entry.key(), *peer)?)
                } else {
                    None
                },
            });
        }
        Ok(messages)
    }

    /// The copies of the own messages and posts.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn deliveries(&self) -> Result<Vec<Copy>, AgentError> {
        let (from, to) = (&self.own[..], successor(&self.own));
        let mut copies = Vec::new();
        for (key, _) in self.store.range(Table::Audience, from, &to, usize::MAX)? {
            let (subject, peer) = key.split_at(key.len().saturating_sub(32));
            let Ok(peer) = Id::try_from(peer) else {
                continue;
            };
            let Some(entry) = self.store.record::<Entry>(Table::Object, subject)? else {
                continue;
            };
            copies.push(Copy {
                id: hex::encode(entry.id),
                kind: entry.kind,
                to: hex::encode(peer),
                address: self
                    .peer(peer)?
                    .map(|p| p.address().to_owned())
                    .unwrap_or_default(),
                state: self.delivery(subject, peer)?,
            });
        }
        Ok(copies)
    }

    fn is_blocked(&self, id: Id) -> Result<bool, AgentError> {
        let relation: Option<Relation> = self.store.record(Table::Relation, &id)?;
        Ok(relation.is_some_and(|relation| relation.blocked))
    }

    fn delivery(&self, key: &[u8], peer: Id) -> Result<DeliveryState, AgentError> {
        let recipient: Option<Recipient> = self
            .store
            .record(Table::Audience, &audience_key(key, peer))?;
        let Some((channel, number)) = recipient.and_then(|recipient| recipient.delivery) else {
            return Ok(DeliveryState::Queued);
        };
        let Ok(channel) = <[u8; 16] as hex::FromHex>::from_hex(&channel) else {
            return Ok(DeliveryState::Queued);
        };
        let sent: Option<Sent> = self
            .store
            .record(Table::Sent, &sent_key(&channel, number))?;
        Ok(match sent {
            None => {
                let own: Option<Outgoing> = self.store.record(Table::Outgoing, &peer)?;
                let current = own.is_some_and(|own| own.channel == channel);
                if current {
                    DeliveryState::Acknowledged
                } else {
                    DeliveryState::Sent
                }
            }
            Some(sent) if sent.failed.is_some() => DeliveryState::Bounced,
            Some(sent) if sent.submitted => DeliveryState::Sent,
            Some(_) => DeliveryState::Queued,
        })
    }

    /// The posts of friends and the own ones, in display order, `limit` at most, the newest ones.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn timeline(&self, limit: usize) -> Result<Vec<Post>, AgentError> {
        let rows = self
            .store
            .range(Table::Timeline, &[], &[u8::MAX; 9], usize::MAX)?;
        let skip = rows.len().saturating_sub(limit);
        let mut posts = Vec::new();
        for (_, key) in rows.into_iter().skip(skip) {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            if self.is_blocked(entry.author)? {
                continue;
            }
            let text = match &entry.body {
                Body::Post { text } => text.clone(),
                Body::Unknown { fallback } => fallback.clone(),
                _ => continue,
            };
            posts.push(Post {
                id: hex::encode(entry.id),
                author: hex::encode(entry.author),
                name: self.name(entry.author)?,
                kind: entry.kind.clone(),
                text,
                created: entry.created,
                rev: entry.rev,
            });
        }
        Ok(posts)
    }

    /// How somebody is shown.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn name(&self, id: Id) -> Result<String, AgentError> {
        if id == self.own {
            return Ok("you".to_owned());
        }
        Ok(self
            .peer(id)?
            .map_or_else(|| hex::encode(&id[..8]), |peer| peer.shown()))
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

    /// Deliveries that are missing.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn gaps(&self) -> Result<Vec<Gap>, AgentError> {
        crate::implements!(req::ACK_GAP_SHOWN);
        let rows = self
            .store
            .records::<super::channel::Incoming>(Table::Incoming, b"")?;
        let gaps = rows.into_iter().map(|(channel, state)| Gap {
            identity: hex::encode(state.owner),
            channel: hex::encode(channel),
            missing: state.missing().take(1000).collect(),
        });
        Ok(gaps.filter(|gap| !gap.missing.is_empty()).collect())
    }
}
