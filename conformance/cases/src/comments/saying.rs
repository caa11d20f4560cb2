//! What the person says in threads, on its way to the root's author.

use kith_adapter::act::object::{Edit, Retract};
use kith_adapter::act::thread::{Comment, React, Share};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Sent};
use kith_spec::{Rule, req};

use super::{friend, named, post};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["post/received"];
    [
        Case::new(
            "comment/sent",
            "a comment, its edit and its retract go to the post's author alone and quote nothing",
            Rung::Rest,
            &[
                &req::COMMENT_TO_AUTHOR,
                &req::COMMENT_ROOT,
                &req::COMMENT_AUDIENCE,
                &req::COMMENT_NO_QUOTE,
                &req::COMMENT_EDIT,
                &req::RETRACT_ROOT,
            ],
            sent,
        )
        .needs(&needs),
        Case::new(
            "comment/for-the-author",
            "a comment for the post's author alone says so in its signature",
            Rung::Rest,
            &[&req::COMMENT_CONSENT],
            private,
        )
        .needs(&needs),
        Case::new(
            "comment/reaction/sent",
            "a reaction has one id, and a new one replaces it",
            Rung::Rest,
            &[
                &req::REACTION_ID,
                &req::REACTION_REPLACE,
                &req::COMMENT_TO_AUTHOR,
            ],
            reaction,
        )
        .needs(&needs),
        Case::new(
            "comment/share/private-post",
            "a post for friends can't be shared",
            Rung::Rest,
            &[&req::SHARE_PUBLIC],
            share_private,
        )
        .needs(&needs),
        Case::new(
            "comment/share/sent",
            "every friend gets a share with the public post",
            Rung::Rest,
            &[&req::SHARE_COPIES, &req::SHARE_PUBLIC],
            share,
        )
        .needs(&["comment/share/received"]),
    ]
    .to_vec()
}

/// The attribute of a child of the payload of an object in a mail.
fn attribute(sent: &Sent, kind: &str, element: &str, name: &str) -> Option<String> {
    let object = sent.object(kind)?;
    let value = object.payload.child(element)?.attribute(name);
    value.map(str::to_owned)
}

/// Whether an object in a mail holds a text.
fn says(sent: &Sent, token: &str) -> bool {
    let Ok(mail) = &sent.mail else {
        return false;
    };
    mail.readable()
        .any(|object| String::from_utf8_lossy(&object.octets).contains(token))
}

fn expect_audience(scene: &Scene, rule: Rule, sent: &Sent, kind: &str, expected: &str) {
    let audience = sent.object(kind).map(|object| object.audience.clone());
    scene.expect(rule, audience.as_deref() == Some(expected), || {
        format!("expected a `{kind}` with the audience `{expected}`, seen {audience:?}")
    });
}

async fn sent(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let (secret, text) = (scene.token(), scene.token());
    let root = post(&scene, &mut bob, &to, &secret).await?;
    let comment = Comment {
        root: named(&root)?,
        parent: None,
        text: text.clone(),
        private: false,
    };
    let id = agent.act(comment).await?.id;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::COMMENT_TO_AUTHOR, &bob, "comment")?;
    expect_audience(&scene, &req::COMMENT_AUDIENCE, &mail, "comment", "friends");
    let hash = attribute(&mail, "comment", "root", "hash");
    let right = hash.as_ref() == Some(&root.hash.to_string());
    scene.expect(&req::COMMENT_ROOT, right, || {
        format!("expected the root's revision {}, seen {hash:?}", root.hash)
    });
    scene.expect(&req::COMMENT_NO_QUOTE, !says(&mail, &secret), || {
        "expected nothing of the post in the comment, seen its text".to_owned()
    });
    let changed = scene.token();
    let text = changed.clone();
    agent
        .act(Edit {
            id: id.clone(),
            text,
        })
        .await?;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::COMMENT_EDIT, &bob, "comment")?;
    let rev = mail.object("comment").map(|object| object.rev);
    scene.expect(
        &req::COMMENT_EDIT,
        rev == Some(2) && says(&mail, &changed),
        || format!("expected revision 2 with the new text, seen revision {rev:?}"),
    );
    let kind = "comment".to_owned();
    agent.act(Retract { id, kind }).await?;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::RETRACT_ROOT, &bob, "retract")?;
    let named = attribute(&mail, "retract", "root", "id");
    let right = named.as_ref() == Some(&root.id.to_string());
    scene.expect(&req::RETRACT_ROOT, right, || {
        format!(
            "expected the retract to name the root {}, seen {named:?}",
            root.id
        )
    });
    quiet(&scene, &carol, "comment")
}

