//! Chapter “Friends”: requests and the handshake.

use kith_adapter::view::relation::Requests;
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "friends/request/shown",
            "a stranger's request is shown with its note, and not answered",
            Rung::Request,
            &[&req::FRIENDS_NO_AUTOMATIC],
            shown,
        ),
        Case::new(
            "friends/request/sent",
            "a request goes to the address that the person typed",
            Rung::Request,
            &[&req::FRIENDS_REQUEST_OPEN, &req::FRIENDS_REQUEST_ADDRESS],
            sent,
        ),
    ];
    let handshakes = [
        Case::new(
            "friends/handshake/asked",
            "the agent asks, and both become friends",
            Rung::Handshake,
            &[&req::FRIENDS_TABLE, &req::FRIENDS_CONFIRM_SENT],
            asked,
        )
        .needs(&["friends/request/sent"]),
        Case::new(
            "friends/handshake/accepted",
            "the agent accepts a request, and both become friends",
            Rung::Handshake,
            &[&req::FRIENDS_TABLE, &req::FRIENDS_ACCEPT_SEALED],
            accepted,
        )
        .needs(&["friends/request/shown"]),
    ];
    cases.extend(handshakes.into_iter().flat_map(Case::for_all_keys));
    cases
}

async fn shown(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let note = scene.token();
    let options = RequestOptions {
        note: Some(note.clone()),
        ..RequestOptions::default()
    };
    let draft = bob.request(agent.address(), scene.now(), options);
    scene.send(&mut bob, draft).await?;
    scene.request_shown(&agent, &bob).await?;
    let requests = agent.view(Requests {}).await?;
    let noted = requests.iter().any(|request| request.note == note);
    scene.expect(&req::FRIENDS_NO_AUTOMATIC, noted, || {
        format!("expected the note `{note}` with the request, seen {requests:?}")
    });
    let answers = scene.mail_to(&bob)?;
    scene.expect(&req::FRIENDS_NO_AUTOMATIC, answers.is_empty(), || {
        let seen: Vec<_> = answers.iter().map(|sent| sent.describe()).collect();
        format!("expected no answer before the person accepts, seen {seen:?}")
    });
    Ok(())
}

async fn sent(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let bob = scene.puppet("Bob")?;
    scene.asked(&agent, &bob).await?;
    Ok(())
}

async fn asked(scene: Scene) -> Result<(), Stop> {
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Agent).await?;
    Ok(())
}

async fn accepted(scene: Scene) -> Result<(), Stop> {
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    Ok(())
}
