//! Section “Invites” of chapter “Friends”.

use kith_adapter::act::relation::Invite as MakeInvite;
use kith_adapter::view::relation::{Direction, Request, Requests, State};
use kith_forge::invite::Invite;
use kith_forge::kinds::RequestOptions;
use kith_forge::{Id128, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Scene};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/request/shown"];
    let cases = [
        Case::new(
            "friends/invite/accepted",
            "a request made from an invite of the agent is accepted without asking",
            Rung::Handshake,
            &[
                &req::FRIENDS_INVITE_ACCEPTED,
                &req::FRIENDS_INVITE_ANSWER,
                &req::FRIENDS_INVITE_TOKEN,
            ],
            accepted,
        ),
        Case::new(
            "friends/invite/second-use",
            "a second identity with the same invite has to wait, with a warning",
            Rung::Handshake,
            &[&req::FRIENDS_INVITE_USED],
            used,
        ),
        Case::new(
            "friends/invite/wrong-proof",
            "a request with a wrong proof has to wait, with a warning",
            Rung::Handshake,
            &[&req::FRIENDS_INVITE_WRONG],
            wrong,
        ),
        Case::new(
            "friends/invite/too-late",
            "an invite ends after seven days",
            Rung::Handshake,
            &[&req::FRIENDS_INVITE_TOKEN],
            late,
        ),
        Case::new(
            "friends/invite/proof-sent",
            "a request that the agent makes from an invite proves the token and doesn't show it",
            Rung::Handshake,
            &[&req::FRIENDS_INVITE_PROOF],
            proof,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

async fn invite(agent: &Agent) -> Result<Invite, Stop> {
    let made = agent.act(MakeInvite {}).await?;
    Invite::parse(&made.uri).map_err(|error| Stop::Agent(error.to_string()))
}

/// Asks with an invite, in a mail that no server vouches for.
async fn ask(
    scene: &Scene,
    agent: &Agent,
    puppet: &mut Puppet,
    invite: Invite,
) -> Result<(), Stop> {
    let options = RequestOptions {
        invite: Some(invite),
        ..RequestOptions::default()
    };
    let draft = puppet.request(agent.address(), scene.now(), options);
    let mail = scene.write(puppet, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::None)?;
    agent.sync().await?;
    Ok(())
}

async fn waits(scene: &Scene, agent: &Agent, puppet: &Puppet) -> Result<Option<Request>, Stop> {
    let id = puppet.id.to_string();
    let state = scene.relation(agent, puppet).await?;
    let requests = agent.view(Requests {}).await?;
    let found = requests.into_iter().find(|request| {
        let from = request
            .identity
            .as_ref()
            .is_some_and(|identity| identity.as_str() == id);
        from && request.direction == Direction::Incoming
    });
    Ok(found.filter(|_| state == State::Pending))
}

async fn accepted(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let invite = invite(&agent).await?;
    let term = invite.expires.0 - scene.now().0;
    let week = 7 * 86_400;
    scene.expect(
        &req::FRIENDS_INVITE_TOKEN,
        (week - 60..=week).contains(&term),
        || format!("expected an invite for {week} seconds, seen {term}"),
    );
    ask(&scene, &agent, &mut bob, invite.clone()).await?;
    let sent = scene.expect_mail(&req::FRIENDS_INVITE_ACCEPTED, &bob, "accept")?;
    let accept = sent.object("accept");
    let request = accept.and_then(|o| o.payload.child("request")?.attribute("hash"));
    let request = request.and_then(|hash| hash.parse().ok());
    let proof = accept.and_then(|o| o.payload.child("invite")?.attribute("proof"));
    let id = agent.peer()?.id;
    let expected = request.map(|request| invite.accept_proof(request, id).to_string());
    scene.expect(
        &req::FRIENDS_INVITE_ANSWER,
        proof.is_some() && proof == expected.as_deref(),
        || format!("expected the proof {expected:?} in the accept, seen {proof:?}"),
    );
    Ok(())
}

async fn used(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    let invite = invite(&agent).await?;
    ask(&scene, &agent, &mut bob, invite.clone()).await?;
    scene.expect_mail(&req::FRIENDS_INVITE_ACCEPTED, &bob, "accept")?;
    ask(&scene, &agent, &mut carol, invite).await?;
    let waiting = waits(&scene, &agent, &carol).await?;
    let warned = waiting
        .as_ref()
        .is_some_and(|request| request.warning.is_some());
    scene.expect(&req::FRIENDS_INVITE_USED, warned, || {
        format!("expected a request that waits with a warning, seen {waiting:?}")
    });
    Ok(())
}

async fn wrong(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut invite = invite(&agent).await?;
    invite.token = Id128::random(&mut scene.rng("token")).0;
    ask(&scene, &agent, &mut bob, invite).await?;
    let waiting = waits(&scene, &agent, &bob).await?;
    let warned = waiting
        .as_ref()
        .is_some_and(|request| request.warning.is_some());
    scene.expect(&req::FRIENDS_INVITE_WRONG, warned, || {
        format!("expected a request that waits with a warning, seen {waiting:?}")
    });
    Ok(())
}

async fn late(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let invite = invite(&agent).await?;
    agent.jump(8).await?;
    ask(&scene, &agent, &mut bob, invite).await?;
    let waiting = waits(&scene, &agent, &bob).await?;
    scene.expect(&req::FRIENDS_INVITE_TOKEN, waiting.is_some(), || {
        "expected a request from an expired invite to wait, seen no such request".to_owned()
    });
    Ok(())
}

async fn proof(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let invite = bob.invite(scene.now());
    scene.ask(&agent, &bob, Some(invite.uri())).await?;
    let sent = scene.expect_mail(&req::FRIENDS_INVITE_PROOF, &bob, "request")?;
    let request = sent.object("request");
    let id = request.and_then(|object| object.id.parse().ok());
    let proof = request.and_then(|object| object.payload.child("invite")?.attribute("proof"));
    let requester = agent.peer()?.id;
    let expected = id.map(|id| invite.request_proof(id, requester).to_string());
    scene.expect(
        &req::FRIENDS_INVITE_PROOF,
        proof.is_some() && proof == expected.as_deref(),
        || format!("expected the proof {expected:?} in the request, seen {proof:?}"),
    );
    let token: String = invite
        .token
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let mail = sent.mail.as_ref().ok();
    let shown = mail.is_some_and(|mail| mail.holds(&token));
    scene.expect(&req::FRIENDS_INVITE_PROOF, !shown, || {
        "expected the token nowhere in the mail, seen it".to_owned()
    });
    Ok(())
}
