//! What reaches the person under posts of friends.

use kith_adapter::view::thread::{Shares, Threads};
use kith_forge::Hash;
use kith_forge::kinds::RevisionRef;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{AuthResult, Scene};
use kith_spec::req;

use super::{comment, expect_shown, friend, post, relay, send, shown};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["post/received"];
    [
        Case::new(
            "comment/relayed/received",
            "the person sees what a friend's friend says, as a claim",
            Rung::Rest,
            &[&req::RELAY_CHAIN, &req::COMMENT_NAME_CLAIM],
            relayed,
        )
        .needs(&needs),
        Case::new(
            "comment/relayed/waits",
            "a comment that comes before its post waits for it",
            Rung::Rest,
            &[&req::COMMENT_ROOT_UNKNOWN, &req::MERGE_ANY_ORDER],
            waits,
        )
        .needs(&["comment/relayed/received"]),
        Case::new(
            "comment/relayed/root-retracted",
            "what stands under a retracted post is not shown",
            Rung::Rest,
            &[&req::COMMENT_ROOT_RETRACTED],
            root_retracted,
        )
        .needs(&["comment/relayed/received"]),
        Case::new(
            "comment/parent-elsewhere",
            "a comment whose parent is not in its thread stands directly under the post",
            Rung::Rest,
            &[&req::COMMENT_PARENT_ELSEWHERE],
            parent_elsewhere,
        )
        .needs(&["comment/relayed/received"]),
        Case::new(
            "comment/reaction/received",
            "the highest revision of a reaction replaces the others, whatever comes first",
            Rung::Rest,
            &[&req::REACTION_REPLACE, &req::MERGE_ANY_ORDER],
            reaction,
        )
        .needs(&["comment/relayed/received"]),
        Case::new(
            "comment/share/received",
            "the person sees a share with the public post",
            Rung::Rest,
            &[&req::SHARE_SHOWN, &req::SHARE_PUBLIC],
            share,
        )
        .needs(&needs),
    ]
    .to_vec()
}

async fn relayed(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let text = scene.token();
    let said = comment(&scene, &mut carol, &root, &text);
    relay(&scene, &mut bob, &to, &carol, &said).await?;
    let seen = shown(&agent, &text).await?;
    let author = carol.id.to_string();
    let right = seen
        .as_ref()
        .is_some_and(|seen| seen.author.as_str() == author);
    scene.expect(&req::RELAY_CHAIN, right, || {
        format!("expected a comment `{text}` of {author}, seen {seen:?}")
    });
    let through = bob.id.to_string();
    let told = seen.as_ref().is_some_and(|seen| {
        seen.claim.as_deref() == Some(&*carol.name)
            && seen
                .through
                .as_ref()
                .map(kith_adapter::protocol::Identity::as_str)
                == Some(&*through)
    });
    scene.expect(&req::COMMENT_NAME_CLAIM, told, || {
        format!(
            "expected the claim `{}` through {through}, seen {seen:?}",
            carol.name
        )
    });
    Ok(())
}

async fn waits(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let late = bob.post_object(&scene.token(), scene.now());
    let late = late.sign(&mut scene.rng("late"));
    let root = RevisionRef::of(&late, "post");
    let text = scene.token();
    let said = comment(&scene, &mut carol, &root, &text);
    let draft = bob.relay(&to, &carol, said, scene.now());
    let mail = scene.write(&mut bob, draft.map_err(Stop::harness)?)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let rule = &req::COMMENT_ROOT_UNKNOWN;
    expect_shown(&scene, &agent, rule, (&text, false), "before the post").await?;
    send(&scene, &mut bob, &to, &late).await?;
    for rule in [rule, &req::MERGE_ANY_ORDER] {
        expect_shown(&scene, &agent, rule, (&text, true), "after the post").await?;
    }
    Ok(())
}

