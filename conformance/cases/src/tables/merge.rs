//! The inputs of the table `merge`: revisions, withdraws and retracts of one post of a friend.

use kith_adapter::view::publishing::Timeline;
use kith_forge::draft::{Item, ObjectDraft};
use kith_forge::{Peer, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, Who};

use super::{Done, Machine};

/// The agent, the author Bob, Carol, and the revisions of one post.
pub(super) struct Play {
    scene: Scene,
    agent: Agent,
    peer: Peer,
    bob: Puppet,
    carol: Puppet,
    /// Revision 1, both revisions 2, the one with the higher hash first, and revision 3, each with
    /// its text.
    revisions: [(ObjectDraft, String); 4],
}

impl Machine for Play {
    async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
        scene.befriend(&mut bob, Who::Puppet).await?;
        scene.befriend(&mut carol, Who::Puppet).await?;
        let texts = [(); 4].map(|()| scene.token());
        let now = scene.now();
        let first = bob.post_object(&texts[0], now);
        let mut seconds = [&texts[1], &texts[2]].map(|text| {
            let object = bob.edited(&first, text, now);
            let hash = object.sign(&mut scene.rng("hash")).hash;
            (hash, object, text.clone())
        });
        seconds.sort_by_key(|(hash, ..)| std::cmp::Reverse(hash.0));
        let third = bob.edited(&seconds[0].1, &texts[3], now);
        let [second, lower] = seconds.map(|(_, object, text)| (object, text));
        let [one, _, _, three] = texts;
        Ok(Self {
            peer: agent.peer()?,
            scene: scene.clone(),
            agent,
            bob,
            carol,
            revisions: [(first, one), second, lower, (third, three)],
        })
    }

    async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        let now = self.scene.now();
        let [first, second, lower, third] = &self.revisions;
        let of_carol = input == "mail.retract-other";
        let object = match input {
            "mail.first" => first.0.clone(),
            "mail.second" => second.0.clone(),
            "mail.lower" => lower.0.clone(),
            "mail.third" => third.0.clone(),
            "mail.withdraw" => self.bob.withdraw_object(&self.peer, &second.0, "post", now),
            "mail.retract" | "mail.retract-other" => {
                let target = (first.0.author, first.0.id);
                let author = match of_carol {
                    true => &mut self.carol,
                    false => &mut self.bob,
                };
                author.retract_object(target, "post", "friends", now)
            }
            _ => return Err(Stop::Harness(format!("the input {input} is not known"))),
        };
        let author = match of_carol {
            true => &mut self.carol,
            false => &mut self.bob,
        };
        let draft = author.delivery_on_channel(&self.peer, now);
        let mut draft = draft.map_err(Stop::harness)?;
        draft.objects.push(Item::Draft(object));
        let mail = self.scene.write(author, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(Done::default())
    }

    async fn differs(&mut self, state: &str) -> Result<Option<String>, Stop> {
        let revision = match state {
            "first" => Some(0),
            "second" => Some(1),
            "lower" => Some(2),
            "third" => Some(3),
            _ => None,
        };
        let expected = revision.map(|index| self.revisions[index].1.as_str());
        let id = self.revisions[0].0.id.to_string();
        let entries = self.agent.view(Timeline {}).await?;
        let entry = entries.iter().find(|entry| entry.id.as_str() == id);
        let seen = entry.map(|entry| entry.text.as_str());
        Ok((seen != expected).then(|| match seen {
            Some(text) => format!("a post with the text {text:?} instead of {expected:?}"),
            None => "no post".to_owned(),
        }))
    }
}
