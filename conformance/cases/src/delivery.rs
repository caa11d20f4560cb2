//! Chapter “Delivery”: acknowledgements, merging, and what fails on the way.

mod numbers;
mod sending;

use kith_adapter::act::object::{Edit, Retract};
use kith_adapter::act::private::Message;
use kith_adapter::act::publishing::Post;
use kith_adapter::protocol::ObjectId;
use kith_adapter::view::delivery::Gaps;
use kith_adapter::view::private::Messages;
use kith_forge::Puppet;
use kith_forge::kinds::ack;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Sent, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let case = |id, title, rules: &[kith_spec::Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&needs)
    };
    vec![
        case(
            "delivery/ack-of-a-refused-object",
            "a delivery is acknowledged though its object is refused, and acks are not",
            &[&req::ACK_MEANING, &req::ACK_NO_ACK, &req::ACK_BARE],
            |scene| Box::pin(refused_object(scene)),
        ),
        case(
            "delivery/unacknowledged",
            "a delivery of which nothing is heard is sent again once, the same",
            &[&req::ACK_UNACKNOWLEDGED, &req::SEC_OCTETS],
            |scene| Box::pin(unacknowledged(scene)),
        ),
        case(
            "delivery/gap-shown",
            "a gap that stays open is shown",
            &[&req::ACK_GAP_SHOWN],
            |scene| Box::pin(gap(scene)),
        ),
        case(
            "delivery/object-alone",
            "a refused object doesn't touch the other one of its delivery",
            &[&req::RECEIVE_OBJECT_ALONE],
            |scene| Box::pin(alone(scene)),
        ),
        case(
            "delivery/revisions-in-any-order",
            "an edit that comes before what it changes wins all the same",
            &[&req::MERGE_ANY_ORDER],
            |scene| Box::pin(any_order(scene)),
        ),
        case(
            "delivery/edit-and-retract-sent",
            "edits and retractions go to those who got the object, with the next revision",
            &[
                &req::MESSAGE_EDIT,
                &req::MERGE_REVISION,
                &req::POST_EDIT,
                &req::RETRACT_SENT,
            ],
            |scene| Box::pin(edited(scene)),
        ),
        case(
            "delivery/confirm-rides",
            "a confirm rides in every delivery until it is acknowledged",
            &[&req::FRIENDS_CONFIRM_RIDES],
            |scene| Box::pin(confirm_rides(scene)),
        ),
        case(
            "delivery/missing-again",
            "what an ack lists as missing is sent again after a day, the same",
            &[&req::ACK_RESEND],
            |scene| Box::pin(missing_again(scene)),
        ),
        case(
            "delivery/retract-first",
            "a retract that comes before its target takes effect when that comes",
            &[&req::RETRACT_FIRST],
            |scene| Box::pin(retract_first(scene)),
        ),
    ]
    .into_iter()
    .chain(numbers::cases())
    .chain(sending::cases())
    .collect()
}

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

async fn friends(scene: &Scene) -> Result<(Agent, Puppet, Friendship), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    Ok((agent, bob, friendship))
}

async fn write(agent: &Agent, to: &Puppet, text: &str) -> Result<ObjectId, Stop> {
    let to = to.id.to_string().parse().map_err(Stop::harness)?;
    let message = Message {
        to,
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    };
    Ok(agent.act(message).await?.id)
}

fn delivery(sent: &Sent) -> Option<&kith_runner::judge::read::document::DeliveryFacts> {
    sent.mail.as_ref().ok()?.delivery()
}

