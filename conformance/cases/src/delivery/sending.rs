//! Section “Sending” of chapter “Delivery”: servers that refuse, come back or go away, and the
//! limit of the day.

use kith_adapter::protocol::ObjectId;
use kith_adapter::view::delivery::{Deliveries, DeliveryState};
use kith_forge::kinds::ack;
use kith_forge::{DAY, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Rule, req};
use kith_testbed::{DeliveryAction, Fault, SmtpAction, SmtpStage};

use super::{Play, delivery, friends, write};

/// Seconds of one hour.
const HOUR: i64 = 3600;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&needs)
    };
    vec![
        case(
            "delivery/temporary-failure",
            "what a server refuses for now is sent later, once",
            &[&req::SEND_TEMPORARY],
            |scene| Box::pin(temporary(scene)),
        ),
        case(
            "delivery/same-copy",
            "what was submitted and not confirmed is submitted again, the same octets",
            &[&req::SEND_SAME_COPY],
            |scene| Box::pin(same_copy(scene)),
        ),
        case(
            "delivery/permanent-failure",
            "what a server refuses for good is not sent again, and the person is told",
            &[&req::SEND_PERMANENT],
            |scene| Box::pin(permanent(scene)),
        ),
        case(
            "delivery/server-away",
            "what is written while the server is away is sent when it is back, once",
            &[&req::SEND_DURABLE],
            |scene| Box::pin(away(scene)),
        ),
        case(
            "delivery/bounced",
            "a copy that comes back is shown as such, and the one that didn't isn't",
            &[&req::LOOP_BOUNCE_SHOWN],
            |scene| Box::pin(bounced(scene)),
        ),
        case(
            "delivery/daily-limit",
            "what goes beyond the limit of a day leaves on the next one",
            &[&req::SEND_DAILY],
            |scene| Box::pin(limited(scene)),
        ),
        case(
            "delivery/own-first",
            "where the limit of a day is near, what the person wrote leaves first",
            &[&req::SEND_OWN_FIRST],
            |scene| Box::pin(own_first(scene)),
        ),
    ]
}

async fn temporary(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    let fault = Fault::reply(SmtpStage::Rcpt, 450, "4.2.0 try again later").times(1);
    scene.server().faults().add(fault);
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let early = scene.mail_to(&bob)?.len();
    scene.expect(&req::SEND_TEMPORARY, early == 0, || {
        format!("expected nothing to pass a server that refuses it, seen {early} mails")
    });
    agent.jump(1).await?;
    scene.expect_mail(&req::SEND_TEMPORARY, &bob, "message")?;
    Ok(())
}

async fn same_copy(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    // The server takes the mail, and the connection breaks before it says so.
    let fault = Fault::smtp(SmtpStage::EndOfData, SmtpAction::AcceptThenDrop).times(1);
    scene.server().faults().add(fault);
    write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    agent.jump(1).await?;
    let sent = scene.mail_to(&bob)?;
    let messages = sent.iter().filter(|sent| sent.object("message").is_some());
    let copies: Vec<_> = messages.map(|sent| &sent.submission.octets).collect();
    let same = matches!(copies[..], [one, two] if one == two);
    scene.expect(&req::SEND_SAME_COPY, same, || {
        let count = copies.len();
        format!("expected the same mail twice, seen {count} mails with the message")
    });
    Ok(())
}

async fn permanent(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friends(&scene).await?;
    let fault = Fault::reply(SmtpStage::Rcpt, 550, "5.1.1 no such mailbox").times(1);
    scene.server().faults().add(fault);
    let id = write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    agent.jump(3).await?;
    let again = messages(&scene, &bob)?;
    scene.expect(&req::SEND_PERMANENT, again == 0, || {
        format!("expected the copy not to be sent again, seen {again}")
    });
    let copy = state(&agent, &id).await?;
    let told = copy == Some(DeliveryState::Bounced);
    scene.expect(&req::SEND_PERMANENT, told, || {
        format!("expected the delivery state bounced, seen {copy:?}")
    });
    Ok(())
}

async fn away(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friends(&scene).await?;
    scene.server().go_away().await;
    write(&agent, &bob, &scene.token()).await?;
    // A sync without a server may fail or tell of a problem; neither loses anything.
    let _ = agent.sync().await;
    scene.server().come_back().await?;
    agent.jump(1).await?;
    let sent = scene.expect_mail(&req::SEND_DURABLE, &bob, "message")?;
    let channel = delivery(&sent).and_then(|delivery| delivery.channel.as_ref());
    let numbers = channel.and_then(|c| Some((c.id.parse().ok()?, i64::try_from(c.seq).ok()?)));
    if let Some((channel, number)) = numbers {
        let acks = vec![ack(channel, number)];
        let draft = bob
            .acknowledge(&friendship.peer, acks, scene.now())
            .map_err(Stop::harness)?;
        scene.send(&mut bob, draft).await?;
    }
    agent.jump(1).await?;
    let again = messages(&scene, &bob)?;
    scene.expect(&req::SEND_DURABLE, again == 0, || {
        format!("expected the message once, seen it {again} times more")
    });
    Ok(())
}

