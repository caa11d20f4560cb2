//! The inputs of the table `identity-chain`: rotations, rivals and what is said under which key.

use kith_adapter::view::identity::Contacts;
use kith_adapter::view::relation::Friends;
use kith_forge::draft::{Draft, Item};
use kith_forge::openpgp::{SignSpec, SigningKey};
use kith_forge::{Peer, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, Who};

use super::{Done, Machine, count};

/// The agent, its friend Bob whose chain it is, and Carol, whose key nobody committed to.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    peer: Peer,
    bob: Puppet,
    carol: Puppet,
}

impl Machine for Play {
    async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        let mut bob = scene.puppet("Bob")?;
        scene.befriend(&mut bob, Who::Puppet).await?;
        Ok(Self {
            peer: agent.peer()?,
            scene: scene.clone(),
            agent,
            bob,
            carol: scene.puppet("Carol")?,
        })
    }

    async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        match input {
            "mail.next" => self.rotation(&[]).await,
            "mail.next-compromised" => {
                let earlier: Vec<i64> = (0..=self.bob.epoch).collect();
                self.rotation(&earlier).await
            }
            "mail.next-uncommitted" => self.uncommitted().await,
            "mail.rival" => self.rival().await,
            "mail.revoked" => self.revoked().await,
            "mail.message" => self.message(self.bob.key.clone(), None).await,
            "mail.message-previous" => self.message(self.previous(), None).await,
            "mail.object-previous" => {
                let previous = self.previous();
                self.message(self.bob.key.clone(), Some(&previous)).await
            }
            "mail.contact" => self.contact(false).await,
            "mail.contact-previous" => self.contact(true).await,
            "time.31-days" => {
                self.agent.jump(31).await?;
                Ok(Done::default())
            }
            _ => Err(Stop::Harness(format!("the input {input} is not known"))),
        }
    }

    async fn differs(&mut self, state: &str) -> Result<Option<String>, Stop> {
        let id = self.bob.id.to_string();
        let contacts = self.agent.view(Contacts {}).await?;
        let seen = contacts.into_iter().find(|c| c.identity.as_str() == id);
        let right = seen.as_ref().is_some_and(|seen| {
            let warned = seen.warning.is_some() || !seen.frozen;
            seen.frozen == (state == "frozen") && i64::from(seen.epoch) == self.bob.epoch && warned
        });
        let epoch = self.bob.epoch;
        Ok((!right).then(|| format!("{seen:?}, the newest epoch being {epoch}")))
    }
}

impl Play {
    /// The key before Bob's newest, or one never committed to.
    fn previous(&self) -> SigningKey {
        self.bob.earlier.last().unwrap_or(&self.carol.key).clone()
    }

    async fn deliver(&mut self, draft: Draft) -> Result<(), Stop> {
        let mail = self.scene.write(&mut self.bob, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(())
    }

    async fn epoch(&self) -> Result<Option<i64>, Stop> {
        let id = self.bob.id.to_string();
        let contacts = self.agent.view(Contacts {}).await?;
        let seen = contacts.iter().find(|c| c.identity.as_str() == id);
        Ok(seen.map(|contact| i64::from(contact.epoch)))
    }

    async fn rotation(&mut self, compromised: &[i64]) -> Result<Done, Stop> {
        let now = self.scene.now();
        let draft = self.bob.rotation(&self.peer, compromised, now);
        self.scene.renewed(&self.bob)?;
        self.deliver(draft.map_err(Stop::harness)?).await?;
        Ok(Done::taken(self.epoch().await? == Some(self.bob.epoch)))
    }

    /// A rotation to a key that nobody committed to; Bob stays as he is.
    async fn uncommitted(&mut self) -> Result<Done, Stop> {
        let (mut thief, now) = (self.bob.clone(), self.scene.now());
        thief.next = self.carol.key.clone();
        let draft = thief.rotation(&self.peer, &[], now);
        let mail = self
            .scene
            .write(&mut thief, draft.map_err(Stop::harness)?)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(Done::taken(self.epoch().await? == Some(thief.epoch)))
    }

    /// Another entry for the newest epoch, which commits to another key.
    async fn rival(&mut self) -> Result<Done, Stop> {
        let now = self.scene.now();
        let newest = self.bob.chain.pop();
        let next = std::mem::replace(&mut self.bob.next, self.carol.key.clone());
        let rival = self.bob.identity_object(now, &[]);
        self.bob.next = next;
        self.bob.chain.extend(newest);
        let draft = self.bob.carry(&self.peer, vec![rival], now);
        self.deliver(draft.map_err(Stop::harness)?).await?;
        Ok(Done::default())
    }

    async fn revoked(&mut self) -> Result<Done, Stop> {
        let now = self.scene.now();
        let mut revoked = self.bob.clone();
        revoked.certificate_spec.revoked = Some(now);
        revoked.renew_certificate();
        let draft = self.bob.delivery_on_channel(&self.peer, now);
        let mut draft = draft.map_err(Stop::harness)?;
        draft.objects.push(self.bob.contact.clone().into());
        draft.certificates.push(revoked.certificate);
        self.deliver(draft).await?;
        Ok(Done::default())
    }

    /// A message in a delivery under a key, the message itself under another one if that is given.
    async fn message(
        &mut self,
        key: SigningKey,
        object: Option<&SigningKey>,
    ) -> Result<Done, Stop> {
        let (text, now) = (self.scene.token(), self.scene.now());
        let newest = std::mem::replace(&mut self.bob.key, key);
        let mut message = self.bob.message_object(&self.peer, &text, None, now);
        if let Some(key) = object {
            message.sign = SignSpec::new(key, now).purpose("object");
        }
        let draft = self.bob.carry(&self.peer, vec![message], now);
        self.bob.key = newest;
        self.deliver(draft.map_err(Stop::harness)?).await?;
        Ok(Done::taken(count(&self.agent, &text).await? == 1))
    }

    /// A contact with a new name: of the newest epoch, or of the one before, or after where there
    /// is none before.
    async fn contact(&mut self, other: bool) -> Result<Done, Stop> {
        let now = self.scene.now();
        let mut speaker = self.bob.clone();
        speaker.name = self.scene.token();
        let mut contact = speaker.contact_object(now);
        if other {
            let epoch = self.bob.epoch;
            contact
                .payload
                .set("epoch", if epoch == 0 { 1 } else { epoch - 1 });
            if let Some(key) = self.bob.earlier.last() {
                contact.sign = SignSpec::new(key, now).purpose("object");
            }
        } else {
            self.bob.renew_contact(now);
        }
        let draft = self.bob.delivery_on_channel(&self.peer, now);
        let mut draft = draft.map_err(Stop::harness)?;
        draft.objects.push(Item::Draft(contact));
        self.deliver(draft).await?;
        let friends = self.agent.view(Friends {}).await?;
        Ok(Done::taken(
            friends.iter().any(|f| f.name.contains(&speaker.name)),
        ))
    }
}
