//! The relation to another identity (specification, chapter "Friends").
//!
//! What is stored are facts: who asked, who accepted, what was confirmed. The state of the table
//! `relationship` follows from them.

use kith_schemas::types::Purpose;
use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::{AgentError, DAY, Id, Step, address};
use crate::agent::devices::notes;
use crate::agent::peer::Peer;
use crate::store::Table;

/// The states of the table `relationship`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No relation.
    Stranger,
    /// I asked.
    Requested,
    /// The other asked.
    Pending,
    /// Both asked; the other waits for my answer.
    Met,
    /// I accepted.
    Accepted,
    /// I asked and accepted.
    Crossed,
    /// Friends.
    Friends,
    /// Friends, and the other asked anew.
    Renewing,
    /// Blocked.
    Blocked,
}

impl State {
    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Met => "met",
            Self::Accepted => "accepted",
            Self::Crossed => "crossed",
            Self::Friends => "friends",
            Self::Renewing => "renewing",
            Self::Blocked => "blocked",
        }
    }
}

/// The facts about a relation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Relation {
    /// Whether the person blocked the identity.
    pub blocked: bool,
    /// My accept that waits for its confirm.
    pub accepted: Option<Accepted>,
    /// The friendship.
    pub friend: Option<Friendship>,
}

impl Relation {
    /// The state that follows, with whether a request of the other waits, and one of mine.
    #[must_use]
    pub fn state(&self, pending: bool, asked: bool) -> State {
        match (&self.friend, &self.accepted, pending, asked) {
            _ if self.blocked => State::Blocked,
            (Some(_), _, true, _) => State::Renewing,
            (Some(_), _, false, _) => State::Friends,
            (None, _, true, true) => State::Met,
            (None, _, true, false) => State::Pending,
            (None, Some(_), false, true) => State::Crossed,
            (None, Some(_), false, false) => State::Accepted,
            (None, None, false, true) => State::Requested,
            (None, None, false, false) => State::Stranger,
        }
    }
}

/// My accept that waits for its confirm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Accepted {
    /// The object hash of the other's request.
    #[serde(with = "hex::serde")]
    pub request: Id,
    /// The object hash of my accept.
    #[serde(with = "hex::serde")]
    pub accept: Id,
    /// When it was first sent.
    pub sent: i64,
    /// How often it was sent again.
    pub repeated: usize,
    /// When the other stops to honour it.
    pub until: i64,
}

/// A complete handshake.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Friendship {
    /// Since when, unix seconds.
    pub since: i64,
    /// The requests of the handshake.
    pub requests: Vec<Handshake>,
    /// The accept that I sent.
    pub my_accept: Option<Handshake>,
    /// The confirm that I owe until it is acknowledged.
    pub confirm: Option<Confirm>,
    /// The confirm last sent, even if acknowledged.
    pub confirmed: Option<Confirm>,
}

/// An object of the handshake by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake(#[serde(with = "hex::serde")] pub Id);

/// A confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// Its object hash.
    #[serde(with = "hex::serde")]
    pub object: Id,
    /// The object hash of the accept that it names.
    #[serde(with = "hex::serde")]
    pub accept: Id,
    /// When it was last sent.
    pub sent: i64,
}

/// A request that waits for the person's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The identity that asks.
    #[serde(with = "hex::serde")]
    pub from: Id,
    /// The object hash of the request.
    #[serde(with = "hex::serde")]
    pub request: Id,
    /// The object id of the request.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
    /// The request's nonce.
    #[serde(with = "hex::serde")]
    pub nonce: [u8; 16],
    /// My address that it is for, as it was typed.
    pub to: String,
    /// The words that came with it.
    pub note: Option<String>,
    /// When it was created.
    pub created: i64,
    /// When it expires.
    pub expires: i64,
    /// Whether the own server authenticated the mail.
    pub authenticated: bool,
    /// The friend who introduced the other, in hex.
    #[serde(default)]
    pub introduced: Option<String>,
    /// What the person should know.
    pub warning: Option<String>,
}

/// An own open request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// The object hash.
    #[serde(with = "hex::serde")]
    pub request: Id,
    /// The object id.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
    /// The nonce.
    #[serde(with = "hex::serde")]
    pub nonce: [u8; 16],
    /// The address that was asked.
    pub address: String,
    /// When it was sent.
    pub sent: i64,
    /// Whether it asks to follow a page.
    #[serde(default)]
    pub follow: bool,
    /// The words that went with it.
    pub note: Option<String>,
    /// The invite that it was made from.
    pub invite: Option<AskedInvite>,
    /// What a server said about a mail that came back.
    #[serde(default)]
    pub failed: Option<String>,
}

/// The invite that a request was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskedInvite {
    /// The token.
    #[serde(with = "hex::serde")]
    pub token: [u8; 16],
    /// The inviter's identity.
    #[serde(with = "hex::serde")]
    pub identity: Id,
}

