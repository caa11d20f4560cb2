//! Chapter “Profile”.

use kith_adapter::act::private::Message;
use kith_adapter::act::profile::{FieldValue, ProfileSet};
use kith_adapter::act::publishing::{Circle, Readers};
use kith_adapter::view::profile::{Field, Profile};
use kith_adapter::view::relation::Friends;
use kith_forge::Puppet;
use kith_forge::xml::Element;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Friendship, Scene, Sent, Who};
use kith_spec::{Rule, req};

use crate::audience::{identity, spared, two_friends};

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&["post/received"])
    };
    vec![
        case(
            "profile/sent-to-those-it-is-for",
            "a field goes to the friends for whom it is, as an object with its own id",
            &[&req::FIELD_CHOSEN, &req::FIELD_ID, &req::FIELD_AUDIENCE],
            |scene| Box::pin(chosen(scene)),
        ),
        case(
            "profile/narrowed",
            "who shall not have a field any more gets it without values",
            &[&req::FIELD_NARROWED],
            |scene| Box::pin(narrowed(scene)),
        ),
        case(
            "profile/new-friend",
            "a new friend gets what is for all friends, a new member what is for the circle",
            &[&req::FIELD_NEW_FRIEND],
            |scene| Box::pin(newcomers(scene)),
        ),
        case(
            "profile/shown-and-emptied",
            "a friend's field is shown until it is emptied",
            &[&req::FIELD_EMPTIED],
            |scene| Box::pin(emptied(scene)),
        ),
        case(
            "profile/name-is-a-claim",
            "a name in a profile changes nothing in the list of friends",
            &[&req::FIELD_NAME_CLAIM],
            |scene| Box::pin(name_claim(scene)),
        ),
        case(
            "profile/address-is-no-contact",
            "a mail address in a profile is not written to",
            &[&req::FIELD_NOT_CONTACT, &req::FIELD_NO_KEYS],
            |scene| Box::pin(address(scene)),
        ),
        case(
            "profile/uris",
            "only URIs of known schemes are offered, and nobody is contacted",
            &[&req::FIELD_SCHEMES, &req::FIELD_NO_CONTACT],
            |scene| Box::pin(uris(scene)),
        ),
    ]
}

fn set(field: &str, values: &[&str], to: Readers) -> ProfileSet {
    let value = |text: &&str| FieldValue {
        text: (*text).to_owned(),
        ..FieldValue::default()
    };
    ProfileSet {
        field: field.to_owned(),
        values: values.iter().map(value).collect(),
        to,
        ..ProfileSet::default()
    }
}

async fn tell(agent: &Agent, action: ProfileSet) -> Result<(), Stop> {
    agent.act(action).await?;
    agent.sync().await?;
    Ok(())
}

/// The values in a field that the agent sent.
fn said(sent: &Sent, name: &str) -> Option<Vec<String>> {
    let property = sent.object("field")?.payload.child(name)?;
    Some(
        property
            .all("value")
            .map(|value| value.text.clone())
            .collect(),
    )
}

async fn chosen(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let nickname = scene.token();
    let to = Readers::Chosen(vec![identity(&bob)?]);
    tell(&agent, set("nickname", &[&nickname], to)).await?;
    let sent = scene.expect_mail(&req::FIELD_CHOSEN, &bob, "field")?;
    spared(&scene, &req::FIELD_CHOSEN, &carol, "field")?;
    let values = said(&sent, "nickname");
    scene.expect(
        &req::FIELD_CHOSEN,
        values.as_deref() == Some(std::slice::from_ref(&nickname)),
        || format!("expected the nickname `{nickname}`, seen {values:?}"),
    );
    let object = sent.object("field");
    let expected = kith_forge::kinds::field_id("nickname").to_string();
    let id = object.map(|object| object.id.clone());
    scene.expect(&req::FIELD_ID, id.as_ref() == Some(&expected), || {
        format!("expected the id {expected}, seen {id:?}")
    });
    let audience = object.map(|object| object.audience.as_str());
    scene.expect(&req::FIELD_AUDIENCE, audience == Some("friends"), || {
        format!("expected the audience `friends`, seen {audience:?}")
    });
    Ok(())
}

async fn narrowed(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let note = scene.token();
    tell(&agent, set("note", &[&note], Readers::Friends)).await?;
    scene.expect_mail(&req::FIELD_NARROWED, &bob, "field")?;
    let first = scene.expect_mail(&req::FIELD_NARROWED, &carol, "field")?;
    let to = Readers::Chosen(vec![identity(&bob)?]);
    tell(&agent, set("note", &[&note], to)).await?;
    let empty = scene.expect_mail(&req::FIELD_NARROWED, &carol, "field")?;
    let values = said(&empty, "note");
    let rev = |sent: &Sent| sent.object("field").map(|object| object.rev);
    let higher = rev(&empty) > rev(&first);
    scene.expect(
        &req::FIELD_NARROWED,
        higher && values == Some(Vec::new()),
        || format!("expected a later revision without values, seen {values:?}"),
    );
    Ok(())
}

