//! Sections “Channels”, “Acknowledgements” and “Merging” of chapter “Delivery”: what a plain
//! exchange doesn't show.

use std::collections::BTreeSet;

use kith_adapter::act::private::Message;
use kith_adapter::view::delivery::Gaps;
use kith_adapter::view::private::Messages;
use kith_adapter::view::publishing::Timeline;
use kith_forge::draft::ObjectDraft;
use kith_forge::kinds::ack;
use kith_forge::{Id128, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Who};
use kith_spec::{Rule, req};

use super::{delivery, friends, write};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["message/received"];
    let cases = [
        Case::new(
            "delivery/numbers-skipped",
            "numbers below the base are not waited for, and not asked for again",
            Rung::Rest,
            &[&req::CHANNEL_SKIP],
            skipped,
        ),
        Case::new(
            "delivery/channels-apart",
            "each friend has a channel of its own, numbered from 1",
            Rung::Rest,
            &[&req::CHANNEL_FRESH],
            apart,
        ),
        Case::new(
            "delivery/missing-listed",
            "an ack lists the numbers that are missing",
            Rung::Rest,
            &[&req::ACK_MISSING],
            missing,
        ),
        Case::new(
            "delivery/foreign-ack",
            "an ack of a channel that was never used settles nothing",
            Rung::Rest,
            &[&req::ACK_FOREIGN],
            foreign,
        ),
        Case::new(
            "merge/older-last",
            "an earlier revision that comes last changes nothing",
            Rung::Rest,
            &[&req::MERGE_ORDER],
            older_last,
        ),
        Case::new(
            "merge/edit-after-retract",
            "what was taken back stays so, whatever revision comes later",
            Rung::Rest,
            &[&req::RETRACT_FINAL],
            edit_after_retract,
        ),
        Case::new(
            "merge/compromised-loses",
            "what a compromised key signed loses to a lower revision of the new key",
            Rung::Rest,
            &[&req::IDENTITY_COMPROMISED_LOSES],
            compromised_loses,
        ),
        Case::new(
            "message/thread",
            "an answer is shown with the message that it answers",
            Rung::Rest,
            &[&req::MESSAGE_THREAD],
            thread,
        ),
        Case::new(
            "message/order",
            "a date in the future does not put a message behind later ones",
            Rung::Rest,
            &[&req::MESSAGE_ORDER],
            order,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

async fn skipped(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let first = bob.message(&friendship.peer, &scene.token(), scene.now());
    scene.send(&mut bob, first.map_err(Stop::harness)?).await?;
    let draft = bob.message(&friendship.peer, &scene.token(), scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    let channel = draft.delivery.channel.as_mut();
    let last = channel.map(|channel| {
        channel.seq += 5;
        channel.base = channel.seq;
        channel.seq.unsigned_abs()
    });
    scene.send(&mut bob, draft).await?;
    let gaps = agent.view(Gaps {}).await?;
    let waits = gaps.iter().any(|gap| !gap.missing.is_empty());
    scene.expect(&req::CHANNEL_SKIP, !waits, || {
        format!("expected no gap below the base, seen {gaps:?}")
    });
    scene.mail_to(&bob)?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::CHANNEL_SKIP, &bob, "message")?;
    let acks = delivery(&sent).map_or(&[][..], |delivery| &delivery.acks);
    let settled = acks
        .iter()
        .any(|ack| Some(ack.upto) == last && ack.missing.is_empty());
    scene.expect(&req::CHANNEL_SKIP, settled, || {
        format!("expected an ack of everything up to {last:?}, seen {acks:?}")
    });
    Ok(())
}

async fn apart(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let mut channels = Vec::new();
    for friend in [&bob, &carol] {
        write(&agent, friend, &scene.token()).await?;
        agent.sync().await?;
        let first = scene.all_sent()?.into_iter().find_map(|sent| {
            let to = sent.submission.recipients.first()? == &friend.address;
            delivery(&sent)?.channel.clone().filter(|_| to)
        });
        channels.extend(first);
    }
    let ids: BTreeSet<&str> = channels.iter().map(|channel| &*channel.id).collect();
    let fresh = ids.len() == 2 && channels.iter().all(|channel| channel.seq == 1);
    scene.expect(&req::CHANNEL_FRESH, fresh, || {
        format!("expected two channels that begin with 1, seen {channels:?}")
    });
    Ok(())
}

async fn missing(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let lost = bob.next_seq(friendship.peer.id).seq.unsigned_abs();
    scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    scene.mail_to(&bob)?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::ACK_MISSING, &bob, "message")?;
    let acks = delivery(&sent).map_or(&[][..], |delivery| &delivery.acks);
    let listed = acks
        .iter()
        .any(|ack| ack.missing == [lost] && ack.highest == lost + 1);
    scene.expect(&req::ACK_MISSING, listed, || {
        format!("expected an ack that lists {lost} as missing, seen {acks:?}")
    });
    Ok(())
}

async fn foreign(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::ACK_FOREIGN, &bob, "message")?;
    let seq = delivery(&sent).and_then(|delivery| delivery.channel.as_ref());
    let seq = seq.map_or(1, |channel| channel.seq);
    let seq = i64::try_from(seq).map_err(Stop::harness)?;
    let nobody = Id128::random(&mut scene.rng("channel"));
    let acks = vec![ack(nobody, seq)];
    let draft = bob.acknowledge(&friendship.peer, acks, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    agent.jump(8).await?;
    scene.expect_mail(&req::ACK_FOREIGN, &bob, "message")?;
    Ok(())
}

/// Hands over objects, one delivery each.
async fn hand(
    scene: &Scene,
    (bob, friendship): (&mut Puppet, &Friendship),
    objects: impl IntoIterator<Item = ObjectDraft>,
) -> Result<(), Stop> {
    for object in objects {
        let draft = bob.carry(&friendship.peer, vec![object], scene.now());
        scene.send(bob, draft.map_err(Stop::harness)?).await?;
    }
    Ok(())
}

/// The texts that the timeline shows.
async fn texts(agent: &Agent) -> Result<Vec<String>, Stop> {
    let entries = agent.view(Timeline {}).await?;
    Ok(entries.into_iter().map(|entry| entry.text).collect())
}

fn expect_shown(scene: &Scene, rule: Rule, seen: &[String], expected: &[&str]) {
    scene.expect(rule, seen == expected, || {
        format!("expected the timeline to show {expected:?}, seen {seen:?}")
    });
}

async fn older_last(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let first = bob.post_object(&scene.token(), scene.now());
    let second = bob.edited(&first, &scene.token(), scene.now());
    let newest = scene.token();
    let third = bob.edited(&second, &newest, scene.now());
    hand(&scene, (&mut bob, &friendship), [first, third, second]).await?;
    expect_shown(&scene, &req::MERGE_ORDER, &texts(&agent).await?, &[&newest]);
    Ok(())
}

async fn edit_after_retract(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let first = bob.post_object(&scene.token(), scene.now());
    let second = bob.edited(&first, &scene.token(), scene.now());
    let third = bob.edited(&second, &scene.token(), scene.now());
    hand(&scene, (&mut bob, &friendship), [first.clone()]).await?;
    let draft = bob.retract(&friendship.peer, &first, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    hand(&scene, (&mut bob, &friendship), [second, third]).await?;
    expect_shown(&scene, &req::RETRACT_FINAL, &texts(&agent).await?, &[]);
    Ok(())
}

async fn compromised_loses(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let own = bob.post_object(&scene.token(), scene.now());
    // The thief of the key goes far ahead with the revisions.
    let mut thief = bob.edited(&own, &scene.token(), scene.now());
    thief.rev += 40;
    hand(&scene, (&mut bob, &friendship), [thief]).await?;
    let draft = bob.rotation(&friendship.peer, &[0], scene.now());
    scene.renewed(&bob)?;
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let text = scene.token();
    let mut again = bob.post_object(&text, scene.now());
    (again.id, again.rev) = (own.id, 2);
    hand(&scene, (&mut bob, &friendship), [again]).await?;
    let rule = &req::IDENTITY_COMPROMISED_LOSES;
    expect_shown(&scene, rule, &texts(&agent).await?, &[&text]);
    Ok(())
}

async fn thread(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let id = write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::MESSAGE_THREAD, &bob, "message")?;
    let hash = sent.object("message").map(|object| object.hash.parse());
    let hash = hash.transpose().map_err(Stop::harness)?;
    let text = scene.token();
    let answer = bob.message_object(&friendship.peer, &text, hash, scene.now());
    hand(&scene, (&mut bob, &friendship), [answer]).await?;
    let messages = agent.view(Messages {}).await?;
    let shown = messages.iter().find(|message| message.text == text);
    let parent = shown.and_then(|message| message.parent.as_ref());
    let right = parent.is_some_and(|parent| parent.id == id);
    scene.expect(&req::MESSAGE_THREAD, right, || {
        format!("expected an answer to {id}, seen one to {parent:?}")
    });
    // The person answers in turn.
    let to = bob.id.to_string().parse().map_err(Stop::harness)?;
    let reply = Message {
        to,
        text: scene.token(),
        parent: shown.map(|message| kith_adapter::protocol::ObjectRef {
            author: message.author.clone(),
            id: message.id.clone(),
        }),
        media: Vec::new(),
    };
    agent.act(reply).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::MESSAGE_THREAD, &bob, "message")?;
    let object = sent.object("message");
    let named = object.and_then(|object| object.payload.child("parent"));
    scene.expect(&req::MESSAGE_THREAD, named.is_some(), || {
        "expected the answer to name the message it answers, seen none".to_owned()
    });
    Ok(())
}

async fn order(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let (first, second) = (scene.token(), scene.token());
    let ahead = scene.now() + 20 * 3600;
    let mut dated = bob.message_object(&friendship.peer, &first, None, scene.now());
    dated.created = ahead;
    hand(&scene, (&mut bob, &friendship), [dated]).await?;
    scene.advance(3600)?;
    let mail = scene.message(&mut bob, &friendship.peer, &second)?;
    scene.deliver_as(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let messages = agent.view(Messages {}).await?;
    let seen: Vec<&str> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    let expected = [first.as_str(), &second];
    scene.expect(&req::MESSAGE_ORDER, seen == expected, || {
        format!("expected {expected:?} in the order in which they came, seen {seen:?}")
    });
    Ok(())
}
