//! Chapter “Posts to friends”.

use kith_adapter::act::publishing::Post;
use kith_adapter::view::publishing::Timeline;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "post/copies",
            "each friend gets an own copy of a post, with the same octets",
            Rung::Rest,
            &[
                &req::POST_COPIES,
                &req::POST_SAME_OCTETS,
                &req::POST_AUDIENCE,
            ],
            copies,
        )
        .needs(&needs),
        Case::new(
            "post/received",
            "the person sees what a friend posted",
            Rung::Rest,
            &[&req::POST_AUDIENCE],
            received,
        )
        .needs(&needs),
    ];
    cases.to_vec()
}

async fn copies(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Agent).await?;
    let text = scene.token();
    let post = Post {
        text: text.clone(),
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let first = scene.expect_mail(&req::POST_COPIES, &bob, "post")?;
    let second = scene.expect_mail(&req::POST_COPIES, &carol, "post")?;
    let hashes = [&first, &second].map(|sent| sent.object("post").map(|object| &object.hash));
    scene.expect(&req::POST_SAME_OCTETS, hashes[0] == hashes[1], || {
        format!("expected the same object octets in both copies, seen {hashes:?}")
    });
    let said = first
        .object("post")
        .and_then(|object| object.payload.child("text"));
    let said = said.map(|element| element.text.as_str());
    scene.expect(&req::POST_AUDIENCE, said == Some(&*text), || {
        format!("expected a post with the text `{text}`, seen {said:?}")
    });
    Ok(())
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let draft = bob.post(&friendship.peer, &text, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let timeline = agent.view(Timeline {}).await?;
    let author = bob.id.to_string();
    let shown = timeline
        .iter()
        .any(|e| e.text == text && e.author.as_str() == author);
    scene.expect(&req::POST_AUDIENCE, shown, || {
        format!("expected the friend's post `{text}`, seen {timeline:?}")
    });
    Ok(())
}
