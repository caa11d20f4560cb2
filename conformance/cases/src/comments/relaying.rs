//! What the agent relays under the person's own posts.

use kith_adapter::act::thread::{Comment, Relaying};
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::Scene;
use kith_spec::req;

use super::{comment, copies, expect_copies, expect_shown, friend, named, posted, send, shown};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["post/copies", "comment/received"];
    [
        Case::new(
            "comment/received",
            "the person sees what a friend says under a post",
            Rung::Rest,
            &[&req::COMMENT_TO_AUTHOR, &req::COMMENT_DELIVERED],
            received,
        )
        .needs(&["post/copies"]),
        Case::new(
            "comment/relay/readers",
            "a comment goes on, once and as it is, to the readers of the post and nobody else",
            Rung::Rest,
            &[
                &req::RELAY_EXACT,
                &req::RELAY_ONCE,
                &req::RELAY_CHAIN,
                &req::RELAY_BARE,
                &req::DELIVERY_AUTHOR,
            ],
            readers,
        )
        .needs(&needs),
        Case::new(
            "comment/relay/without-consent",
            "a comment for the person alone is not relayed, and not answered in the thread",
            Rung::Rest,
            &[&req::RELAY_CONSENT, &req::COMMENT_PARENT_PRIVATE],
            without_consent,
        )
        .needs(&needs),
        Case::new(
            "comment/relay/stopped",
            "the person stops relaying under a post",
            Rung::Rest,
            &[&req::RELAY_ALLOWED],
            stopped,
        )
        .needs(&needs),
        Case::new(
            "comment/relay/not-delivered",
            "who was not sent the post can't comment on it",
            Rung::Rest,
            &[&req::COMMENT_DELIVERED],
            not_delivered,
        )
        .needs(&needs),
        Case::new(
            "comment/relay/root-retracted",
            "nothing is relayed under a post that was taken back",
            Rung::Rest,
            &[&req::COMMENT_ROOT_RETRACTED],
            root_retracted,
        )
        .needs(&needs),
        Case::new(
            "comment/relay/edit",
            "a new revision of a comment is relayed like the first",
            Rung::Rest,
            &[&req::RELAY_EXACT, &req::COMMENT_EDIT],
            edit,
        )
        .needs(&needs),
    ]
    .to_vec()
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let text = scene.token();
    let said = comment(&scene, &mut bob, &root, &text);
    send(&scene, &mut bob, &to, &said).await?;
    for rule in [&req::COMMENT_TO_AUTHOR, &req::COMMENT_DELIVERED] {
        expect_shown(&scene, &agent, rule, (&text, true), "under the post").await?;
    }
    Ok(())
}

async fn readers(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let (dora, _) = friend(&scene, "Dora").await?;
    let said = comment(&scene, &mut bob, &root, &scene.token());
    send(&scene, &mut bob, &to, &said).await?;
    let relayed = expect_copies(&scene, &req::RELAY_EXACT, &carol, &said, 1)?;
    for puppet in [&bob, &dora] {
        expect_copies(&scene, &req::RELAY_EXACT, puppet, &said, 0)?;
    }
    for mail in relayed.iter().filter_map(|sent| sent.mail.as_ref().ok()) {
        let of_bob = |kind: &str| {
            let author = bob.id.to_string();
            mail.readable()
                .any(|o| o.kind == kind && o.author == author)
        };
        scene.expect(&req::RELAY_CHAIN, of_bob("identity"), || {
            "expected the chain of the comment's author, seen none".to_owned()
        });
        let bare = !of_bob("contact") && mail.certificates.is_empty();
        scene.expect(&req::RELAY_BARE, bare, || {
            "expected neither contact nor certificate of the comment's author".to_owned()
        });
    }
    // The same once more, in another delivery, and then another one.
    send(&scene, &mut bob, &to, &said).await?;
    let other = comment(&scene, &mut bob, &root, &scene.token());
    send(&scene, &mut bob, &to, &other).await?;
    scene.advance_days(2)?;
    agent.sync().await?;
    let mails = scene.mail_to(&carol)?;
    let holds = |hash: String| {
        let mails = mails.iter().filter_map(|sent| sent.mail.as_ref().ok());
        mails
            .filter(|mail| mail.readable().any(|o| o.hash == hash))
            .count()
    };
    let seen = (holds(said.hash.to_string()), holds(other.hash.to_string()));
    scene.expect(&req::RELAY_ONCE, seen == (0, 1), || {
        format!("expected the first comment not again and the second once, seen {seen:?}")
    });
    Ok(())
}

