//! Chapter “Friends”: the end of a friendship, which goes twice since nobody acknowledges it.

use std::sync::Arc;

use kith_adapter::act::pages::{Follow, Unfollow};
use kith_adapter::act::relation::End;
use kith_adapter::protocol::Identity;
use kith_adapter::view::relation::State;
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Friendship, Scene, Sent, Who, request_ref};
use kith_spec::{Rule, req};

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    vec![
        Case::new(
            "friends/end/again",
            "an end is sent once more after a week, the same, and nothing else",
            Rung::Rest,
            &[&req::FRIENDS_END_AGAIN, &req::FRIENDS_END_FINAL],
            again,
        )
        .needs(&needs),
        Case::new(
            "friends/end/again-not-to-friends",
            "an end is not sent once more where the two became friends anew",
            Rung::Rest,
            &[&req::FRIENDS_END_AGAIN],
            anew,
        )
        .needs(&["friends/end/again"]),
        Case::new(
            "friends/end/twice",
            "an end that comes twice ends once, and not what began in between",
            Rung::Rest,
            &[&req::FRIENDS_END_HANDSHAKE, &req::FRIENDS_END_FINAL],
            twice,
        )
        .needs(&needs),
        Case::new(
            "follow/end/again",
            "who follows a page no more tells it so once more after a week",
            Rung::Rest,
            &[&req::FRIENDS_END_AGAIN, &req::FOLLOW_END],
            unfollowed,
        )
        .needs(&needs),
    ]
}

fn identity(puppet: &Puppet) -> Result<Identity, Stop> {
    puppet.id.to_string().parse().map_err(Stop::harness)
}

/// The channel and number of a delivery, and its objects.
fn facts(sent: &Sent) -> Option<(&str, u64, &[String])> {
    let delivery = sent.mail.as_ref().ok()?.delivery()?;
    let channel = delivery.channel.as_ref()?;
    Some((&channel.id, channel.seq, &delivery.objects))
}

fn described(mails: &[Arc<Sent>]) -> Vec<String> {
    mails.iter().map(|sent| sent.describe()).collect()
}

/// Waits for the second end, and for what must not come after it by the rule `last`.
async fn comes_again(scene: &Scene, agent: &Agent, bob: &Puppet, last: Rule) -> Result<(), Stop> {
    let rule = &req::FRIENDS_END_AGAIN;
    let first = scene.expect_mail(rule, bob, "end")?;
    agent.jump(6).await?;
    let early = scene.mail_to(bob)?;
    scene.expect(rule, early.is_empty(), || {
        format!(
            "expected nothing before a week, seen {:?}",
            described(&early)
        )
    });
    agent.jump(2).await?;
    let second = scene.expect_mail(rule, bob, "end")?;
    scene.expect(rule, facts(&first) == facts(&second), || {
        let (one, two) = (facts(&first), facts(&second));
        format!("expected the same channel, number and objects again, {one:?}, seen {two:?}")
    });
    for _ in 0..4 {
        agent.jump(10).await?;
    }
    let more = scene.mail_to(bob)?;
    scene.expect(last, more.is_empty(), || {
        format!("expected nothing after that, seen {:?}", described(&more))
    });
    Ok(())
}

async fn again(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    let identity = identity(&bob)?;
    agent.act(End { identity }).await?;
    agent.sync().await?;
    comes_again(&scene, &agent, &bob, &req::FRIENDS_END_FINAL).await
}

async fn anew(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let identity = identity(&bob)?;
    agent.act(End { identity }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::FRIENDS_END_FINAL, &bob, "end")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent.jump(8).await?;
    let sent = scene.mail_to(&bob)?;
    let again = sent.iter().any(|sent| sent.object("end").is_some());
    scene.expect(&req::FRIENDS_END_AGAIN, !again, || {
        format!("expected no end among friends, seen {:?}", described(&sent))
    });
    Ok(())
}

async fn twice(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let Friendship { peer, request, .. } = scene.befriend(&mut bob, Who::Puppet).await?;
    let end = bob.end(&peer, &[request], scene.now());
    let end = end.map_err(Stop::harness)?;
    for _ in 0..2 {
        scene.send(&mut bob, end.clone()).await?;
        let state = scene.relation(&agent, &bob).await?;
        scene.expect(&req::FRIENDS_END_FINAL, state == State::Stranger, || {
            format!("expected strangers after the end, seen {state:?}")
        });
    }
    scene.mail_to(&bob)?;
    agent.jump(2).await?;
    let answer = scene.mail_to(&bob)?;
    scene.expect(&req::FRIENDS_END_FINAL, answer.is_empty(), || {
        format!(
            "expected no answer to an end, seen {:?}",
            described(&answer)
        )
    });
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.send(&mut bob, end).await?;
    let state = scene.relation(&agent, &bob).await?;
    scene.expect(&req::FRIENDS_END_HANDSHAKE, state == State::Friends, || {
        format!("expected the end of the earlier friendship to end nothing, seen {state:?}")
    });
    Ok(())
}

async fn unfollowed(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let address = bob.address.clone();
    agent.act(Follow { address }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::FRIENDS_REQUEST_OPEN, &bob, "request")?;
    let accept = bob.accept(&request_ref(&sent)?, &agent.peer()?, scene.now());
    scene.send(&mut bob, accept.map_err(Stop::harness)?).await?;
    scene.mail_to(&bob)?;
    let unfollow = Unfollow {
        identity: Some(identity(&bob)?),
        address: None,
    };
    agent.act(unfollow).await?;
    agent.sync().await?;
    comes_again(&scene, &agent, &bob, &req::FOLLOW_END).await
}
