//! Section “Introductions” of chapter “Friends”.

use kith_adapter::act::identity::{Consent, Introduce};
use kith_adapter::view::identity::Introductions;
use kith_adapter::view::relation::{Direction, Request, Requests, State};
use kith_forge::Puppet;
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::req;

use super::identity;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "friends/introduce/asked",
            "two friends who agreed get each other's credentials when the person wants it",
            Rung::Rest,
            &[&req::INTRODUCE_ASKED],
            asked,
        ),
        Case::new(
            "friends/introduce/default",
            "a contact agrees to introductions only after its person did",
            Rung::Rest,
            &[&req::INTRODUCE_DEFAULT],
            default,
        ),
        Case::new(
            "friends/introduce/received",
            "an introduction changes and sends nothing; a request then leaves sealed",
            Rung::Rest,
            &[&req::INTRODUCE_NOTHING_ELSE, &req::INTRODUCE_SEALED],
            received,
        ),
        Case::new(
            "friends/introduce/shown",
            "a request of somebody introduced names the friend who did so",
            Rung::Rest,
            &[&req::INTRODUCE_SHOWN],
            shown,
        ),
        Case::new(
            "friends/introduce/stranger",
            "a sealed request of a stranger is judged like an open one",
            Rung::Rest,
            &[&req::INTRODUCE_STRANGER],
            stranger,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// A puppet who agreed to be introduced.
fn willing(scene: &Scene, name: &str) -> Result<Puppet, Stop> {
    let mut puppet = scene.puppet(name)?;
    puppet.introducible = true;
    puppet.renew_contact(scene.now());
    Ok(puppet)
}

async fn asked(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, mut carol) = (willing(&scene, "Bob")?, willing(&scene, "Carol")?);
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let rule = &req::INTRODUCE_ASKED;
    let mut early = scene.mail_to(&bob)?;
    early.extend(scene.mail_to(&carol)?);
    let silent = early.iter().all(|sent| sent.object("introduce").is_none());
    scene.expect(rule, silent, || {
        "expected nobody to be introduced before the person asks, seen an introduction".to_owned()
    });
    let (one, other) = (identity(&bob)?, identity(&carol)?);
    agent.act(Introduce { one, other }).await?;
    agent.sync().await?;
    for (to, about) in [(&bob, &carol), (&carol, &bob)] {
        let sent = scene.expect_mail(rule, to, "introduce")?;
        let person = sent.object("introduce").and_then(|object| {
            let person = object.payload.child("person")?.attribute("id")?;
            Some(person.to_owned())
        });
        let expected = Some(about.id.to_string());
        scene.expect(rule, person == expected, || {
            format!("expected an introduction of {expected:?}, seen {person:?}")
        });
    }
    Ok(())
}

async fn default(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Agent).await?;
    let rule = &req::INTRODUCE_DEFAULT;
    let before = scene.all_sent()?;
    let agreed = before.iter().any(|sent| {
        let contact = sent.object("contact");
        contact.is_some_and(|contact| contact.payload.attribute("introduce").is_some())
    });
    scene.expect(rule, !agreed, || {
        "expected a contact without `introduce`, seen one with it".to_owned()
    });
    agent
        .act(Consent {
            delivered: false,
            seen: false,
            introduce: true,
        })
        .await?;
    agent.sync().await?;
    let sent = scene.expect_mail(rule, &bob, "contact")?;
    let contact = sent.object("contact");
    let says = contact.and_then(|contact| contact.payload.attribute("introduce"));
    scene.expect(rule, says == Some("yes"), || {
        format!("expected a contact with introduce=\"yes\", seen {says:?}")
    });
    Ok(())
}

/// Bob, a friend of the agent, introduces Carol.
async fn introduced(scene: &Scene) -> Result<(Agent, Puppet, Puppet), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, carol) = (scene.puppet("Bob")?, willing(scene, "Carol")?);
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let draft = bob.introduce(&friendship.peer, &carol, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    Ok((agent, bob, carol))
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = introduced(&scene).await?;
    let rule = &req::INTRODUCE_NOTHING_ELSE;
    let known = agent.view(Introductions {}).await?;
    let by = identity(&bob)?;
    let told = known
        .iter()
        .any(|one| one.address == carol.address && one.by == by);
    let state = scene.relation(&agent, &carol).await?;
    let sent = scene.mail_to(&carol)?.len();
    scene.expect(rule, told && state == State::Stranger && sent == 0, || {
        format!(
            "expected an introduction and nothing else, seen {known:?}, {state:?}, {sent} mails"
        )
    });
    scene.ask(&agent, &carol, None).await?;
    let sent = scene.expect_mail(&req::INTRODUCE_SEALED, &carol, "request")?;
    let sealed = sent
        .mail
        .as_ref()
        .is_ok_and(|mail| mail.delivery().is_some());
    scene.expect(&req::INTRODUCE_SEALED, sealed, || {
        "expected a sealed request, seen an open one".to_owned()
    });
    Ok(())
}

/// Somebody asks the agent in a sealed mail, and the request as the agent shows it.
async fn asks(scene: &Scene, agent: &Agent, asker: &mut Puppet) -> Result<Option<Request>, Stop> {
    let peer = agent.peer()?;
    let draft = asker.request_sealed(&peer, scene.now(), RequestOptions::default());
    let mail = scene.write(asker, draft.map_err(Stop::harness)?)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    let id = asker.id.to_string();
    let requests = agent.view(Requests {}).await?;
    Ok(requests.into_iter().find(|request| {
        let from = request.identity.as_ref();
        request.direction == Direction::Incoming && from.is_some_and(|from| from.as_str() == id)
    }))
}

async fn shown(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, mut carol) = introduced(&scene).await?;
    let request = asks(&scene, &agent, &mut carol).await?;
    let by = request
        .as_ref()
        .and_then(|request| request.introduced.clone());
    let expected = Some(identity(&bob)?);
    scene.expect(&req::INTRODUCE_SHOWN, by == expected, || {
        format!("expected a request introduced by {expected:?}, seen {request:?}")
    });
    Ok(())
}

async fn stranger(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut dora = scene.puppet("Dora")?;
    let request = asks(&scene, &agent, &mut dora).await?;
    let plain = request
        .as_ref()
        .is_some_and(|r| r.introduced.is_none() && !r.invited);
    let state = scene.relation(&agent, &dora).await?;
    scene.expect(
        &req::INTRODUCE_STRANGER,
        plain && state == State::Pending,
        || format!("expected an ordinary request that waits, seen {request:?}"),
    );
    Ok(())
}
