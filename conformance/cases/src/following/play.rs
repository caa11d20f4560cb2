//! The inputs of the tables `following` and `followers`, played with an agent and a puppet.

use std::collections::BTreeSet;

use kith_adapter::act::Perform;
use kith_adapter::act::pages::{Follow, FollowId, PagePost, RemoveFollower, Unfollow};
use kith_adapter::protocol::{Failure, Identity};
use kith_adapter::view::pages::{Followers, PageState, Pages};
use kith_adapter::view::publishing::Timeline;
use kith_forge::draft::{AnyDraft, Draft};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{Hash, Id128, Mail, Peer, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, request_ref};

use crate::faults::page;

/// What an input led to at once.
pub(super) struct Done {
    /// Why the agent didn't let the person do it.
    pub(super) refused: Option<String>,
    /// The kinds of new objects that left.
    pub(super) sent: Vec<String>,
    /// Whether the post that came is shown, if one came.
    pub(super) shown: Option<bool>,
}

/// An agent, a puppet, and what their handshake has come to.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    bob: Puppet,
    peer: Peer,
    /// Whether the agent has the page, and the puppet follows.
    page: bool,
    /// The newest request that the agent sent.
    asked: Option<RequestRef>,
    /// The puppet's accept of it, signed.
    accept: Option<Draft>,
    /// The newest request that the puppet sent.
    request: Option<Hash>,
    /// The newest accept that the agent sent.
    accepted: Option<Hash>,
    /// The puppet's confirm of it, signed.
    confirm: Option<Draft>,
    known: BTreeSet<String>,
    text: String,
}

