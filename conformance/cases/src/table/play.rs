//! The inputs of the table `relationship`, played with an agent and a puppet.

use std::collections::BTreeSet;

use kith_adapter::act::Perform;
use kith_adapter::act::relation::{Accept, Befriend, Block, Decline, End, Unblock, Withdraw};
use kith_adapter::protocol::{Failure, Identity, ObjectId};
use kith_adapter::view::private::Messages;
use kith_adapter::view::relation::{Direction, Requests};
use kith_forge::draft::{AnyDraft, Draft};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{Hash, Id128, Peer, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, request_ref};

/// What an input led to at once.
pub(super) struct Done {
    /// Why the agent didn't let the person do it.
    pub(super) refused: Option<String>,
    /// The kinds of new handshake objects that left.
    pub(super) sent: Vec<String>,
}

/// An agent, a puppet, and what their handshake has come to.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    bob: Puppet,
    peer: Peer,
    /// The newest request that the agent sent.
    asked: Option<RequestRef>,
    /// The newest request that the puppet sent: its id and hash.
    request: Option<(ObjectId, Hash)>,
    /// The newest accept that the agent sent.
    accepted: Option<Hash>,
    /// The puppet's accept of the agent's newest request, signed.
    accept: Option<Draft>,
    known: BTreeSet<String>,
}