async fn refused_object(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let mut object = bob.message_object(&friendship.peer, &scene.token(), None, scene.now());
    object.audience = "public".to_owned();
    let draft = bob
        .carry(&friendship.peer, vec![object], scene.now())
        .map_err(Stop::harness)?;
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    agent.jump(2).await?;
    let number = bob
        .channel(friendship.peer.id)
        .map(|channel| channel.seq.unsigned_abs());
    let mails = scene.mail_to(&bob)?;
    let acked = mails
        .iter()
        .filter_map(|sent| delivery(sent))
        .any(|delivery| delivery.acks.iter().any(|ack| Some(ack.upto) >= number));
    scene.expect(&req::ACK_MEANING, acked, || {
        let seen: Vec<_> = mails.iter().map(|sent| sent.describe()).collect();
        format!("expected an ack up to {number:?} within two days, seen {seen:?}")
    });
    let bare = mails.iter().filter(|sent| sent.is_bare()).count();
    scene.expect(&req::ACK_BARE, bare == 1, || {
        format!("expected one bare acknowledgement, seen {bare}")
    });
    let draft = bob
        .acknowledge(&friendship.peer, Vec::new(), scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    agent.jump(3).await?;
    let mails = scene.mail_to(&bob)?;
    scene.expect(
        &req::ACK_NO_ACK,
        !mails.iter().any(|sent| sent.is_bare()),
        || "expected no acknowledgement of an acknowledgement, seen one".to_owned(),
    );
    Ok(())
}

async fn unacknowledged(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let first = scene.expect_mail(&req::ACK_UNACKNOWLEDGED, &bob, "message")?;
    let facts = |sent: &Sent| {
        let number = delivery(sent)
            .and_then(|d| d.channel.as_ref())
            .map(|c| (c.id.clone(), c.seq));
        (
            number,
            sent.object("message").map(|object| object.hash.clone()),
        )
    };
    agent.jump(6).await?;
    let early = scene
        .mail_to(&bob)?
        .iter()
        .filter(|sent| sent.object("message").is_some())
        .count();
    agent.jump(2).await?;
    let again = scene.expect_mail(&req::ACK_UNACKNOWLEDGED, &bob, "message")?;
    scene.expect(&req::ACK_UNACKNOWLEDGED, early == 0, || {
        format!("expected nothing again before seven days, seen {early}")
    });
    let (one, two) = (facts(&first), facts(&again));
    scene.expect(&req::SEC_OCTETS, one == two, || {
        format!("expected the same channel, number and object again: {one:?}, seen {two:?}")
    });
    for _ in 0..3 {
        agent.jump(10).await?;
    }
    let more = scene
        .mail_to(&bob)?
        .iter()
        .filter(|sent| sent.object("message").is_some())
        .count();
    scene.expect(&req::ACK_UNACKNOWLEDGED, more == 0, || {
        format!("expected it again only once, seen {more} more")
    });
    Ok(())
}

async fn gap(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let lost = bob.next_seq(friendship.peer.id);
    let draft = bob
        .message(&friendship.peer, &scene.token(), scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    let gaps = agent.view(Gaps {}).await?;
    let shown = gaps
        .iter()
        .any(|gap| gap.missing.contains(&lost.seq.unsigned_abs()));
    scene.expect(&req::ACK_GAP_SHOWN, shown, || {
        format!(
            "expected the number {} among the gaps, seen {gaps:?}",
            lost.seq
        )
    });
    Ok(())
}

async fn alone(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let (good, bad) = (scene.token(), scene.token());
    let mut wrong = bob.message_object(&friendship.peer, &bad, None, scene.now());
    wrong.audience = "public".to_owned();
    let right = bob.message_object(&friendship.peer, &good, None, scene.now());
    let draft = bob.carry(&friendship.peer, vec![wrong, right], scene.now());
    let mail = scene.write(&mut bob, draft.map_err(Stop::harness)?)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let messages = agent.view(Messages {}).await?;
    let texts: Vec<_> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    scene.expect(&req::RECEIVE_OBJECT_ALONE, texts == [good.as_str()], || {
        format!("expected only `{good}`, seen {texts:?}")
    });
    Ok(())
}

async fn any_order(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let (old, new) = (scene.token(), scene.token());
    let first = bob.message_object(&friendship.peer, &old, None, scene.now());
    let second = bob.edited(&first, &new, scene.now());
    for object in [second.clone(), first, second] {
        let draft = bob
            .carry(&friendship.peer, vec![object], scene.now())
            .map_err(Stop::harness)?;
        let mail = scene.write(&mut bob, draft)?;
        scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        agent.sync().await?;
    }
    let messages = agent.view(Messages {}).await?;
    let texts: Vec<_> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    scene.expect(&req::MERGE_ANY_ORDER, texts == [new.as_str()], || {
        format!("expected only `{new}`, seen {texts:?}")
    });
    Ok(())
}

async fn edited(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    let message = write(&agent, &bob, &scene.token()).await?;
    let post = agent
        .act(Post {
            text: scene.token(),
            ..Post::default()
        })
        .await?
        .id;
    agent.sync().await?;
    scene.mail_to(&bob)?;
    agent
        .act(Edit {
            id: message.clone(),
            text: scene.token(),
        })
        .await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::MESSAGE_EDIT, &bob, "message")?;
    let seen = sent
        .object("message")
        .map(|object| (object.id.clone(), object.rev));
    scene.expect(
        &req::MERGE_REVISION,
        seen == Some((message.to_string(), 2)),
        || format!("expected revision 2 of {message}, seen {seen:?}"),
    );
    agent
        .act(Edit {
            id: post.clone(),
            text: scene.token(),
        })
        .await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::POST_EDIT, &bob, "post")?;
    let seen = sent
        .object("post")
        .map(|object| (object.id.clone(), object.rev));
    scene.expect(&req::POST_EDIT, seen == Some((post.to_string(), 2)), || {
        format!("expected revision 2 of {post}, seen {seen:?}")
    });
    agent
        .act(Retract {
            id: post.clone(),
            kind: "post".to_owned(),
        })
        .await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::RETRACT_SENT, &bob, "retract")?;
    let target = sent
        .object("retract")
        .and_then(|o| o.payload.child("target")?.attribute("id"));
    scene.expect(&req::RETRACT_SENT, target == Some(post.as_str()), || {
        format!("expected a retract of {post}, seen one of {target:?}")
    });
    Ok(())
}

