//! Sections “Rotation” and “Freezing” of chapter “Identity”: the agent's own rotation, and what
//! becomes of friends who rotated.

use std::sync::Arc;

use kith_adapter::act::identity::{Rotate, Verify};
use kith_adapter::protocol::Octets;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Sent, Who};
use kith_spec::req;

use super::{contact, identity, write};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "identity/rotate/told",
            "after a rotation, friends get entry, contact and certificate until they acknowledge",
            Rung::Rest,
            &[&req::IDENTITY_ROTATION_RIDES, &req::IDENTITY_DEVICE],
            told,
        ),
        Case::new(
            "identity/rotate/resigned",
            "after a compromise, own objects are signed again, and keep their hashes",
            Rung::Rest,
            &[&req::IDENTITY_RESIGNED],
            resigned,
        ),
        Case::new(
            "identity/rotate/verified",
            "a friend who rotated stays verified, and one who is frozen does not",
            Rung::Rest,
            &[&req::CONTACT_VERIFIED_KEPT],
            verified,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The agent's person takes the next key. The harness made the keys, and so knows it.
async fn rotate(scene: &Scene, agent: &Agent, compromised: bool) -> Result<(), Stop> {
    let mut alice = scene.played(agent.address())?;
    alice.rotate(scene.now(), &[]);
    let secret = Octets(alice.secret_key_export());
    // The judge gets the keys; the entry is the agent's to make.
    alice.chain.pop();
    scene.renewed(&alice)?;
    let rotate = Rotate {
        secret,
        compromised,
    };
    agent.act(rotate).await?;
    agent.sync().await?;
    Ok(())
}

fn tells(sent: &Arc<Sent>) -> bool {
    let entry = sent.object("identity");
    let epoch = entry.and_then(|entry| entry.payload.attribute("epoch"));
    let certificates = sent.mail.as_ref().map(|mail| mail.certificates.len());
    epoch == Some("1") && sent.object("contact").is_some() && certificates == Ok(1)
}

async fn told(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    rotate(&scene, &agent, false).await?;
    write(&scene, &agent, &bob).await?;
    let sent = scene.mail_to(&bob)?;
    let right = sent.len() == 2 && sent.iter().all(tells);
    for rule in [&req::IDENTITY_ROTATION_RIDES, &req::IDENTITY_DEVICE] {
        scene.expect(rule, right, || {
            let seen: Vec<_> = sent.iter().map(|sent| sent.describe()).collect();
            format!("expected two deliveries with the entry of epoch 1, seen {seen:?}")
        });
    }
    // Once one of them is acknowledged, nothing rides along any more.
    let channel = sent.last().and_then(|sent| {
        let mail = sent.mail.as_ref().ok()?;
        mail.delivery()?.channel.clone()
    });
    let channel = scene.require_some(&req::IDENTITY_ROTATION_RIDES, channel, || {
        "expected a numbered delivery, seen one without a channel".to_owned()
    })?;
    let id = channel.id.parse().map_err(Stop::harness)?;
    let seq = i64::try_from(channel.seq).map_err(Stop::harness)?;
    let ack = kith_forge::kinds::ack(id, seq);
    let peer = scene.played(agent.address())?.peer();
    let draft = bob.acknowledge(&peer, vec![ack], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    write(&scene, &agent, &bob).await?;
    let sent = scene.expect_mail(&req::IDENTITY_ROTATION_RIDES, &bob, "message")?;
    scene.expect(&req::IDENTITY_ROTATION_RIDES, !tells(&sent), || {
        "expected no entry in a delivery after one was acknowledged, seen one".to_owned()
    });
    Ok(())
}

async fn resigned(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    write(&scene, &agent, &bob).await?;
    let lost = scene.expect_mail(&req::IDENTITY_RESIGNED, &bob, "message")?;
    let hash = lost.object("message").map(|object| object.hash.clone());
    rotate(&scene, &agent, true).await?;
    scene.mail_to(&bob)?;
    // The message never came: it goes out again, and the judge sees under which key.
    agent.jump(8).await?;
    let sent = scene.mail_to(&bob)?;
    let again = sent.iter().filter_map(|sent| sent.object("message"));
    let hashes: Vec<_> = again.map(|object| Some(object.hash.clone())).collect();
    scene.expect(&req::IDENTITY_RESIGNED, hashes.contains(&hash), || {
        format!("expected the same octets once more, {hash:?}, seen {hashes:?}")
    });
    Ok(())
}

async fn verified(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let code = contact(&agent, &bob).await?.code;
    let right = Verify {
        identity: identity(&bob)?,
        code,
    };
    agent.act(right).await?;
    let draft = bob.rotation(&friendship.peer, &[], scene.now());
    scene.renewed(&bob)?;
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let seen = contact(&agent, &bob).await?;
    let rule = &req::CONTACT_VERIFIED_KEPT;
    scene.expect(rule, seen.epoch == 1 && seen.verified, || {
        format!("expected a friend who rotated to stay verified, seen {seen:?}")
    });
    Ok(())
}