async fn root_retracted(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let gone = post(&scene, &mut bob, &to, &scene.token()).await?;
    let kept = post(&scene, &mut bob, &to, &scene.token()).await?;
    let (before, after, other) = (scene.token(), scene.token(), scene.token());
    let said = comment(&scene, &mut carol, &gone, &before);
    relay(&scene, &mut bob, &to, &carol, &said).await?;
    let rule = &req::COMMENT_ROOT_RETRACTED;
    expect_shown(&scene, &agent, rule, (&before, true), "before the retract").await?;
    let key = (gone.author, gone.id);
    let retract = bob.retract_object(key, "post", "friends", scene.now());
    let retract = retract.sign(&mut scene.rng("retract"));
    send(&scene, &mut bob, &to, &retract).await?;
    for (root, text) in [(&gone, &after), (&kept, &other)] {
        let said = comment(&scene, &mut carol, root, text);
        relay(&scene, &mut bob, &to, &carol, &said).await?;
    }
    expect_shown(&scene, &agent, rule, (&before, false), "after the retract").await?;
    expect_shown(&scene, &agent, rule, (&after, false), "after the retract").await?;
    expect_shown(&scene, &agent, rule, (&other, true), "under another post").await
}

async fn parent_elsewhere(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let first = post(&scene, &mut bob, &to, &scene.token()).await?;
    let second = post(&scene, &mut bob, &to, &scene.token()).await?;
    let said = comment(&scene, &mut carol, &first, &scene.token());
    relay(&scene, &mut bob, &to, &carol, &said).await?;
    let here = RevisionRef::of(&said, "comment");
    let nowhere = RevisionRef {
        hash: Hash::of("nowhere"),
        id: kith_forge::Id128([7; 16]),
        ..here.clone()
    };
    let rule = &req::COMMENT_PARENT_ELSEWHERE;
    for (root, parent, nested) in [
        (&first, &here, true),
        (&second, &here, false),
        (&first, &nowhere, false),
    ] {
        let text = scene.token();
        let answer = carol.comment_object(root, Some(parent), &text, scene.now());
        let answer = answer.sign(&mut scene.rng(&text));
        relay(&scene, &mut bob, &to, &carol, &answer).await?;
        let seen = shown(&agent, &text).await?;
        let right = seen
            .as_ref()
            .is_some_and(|seen| seen.parent.is_some() == nested);
        scene.expect(rule, right, || {
            let wanted = if nested {
                "its parent"
            } else {
                "the post itself"
            };
            format!("expected the comment `{text}` under {wanted}, seen {seen:?}")
        });
    }
    Ok(())
}

async fn reaction(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut carol = scene.puppet("Carol")?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let mut revision = |rev: i64, symbols: &[&str]| {
        let mut reaction = carol.reaction_object(&root, None, symbols, scene.now());
        reaction.rev = rev;
        reaction.sign(&mut scene.rng(&format!("revision {rev}")))
    };
    let steps = [
        (revision(2, &["🎉"]), vec!["🎉"]),
        (revision(1, &["❤"]), vec!["🎉"]),
        (revision(4, &[]), vec![]),
        (revision(3, &["❤"]), vec![]),
        (revision(5, &["❤", "🎉"]), vec!["❤", "🎉"]),
    ];
    for (said, expected) in steps {
        relay(&scene, &mut bob, &to, &carol, &said).await?;
        let threads = agent.view(Threads {}).await?;
        let reactions = threads.into_iter().flat_map(|thread| thread.reactions);
        let seen: Vec<String> = reactions.flat_map(|reaction| reaction.symbols).collect();
        for rule in [&req::REACTION_REPLACE, &req::MERGE_ANY_ORDER] {
            scene.expect(rule, seen == expected, || {
                format!("expected the symbols {expected:?}, seen {seen:?}")
            });
        }
    }
    Ok(())
}

async fn share(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let mut club = scene.puppet("Club")?;
    let (public, words) = (scene.token(), scene.token());
    let post = club.public_post_object(&public, scene.now());
    let post = post.sign(&mut scene.rng("public"));
    let draft = bob.share(&to, (&club, &post), &words, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let shares = agent.view(Shares {}).await?;
    let share = shares.iter().find(|share| share.text == words);
    let right = share.is_some_and(|share| share.author.as_str() == bob.id.to_string());
    scene.expect(&req::SHARE_PUBLIC, right, || {
        format!("expected a share with the words `{words}`, seen {shares:?}")
    });
    let author = club.id.to_string();
    let shown = share.is_some_and(|share| {
        share.shown.as_deref() == Some(&*public) && share.post.author.as_str() == author
    });
    scene.expect(&req::SHARE_SHOWN, shown, || {
        format!("expected the public post `{public}` of {author} with it, seen {shares:?}")
    });
    Ok(())
}
