//! Self-copies of the agent, opened with the keys that the harness gave it.

use kith_forge::Puppet;
use kith_forge::read::{Knowledge, Reading};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Rule, req};

use super::message;
use crate::identity::rotate;

pub(super) fn cases() -> Vec<Case> {
    let cases = [
        Case::new(
            "devices/self-copy/sealed",
            "self-copies are sealed to the person's newest key alone, say what they are, and are not sent",
            Rung::Rest,
            &[&req::SELF_SEALED, &req::SELF_PURPOSE],
            sealed,
        ),
        Case::new(
            "devices/self-copy/no-secrets",
            "self-copies hold no secret keys, also after a rotation",
            Rung::Rest,
            &[&req::SELF_NO_SECRETS],
            no_secrets,
        ),
    ];
    let needs = ["devices/self-copy"];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The agent's self-copies, opened, in the order in which they were appended.
pub(super) fn copies(scene: &Scene, agent: &Agent) -> Result<Vec<Reading>, Stop> {
    let alice = scene.played(agent.address())?;
    let mut knowledge = Knowledge::new();
    knowledge.certificate(&alice.certificate);
    let mut copies = Vec::new();
    for stored in scene.server().messages(agent.address(), "Kith")? {
        // What others sent stands there too, and what can't be opened is none.
        let reading = alice.read(&stored.octets, &knowledge);
        copies.extend(reading.ok().filter(|mail| mail.self_document.is_some()));
    }
    Ok(copies)
}

/// An attribute of the root element of a self-copy's document.
pub(super) fn attribute(copy: &Reading, name: &str) -> Option<String> {
    let document = String::from_utf8(copy.self_document.clone()?).ok()?;
    let root = &document[document.find("<self")?..];
    let root = &root[..root.find('>')?];
    let value = root.split_once(&format!(" {name}=\""))?.1;
    Some(value[..value.find('"')?].to_owned())
}

/// The agent, a friend, and things that self-copies tell of, before and after a rotation.
async fn told(scene: &Scene) -> Result<(Agent, Vec<Reading>), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    let mut all = copies(scene, &agent)?;
    let before = all.len();
    let first = scene.played(agent.address())?;
    expect_sealed(scene, &all, &first)?;
    rotate(scene, &agent, false).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    let second = scene.played(agent.address())?;
    let later = copies(scene, &agent)?.split_off(before);
    let both = before > 0 && !later.is_empty();
    scene.require(&req::SELF_SEALED, both, || {
        let after = later.len();
        format!("expected self-copies before and after a rotation, seen {before} and {after}")
    })?;
    expect_sealed(scene, &later, &second)?;
    all.extend(later);
    Ok((agent, all))
}

/// Expects self-copies to be sealed to the newest subkey of a person alone.
fn expect_sealed(scene: &Scene, copies: &[Reading], person: &Puppet) -> Result<(), Stop> {
    let subkey = person.certificate.encryption_key();
    let subkey = subkey.map_err(Stop::harness)?.fingerprint();
    let subkey = subkey.to_string();
    for copy in copies {
        let envelope = copy.envelope.as_ref().ok_or(Stop::Failed)?;
        let keys = &envelope.session_keys;
        // A key ID is a part of the fingerprint.
        let right = |to: &str| !to.is_empty() && subkey.contains(&to.to_lowercase());
        let right = keys.iter().all(|(_, to)| right(to));
        let alone = keys.len() == 1 && envelope.password_packets == 0 && right;
        scene.expect(&req::SELF_SEALED, alone, || {
            format!("expected a self-copy for the newest subkey {subkey} alone, seen {keys:?}")
        });
        let purposes: Vec<_> = envelope.signatures.iter().map(|s| s.purpose()).collect();
        scene.expect(&req::SELF_PURPOSE, purposes == [Some("self")], || {
            format!("expected a self-copy to be signed as `self`, seen {purposes:?}")
        });
    }
    Ok(())
}

async fn sealed(scene: Scene) -> Result<(), Stop> {
    let rule: Rule = &req::SELF_SEALED;
    let (agent, _) = told(&scene).await?;
    let submissions = scene.server().submissions();
    let to_itself = submissions
        .iter()
        .filter(|mail| mail.recipients.iter().any(|to| to == agent.address()))
        .count();
    let sent = !submissions.is_empty();
    scene.expect(rule, sent && to_itself == 0, || {
        format!("expected mail to others only, seen {to_itself} mails to the person itself")
    });
    Ok(())
}

async fn no_secrets(scene: Scene) -> Result<(), Stop> {
    let rule: Rule = &req::SELF_NO_SECRETS;
    let (agent, copies) = told(&scene).await?;
    let secrets = scene.played(agent.address())?.secret_octets();
    for copy in &copies {
        let mut layers = vec![copy.envelope.as_ref().ok_or(Stop::Failed)?.payload.clone()];
        let mut nodes: Vec<_> = copy.inside.iter().collect();
        while let Some(node) = nodes.pop() {
            layers.push(node.content.clone());
            nodes.extend(&node.parts);
        }
        let armored = b"PRIVATE KEY BLOCK".to_vec();
        for secret in secrets.iter().chain([&armored]) {
            let holds = |layer: &Vec<u8>| {
                let mut windows = layer.windows(secret.len());
                windows.any(|window| window == secret)
            };
            let leaks = layers.iter().any(holds);
            scene.expect(rule, !leaks, || {
                "expected no secret key in a self-copy, seen one".to_owned()
            });
        }
    }
    Ok(())
}
