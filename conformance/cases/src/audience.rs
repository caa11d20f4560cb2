//! Chapter “Posts to friends”: circles, chosen friends, and withdrawal.

use kith_adapter::act::object::Edit;
use kith_adapter::act::publishing::{Circle, Mention, Narrow, Post, Readers, Widen};
use kith_adapter::protocol::{Identity, ObjectId};
use kith_adapter::view::publishing::{Entry, Timeline};
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Who};
use kith_spec::{Rule, req};

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&["post/copies"])
    };
    vec![
        case(
            "post/to-a-circle",
            "a post to a circle goes to its friends only, and nothing names the circle",
            &[&req::POST_CHOSEN, &req::CIRCLE_LOCAL],
            |scene| Box::pin(circle(scene)),
        ),
        case(
            "post/to-chosen-friends",
            "a post to chosen friends goes to nobody else",
            &[&req::POST_CHOSEN],
            |scene| Box::pin(chosen(scene)),
        ),
        case(
            "post/not-to-newcomers",
            "earlier posts go neither to new friends nor to new members of a circle",
            &[&req::CIRCLE_LATER],
            |scene| Box::pin(newcomers(scene)),
        ),
        case(
            "post/widened",
            "a post handed on later has the same octets, and its edits follow",
            &[&req::POST_WIDEN, &req::POST_EDIT],
            |scene| Box::pin(widened(scene)),
        ),
        case(
            "post/mention-by-known-name",
            "a mention is shown by the name that the reader knows",
            &[&req::POST_MENTION],
            |scene| Box::pin(mentioned(scene)),
        ),
        case(
            "withdraw/sent",
            "a withdraw goes to those left out, who get no edit afterwards",
            &[&req::WITHDRAW_SENT, &req::WITHDRAW_ADDRESSED],
            |scene| Box::pin(withdraw_sent(scene)),
        ),
        case(
            "withdraw/hides-up-to-its-revision",
            "a withdraw hides what there is, and no later revision",
            &[&req::WITHDRAW_UPTO],
            |scene| Box::pin(withdraw_received(scene)),
        ),
        case(
            "withdraw/first",
            "a withdraw that comes before its target takes effect when that comes",
            &[&req::WITHDRAW_FIRST, &req::MERGE_ANY_ORDER],
            |scene| Box::pin(withdraw_first(scene)),
        ),
    ]
}

/// A puppet's identity as the adapter names it.
pub(crate) fn identity(puppet: &Puppet) -> Result<Identity, Stop> {
    puppet.id.to_string().parse().map_err(Stop::harness)
}

/// The agent with two friends.
pub(crate) async fn two_friends(scene: &Scene) -> Result<(Agent, Puppet, Puppet), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    scene.mail_to(&carol)?;
    Ok((agent, bob, carol))
}

async fn one_friend(scene: &Scene) -> Result<(Agent, Puppet, Friendship), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    Ok((agent, bob, friendship))
}

/// Whether the agent sent nothing with such an object to a puppet.
pub(crate) fn spared(scene: &Scene, rule: Rule, puppet: &Puppet, kind: &str) -> Result<(), Stop> {
    let mails = scene.mail_to(puppet)?;
    let got: Vec<_> = mails
        .iter()
        .filter(|sent| sent.object(kind).is_some())
        .map(|sent| sent.describe())
        .collect();
    scene.expect(rule, got.is_empty(), || {
        format!("expected no `{kind}` to {}, seen {got:?}", puppet.address)
    });
    Ok(())
}

async fn post(agent: &Agent, text: &str, to: Readers) -> Result<ObjectId, Stop> {
    let post = Post {
        text: text.to_owned(),
        to,
        ..Post::default()
    };
    let id = agent.act(post).await?.id;
    agent.sync().await?;
    Ok(id)
}

async fn add(agent: &Agent, name: &str, puppet: &Puppet) -> Result<(), Stop> {
    let circle = Circle {
        name: name.to_owned(),
        add: vec![identity(puppet)?],
        remove: Vec::new(),
    };
    agent.act(circle).await?;
    agent.sync().await?;
    Ok(())
}