/// What an agent's delivery is numbered with, as an ack names it.
fn numbers(sent: &Sent) -> Result<(kith_forge::Id128, i64), Stop> {
    let channel = delivery(sent).and_then(|delivery| delivery.channel.as_ref());
    let channel = channel.ok_or_else(|| Stop::Agent("a delivery has no channel".to_owned()))?;
    let id = channel.id.parse().map_err(Stop::harness)?;
    Ok((id, i64::try_from(channel.seq).map_err(Stop::harness)?))
}

async fn confirm_rides(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Agent).await?;
    scene.mail_to(&bob)?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::FRIENDS_CONFIRM_RIDES, &bob, "message")?;
    scene.expect(
        &req::FRIENDS_CONFIRM_RIDES,
        sent.object("confirm").is_some(),
        || {
            format!(
                "expected the confirm beside the message, seen {:?}",
                sent.kinds()
            )
        },
    );
    let (channel, number) = numbers(&sent)?;
    let acks = vec![ack(channel, number)];
    let draft = bob
        .acknowledge(&friendship.peer, acks, scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::FRIENDS_CONFIRM_RIDES, &bob, "message")?;
    scene.expect(
        &req::FRIENDS_CONFIRM_RIDES,
        sent.object("confirm").is_none(),
        || "expected no confirm once it is acknowledged, seen one".to_owned(),
    );
    Ok(())
}

async fn missing_again(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let lost = scene.expect_mail(&req::ACK_RESEND, &bob, "message")?;
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    scene.expect_mail(&req::ACK_RESEND, &bob, "message")?;
    let (channel, number) = numbers(&lost)?;
    let mut missing = ack(channel, number - 1);
    missing.highest = number + 1;
    missing.missing = vec![number];
    let draft = bob.acknowledge(&friendship.peer, vec![missing], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    agent.jump(2).await?;
    let again = scene.expect_mail(&req::ACK_RESEND, &bob, "message")?;
    let facts = |sent: &Sent| {
        let hash = sent.object("message").map(|object| object.hash.clone());
        (numbers(sent).ok(), hash)
    };
    let (one, two) = (facts(&lost), facts(&again));
    scene.expect(&req::ACK_RESEND, one == two, || {
        format!("expected the same channel, number and object: {one:?}, seen {two:?}")
    });
    Ok(())
}

async fn retract_first(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    let token = scene.token();
    let post = bob.post_object(&token, scene.now());
    let draft = bob
        .retract(&friendship.peer, &post, scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    let draft = bob
        .carry(&friendship.peer, vec![post], scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    // The barrier: another post is shown.
    let other = scene.token();
    let draft = bob
        .post(&friendship.peer, &other, scene.now())
        .map_err(Stop::harness)?;
    scene.send(&mut bob, draft).await?;
    let timeline = agent
        .view(kith_adapter::view::publishing::Timeline {})
        .await?;
    let texts: Vec<_> = timeline.iter().map(|entry| entry.text.as_str()).collect();
    scene.expect(&req::RETRACT_FIRST, texts == [other.as_str()], || {
        format!("expected only `{other}`, seen {texts:?}")
    });
    Ok(())
}
