//! What another device of the person tells: the harness, which gave the agent its keys, plays it.

use kith_adapter::act::relation::End;
use kith_adapter::view::private::Messages;
use kith_adapter::view::relation::State;
use kith_forge::draft::SignedObject;
use kith_forge::kinds::self_copy::{Device, person, seen, sent};
use kith_forge::xml::Element;
use kith_forge::{Hash, Id128, Instant, Mail, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Who};
use kith_spec::{Rule, req};
use kith_testbed::Deliver;

use super::copies::{attribute, copies};
use super::{message, texts};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["devices/self-copy"];
    let case = |id, title, rule: Rule, play: fn(Scene) -> super::Play| {
        Case::new(id, title, Rung::Rest, &[rule], play).needs(&needs)
    };
    vec![
        case(
            "devices/clone",
            "a device that finds later notes under its own id goes on as another device",
            &req::DEVICES_CLONE,
            |scene| Box::pin(clone(scene)),
        ),
        case(
            "devices/self-copy/author",
            "what somebody else wrote is not taken for the person's own",
            &req::SELF_AUTHOR,
            |scene| Box::pin(author(scene)),
        ),
        case(
            "devices/self-copy/quiet",
            "nothing is sent, and nothing appended, because of what another device tells",
            &req::SELF_EFFECT,
            |scene| Box::pin(quiet(scene)),
        ),
        case(
            "devices/self-copy/any-order",
            "of two entries about a person the later one wins, then the greater device, in any order",
            &req::SELF_ANY_ORDER,
            |scene| Box::pin(any_order(scene)),
        ),
        case(
            "devices/journal/first",
            "of several times for one object the earliest counts",
            &req::JOURNAL_FIRST,
            |scene| Box::pin(first(scene)),
        ),
        case(
            "devices/journal/accepted",
            "what another device accepted is accepted, also after the end of the friendship",
            &req::JOURNAL_ACCEPTED,
            |scene| Box::pin(accepted(scene)),
        ),
    ]
}

/// Another device of the agent's person, played by the harness.
struct Other {
    scene: Scene,
    agent: Agent,
    /// The person, with the agent's keys.
    alice: Puppet,
    device: Device,
}

impl Other {
    fn new(scene: &Scene, agent: &Agent, id: u8) -> Result<Self, Stop> {
        Ok(Self {
            scene: scene.clone(),
            agent: agent.clone(),
            alice: scene.played(agent.address())?,
            device: Device::new(Id128([id; 16]), "tablet"),
        })
    }

    /// Appends a self-copy with these entries to the folder `Kith`.
    fn tells(&mut self, told: Vec<Element>, objects: Vec<SignedObject>) -> Result<(), Stop> {
        let now = self.scene.now();
        let draft = self.alice.self_mail(&mut self.device, told, objects, now);
        let mail = draft.map_err(Stop::harness)?.render(&mut self.alice.rng);
        let mail = mail.map_err(Stop::harness)?;
        let address = self.agent.address();
        let how = Deliver {
            folder: "Kith".to_owned(),
            ..Deliver::from(address)
        };
        self.scene.server().deliver(address, &mail.octets, &how)?;
        Ok(())
    }
}

/// The agent, its friend Bob, and the friendship.
async fn friend(scene: &Scene) -> Result<(Agent, Puppet, Friendship), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    Ok((agent, bob, friendship))
}

/// A message of a friend, not delivered yet: the text, the mail and the message's hash.
fn written(
    scene: &Scene,
    bob: &mut Puppet,
    friendship: &Friendship,
) -> Result<(String, Mail, Hash), Stop> {
    let text = scene.token();
    let draft = bob.message(&friendship.peer, &text, scene.now());
    let mail = scene.write(bob, draft.map_err(Stop::harness)?)?;
    let hash = mail.objects.last().copied();
    let hash = hash.ok_or_else(|| Stop::Harness("the message is empty".to_owned()))?;
    Ok((text, mail, hash))
}

/// Writes to Bob; returns the channel and the hash of the message.
async fn channel(
    scene: &Scene,
    agent: &Agent,
    bob: &Puppet,
    rule: Rule,
) -> Result<(String, String), Stop> {
    agent.act(message(bob, &scene.token())?).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(rule, bob, "message")?;
    let mail = sent.mail.as_ref().map_err(Stop::harness)?;
    let channel = mail
        .delivery()
        .and_then(|delivery| delivery.channel.as_ref());
    let hash = sent.object("message").map(|object| object.hash.clone());
    let found = channel.map(|channel| channel.id.clone()).zip(hash);
    scene.require_some(rule, found, || {
        "expected a message on a channel, seen none".to_owned()
    })
}

