//! The inputs of the table `invite`: requests with proofs of one invite.

use kith_adapter::act::relation::Invite as MakeInvite;
use kith_adapter::view::relation::{Direction, Requests, State};
use kith_forge::draft::Item;
use kith_forge::invite::Invite;
use kith_forge::kinds::RequestOptions;
use kith_forge::{Id128, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene};

use super::{Done, Machine};

/// An agent with its invite, and the people who ask, one after the other.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    /// The agent's newest invite, or one it never made.
    invite: Invite,
    guests: usize,
    /// The proof in the newest request with a right one.
    proof: Option<String>,
}

impl Machine for Play {
    async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        let invite = Invite {
            address: agent.address().to_owned(),
            id: agent.peer()?.id,
            token: Id128::random(&mut scene.rng("never made")).0,
            expires: scene.now() + 7 * kith_forge::DAY,
        };
        Ok(Self {
            scene: scene.clone(),
            agent,
            invite,
            guests: 0,
            proof: None,
        })
    }

    async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        match input {
            "user.invite" => {
                let made = self.agent.act(MakeInvite {}).await?;
                self.invite = Invite::parse(&made.uri).map_err(Stop::harness)?;
                Ok(Done::default())
            }
            "mail.request" => self.ask(self.invite.clone(), None).await,
            "mail.request-wrong" => {
                let token = Id128::random(&mut self.scene.rng("wrong")).0;
                let invite = Invite {
                    token,
                    ..self.invite.clone()
                };
                self.ask(invite, None).await
            }
            "mail.request-stolen" => {
                let random = || kith_forge::Hash::of(b"a proof of nothing").to_string();
                let proof = self.proof.clone().unwrap_or_else(random);
                self.ask(self.invite.clone(), Some(proof)).await
            }
            "time.8-days" => {
                self.agent.jump(8).await?;
                Ok(Done::default())
            }
            _ => Err(Stop::Harness(format!("the input {input} is not known"))),
        }
    }

    /// What becomes of an invite shows in what becomes of requests only.
    async fn differs(&mut self, _state: &str) -> Result<Option<String>, Stop> {
        Ok(None)
    }
}

impl Play {
    /// Somebody new asks, in a mail that no server vouches for. Taken is what is either accepted
    /// or waits with a warning.
    async fn ask(&mut self, invite: Invite, proof: Option<String>) -> Result<Done, Stop> {
        self.guests += 1;
        let mut guest = self.scene.puppet(&format!("Guest{}", self.guests))?;
        let (shown, by) = (invite.clone(), guest.id);
        let options = RequestOptions {
            invite: Some(invite),
            ..RequestOptions::default()
        };
        let mut draft = guest.request(self.agent.address(), self.scene.now(), options);
        let none = || Stop::Harness("the request has no proof".to_owned());
        let request = draft.objects.iter_mut().rev().find_map(Item::draft);
        let request = request.ok_or_else(none)?;
        let id = request.id;
        match (request.payload.find("invite").ok_or_else(none)?, proof) {
            (element, Some(proof)) => element.set("proof", proof),
            _ => self.proof = Some(shown.request_proof(id, by).to_string()),
        }
        let mail = self.scene.write(&mut guest, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::None)?;
        self.agent.sync().await?;
        let mails = self.scene.mail_to(&guest)?;
        let accepts = mails.iter().filter(|sent| sent.object("accept").is_some());
        let sent = accepts.map(|_| "accept").collect::<Vec<_>>();
        let taken = match sent.is_empty() {
            true => self.waits_with_warning(&guest).await?,
            false => self.scene.relation(&self.agent, &guest).await? == State::Accepted,
        };
        let taken = Some(taken);
        Ok(Done { sent, taken })
    }

    async fn waits_with_warning(&self, guest: &Puppet) -> Result<bool, Stop> {
        let id = guest.id.to_string();
        let requests = self.agent.view(Requests {}).await?;
        Ok(requests.iter().any(|request| {
            let from = request.identity.as_ref();
            request.direction == Direction::Incoming
                && from.is_some_and(|identity| identity.as_str() == id)
                && request.warning.is_some()
                && !request.invited
        }))
    }
}