impl Asked {
    /// When an accept is honoured no more.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.sent + kith_spec::limit::ACCEPT_DAYS as i64 * DAY
    }
}

impl Step<'_> {
    pub(crate) fn relation(&self, id: Id) -> Result<Relation, AgentError> {
        Ok(self.store.record(Table::Relation, &id)?.unwrap_or_default())
    }

    pub(crate) fn set_relation(&mut self, id: Id, relation: &Relation) -> Result<(), AgentError> {
        let changed = notes::told(&self.relation(id)?) != notes::told(relation);
        if changed && !self.quiet {
            self.note_person(id)?;
        }
        let empty = !relation.blocked && relation.accepted.is_none() && relation.friend.is_none();
        if empty {
            self.store.delete(Table::Relation, id);
        } else {
            self.store.set(Table::Relation, id, relation)?;
        }
        Ok(())
    }

    pub(crate) fn pending(&self, id: Id) -> Result<Option<Pending>, AgentError> {
        Ok(self.store.record(Table::Pending, &id)?)
    }

    /// Drops the request of somebody that waits, if there is one.
    pub(crate) fn forget_pending(&mut self, id: Id) -> Result<(), AgentError> {
        if let Some(pending) = self.pending(id)? {
            self.store.delete(Table::Octets, pending.request);
        }
        self.store.delete(Table::Pending, id);
        Ok(())
    }

    /// The own open requests to any address of a peer.
    pub(crate) fn asked(&self, peer: &Peer) -> Result<Vec<Asked>, AgentError> {
        let mut asked = self.all_asked()?;
        asked.retain(|asked| !asked.follow && peer.has_address(&asked.address));
        Ok(asked)
    }

    pub(crate) fn all_asked(&self) -> Result<Vec<Asked>, AgentError> {
        let rows = self.store.records::<Asked>(Table::Asked, b"")?;
        Ok(rows
            .into_iter()
            .map(|(_, asked)| asked)
            .filter(|a| a.until() >= self.now)
            .collect())
    }

    /// The own open request of a purpose for an address.
    pub(crate) fn asked_at(
        &self,
        wanted: &str,
        purpose: Purpose,
    ) -> Result<Option<Asked>, AgentError> {
        let follow = purpose == Purpose::Follow;
        let mut asked = self.all_asked()?.into_iter();
        Ok(asked.find(|a| a.follow == follow && address::same(&a.address, wanted)))
    }

    pub(crate) fn state(&self, peer: &Peer) -> Result<State, AgentError> {
        crate::implements!(req::FRIENDS_TABLE);
        let relation = self.relation(peer.id)?;
        let pending = self.pending(peer.id)?.is_some();
        let asked = !self.asked(peer)?.is_empty();
        Ok(relation.state(pending, asked))
    }

    pub(crate) fn is_friend(&self, id: Id) -> Result<bool, AgentError> {
        let relation = self.relation(id)?;
        Ok(relation.friend.is_some() && !relation.blocked)
    }

    /// All friends, blocked ones left out.
    pub(crate) fn friends(&self) -> Result<Vec<Id>, AgentError> {
        let rows = self.store.records::<Relation>(Table::Relation, b"")?;
        let friends = rows
            .into_iter()
            .filter(|(_, r)| r.friend.is_some() && !r.blocked);
        Ok(friends.filter_map(|(key, _)| key.try_into().ok()).collect())
    }

    /// Completes the handshake with a peer.
    pub(crate) fn become_friends(
        &mut self,
        peer: &Peer,
        friendship: Friendship,
    ) -> Result<(), AgentError> {
        for asked in self.asked(peer)? {
            self.store.delete(Table::Asked, asked.request);
        }
        self.forget_pending(peer.id)?;
        self.forget_ends(peer.id, None)?;
        let blocked = self.relation(peer.id)?.blocked;
        let relation = Relation {
            blocked,
            accepted: None,
            friend: Some(friendship),
        };
        self.set_relation(peer.id, &relation)?;
        self.events
            .push(super::Event::Friend { name: peer.shown() });
        Ok(())
    }

    /// Drops everything but a block between the two; what the peer wrote before stays.
    pub(crate) fn become_strangers(&mut self, peer: &Peer) -> Result<(), AgentError> {
        for asked in self.asked(peer)? {
            self.store.delete(Table::Asked, asked.request);
        }
        self.forget_pending(peer.id)?;
        let was_friend = self.relation(peer.id)?.friend.is_some();
        let blocked = self.relation(peer.id)?.blocked;
        self.set_relation(
            peer.id,
            &Relation {
                blocked,
                ..Relation::default()
            },
        )?;
        if self.gate.enforces(&req::FRIENDS_END_FINAL) {
            self.drop_channel(peer.id)?;
        }
        self.leave_circles(peer.id)?;
        self.forget_fields(peer.id)?;
        if !was_friend && !blocked && !self.is_tied(peer.id)? {
            self.forget_peer(peer);
        }
        Ok(())
    }
}
