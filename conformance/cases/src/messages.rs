//! Chapter “Private messages”.

use kith_adapter::act::private::Message;
use kith_adapter::view::private::Messages;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "message/sent",
            "a friend gets what the person wrote",
            Rung::Message,
            &[&req::MESSAGE_ADDRESSED, &req::MESSAGE_AUDIENCE],
            sent,
        )
        .needs(&needs),
        Case::new(
            "message/received",
            "the person sees what a friend wrote",
            Rung::Message,
            &[&req::FRIENDS_ONLY_FRIENDS],
            received,
        )
        .needs(&needs),
    ];
    cases.to_vec()
}

async fn sent(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let to = bob.id.to_string().parse().map_err(Stop::harness)?;
    let text = scene.token();
    let message = Message {
        to,
        text: text.clone(),
        parent: None,
        media: Vec::new(),
    };
    let done = agent.act(message).await?;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::MESSAGE_ADDRESSED, &bob, "message")?;
    let object = mail.object("message");
    let written = object.and_then(|object| object.payload.child("text"));
    let written = written.map(|element| element.text.as_str());
    scene.expect(&req::MESSAGE_ADDRESSED, written == Some(&*text), || {
        format!("expected the text `{text}`, seen {written:?}")
    });
    let id = object.map(|object| object.id.as_str());
    scene.expect(&req::MERGE_KEY, id == Some(done.id.as_str()), || {
        format!(
            "expected the id {} that `act` returned, seen {id:?}",
            done.id
        )
    });
    Ok(())
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    scene.say(&mut bob, &friendship.peer, &text).await?;
    let messages = agent.view(Messages {}).await?;
    let author = bob.id.to_string();
    let shown = messages
        .iter()
        .any(|m| m.text == text && m.author.as_str() == author);
    scene.expect(&req::FRIENDS_ONLY_FRIENDS, shown, || {
        format!("expected the friend's message `{text}`, seen {messages:?}")
    });
    Ok(())
}
