//! Hiding, and taking back what was relayed.

use kith_adapter::act::object::Retract;
use kith_adapter::act::relation::Block;
use kith_adapter::act::thread::Hide;
use kith_forge::kinds::RevisionRef;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{AuthResult, Scene};
use kith_spec::req;

use super::{comment, expect_copies, expect_shown, friend, named, post, posted, relay, send};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::new(
            "comment/hide/sent",
            "what the person hides is gone for all readers, and comes back",
            Rung::Rest,
            &[&req::HIDE_SENT, &req::HIDE_EFFECT],
            hide,
        )
        .needs(&["comment/relay/readers"]),
        Case::new(
            "comment/hide/first",
            "a hide that comes before what it names hides it",
            Rung::Rest,
            &[&req::HIDE_EFFECT, &req::MERGE_ANY_ORDER],
            hide_first,
        )
        .needs(&["comment/relayed/received"]),
        Case::new(
            "comment/retract/after-end",
            "a comment is taken back everywhere, even after the friendship",
            Rung::Rest,
            &[
                &req::RELAY_RETRACT,
                &req::RETRACT_AFTER_END,
                &req::RETRACT_FINAL,
            ],
            retract_after_end,
        )
        .needs(&["comment/relay/readers"]),
        Case::new(
            "comment/blocked",
            "what a blocked person says under a friend's post is not shown",
            Rung::Rest,
            &[&req::RELAY_BLOCKED],
            blocked,
        )
        .needs(&["comment/relayed/received"]),
    ]
    .to_vec()
}

async fn hide(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let text = scene.token();
    let draft = bob.comment_object(&root, None, &text, scene.now());
    let said = draft.sign(&mut scene.rng("comment"));
    send(&scene, &mut bob, &to, &said).await?;
    expect_copies(&scene, &req::HIDE_SENT, &carol, &said, 1)?;
    let target = named(&RevisionRef::of(&said, "comment"))?;
    let id = agent.act(Hide { target }).await?.id;
    agent.sync().await?;
    let rule = &req::HIDE_EFFECT;
    expect_shown(&scene, &agent, rule, (&text, false), "after it was hidden").await?;
    for puppet in [&bob, &carol] {
        let mail = scene.expect_mail(&req::HIDE_SENT, puppet, "hide")?;
        let object = mail.object("hide").and_then(|o| o.payload.child("target"));
        let named = object.and_then(|target| target.attribute("id"));
        let right = named == Some(&said.key.1.to_string());
        scene.expect(&req::HIDE_SENT, right, || {
            format!("expected a hide of the comment, seen one of {named:?}")
        });
    }
    let edited = bob.edited(&draft, &scene.token(), scene.now());
    let edited = edited.sign(&mut scene.rng("edited"));
    send(&scene, &mut bob, &to, &edited).await?;
    expect_copies(&scene, &req::HIDE_SENT, &carol, &edited, 0)?;
    let kind = "hide".to_owned();
    agent.act(Retract { id, kind }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::HIDE_EFFECT, &carol, "retract")?;
    let last = bob.edited(&bob.edited(&draft, "", scene.now()), &text, scene.now());
    let last = last.sign(&mut scene.rng("last"));
    send(&scene, &mut bob, &to, &last).await?;
    expect_copies(&scene, &req::HIDE_SENT, &carol, &last, 1)?;
    expect_shown(
        &scene,
        &agent,
        rule,
        (&text, true),
        "after the hide was taken back",
    )
    .await
}

async fn hide_first(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let (hidden, other) = (scene.token(), scene.token());
    let said = comment(&scene, &mut carol, &root, &hidden);
    let target = RevisionRef::of(&said, "comment");
    let hide = bob.hide_object(&root, &target, scene.now());
    let signed = hide.sign(&mut scene.rng("hide"));
    send(&scene, &mut bob, &to, &signed).await?;
    relay(&scene, &mut bob, &to, &carol, &said).await?;
    let twin = comment(&scene, &mut carol, &root, &other);
    relay(&scene, &mut bob, &to, &carol, &twin).await?;
    for rule in [&req::HIDE_EFFECT, &req::MERGE_ANY_ORDER] {
        expect_shown(
            &scene,
            &agent,
            rule,
            (&hidden, false),
            "though it was hidden",
        )
        .await?;
        expect_shown(
            &scene,
            &agent,
            rule,
            (&other, true),
            "beside what was hidden",
        )
        .await?;
    }
    let key = (hide.author, hide.id);
    let retract = bob.retract_object(key, "hide", "friends", scene.now());
    let retract = retract.sign(&mut scene.rng("retract"));
    send(&scene, &mut bob, &to, &retract).await?;
    let rule = &req::HIDE_EFFECT;
    expect_shown(
        &scene,
        &agent,
        rule,
        (&hidden, true),
        "after the hide was retracted",
    )
    .await
}

async fn retract_after_end(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene
        .befriend(&mut bob, kith_runner::scene::Who::Puppet)
        .await?;
    let to = friendship.peer;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let text = scene.token();
    let said = comment(&scene, &mut bob, &root, &text);
    send(&scene, &mut bob, &to, &said).await?;
    expect_copies(&scene, &req::RELAY_RETRACT, &carol, &said, 1)?;
    let end = bob.end(&to, &[friendship.request], scene.now());
    scene.send(&mut bob, end.map_err(Stop::harness)?).await?;
    let rule = &req::RETRACT_AFTER_END;
    expect_shown(&scene, &agent, rule, (&text, true), "after the end").await?;
    let retract = bob.comment_retract_object(said.key, &root, scene.now());
    let retract = retract.sign(&mut scene.rng("retract"));
    let draft = bob.carry(&to, Vec::new(), scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.objects.push(retract.clone().into());
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    for rule in [rule, &req::RETRACT_FINAL] {
        expect_shown(
            &scene,
            &agent,
            rule,
            (&text, false),
            "after it was taken back",
        )
        .await?;
    }
    expect_copies(&scene, &req::RELAY_RETRACT, &carol, &retract, 1)?;
    Ok(())
}

async fn blocked(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (mut carol, _) = friend(&scene, "Carol").await?;
    let mut dora = scene.puppet("Dora")?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let identity = carol.id.to_string().parse().map_err(Stop::harness)?;
    agent.act(Block { identity }).await?;
    let (text, other) = (scene.token(), scene.token());
    let said = comment(&scene, &mut carol, &root, &text);
    relay(&scene, &mut bob, &to, &carol, &said).await?;
    let twin = comment(&scene, &mut dora, &root, &other);
    relay(&scene, &mut bob, &to, &dora, &twin).await?;
    let rule = &req::RELAY_BLOCKED;
    expect_shown(&scene, &agent, rule, (&text, false), "of a blocked person").await?;
    expect_shown(&scene, &agent, rule, (&other, true), "of somebody else").await
}
