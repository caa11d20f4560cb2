//! Section “Receipt” of chapter “Private messages”: what receipts of friends change.

use kith_adapter::act::identity::Consent;
use kith_adapter::act::private::Message;
use kith_adapter::act::publishing::Post;
use kith_adapter::protocol::ObjectId;
use kith_adapter::view::private::{Messages, ReceiptState};
use kith_forge::{Hash, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Friendship, Scene, Who};
use kith_spec::{Rule, req};

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["message/sent"];
    let cases = [
        Case::new(
            "message/receipt/only-own",
            "a receipt tells of the messages to its author, and of nothing else",
            Rung::Rest,
            &[&req::RECEIPT_MESSAGES],
            only_own,
        ),
        Case::new(
            "message/receipt/unanswered",
            "a receipt is answered with no receipt, a message is",
            Rung::Rest,
            &[&req::RECEIPT_NO_RECEIPT],
            unanswered,
        ),
        Case::new(
            "message/receipt/read-follows",
            "what was read counts as arrived, in whatever order the receipts come",
            Rung::Rest,
            &[&req::RECEIPT_READ_FOLLOWS],
            read_follows,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// Lets the agent write to somebody; returns the message's id and hash.
async fn written(
    scene: &Scene,
    agent: &Agent,
    to: &Puppet,
    rule: Rule,
) -> Result<(ObjectId, Hash), Stop> {
    let message = Message {
        to: to.id.to_string().parse().map_err(Stop::harness)?,
        text: scene.token(),
        parent: None,
        media: Vec::new(),
    };
    let done = agent.act(message).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(rule, to, "message")?;
    let hash = sent.object("message").map(|object| object.hash.parse());
    let hash = hash.ok_or(Stop::Failed)?.map_err(Stop::harness)?;
    Ok((done.id, hash))
}

/// What the agent shows of the receipts for a message.
async fn told(agent: &Agent, id: &ObjectId) -> Result<Option<ReceiptState>, Stop> {
    let messages = agent.view(Messages {}).await?;
    let found = messages.into_iter().find(|message| message.id == *id);
    let found = found.ok_or_else(|| Stop::Agent(format!("the message {id} is not shown")))?;
    Ok(found.receipt)
}

/// A receipt of a friend.
async fn receipt(
    scene: &Scene,
    from: &mut Puppet,
    friendship: &Friendship,
    delivered: &[Hash],
    seen: &[Hash],
) -> Result<Hash, Stop> {
    let draft = from.receipt(&friendship.peer, delivered, seen, scene.now());
    let mail = scene.send(from, draft.map_err(Stop::harness)?).await?;
    let hash = mail.objects.last().copied();
    hash.ok_or_else(|| Stop::Harness("the receipt is empty".to_owned()))
}

async fn only_own(scene: Scene) -> Result<(), Stop> {
    let rule = &req::RECEIPT_MESSAGES;
    let agent = scene.agent().await?;
    let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let (mine, hash) = written(&scene, &agent, &bob, rule).await?;
    let (other, foreign) = written(&scene, &agent, &carol, rule).await?;
    let text = scene.token();
    let mail = scene.say(&mut bob, &friendship.peer, &text).await?;
    let theirs = mail.objects.last().copied();
    agent
        .act(Post {
            text: scene.token(),
            ..Post::default()
        })
        .await?;
    agent.sync().await?;
    let post = scene.expect_mail(rule, &bob, "post")?;
    let post = post.object("post").and_then(|post| post.hash.parse().ok());
    let named: Vec<Hash> = [Some(foreign), theirs, post]
        .into_iter()
        .flatten()
        .collect();
    receipt(&scene, &mut bob, &friendship, &named, &named).await?;
    let seen = told(&agent, &other).await?;
    scene.expect(rule, seen.is_none(), || {
        format!("expected no receipt for a message to somebody else, seen {seen:?}")
    });
    let messages = agent.view(Messages {}).await?;
    let received = messages.iter().find(|message| message.text == text);
    let seen = received.and_then(|message| message.receipt);
    scene.expect(rule, seen.is_none(), || {
        format!("expected no receipt for the friend's own message, seen {seen:?}")
    });
    // The barrier: what a receipt may tell of, it tells of.
    receipt(&scene, &mut bob, &friendship, &[hash], &[]).await?;
    let seen = told(&agent, &mine).await?;
    scene.expect(rule, seen == Some(ReceiptState::Delivered), || {
        format!("expected the message to the receipt's author as arrived, seen {seen:?}")
    });
    Ok(())
}

async fn unanswered(scene: Scene) -> Result<(), Stop> {
    let rule = &req::RECEIPT_NO_RECEIPT;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    agent
        .act(Consent {
            delivered: true,
            seen: true,
            introduce: false,
        })
        .await?;
    let (_, hash) = written(&scene, &agent, &bob, rule).await?;
    let told = receipt(&scene, &mut bob, &friendship, &[hash], &[hash]).await?;
    agent.jump(2).await?;
    let mail = scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    agent.jump(2).await?;
    let mut named = Vec::new();
    for sent in scene.mail_to(&bob)? {
        if let Some(receipt) = sent.object("receipt") {
            let payload = &receipt.payload;
            let hashes = payload.all("delivered").chain(payload.all("seen"));
            let hashes = hashes.filter_map(|one| one.attribute("hash"));
            named.extend(hashes.map(str::to_owned));
        }
    }
    let wanted: Vec<String> = mail.objects.iter().map(ToString::to_string).collect();
    scene.expect(rule, named == wanted, || {
        format!(
            "expected a receipt for the message {wanted:?} and none for the receipt {told}, \
             seen receipts for {named:?}"
        )
    });
    Ok(())
}

async fn read_follows(scene: Scene) -> Result<(), Stop> {
    let rule = &req::RECEIPT_READ_FOLLOWS;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    for reading_first in [true, false] {
        let (id, hash) = written(&scene, &agent, &bob, rule).await?;
        for reading in [reading_first, !reading_first] {
            let (delivered, seen) = match reading {
                true => (&[][..], &[hash][..]),
                false => (&[hash][..], &[][..]),
            };
            receipt(&scene, &mut bob, &friendship, delivered, seen).await?;
            let expected = match reading || reading_first {
                true => ReceiptState::Seen,
                false => ReceiptState::Delivered,
            };
            let shown = told(&agent, &id).await?;
            scene.expect(rule, shown == Some(expected), || {
                format!("expected the message as {expected:?}, seen {shown:?}")
            });
        }
    }
    Ok(())
}
