//! Following pages, and being followed (specification, section "Following" of chapter "Pages").
//!
//! It stands apart from the relation of friends: two can be both, and neither changes the other.

use kith_schemas::types::{Object, Purpose, Request};
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::objects::Sender;
use super::peer::{Part, Peer};
use super::relation::{Asked, Confirm};
use super::tick::Due;
use super::{ActError, AgentError, DAY, Event, Failure, Id, Step, address};
use crate::gate::Violation;
use crate::kinds;
use crate::store::{Table, successor};

/// A page that the person follows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Following {
    /// Since when, unix seconds.
    pub since: i64,
    /// The handshake; none where the page is followed by its id alone.
    pub handshake: Option<Answered>,
}

/// A handshake with a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answered {
    /// The object hash of the own request.
    #[serde(with = "hex::serde")]
    pub request: Id,
    /// The confirm that was sent.
    pub confirm: Confirm,
    /// Whether the page acknowledged it.
    #[serde(default)]
    pub arrived: bool,
}

/// An identity that follows the own page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Follower {
    /// The object hash of its request.
    #[serde(with = "hex::serde")]
    pub request: Id,
    /// The object hash of the own accept.
    #[serde(with = "hex::serde")]
    pub accept: Id,
    /// The address that the request was authenticated for.
    pub address: String,
    /// Until when a confirm is taken.
    pub until: i64,
    /// When it confirmed, unix seconds.
    pub since: Option<i64>,
}

/// The states of the table `following`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowingState {
    /// I asked.
    Asked,
    /// The page sends to me.
    Following,
    /// I take what comes by a list.
    Listed,
}

impl Following {
    /// The state that follows.
    #[must_use]
    pub fn state(&self) -> FollowingState {
        match self.handshake {
            Some(_) => FollowingState::Following,
            None => FollowingState::Listed,
        }
    }
}

/// A page, as the person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageName {
    /// By its identity id.
    Identity(Id),
    /// By its address.
    Address(String),
}