/// What became of the copy of a message.
async fn state(agent: &Agent, id: &ObjectId) -> Result<Option<DeliveryState>, Stop> {
    let deliveries = agent.view(Deliveries {}).await?;
    let copy = deliveries.iter().find(|copy| copy.id == *id);
    Ok(copy.map(|copy| copy.state))
}

async fn bounced(scene: Scene) -> Result<(), Stop> {
    let rule = &req::LOOP_BOUNCE_SHOWN;
    let (agent, bob, _) = friends(&scene).await?;
    let gone = ("5.1.1".to_owned(), "No such mailbox".to_owned());
    let fault = DeliveryAction::Bounce(gone.0, gone.1);
    let fault = Fault::delivery(fault).address(&bob.address).times(1);
    scene.server().faults().add(fault);
    let lost = write(&agent, &bob, &scene.token()).await?;
    agent.sync().await?;
    let taken = write(&agent, &bob, &scene.token()).await?;
    // The notification comes after the mail was taken.
    agent.sync().await?;
    agent.sync().await?;
    let seen = (state(&agent, &lost).await?, state(&agent, &taken).await?);
    let right = (Some(DeliveryState::Bounced), Some(DeliveryState::Sent));
    scene.expect(rule, seen == right, || {
        format!("expected the states of both copies {right:?}, seen {seen:?}")
    });
    Ok(())
}

/// How many messages went to somebody since last time.
fn messages(scene: &Scene, to: &Puppet) -> Result<usize, Stop> {
    let mails = scene.mail_to(to)?;
    let messages = mails.iter().filter(|sent| sent.object("message").is_some());
    Ok(messages.count())
}

/// How many mails the agent has submitted, and how many messages to somebody since last time.
fn left(scene: &Scene, to: &Puppet) -> Result<(usize, usize), Stop> {
    let messages = messages(scene, to)?;
    Ok((scene.all_sent()?.len(), messages))
}

async fn limited(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SEND_DAILY;
    let agent = scene.agent_with_limit(3).await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent.jump(3).await?;
    let (before, _) = left(&scene, &bob)?;
    agent.jump(1).await?;
    for _ in 0..5 {
        write(&agent, &bob, &scene.token()).await?;
        agent.sync().await?;
    }
    let (after, today) = left(&scene, &bob)?;
    let kept = after - before <= 3 && today > 0;
    scene.expect(rule, kept, || {
        let all = after - before;
        format!("expected three mails on that day, some of them messages, seen {all}, {today} of them messages")
    });
    agent.jump(1).await?;
    let (_, tomorrow) = left(&scene, &bob)?;
    agent.jump(1).await?;
    let (_, later) = left(&scene, &bob)?;
    let all = today + tomorrow + later;
    scene.expect(rule, all == 5, || {
        format!("expected all five messages by the second day after, seen {all}")
    });
    Ok(())
}

async fn own_first(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SEND_OWN_FIRST;
    let agent = scene.agent_with_limit(2).await?;
    let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    agent.jump(3).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    agent.jump(3).await?;
    agent.jump(3).await?;
    // From noon on, an acknowledgement is owed to Bob, on the next day at the latest.
    let noon = scene.now().0.div_euclid(DAY) * DAY + DAY + 12 * HOUR;
    scene.advance(noon - scene.now().0)?;
    scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    scene.advance(20 * HOUR)?;
    for _ in 0..2 {
        write(&agent, &carol, &scene.token()).await?;
        agent.sync().await?;
    }
    // The day is used up before the acknowledgement is due, and messages come after it.
    scene.advance(8 * HOUR)?;
    agent.sync().await?;
    left(&scene, &carol)?;
    for _ in 0..2 {
        write(&agent, &carol, &scene.token()).await?;
        agent.sync().await?;
    }
    let (_, early) = left(&scene, &carol)?;
    scene.advance(10 * HOUR)?;
    agent.sync().await?;
    let (_, first) = left(&scene, &carol)?;
    scene.expect(rule, (early, first) == (0, 2), || {
        format!(
            "expected no message beyond the limit, and two on the next day before anything else, \
             seen {early} and {first}"
        )
    });
    agent.jump(2).await?;
    let mails = scene.mail_to(&bob)?;
    let acked = mails.iter().filter_map(|sent| delivery(sent));
    let acked = acked.flat_map(|delivery| &delivery.acks).next().is_some();
    scene.expect(rule, acked, || {
        "expected an acknowledgement of the friend's message too, seen none".to_owned()
    });
    Ok(())
}