async fn circle(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let name = scene.token();
    add(&agent, &name, &bob).await?;
    post(&agent, &scene.token(), Readers::Circle(name.clone())).await?;
    scene.expect_mail(&req::POST_CHOSEN, &bob, "post")?;
    spared(&scene, &req::POST_CHOSEN, &carol, "post")?;
    let told = scene.all_sent()?.iter().any(|sent| {
        let read = sent.mail.as_ref();
        read.is_ok_and(|mail| mail.holds(&name) || mail.holds(&carol.id.to_string()))
            && sent.submission.recipients.contains(&bob.address)
    });
    scene.expect(&req::CIRCLE_LOCAL, !told, || {
        "expected no mail to name the circle or other friends, seen one".to_owned()
    });
    Ok(())
}

async fn chosen(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let to = Readers::Chosen(vec![identity(&carol)?]);
    post(&agent, &scene.token(), to).await?;
    scene.expect_mail(&req::POST_CHOSEN, &carol, "post")?;
    spared(&scene, &req::POST_CHOSEN, &bob, "post")
}

async fn newcomers(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let name = scene.token();
    add(&agent, &name, &bob).await?;
    post(&agent, &scene.token(), Readers::Circle(name.clone())).await?;
    post(&agent, &scene.token(), Readers::Friends).await?;
    scene.mail_to(&bob)?;
    scene.mail_to(&carol)?;
    add(&agent, &name, &carol).await?;
    let mut dora = scene.puppet("Dora")?;
    scene.befriend(&mut dora, Who::Agent).await?;
    agent.jump(8).await?;
    spared(&scene, &req::CIRCLE_LATER, &dora, "post")?;
    let mails = scene.mail_to(&carol)?;
    let posts = mails.iter().filter_map(|sent| sent.object("post"));
    // The post to all friends was never acknowledged and comes again.
    let distinct: std::collections::BTreeSet<_> = posts.map(|post| &post.id).collect();
    scene.expect(&req::CIRCLE_LATER, distinct.len() <= 1, || {
        format!("expected nothing of the circle's earlier posts, seen {distinct:?}")
    });
    Ok(())
}

async fn widened(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let to = Readers::Chosen(vec![identity(&bob)?]);
    let id = post(&agent, &scene.token(), to).await?;
    let first = scene.expect_mail(&req::POST_WIDEN, &bob, "post")?;
    let widen = Widen {
        id: id.clone(),
        to: vec![identity(&carol)?],
    };
    agent.act(widen).await?;
    agent.sync().await?;
    let second = scene.expect_mail(&req::POST_WIDEN, &carol, "post")?;
    let hashes = [&first, &second].map(|sent| sent.object("post").map(|object| &object.hash));
    scene.expect(&req::POST_WIDEN, hashes[0] == hashes[1], || {
        format!("expected the same object octets for both, seen {hashes:?}")
    });
    let text = scene.token();
    agent.act(Edit { id, text }).await?;
    agent.sync().await?;
    for puppet in [&bob, &carol] {
        let edit = scene.expect_mail(&req::POST_EDIT, puppet, "post")?;
        let rev = edit.object("post").map(|object| object.rev);
        scene.expect(&req::POST_EDIT, rev == Some(2), || {
            format!("expected the second revision, seen {rev:?}")
        });
    }
    Ok(())
}