async fn clone(scene: Scene) -> Result<(), Stop> {
    let rule = &req::DEVICES_CLONE;
    let (agent, bob, _) = friend(&scene).await?;
    let (before, _) = channel(&scene, &agent, &bob, rule).await?;
    let newest = copies(&scene, &agent)?.pop();
    let known = newest.and_then(|copy| attribute(&copy, "device").zip(attribute(&copy, "seq")));
    let (id, seq) = scene.require_some(rule, known, || {
        "expected a self-copy with device and number, seen none".to_owned()
    })?;
    let mut other = Other::new(&scene, &agent, 0)?;
    let id: Id128 = id.parse().map_err(Stop::harness)?;
    let seq: i64 = seq.parse().map_err(Stop::harness)?;
    other.device = Device {
        id,
        seq: seq - 1,
        ..other.device
    };
    // A number that it has used says nothing new.
    other.tells(vec![seen(Hash::of("something"), scene.now())], Vec::new())?;
    agent.sync().await?;
    let (same, lost) = channel(&scene, &agent, &bob, rule).await?;
    scene.expect(rule, same == before, || {
        format!("expected the channel {before} after a note of its own, seen {same}")
    });
    other.device.seq += 20;
    other.tells(vec![seen(Hash::of("something"), scene.now())], Vec::new())?;
    agent.sync().await?;
    let again = scene.mail_to(&bob)?.into_iter().find_map(|sent| {
        let mail = sent.mail.as_ref().ok()?;
        let channel = mail.delivery()?.channel.clone()?;
        let same = mail.readable().any(|object| object.hash == lost);
        same.then_some(channel.id)
    });
    let anew = again.as_ref().is_some_and(|channel| *channel != before);
    scene.expect(rule, anew, || {
        format!(
            "expected what is not acknowledged on another channel than {before}, seen {again:?}"
        )
    });
    let (after, _) = channel(&scene, &agent, &bob, rule).await?;
    scene.expect(rule, after != before, || {
        format!("expected another channel than {before}, seen it used")
    });
    let newest = copies(&scene, &agent)?.pop();
    let device = newest.and_then(|copy| attribute(&copy, "device"));
    let other = device
        .as_ref()
        .is_some_and(|device| *device != id.to_string());
    scene.expect(rule, other, || {
        format!("expected self-copies under another id than {id}, seen {device:?}")
    });
    Ok(())
}

async fn author(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SELF_AUTHOR;
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let mut other = Other::new(&scene, &agent, 1)?;
    let (theirs, mine) = (scene.token(), scene.token());
    let now = scene.now();
    let foreign = bob.message_object(&friendship.peer, &theirs, None, now);
    let foreign = foreign.sign(&mut bob.rng);
    let own = other.alice.message_object(&bob.peer(), &mine, None, now);
    let own = own.sign(&mut other.alice.rng);
    for object in [foreign, own] {
        other.tells(vec![sent(object.hash, bob.id)], vec![object])?;
    }
    agent.sync().await?;
    let views = serde_json::to_string(&agent.everything().await?).map_err(Stop::harness)?;
    scene.expect(rule, !views.contains(&theirs), || {
        format!("expected no trace of what somebody else wrote, seen {views}")
    });
    let texts = texts(&agent).await?;
    scene.expect(rule, texts.contains(&mine), || {
        format!("expected the person's own message from the other device, seen {texts:?}")
    });
    Ok(())
}

async fn quiet(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SELF_EFFECT;
    let (agent, bob, friendship) = friend(&scene).await?;
    scene.advance_days(2)?;
    agent.sync().await?;
    let mut other = Other::new(&scene, &agent, 1)?;
    let text = scene.token();
    let own = other
        .alice
        .message_object(&bob.peer(), &text, None, scene.now());
    let own = own.sign(&mut other.alice.rng);
    let blocked = person(bob.id, scene.now(), friendship.request, true);
    other.tells(vec![sent(own.hash, bob.id)], vec![own])?;
    other.tells(vec![blocked], Vec::new())?;
    let submitted = scene.server().submissions().len();
    let appended = copies(&scene, &agent)?.len();
    agent.sync().await?;
    agent.jump(2).await?;
    let state = scene.relation(&agent, &bob).await?;
    scene.expect(rule, state == State::Blocked, || {
        format!("expected the friend to be blocked as on the other device, seen {state:?}")
    });
    let more = scene.server().submissions().len() - submitted;
    scene.expect(rule, more == 0, || {
        format!("expected nothing sent because of self-copies, seen {more} mails")
    });
    let more = copies(&scene, &agent)?.len() - appended;
    scene.expect(rule, more == 0, || {
        format!("expected no self-copy because of self-copies, seen {more}")
    });
    Ok(())
}