/// Expects the barrier: a comment that is relayed to Carol.
async fn barrier(
    scene: &Scene,
    (bob, to): (&mut Puppet, &kith_forge::Peer),
    root: &kith_forge::kinds::RevisionRef,
    (carol, before): (&Puppet, &kith_forge::draft::SignedObject),
    rule: kith_spec::Rule,
) -> Result<(), Stop> {
    let twin = comment(scene, bob, root, &scene.token());
    send(scene, bob, to, &twin).await?;
    let mails = scene.mail_to(carol)?;
    let count = |hash: String| {
        let mails = mails.iter().filter_map(|sent| sent.mail.as_ref().ok());
        mails
            .filter(|mail| mail.readable().any(|o| o.hash == hash))
            .count()
    };
    let seen = (count(before.hash.to_string()), count(twin.hash.to_string()));
    scene.expect(rule, seen == (0, 1), || {
        format!("expected the first not to be relayed and the second once, seen {seen:?}")
    });
    Ok(())
}

async fn without_consent(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let text = scene.token();
    let mut private = bob.comment_object(&root, None, &text, scene.now());
    "direct".clone_into(&mut private.audience);
    let private = private.sign(&mut scene.rng("private"));
    send(&scene, &mut bob, &to, &private).await?;
    expect_shown(
        &scene,
        &agent,
        &req::RELAY_CONSENT,
        (&text, true),
        "to the person",
    )
    .await?;
    let parent = kith_forge::kinds::RevisionRef::of(&private, "comment");
    let answer = Comment {
        root: named(&root)?,
        parent: Some(named(&parent)?),
        text: scene.token(),
        private: false,
    };
    let refused = agent.try_act(answer).await?.is_err();
    agent.sync().await?;
    let id = private.key.1.to_string();
    let named = scene.mail_to(&carol)?.iter().any(|sent| {
        let parent = sent
            .object("comment")
            .and_then(|o| o.payload.child("parent"));
        parent.and_then(|parent| parent.attribute("id")) == Some(&*id)
    });
    scene.expect(&req::COMMENT_PARENT_PRIVATE, refused && !named, || {
        "expected no comment that names a private one as parent, seen one".to_owned()
    });
    barrier(
        &scene,
        (&mut bob, &to),
        &root,
        (&carol, &private),
        &req::RELAY_CONSENT,
    )
    .await
}

async fn stopped(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let id = named(&root)?.id;
    let allow = false;
    agent
        .act(Relaying {
            id: id.clone(),
            allow,
        })
        .await?;
    let said = comment(&scene, &mut bob, &root, &scene.token());
    send(&scene, &mut bob, &to, &said).await?;
    expect_copies(&scene, &req::RELAY_ALLOWED, &carol, &said, 0)?;
    agent.act(Relaying { id, allow: true }).await?;
    barrier(
        &scene,
        (&mut bob, &to),
        &root,
        (&carol, &said),
        &req::RELAY_ALLOWED,
    )
    .await
}

async fn not_delivered(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let early = posted(&scene, &agent, &carol).await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let root = posted(&scene, &agent, &bob).await?;
    scene.mail_to(&carol)?;
    let text = scene.token();
    let said = comment(&scene, &mut bob, &early, &text);
    let draft = bob.carry(&to, Vec::new(), scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.objects.push(said.clone().into());
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, kith_runner::scene::AuthResult::Pass)?;
    agent.sync().await?;
    let hidden = shown(&agent, &text).await?.is_none();
    scene.expect(&req::COMMENT_DELIVERED, hidden, || {
        "expected no comment of somebody who was not sent the post, seen it".to_owned()
    });
    barrier(
        &scene,
        (&mut bob, &to),
        &root,
        (&carol, &said),
        &req::COMMENT_DELIVERED,
    )
    .await
}

async fn root_retracted(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let gone = posted(&scene, &agent, &bob).await?;
    let root = posted(&scene, &agent, &bob).await?;
    let (id, kind) = (named(&gone)?.id, "post".to_owned());
    let before = comment(&scene, &mut bob, &gone, &scene.token());
    send(&scene, &mut bob, &to, &before).await?;
    agent
        .act(kith_adapter::act::object::Retract { id, kind })
        .await?;
    agent.sync().await?;
    scene.mail_to(&carol)?;
    let text = scene.token();
    let said = comment(&scene, &mut bob, &gone, &text);
    send(&scene, &mut bob, &to, &said).await?;
    let rule = &req::COMMENT_ROOT_RETRACTED;
    expect_shown(
        &scene,
        &agent,
        rule,
        (&text, false),
        "under a retracted post",
    )
    .await?;
    barrier(&scene, (&mut bob, &to), &root, (&carol, &said), rule).await
}

async fn edit(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = posted(&scene, &agent, &bob).await?;
    let first = bob.comment_object(&root, None, &scene.token(), scene.now());
    let text = scene.token();
    let second = bob.edited(&first, &text, scene.now());
    let rng = &mut scene.rng("edit");
    for object in [first.sign(rng), second.sign(rng)] {
        send(&scene, &mut bob, &to, &object).await?;
        let found = copies(&scene, &carol, &object)?.len();
        for rule in [&req::RELAY_EXACT, &req::COMMENT_EDIT] {
            scene.expect(rule, found == 1, || {
                format!("expected each revision to be relayed once, seen {found} copies")
            });
        }
    }
    expect_shown(
        &scene,
        &agent,
        &req::COMMENT_EDIT,
        (&text, true),
        "after the edit",
    )
    .await
}