async fn mentioned(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = one_friend(&scene).await?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let (text, claimed) = (scene.token(), scene.token());
    let mut object = bob.post_object(&text, scene.now());
    let mention = kith_forge::xml::Element::new("mention")
        .attribute("id", carol.id)
        .attribute("name", &claimed);
    object.payload = object.payload.child(mention);
    let draft = bob.carry(&friendship.peer, vec![object], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let shown = entry(&agent, &text).await?;
    let mentions = shown.map(|entry| entry.mentions).unwrap_or_default();
    let wanted = identity(&carol)?;
    let named = |mention: &Mention| {
        mention.identity == wanted
            && mention.name.contains(&carol.name)
            && !mention.name.contains(&claimed)
    };
    let right = mentions.len() == 1 && mentions.iter().all(named);
    scene.expect(&req::POST_MENTION, right, || {
        format!("expected a mention of {}, seen {mentions:?}", carol.name)
    });
    Ok(())
}

/// The post with this text, as the user sees it.
pub(crate) async fn entry(agent: &Agent, text: &str) -> Result<Option<Entry>, Stop> {
    let timeline = agent.view(Timeline {}).await?;
    Ok(timeline.into_iter().find(|entry| entry.text == text))
}

async fn withdraw_sent(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let id = post(&agent, &scene.token(), Readers::Friends).await?;
    scene.mail_to(&bob)?;
    scene.mail_to(&carol)?;
    let narrow = Narrow {
        id: id.clone(),
        from: vec![identity(&carol)?],
    };
    agent.act(narrow).await?;
    agent.sync().await?;
    let withdraw = scene.expect_mail(&req::WITHDRAW_SENT, &carol, "withdraw")?;
    let object = withdraw.object("withdraw");
    let upto = object.and_then(|object| object.payload.attribute("upto"));
    let target = object
        .and_then(|object| object.payload.child("target"))
        .and_then(|target| target.attribute("id"));
    let right = upto == Some("1") && target == Some(id.as_str());
    scene.expect(&req::WITHDRAW_SENT, right, || {
        format!("expected a withdraw of {id} up to 1, seen {target:?} up to {upto:?}")
    });
    let to = object
        .and_then(|object| object.payload.child("to"))
        .and_then(|to| to.attribute("id"));
    let carols = carol.id.to_string();
    scene.expect(&req::WITHDRAW_ADDRESSED, to == Some(&carols), || {
        format!("expected the withdraw to name {carols}, seen {to:?}")
    });
    spared(&scene, &req::WITHDRAW_SENT, &bob, "withdraw")?;
    let text = scene.token();
    agent.act(Edit { id, text }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::WITHDRAW_SENT, &bob, "post")?;
    spared(&scene, &req::WITHDRAW_SENT, &carol, "post")
}

async fn withdraw_received(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = one_friend(&scene).await?;
    let (old, new) = (scene.token(), scene.token());
    let first = bob.post_object(&old, scene.now());
    let draft = bob.carry(&friendship.peer, vec![first.clone()], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let before = entry(&agent, &old).await?.is_some();
    let draft = bob.withdraw(&friendship.peer, &first, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let after = entry(&agent, &old).await?.is_some();
    scene.expect(&req::WITHDRAW_UPTO, before && !after, || {
        format!("expected the post to be shown and then hidden, seen {before} and {after}")
    });
    let second = bob.edited(&first, &new, scene.now());
    let draft = bob.carry(&friendship.peer, vec![second], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let again = entry(&agent, &new).await?.is_some();
    scene.expect(&req::WITHDRAW_UPTO, again, || {
        "expected the later revision to be shown, seen nothing of it".to_owned()
    });
    Ok(())
}

async fn withdraw_first(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = one_friend(&scene).await?;
    let (old, new) = (scene.token(), scene.token());
    let first = bob.post_object(&old, scene.now());
    let second = bob.edited(&first, &new, scene.now());
    let draft = bob.withdraw(&friendship.peer, &first, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let draft = bob.carry(&friendship.peer, vec![first.clone()], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let hidden = entry(&agent, &old).await?.is_none();
    scene.expect(&req::WITHDRAW_FIRST, hidden, || {
        "expected the withdrawn post not to be shown, seen it".to_owned()
    });
    // The same again, and a later revision: only that is shown.
    for object in [second, first] {
        let draft = bob.carry(&friendship.peer, vec![object], scene.now());
        let mail = scene.write(&mut bob, draft.map_err(Stop::harness)?)?;
        scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        agent.sync().await?;
    }
    let texts: Vec<_> = agent.view(Timeline {}).await?;
    let texts: Vec<_> = texts.iter().map(|entry| entry.text.as_str()).collect();
    scene.expect(&req::MERGE_ANY_ORDER, texts == [new.as_str()], || {
        format!("expected only `{new}`, seen {texts:?}")
    });
    Ok(())
}