impl Step<'_> {
    pub(crate) fn following(&self, page: Id) -> Result<Option<Following>, AgentError> {
        Ok(self.store.record(Table::Following, &page)?)
    }

    pub(crate) fn follower(&self, id: Id) -> Result<Option<Follower>, AgentError> {
        Ok(self.store.record(Table::Follower, &id)?)
    }

    /// The addresses of all who confirmed, blocked ones left out.
    pub(crate) fn follower_addresses(&self) -> Result<Vec<String>, AgentError> {
        crate::implements!(req::FOLLOW_TABLE);
        let rows = self.store.records::<Follower>(Table::Follower, b"")?;
        let mut addresses = Vec::new();
        for (key, follower) in rows {
            let early = !self.gate.enforces(&req::FOLLOW_CONFIRMED);
            let Ok(id) = Id::try_from(key) else { continue };
            if (follower.since.is_some() || early) && !self.relation(id)?.blocked {
                addresses.push(follower.address);
            }
        }
        Ok(addresses)
    }

    /// The address of somebody who is no friend: a follower's is the one that was authenticated.
    pub(crate) fn address_of(&self, peer: &Peer) -> Result<String, AgentError> {
        crate::implements!(req::FOLLOW_ADDRESS);
        let follower = self.follower(peer.id)?;
        Ok(follower.map_or_else(|| peer.address().to_owned(), |follower| follower.address))
    }

    /// Whether numbered deliveries and acknowledgements go to and fro between the two.
    pub(crate) fn exchanges_with(&self, id: Id) -> Result<bool, AgentError> {
        if self.is_friend(id)? {
            return Ok(true);
        }
        if self.relation(id)?.blocked {
            return Ok(false);
        }
        let follows = self.follower(id)?.is_some_and(|f| f.since.is_some());
        let followed = self.following(id)?.is_some_and(|f| f.handshake.is_some());
        Ok(follows || followed || self.is_co_member(id)?)
    }

    /// Asks to follow the page at an address.
    pub(super) fn follow(&mut self, to: &str) -> Result<[u8; 16], ActError> {
        if !address::is_valid(to) {
            return Err(ActError::Address(to.to_owned()));
        }
        if address::same(to, &self.own.address) {
            return Err(ActError::Self_(to.to_owned()));
        }
        let refuse = |reason| ActError::State {
            name: to.to_owned(),
            reason,
        };
        if self.asked_at(to, Purpose::Follow)?.is_some() {
            return Err(refuse("you have asked already; wait for the answer"));
        }
        for id in self.peers_at(to)? {
            if self.following(id)?.is_some() {
                return Err(refuse("you follow this page already"));
            }
        }
        kinds::request::ask(self, to, None, None, Purpose::Follow)
    }

    /// Follows a page by its id alone: what it publishes comes by a list.
    pub(super) fn follow_id(&mut self, page: Id) -> Result<(), ActError> {
        crate::implements!(req::FOLLOW_BY_ID);
        if page == self.own.id {
            return Err(ActError::Self_("this identity".to_owned()));
        }
        if self.following(page)?.is_some() {
            return Err(ActError::State {
                name: self.shown_name(page)?,
                reason: "you follow this page already",
            });
        }
        let following = Following {
            since: self.now,
            handshake: None,
        };
        Ok(self.store.set(Table::Following, page, &following)?)
    }

    /// Stops following, or withdraws the own request.
    pub(super) fn unfollow(&mut self, page: &PageName) -> Result<(), ActError> {
        let unknown = |id: String| ActError::Unknown {
            what: "page that you follow",
            id,
            list: "page list",
        };
        let id = match page {
            PageName::Identity(id) => *id,
            PageName::Address(wanted) => {
                if let Some(asked) = self.asked_at(wanted, Purpose::Follow)? {
                    self.store.delete(Table::Asked, asked.request);
                    return Ok(());
                }
                let mut followed = Vec::new();
                for id in self.peers_at(wanted)? {
                    followed.extend(self.following(id)?.map(|_| id));
                }
                match followed[..] {
                    [id] => id,
                    _ => return Err(unknown(wanted.clone())),
                }
            }
        };
        let following = self.following(id)?;
        let following = following.ok_or_else(|| unknown(hex::encode(id)))?;
        self.store.delete(Table::Following, id);
        let (Some(handshake), Some(peer)) = (following.handshake, self.peer(id)?) else {
            return Ok(());
        };
        Ok(self.part(&peer, handshake.request)?)
    }

    /// Removes a follower.
    pub(super) fn remove_follower(&mut self, id: Id) -> Result<(), ActError> {
        let unknown = || ActError::Unknown {
            what: "follower",
            id: hex::encode(id),
            list: "page followers",
        };
        let follower = self.follower(id)?.filter(|f| f.since.is_some());
        let follower = follower.ok_or_else(unknown)?;
        let peer = self.peer(id)?.ok_or_else(unknown)?;
        self.store.delete(Table::Follower, id);
        Ok(self.part(&peer, follower.request)?)
    }

    /// Sends the end of a handshake to follow, and nothing further.
    fn part(&mut self, peer: &Peer, request: Id) -> Result<(), AgentError> {
        if self.gate.enforces(&req::FOLLOW_END) {
            kinds::end::send(self, peer, &[request])?;
        }
        self.drop_tie(peer)
    }

    /// Drops what only the tie that just ended needed.
    fn drop_tie(&mut self, peer: &Peer) -> Result<(), AgentError> {
        if !self.exchanges_with(peer.id)? {
            self.drop_channel(peer.id)?;
        }
        self.forget_stranger(peer.id)
    }

    /// Takes a request to follow the own page.
    pub(crate) fn take_follow(
        &mut self,
        part: &Part,
        object: &Object,
        request: &Request,
        sender: &Sender,
    ) -> Result<(), Failure> {
        let gate = self.gate;
        let has_page = kinds::page::own(self)?.is_some();
        gate.check(&req::FOLLOW_NO_PAGE, has_page)?;
        gate.check(&req::FOLLOW_AUTHENTICATED, sender.authenticated)?;
        let peer = &sender.peer;
        let remembered = [b"follow ", address::canonical(peer.address()).as_bytes()].concat();
        let again = self.store.record::<i64>(Table::Seen, &remembered)?;
        gate.check(&req::FOLLOW_ONCE, again.is_none())?;
        if !gate.enforces(&req::FOLLOW_ACCEPTED) {
            return Ok(());
        }
        let until = self.now + limit::FOLLOW_DAYS as i64 * DAY;
        self.store.set(Table::Seen, remembered.clone(), &until)?;
        self.due(until, &Due::Unsee { key: remembered })?;
        let peer = match &sender.introduced {
            Some(introduced) => self.keep_introduced(introduced)?,
            None => peer.clone(),
        };
        let accept = kinds::accept::follow(self, &peer, part.signed.hash, request.nonce.0)?;
        let follower = Follower {
            request: part.signed.hash,
            accept,
            address: peer.address().to_owned(),
            until: object.created.unix_seconds() + limit::ACCEPT_DAYS as i64 * DAY,
            since: None,
        };
        self.store.set(Table::Follower, peer.id, &follower)?;
        crate::implements!(req::FOLLOW_ANSWER_ONCE);
        self.due(follower.until + 1, &Due::Follower { id: peer.id })?;
        Ok(())
    }

    /// Forgets somebody who never confirmed.
    pub(super) fn forget_follower(&mut self, id: Id) -> Result<(), AgentError> {
        let Some(follower) = self.follower(id)? else {
            return Ok(());
        };
        if follower.since.is_none() && follower.until < self.now {
            self.store.delete(Table::Follower, id);
            self.forget_stranger(id)?;
        }
        Ok(())
    }

    /// Takes a page's accept, whose credentials were kept.
    pub(crate) fn begin_following(
        &mut self,
        peer: &Peer,
        asked: &Asked,
        accept: Id,
    ) -> Result<(), AgentError> {
        self.store.delete(Table::Asked, asked.request);
        self.forget_ends(peer.id, None)?;
        let object = kinds::confirm::sign(self, peer, accept)?;
        let confirm = Confirm {
            object,
            accept,
            sent: self.now,
        };
        let following = Following {
            since: self.now,
            handshake: Some(Answered {
                request: asked.request,
                confirm,
                arrived: false,
            }),
        };
        self.store.set(Table::Following, peer.id, &following)?;
        self.events.push(Event::Following { name: peer.shown() });
        kinds::confirm::deliver(self, peer, object)
    }

    /// Takes the same accept again: the confirm is repeated once a day at most.
    pub(crate) fn repeat_following(
        &mut self,
        peer: &Peer,
        request: Id,
        accept: Id,
    ) -> Result<bool, AgentError> {
        let Some(mut following) = self.following(peer.id)? else {
            return Ok(false);
        };
        let Some(answered) = following.handshake.as_mut() else {
            return Ok(false);
        };
        if answered.request != request || answered.confirm.accept != accept {
            return Ok(false);
        }
        if self.now - answered.confirm.sent >= DAY {
            answered.confirm.sent = self.now;
            let object = answered.confirm.object;
            self.store.set(Table::Following, peer.id, &following)?;
            kinds::confirm::deliver(self, peer, object)?;
        }
        Ok(true)
    }

    /// The confirm that a page may not have yet: it rides along.
    pub(super) fn riding_to_page(&self, page: Id) -> Result<Option<Id>, AgentError> {
        let handshake = self.following(page)?.and_then(|f| f.handshake);
        let waits = handshake.filter(|handshake| !handshake.arrived);
        Ok(waits.map(|handshake| handshake.confirm.object))
    }

    /// A page acknowledged a delivery with these objects.
    pub(super) fn page_has(&mut self, page: Id, objects: &[String]) -> Result<(), AgentError> {
        let Some(mut following) = self.following(page)? else {
            return Ok(());
        };
        if let Some(handshake) = &mut following.handshake
            && !handshake.arrived
            && objects.contains(&hex::encode(handshake.confirm.object))
        {
            handshake.arrived = true;
            self.store.set(Table::Following, page, &following)?;
        }
        Ok(())
    }

    /// Takes the confirm of an accept of a request to follow; false if it is about something else.
    pub(crate) fn confirm_follower(&mut self, peer: &Peer, accept: Id) -> Result<bool, Failure> {
        let follower = self.follower(peer.id)?;
        let Some(mut follower) = follower.filter(|follower| follower.accept == accept) else {
            return Ok(false);
        };
        if follower.since.is_some() {
            return Ok(true);
        }
        if follower.until < self.now {
            return Err(Violation(&req::FRIENDS_ONLY_FRIENDS).into());
        }
        follower.since = Some(self.now);
        self.store.set(Table::Follower, peer.id, &follower)?;
        self.events.push(Event::Follower { name: peer.shown() });
        if self.gate.enforces(&req::FOLLOW_WELCOME) {
            self.welcome(&follower.address)?;
        }
        Ok(true)
    }

    /// Takes an end of a handshake to follow; false if it names something else.
    pub(crate) fn end_following(
        &mut self,
        peer: &Peer,
        named: &dyn Fn(Id) -> bool,
    ) -> Result<bool, AgentError> {
        let following = self.following(peer.id)?.and_then(|f| f.handshake);
        let followed = following.is_some_and(|handshake| named(handshake.request));
        let follower = self.follower(peer.id)?.is_some_and(|f| named(f.request));
        if !followed && !follower {
            return Ok(false);
        }
        if followed {
            self.store.delete(Table::Following, peer.id);
        }
        if follower {
            self.store.delete(Table::Follower, peer.id);
        }
        self.events.push(Event::Ended { name: peer.shown() });
        self.drop_tie(peer)?;
        Ok(true)
    }

    /// Whether something else than a relation needs what is known of an identity.
    pub(super) fn is_tied(&self, id: Id) -> Result<bool, AgentError> {
        use crate::store::Read;
        let rows = |table| self.store.range(table, &id, &successor(&id), 1);
        let tied = !rows(Table::Object)?.is_empty() || !rows(Table::Ended)?.is_empty();
        Ok(tied || self.following(id)?.is_some() || self.follower(id)?.is_some())
    }
}