async fn any_order(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SELF_ANY_ORDER;
    let agent = scene.agent().await?;
    let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    let first = scene.befriend(&mut bob, Who::Puppet).await?.request;
    let second = scene.befriend(&mut carol, Who::Puppet).await?.request;
    scene.advance_days(1)?;
    let (mut small, mut great) = (
        Other::new(&scene, &agent, 0x11)?,
        Other::new(&scene, &agent, 0xEE)?,
    );
    let now = scene.now();
    let early = |id, request| person(id, now - 3600, request, false);
    let late = |id, request| person(id, now - 1800, request, true);
    small.tells(vec![late(bob.id, first)], Vec::new())?;
    great.tells(vec![early(bob.id, first)], Vec::new())?;
    small.tells(vec![early(carol.id, second)], Vec::new())?;
    great.tells(vec![late(carol.id, second)], Vec::new())?;
    agent.sync().await?;
    for friend in [&bob, &carol] {
        let state = scene.relation(&agent, friend).await?;
        scene.expect(rule, state == State::Blocked, || {
            let address = &friend.address;
            format!("expected the later entry about {address} (blocked) to win, seen {state:?}")
        });
    }
    // Of the same time, the greater device wins.
    let same = |id, request, blocked| person(id, now - 600, request, blocked);
    small.tells(vec![same(bob.id, first, true)], Vec::new())?;
    great.tells(vec![same(bob.id, first, false)], Vec::new())?;
    great.tells(vec![same(carol.id, second, false)], Vec::new())?;
    small.tells(vec![same(carol.id, second, true)], Vec::new())?;
    agent.sync().await?;
    for friend in [&bob, &carol] {
        let state = scene.relation(&agent, friend).await?;
        scene.expect(rule, state == State::Friends, || {
            let address = &friend.address;
            format!("expected the greater device's entry about {address} to win, seen {state:?}")
        });
    }
    Ok(())
}

async fn first(scene: Scene) -> Result<(), Stop> {
    let rule = &req::JOURNAL_FIRST;
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let day = kith_forge::DAY;
    let mut mails = Vec::new();
    for earliest_first in [true, false] {
        mails.push((written(&scene, &mut bob, &friendship)?, earliest_first));
    }
    scene.advance_days(8)?;
    let mut others = [
        Other::new(&scene, &agent, 1)?,
        Other::new(&scene, &agent, 2)?,
    ];
    let (early, late) = (scene.now() - 6 * day, scene.now() - 3 * day);
    for ((_, _, hash), earliest_first) in &mails {
        let times: [Instant; 2] = match earliest_first {
            true => [early, late],
            false => [late, early],
        };
        for (other, at) in others.iter_mut().zip(times) {
            other.tells(vec![seen(*hash, at)], Vec::new())?;
        }
    }
    agent.sync().await?;
    for ((text, mail, _), _) in &mails {
        scene.deliver_unjudged(mail, AuthResult::Pass)?;
        agent.sync().await?;
        let messages = agent.view(Messages {}).await?;
        let found = messages.iter().find(|message| message.text == *text);
        let received = found.and_then(|message| message.received);
        let received = received.map(|at| at.time().unix_timestamp());
        scene.expect(rule, received == Some(early.0), || {
            format!("expected the earliest time {}, seen {received:?}", early.0)
        });
    }
    Ok(())
}

async fn accepted(scene: Scene) -> Result<(), Stop> {
    let rule = &req::JOURNAL_ACCEPTED;
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let (known, first, hash) = written(&scene, &mut bob, &friendship)?;
    let (unknown, second, _) = written(&scene, &mut bob, &friendship)?;
    let mut other = Other::new(&scene, &agent, 1)?;
    other.tells(vec![seen(hash, scene.now())], Vec::new())?;
    agent.sync().await?;
    let identity = bob.id.to_string().parse().map_err(Stop::harness)?;
    agent.act(End { identity }).await?;
    agent.sync().await?;
    for mail in [&first, &second] {
        scene.deliver_unjudged(mail, AuthResult::Pass)?;
    }
    agent.sync().await?;
    let seen = texts(&agent).await?;
    scene.expect(rule, seen.contains(&known), || {
        format!("expected the message of which the journal tells, seen {seen:?}")
    });
    scene.expect(rule, !seen.contains(&unknown), || {
        "expected no message of which the journal doesn't tell, seen it".to_owned()
    });
    Ok(())
}