async fn newcomers(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let circle = scene.token();
    let join = |puppet: &Puppet| {
        Ok::<_, Stop>(Circle {
            name: circle.clone(),
            add: vec![identity(puppet)?],
            remove: Vec::new(),
        })
    };
    agent.act(join(&bob)?).await?;
    let (open, closed) = (scene.token(), scene.token());
    tell(&agent, set("fn", &[&open], Readers::Friends)).await?;
    tell(
        &agent,
        set("note", &[&closed], Readers::Circle(circle.clone())),
    )
    .await?;
    scene.mail_to(&carol)?;
    let mut dora = scene.puppet("Dora")?;
    scene.befriend(&mut dora, Who::Puppet).await?;
    agent.sync().await?;
    let got = told(&scene, &dora, &[&open, &closed])?;
    scene.expect(&req::FIELD_NEW_FRIEND, got == [true, false], || {
        format!("expected the new friend to get the open field only, seen {got:?}")
    });
    agent.act(join(&carol)?).await?;
    agent.sync().await?;
    let got = told(&scene, &carol, &[&closed])?;
    scene.expect(&req::FIELD_NEW_FRIEND, got == [true], || {
        "expected the new member to get the circle's field, seen nothing".to_owned()
    });
    Ok(())
}

/// Which of these tokens stand in mail to a puppet so far.
fn told(scene: &Scene, puppet: &Puppet, tokens: &[&str]) -> Result<Vec<bool>, Stop> {
    let sent = scene.all_sent()?;
    let held = |token: &&str| {
        let to_puppet = sent
            .iter()
            .filter(|sent| sent.submission.recipients.contains(&puppet.address));
        to_puppet
            .filter_map(|sent| sent.mail.as_ref().ok())
            .any(|mail| mail.holds(token))
    };
    Ok(tokens.iter().map(held).collect())
}

async fn friend(scene: &Scene) -> Result<(Agent, Puppet, Friendship), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    Ok((agent, bob, friendship))
}

async fn shown(agent: &Agent, of: &Puppet) -> Result<Vec<Field>, Stop> {
    let identity = Some(identity(of)?);
    agent.view(Profile { identity }).await
}

async fn emptied(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let nickname = scene.token();
    let draft = bob.field(&friendship.peer, "nickname", &[&nickname], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let before = shown(&agent, &bob).await?;
    let there = before
        .iter()
        .flat_map(|field| &field.values)
        .any(|value| value.text == nickname);
    scene.expect(&req::FIELD_EMPTIED, there, || {
        format!("expected the nickname `{nickname}`, seen {before:?}")
    });
    let mut empty = bob.field_object("nickname", &[], scene.now());
    empty.rev = 2;
    let draft = bob.carry(&friendship.peer, vec![empty], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let after = shown(&agent, &bob).await?;
    let gone = after.iter().all(|field| field.values.is_empty());
    scene.expect(&req::FIELD_EMPTIED, gone, || {
        format!("expected no nickname any more, seen {after:?}")
    });
    Ok(())
}

async fn name_claim(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let claimed = scene.token();
    let draft = bob.field(&friendship.peer, "fn", &[&claimed], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let seen = shown(&agent, &bob).await?;
    let friends = agent.view(Friends {}).await?;
    let changed = friends.iter().any(|friend| friend.name.contains(&claimed));
    scene.expect(&req::FIELD_NAME_CLAIM, !seen.is_empty() && !changed, || {
        format!("expected the friend under the name of before, seen {friends:?}")
    });
    Ok(())
}

async fn address(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let elsewhere = scene.puppet("Elsewhere")?;
    let draft = bob.field(
        &friendship.peer,
        "email",
        &[&elsewhere.address],
        scene.now(),
    );
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let key = "openpgp4fpr:0123456789abcdef0123456789abcdef01234567";
    let draft = bob.field(&friendship.peer, "key", &[key], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let message = Message {
        to: identity(&bob)?,
        text: scene.token(),
        parent: None,
        media: Vec::new(),
    };
    agent.act(message).await?;
    agent.sync().await?;
    scene.expect_mail(&req::FIELD_NOT_CONTACT, &bob, "message")?;
    let astray = scene.mail_to(&elsewhere)?.len();
    scene.expect(&req::FIELD_NOT_CONTACT, astray == 0, || {
        format!("expected nothing to the address in the profile, seen {astray} mails")
    });
    let readable = scene.all_sent()?.iter().all(|sent| sent.mail.is_ok());
    scene.expect(&req::FIELD_NO_KEYS, readable, || {
        "expected mail under the friend's own key, seen another".to_owned()
    });
    Ok(())
}

async fn uris(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let carol = scene.puppet("Carol")?;
    let mail = format!("mailto:{}", carol.address);
    let offered = ["xmpp:bob@chat.test", mail.as_str()];
    let texts = ["javascript:alert(1)", "file:///etc/passwd"];
    let value = |uri: &&str| Element::new("value").text(*uri);
    let property = Element::new("impp").children(offered.iter().chain(&texts).map(value));
    let field = bob.field_of("impp", property, scene.now());
    let draft = bob.carry(&friendship.peer, vec![field], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let seen = shown(&agent, &bob).await?;
    let values: Vec<_> = seen
        .iter()
        .flat_map(|field| &field.values)
        .map(|value| (value.text.as_str(), value.offered))
        .collect();
    let wanted: Vec<_> = offered
        .iter()
        .map(|uri| (*uri, true))
        .chain(texts.iter().map(|uri| (*uri, false)))
        .collect();
    scene.expect(&req::FIELD_SCHEMES, values == wanted, || {
        format!("expected {wanted:?}, seen {values:?}")
    });
    agent.jump(8).await?;
    let contacted = scene.mail_to(&carol)?.len();
    scene.expect(&req::FIELD_NO_CONTACT, contacted == 0, || {
        format!("expected nobody to be contacted, seen {contacted} mails")
    });
    Ok(())
}
