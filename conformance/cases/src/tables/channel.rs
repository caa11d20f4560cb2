//! The inputs of the table `channel`: numbered deliveries of one friend.

use std::collections::BTreeSet;

use kith_adapter::act::private::Message;
use kith_adapter::view::delivery::Gaps;
use kith_forge::draft::{Channel, Draft};
use kith_forge::{Id128, Peer, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, Who};
use kith_spec::limit;

use super::{Done, Machine, count};
use crate::gather::identity;

/// The agent, Bob and Carol, both its friends, and what came of a channel of Bob's.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    peer: Peer,
    bob: Puppet,
    carol: Puppet,
    channel: Id128,
    /// The highest number that arrived or was skipped.
    highest: i64,
    missing: BTreeSet<i64>,
    /// The newest delivery that was taken, signed, with its text.
    newest: Option<(Draft, String)>,
    /// Whether the last input has to be acknowledged.
    owed: bool,
}

impl Machine for Play {
    async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
        scene.befriend(&mut bob, Who::Puppet).await?;
        scene.befriend(&mut carol, Who::Puppet).await?;
        scene.mail_to(&bob)?;
        Ok(Self {
            peer: agent.peer()?,
            channel: Id128::random(&mut scene.rng("channel")),
            scene: scene.clone(),
            agent,
            bob,
            carol,
            highest: 0,
            missing: BTreeSet::new(),
            newest: None,
            owed: false,
        })
    }

    async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        let next = self.highest + 1;
        let window = limit::CHANNEL_WINDOW.cast_signed();
        self.owed = false;
        let taken = match input {
            "mail.next" => self.number(next, 1).await?,
            "mail.ahead" => {
                self.missing.insert(next);
                self.number(next + 1, 1).await?
            }
            "mail.again" => match self.newest.clone() {
                Some((draft, text)) => {
                    let mail = self.scene.write(&mut self.bob, draft)?;
                    self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
                    self.agent.sync().await?;
                    count(&self.agent, &text).await? == 1
                }
                None => self.number(next, 1).await?,
            },
            "mail.missing" => {
                let lowest = self.missing.pop_first().unwrap_or(next);
                self.number(lowest, 1).await?
            }
            "mail.skip" => {
                self.missing.clear();
                self.number(next, next).await?
            }
            "mail.far" => self.refused(next + window, 1).await?,
            "mail.base-above" => self.refused(next, next + 1).await?,
            "mail.foreign" => self.foreign(next).await?,
            _ => return Err(Stop::Harness(format!("the input {input} is not known"))),
        };
        Ok(Done::taken(taken))
    }

    async fn differs(&mut self, state: &str) -> Result<Option<String>, Stop> {
        let channel = self.channel.to_string();
        let gaps = self.agent.view(Gaps {}).await?;
        let mut gaps = gaps
            .into_iter()
            .filter(|gap| gap.channel.as_str() == channel);
        let gap = gaps.next().map(|gap| gap.missing).unwrap_or_default();
        let missing: Vec<u64> = self.missing.iter().map(|n| n.unsigned_abs()).collect();
        if gap != missing || gap.is_empty() == (state == "gap") {
            return Ok(Some(format!("the gaps {gap:?}, expected {missing:?}")));
        }
        self.acknowledged(state).await
    }
}

impl Play {
    fn draft(&mut self, seq: i64, base: i64, text: &str) -> Result<Draft, Stop> {
        let now = self.scene.now();
        let object = self.bob.message_object(&self.peer, text, None, now);
        let draft = self.bob.delivery(&self.peer, now);
        let mut draft = draft.map_err(Stop::harness)?;
        let id = self.channel;
        draft.delivery.channel = Some(Channel { id, seq, base });
        draft.objects.push(object.into());
        draft.sign(&mut self.bob.rng);
        Ok(draft)
    }

    /// A delivery with this number; whether its message is shown.
    async fn number(&mut self, seq: i64, base: i64) -> Result<bool, Stop> {
        let text = self.scene.token();
        let draft = self.draft(seq, base, &text)?;
        let mail = self.scene.write(&mut self.bob, draft.clone())?;
        self.scene.deliver(&mail)?;
        self.agent.sync().await?;
        self.highest = self.highest.max(seq);
        self.newest = Some((draft, text.clone()));
        self.owed = true;
        Ok(count(&self.agent, &text).await? == 1)
    }

    async fn refused(&mut self, seq: i64, base: i64) -> Result<bool, Stop> {
        let text = self.scene.token();
        let draft = self.draft(seq, base, &text)?;
        let mail = self.scene.write(&mut self.bob, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(count(&self.agent, &text).await? == 1)
    }

    /// A delivery of Carol on Bob's channel, or on her own where nothing came on that.
    async fn foreign(&mut self, seq: i64) -> Result<bool, Stop> {
        let (text, now) = (self.scene.token(), self.scene.now());
        let draft = self.carol.message(&self.peer, &text, now);
        let mut draft = draft.map_err(Stop::harness)?;
        if self.newest.is_some() {
            let (id, base) = (self.channel, 1);
            draft.delivery.channel = Some(Channel { id, seq, base });
        }
        let mail = self.scene.write(&mut self.carol, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(count(&self.agent, &text).await? == 1)
    }

    /// What an ack in the agent's next delivery to Bob says of the channel.
    async fn acknowledged(&mut self, state: &str) -> Result<Option<String>, Stop> {
        let message = Message {
            to: identity(self.bob.id)?,
            text: self.scene.token(),
            parent: None,
            media: Vec::new(),
        };
        self.agent.act(message).await?;
        self.agent.sync().await?;
        let channel = self.channel.to_string();
        let mails = self.scene.mail_to(&self.bob)?;
        let deliveries = mails
            .iter()
            .filter_map(|sent| sent.mail.as_ref().ok()?.delivery());
        let mut acks = deliveries.flat_map(|delivery| &delivery.acks);
        let Some(ack) = acks.find(|ack| ack.channel == channel) else {
            return Ok(self.owed.then(|| "no acknowledgement".to_owned()));
        };
        if state == "new" {
            return Ok(Some(format!("an acknowledgement of nothing: {ack:?}")));
        }
        let missing: Vec<u64> = self.missing.iter().map(|n| n.unsigned_abs()).collect();
        let highest = self.highest.unsigned_abs();
        let upto = missing.first().map_or(highest, |lowest| lowest - 1);
        let right = ack.upto == upto && ack.highest == highest && ack.missing == missing;
        let expected = format!("upto {upto}, highest {highest}, missing {missing:?}");
        Ok((!right).then(|| format!("the acknowledgement {ack:?}, expected {expected}")))
    }
}