/// Expects that a friend got nothing of this kind.
fn quiet(scene: &Scene, puppet: &kith_forge::Puppet, kind: &str) -> Result<(), Stop> {
    let mails = scene.mail_to(puppet)?;
    let there = mails.iter().any(|mail| mail.object(kind).is_some());
    scene.expect(&req::COMMENT_TO_AUTHOR, !there, || {
        let to = &puppet.address;
        format!("expected no `{kind}` to {to}, who did not write the post, seen one")
    });
    Ok(())
}

async fn private(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let comment = Comment {
        root: named(&root)?,
        parent: None,
        text: scene.token(),
        private: true,
    };
    agent.act(comment).await?;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::COMMENT_CONSENT, &bob, "comment")?;
    expect_audience(&scene, &req::COMMENT_CONSENT, &mail, "comment", "direct");
    Ok(())
}

async fn react(
    scene: &Scene,
    agent: &Agent,
    bob: &kith_forge::Puppet,
    react: React,
) -> Result<(String, u64, Vec<String>), Stop> {
    agent.act(react).await?;
    agent.sync().await?;
    let mail = scene.expect_mail(&req::REACTION_REPLACE, bob, "reaction")?;
    let object = mail.object("reaction");
    let object = scene.require_some(&req::REACTION_REPLACE, object, || {
        "expected a reaction, seen none".to_owned()
    })?;
    let symbols = object.payload.all("symbol").map(|s| s.text.clone());
    Ok((object.id.clone(), object.rev, symbols.collect()))
}

async fn reaction(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let wanted: [&[&str]; 3] = [&["❤", "🎉"], &["🎉"], &[]];
    for (rev, symbols) in (1..).zip(wanted) {
        let action = React {
            root: named(&root)?,
            parent: None,
            symbols: symbols.iter().map(ToString::to_string).collect(),
            private: false,
        };
        let seen = react(&scene, &agent, &bob, action).await?;
        let id = root.reaction_id().to_string();
        scene.expect(&req::REACTION_ID, seen.0 == id, || {
            format!("expected the id {id}, seen {}", seen.0)
        });
        let right = seen.1 == rev && seen.2 == symbols;
        scene.expect(&req::REACTION_REPLACE, right, || {
            format!("expected revision {rev} with {symbols:?}, seen {seen:?}")
        });
    }
    Ok(())
}

async fn share_private(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let root = post(&scene, &mut bob, &to, &scene.token()).await?;
    let action = Share {
        post: named(&root)?,
        text: Some(scene.token()),
    };
    let refused = agent.try_act(action).await?.is_err();
    agent.sync().await?;
    let mails = scene.mail_to(&carol)?;
    let shared = mails.iter().any(|mail| mail.object("share").is_some());
    scene.expect(&req::SHARE_PUBLIC, refused && !shared, || {
        "expected a post for friends not to be shared, seen a share".to_owned()
    });
    Ok(())
}

async fn share(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, to) = friend(&scene, "Bob").await?;
    let (carol, _) = friend(&scene, "Carol").await?;
    let mut club = scene.puppet("Club")?;
    let public = club.public_post_object(&scene.token(), scene.now());
    let public = public.sign(&mut scene.rng("public"));
    let draft = bob.share(&to, (&club, &public), &scene.token(), scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let words = scene.token();
    let post = kith_forge::kinds::RevisionRef::of(&public, "post");
    let action = Share {
        post: named(&post)?,
        text: Some(words.clone()),
    };
    agent.act(action).await?;
    agent.sync().await?;
    for puppet in [&bob, &carol] {
        let mail = scene.expect_mail(&req::SHARE_COPIES, puppet, "share")?;
        let hash = attribute(&mail, "share", "target", "hash");
        let right = hash.as_ref() == Some(&public.hash.to_string()) && says(&mail, &words);
        scene.expect(&req::SHARE_COPIES, right, || {
            format!(
                "expected a share of {} with the words, seen {hash:?}",
                public.hash
            )
        });
    }
    Ok(())
}
