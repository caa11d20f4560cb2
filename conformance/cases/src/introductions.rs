//! Chapter “Friends”: introductions, and what comes before and after a friendship.

use kith_adapter::act::private::Message;
use kith_adapter::act::relation::{Accept, Befriend};
use kith_adapter::view::relation::Requests;
use kith_forge::Puppet;
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::Form;
use kith_runner::scene::{Agent, Friendship, Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "friends/introduced/sealed",
            "a request to somebody who was introduced is sealed",
            Rung::Rest,
            &[&req::INTRODUCE_SEALED],
            sealed,
        ),
        Case::new(
            "friends/introduced/shown",
            "a request of somebody who was introduced is shown with the friend who did so",
            Rung::Rest,
            &[&req::INTRODUCE_SHOWN],
            shown,
        ),
        Case::new(
            "friends/accept/unconfirmed",
            "before the confirm, nothing but the accept is sent",
            Rung::Rest,
            &[&req::FRIENDS_CONFIRM_NEEDED],
            unconfirmed,
        ),
        Case::new(
            "friends/end/nothing-again",
            "after an end, nothing is sent again that was not acknowledged",
            Rung::Rest,
            &[&req::FRIENDS_END_FINAL],
            ended,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// Bob, a friend, introduces Carol, who agreed to that.
async fn introduced(scene: &Scene) -> Result<(Agent, Puppet, Puppet), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    carol.introducible = true;
    carol.renew_contact(scene.now());
    let draft = bob.introduce(&friendship.peer, &carol, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    Ok((agent, bob, carol))
}

async fn sealed(scene: Scene) -> Result<(), Stop> {
    let (agent, _, carol) = introduced(&scene).await?;
    let befriend = Befriend {
        address: carol.address.clone(),
        note: None,
        invite: None,
    };
    agent.act(befriend).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::INTRODUCE_SEALED, &carol, "request")?;
    let form = sent.mail.as_ref().map(|mail| &mail.form);
    let sealed = matches!(form, Ok(Form::Sealed { .. }));
    scene.expect(&req::INTRODUCE_SEALED, sealed, || {
        "expected a sealed request to somebody who was introduced, seen an open one".to_owned()
    });
    Ok(())
}

async fn shown(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, mut carol) = introduced(&scene).await?;
    let draft = carol.request(agent.address(), scene.now(), RequestOptions::default());
    scene.send(&mut carol, draft).await?;
    let requests = agent.view(Requests {}).await?;
    let by: Vec<_> = requests
        .iter()
        .map(|request| request.introduced.as_ref().map(ToString::to_string))
        .collect();
    scene.expect(
        &req::INTRODUCE_SHOWN,
        by == [Some(bob.id.to_string())],
        || {
            format!(
                "expected one request, introduced by {}, seen {by:?}",
                bob.id
            )
        },
    );
    Ok(())
}

fn message(to: &Puppet, text: String) -> Result<Message, Stop> {
    Ok(Message {
        to: to.id.to_string().parse().map_err(Stop::harness)?,
        text,
        parent: None,
        media: Vec::new(),
    })
}

async fn unconfirmed(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let draft = bob.request(agent.address(), scene.now(), RequestOptions::default());
    scene.send(&mut bob, draft).await?;
    let request = scene.request_shown(&agent, &bob).await?;
    agent.act(Accept { request }).await?;
    // Whether the agent refuses this at once or keeps it for later is its own affair.
    let _ = agent.try_act(message(&bob, scene.token())?).await?;
    agent.sync().await?;
    let sent = scene.mail_to(&bob)?;
    let only = sent.iter().all(|sent| sent.kinds() == ["accept"]);
    scene.expect(
        &req::FRIENDS_CONFIRM_NEEDED,
        only && !sent.is_empty(),
        || {
            let seen: Vec<_> = sent.iter().map(|sent| sent.describe()).collect();
            format!("expected nothing but the accept, seen {seen:?}")
        },
    );
    Ok(())
}

async fn ended(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let Friendship { peer, request, .. } = scene.befriend(&mut bob, Who::Puppet).await?;
    agent.act(message(&bob, scene.token())?).await?;
    agent.sync().await?;
    let draft = bob.end(&peer, &[request], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    scene.mail_to(&bob)?;
    agent.jump(8).await?;
    let sent = scene.mail_to(&bob)?;
    let again = sent.iter().any(|sent| sent.object("message").is_some());
    scene.expect(&req::FRIENDS_END_FINAL, !again, || {
        "expected nothing more after the end, seen the message again".to_owned()
    });
    Ok(())
}
