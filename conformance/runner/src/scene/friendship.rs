//! The handshake as one step, for cases that are about something else.

use kith_adapter::act::relation::{Accept, Befriend};
use kith_adapter::protocol::ObjectId;
use kith_adapter::view::relation::{Direction, Friends, Relations, Requests, State};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{Hash, Peer, Puppet};
use kith_spec::req;

use super::{Agent, Scene, Sent};
use crate::case::Stop;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The agent under test.
    Agent,
    /// The puppet.
    Puppet,
}

/// A finished handshake.
#[derive(Debug, Clone)]
pub struct Friendship {
    /// The agent, as the puppet knows it.
    pub peer: Peer,
    /// The hash of the request.
    pub request: Hash,
    /// The hash of the accept.
    pub accept: Hash,
}

/// What an answer to a request names, from a request that the agent sent.
///
/// # Errors
/// If the mail holds no request.
pub fn request_ref(sent: &Sent) -> Result<RequestRef, Stop> {
    let none = || Stop::Harness("the mail holds no request".to_owned());
    let object = sent.object("request").ok_or_else(none)?;
    let nonce = object.payload.attribute("nonce").unwrap_or_default();
    Ok(RequestRef {
        hash: object.hash.parse().map_err(Stop::harness)?,
        id: object.id.parse().map_err(Stop::harness)?,
        nonce: nonce.parse().map_err(Stop::harness)?,
        author: object.author.parse().map_err(Stop::harness)?,
    })
}

impl Scene {
    /// Makes the agent and a puppet friends. Each step is asserted.
    ///
    /// # Errors
    /// If a step doesn't happen.
    pub async fn befriend(&self, puppet: &mut Puppet, who: Who) -> Result<Friendship, Stop> {
        let agent = self.agent().await?;
        let friendship = match who {
            Who::Agent => self.agent_asks(&agent, puppet).await?,
            Who::Puppet => self.puppet_asks(&agent, puppet).await?,
        };
        let friends = agent.view(Friends {}).await?;
        let id = puppet.id.to_string();
        let found = friends.iter().any(|friend| friend.identity.as_str() == id);
        self.require(&req::FRIENDS_TABLE, found, || {
            let address = &puppet.address;
            format!("expected {address} among the friends after the handshake, seen {friends:?}")
        })?;
        Ok(friendship)
    }

    async fn agent_asks(&self, agent: &Agent, puppet: &mut Puppet) -> Result<Friendship, Stop> {
        let sent = self.asked(agent, puppet).await?;
        let request = request_ref(&sent)?;
        let peer = agent.peer()?;
        let draft = puppet.accept(&request, &peer, self.now());
        let accept = self.send(puppet, draft.map_err(Stop::harness)?).await?;
        let hash = accept.objects.last().copied();
        let hash = hash.ok_or_else(|| Stop::Harness("the accept is empty".to_owned()))?;
        let sent = self.expect_mail(&req::FRIENDS_CONFIRM_SENT, puppet, "confirm")?;
        let named = sent
            .object("confirm")
            .and_then(|object| object.payload.child("accept"));
        let named = named.and_then(|accept| accept.attribute("hash"));
        let expected = hash.to_string();
        self.require(
            &req::FRIENDS_CONFIRM_SENT,
            named == Some(&*expected),
            || format!("expected a confirm that names the accept {expected}, seen {named:?}"),
        )?;
        Ok(Friendship {
            peer,
            request: request.hash,
            accept: hash,
        })
    }

    /// Lets the agent ask a puppet, with an invite of it if there is one.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn ask(
        &self,
        agent: &Agent,
        puppet: &Puppet,
        invite: Option<String>,
    ) -> Result<(), Stop> {
        let address = puppet.address.clone();
        let note = None;
        agent
            .act(Befriend {
                address,
                note,
                invite,
            })
            .await?;
        agent.sync().await?;
        Ok(())
    }

    /// Lets the agent ask a puppet; returns the mail with the request.
    ///
    /// # Errors
    /// If it sends none.
    pub async fn asked(
        &self,
        agent: &Agent,
        puppet: &Puppet,
    ) -> Result<std::sync::Arc<Sent>, Stop> {
        self.ask(agent, puppet, None).await?;
        self.expect_mail(&req::FRIENDS_REQUEST_OPEN, puppet, "request")
    }

    async fn puppet_asks(&self, agent: &Agent, puppet: &mut Puppet) -> Result<Friendship, Stop> {
        let draft = puppet.request(agent.address(), self.now(), RequestOptions::default());
        let mail = self.send(puppet, draft).await?;
        let request = mail.objects.last().copied();
        let request = request.ok_or_else(|| Stop::Harness("the request is empty".to_owned()))?;
        let shown = self.request_shown(agent, puppet).await?;
        agent.act(Accept { request: shown }).await?;
        agent.sync().await?;
        let sent = self.expect_mail(&req::FRIENDS_ACCEPT_SEALED, puppet, "accept")?;
        let accept = sent.object("accept").map(|object| object.hash.parse());
        let accept = accept.ok_or(Stop::Failed)?.map_err(Stop::harness)?;
        let peer = agent.peer()?;
        let draft = puppet.confirm(&peer, accept, self.now());
        self.send(puppet, draft.map_err(Stop::harness)?).await?;
        Ok(Friendship {
            peer,
            request,
            accept,
        })
    }

    /// The id of a puppet's request that the agent shows as waiting for an answer.
    ///
    /// # Errors
    /// If it shows none.
    pub async fn request_shown(&self, agent: &Agent, puppet: &Puppet) -> Result<ObjectId, Stop> {
        let requests = agent.view(Requests {}).await?;
        let id = puppet.id.to_string();
        let from = |identity: &kith_adapter::protocol::Identity| identity.as_str() == id;
        let found = requests.iter().find(|request| {
            request.direction == Direction::Incoming && request.identity.as_ref().is_some_and(from)
        });
        let shown = found.map(|request| request.request.clone());
        self.require_some(&req::FRIENDS_NO_AUTOMATIC, shown, || {
            let address = &puppet.address;
            format!("expected a request of {address} that waits for an answer, seen {requests:?}")
        })
    }

    /// The state of the agent's relation to a puppet, as it shows it. Whom it doesn't
    /// show is a stranger; somebody it only knows by address is found by that.
    ///
    /// # Errors
    /// If it doesn't show its relations.
    pub async fn relation(&self, agent: &Agent, puppet: &Puppet) -> Result<State, Stop> {
        let relations = agent.view(Relations {}).await?;
        let id = puppet.id.to_string();
        let found = relations
            .iter()
            .find(|relation| relation.identity.as_str() == id);
        if let Some(relation) = found {
            return Ok(relation.state);
        }
        let requests = agent.view(Requests {}).await?;
        let asked = requests.iter().any(|request| {
            request.direction == Direction::Outgoing
                && request.address.eq_ignore_ascii_case(&puppet.address)
        });
        Ok(if asked {
            State::Requested
        } else {
            State::Stranger
        })
    }
}