impl Play {
    pub(super) async fn new(scene: &Scene, has_page: bool) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        if has_page {
            agent.act(page()).await?;
            agent.sync().await?;
        }
        Ok(Self {
            bob: scene.puppet("Bob")?,
            peer: agent.peer()?,
            agent,
            scene: scene.clone(),
            page: has_page,
            asked: None,
            accept: None,
            request: None,
            accepted: None,
            confirm: None,
            known: BTreeSet::new(),
            text: String::new(),
        })
    }

    /// Plays one input.
    pub(super) async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        let (mut refused, mut shown) = (None, None);
        match input.split_once('.') {
            Some(("user", action)) => refused = self.action(action).await?,
            Some(("mail", kind)) => shown = self.mail(kind).await?,
            Some(("time", "31-days")) => {
                self.agent.jump(31).await?;
            }
            Some(("time", "61-days")) => {
                self.agent.jump(61).await?;
            }
            _ => return Err(Stop::Harness(format!("the input {input} is not known"))),
        }
        Ok(Done {
            refused: refused.map(|failure| failure.to_string()),
            sent: self.collect()?,
            shown,
        })
    }

    /// The state as the agent shows it.
    pub(super) async fn state(&self) -> Result<&'static str, Stop> {
        let id = self.bob()?;
        if self.page {
            let followers = self.agent.view(Followers {}).await?;
            let bob = followers.iter().find(|one| one.identity == id);
            return Ok(match bob {
                None => "none",
                Some(bob) if bob.confirmed => "follower",
                Some(_) => "answered",
            });
        }
        let pages = self.agent.view(Pages {}).await?;
        let known = pages
            .iter()
            .find(|page| page.identity.as_ref() == Some(&id));
        let address = Some(&self.bob.address);
        let asked = || pages.iter().find(|page| page.address.as_ref() == address);
        Ok(match known.or_else(asked).map(|page| page.state) {
            None | Some(PageState::Own) => "none",
            Some(PageState::Asked) => "asked",
            Some(PageState::Following) => "following",
            Some(PageState::Listed) => "listed",
        })
    }

    fn bob(&self) -> Result<Identity, Stop> {
        self.bob.id.to_string().parse().map_err(Stop::harness)
    }

    async fn action(&mut self, action: &str) -> Result<Option<Failure>, Stop> {
        let identity = self.bob()?;
        let address = self.bob.address.clone();
        match action {
            "follow" => self.act(Follow { address }).await,
            "follow-id" => self.act(FollowId { identity }).await,
            "unfollow" => {
                let known = matches!(self.state().await?, "following" | "listed");
                let unfollow = Unfollow {
                    identity: known.then_some(identity),
                    address: (!known).then_some(address),
                };
                self.act(unfollow).await
            }
            "publish" => {
                let text = self.scene.token();
                self.act(PagePost { text }).await
            }
            "remove" => self.act(RemoveFollower { identity }).await,
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

    /// Delivers a mail, and tells whether the post in it is shown, if it has one.
    async fn mail(&mut self, kind: &str) -> Result<Option<bool>, Stop> {
        let mut auth = AuthResult::Pass;
        if kind == "follow" {
            auth = AuthResult::None;
        }
        let draft = self.draft(kind)?;
        let mail = self.scene.write(&mut self.bob, draft)?;
        if kind.starts_with("follow") {
            self.request = last(&mail);
        }
        self.scene.deliver_as(&mail, auth)?;
        self.agent.sync().await?;
        if !matches!(kind, "public" | "private") {
            return Ok(None);
        }
        let timeline = self.agent.view(Timeline {}).await?;
        Ok(Some(timeline.iter().any(|entry| entry.text == self.text)))
    }

    fn draft(&mut self, kind: &str) -> Result<AnyDraft, Stop> {
        let now = self.scene.now();
        self.text = self.scene.token();
        let draft: AnyDraft = match kind {
            "follow" | "follow-authenticated" => {
                let options = RequestOptions {
                    follow: true,
                    ..RequestOptions::default()
                };
                self.bob.request(self.agent.address(), now, options).into()
            }
            "accept" => self.accept_draft()?.into(),
            "confirm" => self.confirm_draft()?.into(),
            "end" => {
                let asked = self.asked.as_ref().map(|asked| asked.hash);
                let named = self.request.filter(|_| self.page).or(asked);
                let named = named.unwrap_or_else(|| self.invented("request"));
                let end = self.bob.end(&self.peer, &[named], now);
                end.map_err(Stop::harness)?.into()
            }
            "public" => {
                let to = self.agent.address().to_owned();
                self.bob.public_post(&to, &self.text, now).into()
            }
            "private" => {
                let post = self.bob.post(&self.peer, &self.text, now);
                post.map_err(Stop::harness)?.into()
            }
            _ => return Err(Stop::Harness(format!("mail.{kind} is not known"))),
        };
        Ok(draft)
    }

    /// The accept of the newest request: signed once, so that the same octets come again.
    fn accept_draft(&mut self) -> Result<Draft, Stop> {
        if let Some(draft) = &self.accept {
            return Ok(draft.clone());
        }
        let request = self.asked.clone().unwrap_or_else(|| RequestRef {
            hash: self.invented("request"),
            id: Id128::random(&mut self.scene.rng("id")),
            nonce: Id128::random(&mut self.scene.rng("nonce")),
            author: self.peer.id,
        });
        let draft = self.bob.accept(&request, &self.peer, self.scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        draft.sign(&mut self.bob.rng);
        self.accept = Some(draft.clone());
        Ok(draft)
    }

    fn confirm_draft(&mut self) -> Result<Draft, Stop> {
        if let Some(draft) = &self.confirm {
            return Ok(draft.clone());
        }
        let accept = self.accepted.unwrap_or_else(|| self.invented("accept"));
        let draft = self.bob.confirm(&self.peer, accept, self.scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        draft.sign(&mut self.bob.rng);
        self.confirm = Some(draft.clone());
        Ok(draft)
    }

    fn invented(&self, label: &str) -> Hash {
        Hash::of(Id128::random(&mut self.scene.rng(label)).0)
    }

    /// Takes in what the agent sent: the kinds of new objects, in order.
    fn collect(&mut self) -> Result<Vec<String>, Stop> {
        let mut kinds = Vec::new();
        for sent in self.scene.mail_to(&self.bob)? {
            for kind in ["request", "accept", "confirm", "end", "page", "post"] {
                let Some(object) = sent.object(kind) else {
                    continue;
                };
                if !self.known.insert(object.hash.clone()) {
                    continue;
                }
                kinds.push(kind.to_owned());
                match kind {
                    "request" => self.asked = Some(request_ref(&sent)?),
                    "accept" => self.accepted = object.hash.parse().ok(),
                    _ => {}
                }
            }
        }
        Ok(kinds)
    }
}

/// The hash of the last object in a mail.
fn last(mail: &Mail) -> Option<Hash> {
    mail.objects.last().copied()
}