impl Play {
    pub(super) async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        Ok(Self {
            bob: scene.puppet("Bob")?,
            peer: agent.peer()?,
            agent,
            scene: scene.clone(),
            asked: None,
            request: None,
            accepted: None,
            accept: None,
            known: BTreeSet::new(),
        })
    }

    /// Plays one input.
    pub(super) async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        let refused = match input.split_once('.') {
            Some(("user", action)) => self.action(action).await?,
            Some(("mail", kind)) => {
                self.mail(kind).await?;
                None
            }
            Some(("time", "31-days")) => self.days(31).await?,
            Some(("time", "61-days")) => self.days(61).await?,
            _ => return Err(Stop::Harness(format!("the input {input} is not known"))),
        };
        let sent = self.collect()?;
        let refused = refused.map(|failure| failure.to_string());
        Ok(Done { refused, sent })
    }

    async fn days(&mut self, days: i64) -> Result<Option<Failure>, Stop> {
        self.agent.jump(days).await?;
        Ok(None)
    }

    /// The state of the relation as the agent shows it.
    pub(super) async fn state(&self) -> Result<String, Stop> {
        let state = self.scene.relation(&self.agent, &self.bob).await?;
        let name = serde_json::to_value(state).map_err(Stop::harness)?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    fn bob(&self) -> Result<Identity, Stop> {
        self.bob.id.to_string().parse().map_err(Stop::harness)
    }

    async fn action(&mut self, action: &str) -> Result<Option<Failure>, Stop> {
        let identity = self.bob()?;
        match action {
            "befriend" => {
                let address = self.bob.address.clone();
                let (note, invite) = (None, None);
                self.act(Befriend {
                    address,
                    note,
                    invite,
                })
                .await
            }
            "accept" => {
                let request = self.incoming().await?;
                self.act(Accept { request }).await
            }
            "decline" => {
                let request = self.incoming().await?;
                let notify = false;
                self.act(Decline { request, notify }).await
            }
            "end" => match self.withdrawable().await? {
                Some(request) => self.act(Withdraw { request }).await,
                None => self.act(End { identity }).await,
            },
            "block" => self.act(Block { identity }).await,
            "unblock" => self.act(Unblock { identity }).await,
            _ => Err(Stop::Harness(format!("the action {action} is not known"))),
        }
    }

    async fn act<P: Perform>(&mut self, action: P) -> Result<Option<Failure>, Stop> {
        let refused = match self.agent.try_act(action).await? {
            Ok(_) => None,
            Err(Failure::Unsupported(name)) => return Err(Stop::Unsupported(name)),
            Err(failure) => Some(failure),
        };
        self.agent.sync().await?;
        Ok(refused)
    }

    /// The puppet's request that waits for an answer; else its newest; else one that
    /// never was.
    async fn incoming(&self) -> Result<ObjectId, Stop> {
        let requests = self.agent.view(Requests {}).await?;
        let identity = self.bob()?;
        let mine = requests.iter().find(|request| {
            request.direction == Direction::Incoming && request.identity.as_ref() == Some(&identity)
        });
        let newest = || self.request.as_ref().map(|(id, _)| id.clone());
        match mine.map(|request| request.request.clone()).or_else(newest) {
            Some(id) => Ok(id),
            None => Id128::random(&mut self.scene.rng("request"))
                .to_string()
                .parse()
                .map_err(Stop::harness),
        }
    }

    /// The agent's own request, where the person can only withdraw it: nobody answered.
    async fn withdrawable(&self) -> Result<Option<ObjectId>, Stop> {
        if !matches!(self.state().await?.as_str(), "requested" | "met") {
            return Ok(None);
        }
        let requests = self.agent.view(Requests {}).await?;
        let own = requests.into_iter().find(|request| {
            request.direction == Direction::Outgoing
                && request.address.eq_ignore_ascii_case(&self.bob.address)
        });
        Ok(own.map(|request| request.request))
    }

    async fn mail(&mut self, kind: &str) -> Result<(), Stop> {
        let now = self.scene.now();
        let mut auth = AuthResult::Pass;
        let draft: AnyDraft = match kind {
            "request" | "request-authenticated" => {
                if kind == "request" {
                    auth = AuthResult::None;
                }
                let options = RequestOptions::default();
                self.bob.request(self.agent.address(), now, options).into()
            }
            "accept" => self.accept_draft()?.into(),
            "confirm" => {
                let hash = self.accepted.unwrap_or_else(|| self.invented("accept"));
                self.bob
                    .confirm(&self.peer, hash, now)
                    .map_err(Stop::harness)?
                    .into()
            }
            "decline" => {
                let request = self.asked_or_invented();
                self.bob
                    .decline(&request, &self.peer, now)
                    .map_err(Stop::harness)?
                    .into()
            }
            "end" => {
                let own = self.request.as_ref().map(|(_, hash)| *hash);
                let asked = self.asked.as_ref().map(|request| request.hash);
                let hash = own.or(asked).unwrap_or_else(|| self.invented("request"));
                self.bob
                    .end(&self.peer, &[hash], now)
                    .map_err(Stop::harness)?
                    .into()
            }
            "message" => {
                let text = self.scene.token();
                self.bob
                    .message(&self.peer, &text, now)
                    .map_err(Stop::harness)?
                    .into()
            }
            _ => return Err(Stop::Harness(format!("mail.{kind} is not known"))),
        };
        let mail = self.scene.write(&mut self.bob, draft)?;
        if kind.starts_with("request") {
            self.remember_request(&mail)?;
        }
        self.scene.deliver_as(&mail, auth)?;
        self.agent.sync().await?;
        Ok(())
    }

    /// The accept of the newest request: signed once, so that the same octets come again.
    fn accept_draft(&mut self) -> Result<Draft, Stop> {
        if let Some(draft) = &self.accept {
            return Ok(draft.clone());
        }
        let request = self.asked_or_invented();
        let draft = self.bob.accept(&request, &self.peer, self.scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        draft.sign(&mut self.bob.rng);
        self.accept = Some(draft.clone());
        Ok(draft)
    }

    fn invented(&self, label: &str) -> Hash {
        Hash::of(Id128::random(&mut self.scene.rng(label)).0)
    }

    fn asked_or_invented(&self) -> RequestRef {
        self.asked.clone().unwrap_or_else(|| RequestRef {
            hash: self.invented("request"),
            id: Id128::random(&mut self.scene.rng("id")),
            nonce: Id128::random(&mut self.scene.rng("nonce")),
            author: self.peer.id,
        })
    }

    fn remember_request(&mut self, mail: &kith_forge::Mail) -> Result<(), Stop> {
        let read = kith_forge::read::read_open(&mail.octets, &kith_forge::read::Knowledge::new());
        let request = read.map_err(Stop::harness)?.request();
        let request = request.ok_or_else(|| Stop::Harness("the request is empty".to_owned()))?;
        let id = request.id.to_string().parse().map_err(Stop::harness)?;
        self.request = Some((id, request.hash));
        Ok(())
    }

    /// Takes in what the agent sent: the kinds of new handshake objects, in order.
    fn collect(&mut self) -> Result<Vec<String>, Stop> {
        let mut kinds = Vec::new();
        for sent in self.scene.mail_to(&self.bob)? {
            for kind in ["request", "accept", "confirm", "decline", "end"] {
                let Some(object) = sent.object(kind) else {
                    continue;
                };
                if !self.known.insert(object.hash.clone()) {
                    continue;
                }
                kinds.push(kind.to_owned());
                match kind {
                    "request" => {
                        self.asked = Some(request_ref(&sent)?);
                        self.accept = None;
                    }
                    "accept" => self.accepted = object.hash.parse().ok(),
                    _ => {}
                }
            }
        }
        Ok(kinds)
    }

    /// Lets the puppet write a message and tells whether the person sees it.
    pub(super) async fn message_is_shown(&mut self) -> Result<bool, Stop> {
        let text = self.scene.token();
        let draft = self.bob.message(&self.peer, &text, self.scene.now());
        self.scene
            .send(&mut self.bob, draft.map_err(Stop::harness)?)
            .await?;
        let messages = self.agent.view(Messages {}).await?;
        Ok(messages.iter().any(|message| message.text == text))
    }
}
