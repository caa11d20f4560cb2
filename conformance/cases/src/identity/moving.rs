//! Section “Moving” of chapter “Identity”: mail to addresses that are not proved.

use std::sync::Arc;

use kith_adapter::act::identity::Move;
use kith_forge::{Id128, Peer, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::Mail;
use kith_runner::scene::{Agent, Scene, Sent, Who};
use kith_spec::{Rule, limit, req};

use super::{contact, write};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "identity/move/both",
            "a friend who moved gets mail at both addresses, a few times at the new one",
            Rung::Rest,
            &[&req::PATH_BOTH, &req::PATH_FEW, &req::PATH_NONCE],
            both,
        ),
        Case::new(
            "identity/move/proved",
            "once the nonce comes back, mail goes to the new address only",
            Rung::Rest,
            &[&req::PATH_PROVED, &req::PATH_RENEWED],
            proved,
        ),
        Case::new(
            "identity/move/foreign-echo",
            "a nonce that was never sent proves nothing",
            Rung::Rest,
            &[&req::PATH_FOREIGN],
            foreign,
        ),
        Case::new(
            "identity/move/echoed",
            "the nonce of a friend's delivery comes back with the next one",
            Rung::Rest,
            &[&req::PATH_ECHO],
            echoed,
        ),
        Case::new(
            "identity/move/older-last",
            "an earlier contact that comes last changes nothing",
            Rung::Rest,
            &[&req::CONTACT_LATEST],
            older_last,
        ),
        Case::new(
            "identity/move/own",
            "the agent's person moves: friends get a contact that prefers the new address",
            Rung::Rest,
            &[&req::CONTACT_LATEST],
            moved,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The nonce in a delivery.
fn nonce(sent: &Sent) -> Option<Id128> {
    let delivery = sent.mail.as_ref().ok().and_then(Mail::delivery)?;
    delivery.path.as_ref()?.parse().ok()
}

/// What makes a delivery the same: channel, number, objects.
fn content(sent: &Sent) -> Option<(&str, u64, &[String])> {
    let delivery = sent.mail.as_ref().ok().and_then(Mail::delivery)?;
    let channel = delivery.channel.as_ref()?;
    Some((&channel.id, channel.seq, &delivery.objects))
}

fn messages(sent: &[Arc<Sent>]) -> Vec<&Arc<Sent>> {
    let with = sent.iter().filter(|sent| sent.object("message").is_some());
    with.collect()
}

/// A friend moves, and tells it.
async fn moves(scene: &Scene, bob: &mut Puppet, peer: &Peer, address: &str) -> Result<(), Stop> {
    let draft = bob.moved(peer, address, scene.now());
    scene.renewed(bob)?;
    scene.send(bob, draft.map_err(Stop::harness)?).await?;
    Ok(())
}

async fn both(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let old = bob.address.clone();
    let mut aimed = Vec::new();
    let mut written = 0;
    // A series of moves buys nothing: the limit is on all addresses together.
    for victim in ["victim@b.test", "other.victim@b.test"] {
        moves(&scene, &mut bob, &friendship.peer, victim).await?;
        for _ in 0..3 {
            write(&scene, &agent, &bob).await?;
            written += 1;
        }
        aimed.extend(scene.mail_to_address(victim)?);
    }
    let most = usize::try_from(limit::PATH_DELIVERIES).map_err(Stop::harness)?;
    scene.expect(&req::PATH_FEW, aimed.len() == most, || {
        let seen = aimed.len();
        format!("expected {most} mails to addresses that are not proved, seen {seen}")
    });
    let nonces: Vec<_> = aimed.iter().filter_map(|sent| nonce(sent)).collect();
    let fresh: std::collections::BTreeSet<_> = nonces.iter().map(ToString::to_string).collect();
    scene.expect(&req::PATH_NONCE, fresh.len() == aimed.len(), || {
        format!(
            "expected a fresh nonce in each of {} mails, seen {fresh:?}",
            aimed.len()
        )
    });
    let there = scene.mail_to_address(&old)?;
    let there = messages(&there);
    let same = |sent: &&Arc<Sent>| there.iter().any(|other| content(other) == content(sent));
    let aimed = messages(&aimed);
    let right = there.len() == written && aimed.iter().all(same);
    scene.expect(&req::PATH_BOTH, right, || {
        let seen = there.len();
        format!("expected {written} messages at the proved address too, the same ones, seen {seen}")
    });
    Ok(())
}

/// To which addresses the next message goes: the old, the new.
async fn reached(
    scene: &Scene,
    agent: &Agent,
    bob: &Puppet,
    addresses: [&str; 2],
) -> Result<[Vec<Arc<Sent>>; 2], Stop> {
    for address in addresses {
        scene.mail_to_address(address)?;
    }
    write(scene, agent, bob).await?;
    Ok([
        scene.mail_to_address(addresses[0])?,
        scene.mail_to_address(addresses[1])?,
    ])
}

fn expect_reached(scene: &Scene, rule: Rule, seen: &[Vec<Arc<Sent>>; 2], expected: [usize; 2]) {
    let counts = [messages(&seen[0]).len(), messages(&seen[1]).len()];
    scene.expect(rule, counts == expected, || {
        format!("expected {expected:?} messages at the old and the new address, seen {counts:?}")
    });
}

async fn proved(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let rule = &req::PATH_PROVED;
    let old = bob.address.clone();
    let seen = contact(&agent, &bob).await?;
    scene.expect(rule, seen.proved.as_ref() == Some(&old), || {
        format!("expected {old} to be proved by the handshake, seen {seen:?}")
    });
    let new = "bob.new@b.test";
    moves(&scene, &mut bob, &friendship.peer, new).await?;
    let seen = contact(&agent, &bob).await?;
    let first = seen.addresses.first().map(String::as_str);
    let unproved = first == Some(new) && seen.proved.as_ref() == Some(&old);
    scene.expect(rule, unproved, || {
        format!("expected the new address to be known and not proved, seen {seen:?}")
    });
    let before = reached(&scene, &agent, &bob, [&old, new]).await?;
    expect_reached(&scene, rule, &before, [1, 1]);
    let nonce = before[1].iter().find_map(|sent| nonce(sent));
    let nonce = scene.require_some(&req::PATH_NONCE, nonce, || {
        "expected a nonce in the delivery to the new address, seen none".to_owned()
    })?;
    let text = scene.token();
    let draft = bob.message(&friendship.peer, &text, scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.delivery.echoes.push(nonce);
    scene.send(&mut bob, draft).await?;
    let seen = contact(&agent, &bob).await?;
    scene.expect(rule, seen.proved.as_deref() == Some(new), || {
        format!("expected {new} to be proved by the echo, seen {seen:?}")
    });
    let after = reached(&scene, &agent, &bob, [&old, new]).await?;
    expect_reached(&scene, rule, &after, [0, 1]);
    // Back again: the first address needs no proof.
    moves(&scene, &mut bob, &friendship.peer, &old).await?;
    let back = reached(&scene, &agent, &bob, [new, &old]).await?;
    expect_reached(&scene, &req::PATH_RENEWED, &back, [0, 1]);
    Ok(())
}

async fn foreign(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let (old, new) = (bob.address.clone(), "bob.new@b.test");
    moves(&scene, &mut bob, &friendship.peer, new).await?;
    // A nonce is out, and Bob doesn't know it.
    write(&scene, &agent, &bob).await?;
    let text = scene.token();
    let draft = bob.message(&friendship.peer, &text, scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    let guessed = Id128::random(&mut scene.rng("guessed"));
    draft.delivery.echoes.push(guessed);
    scene.send(&mut bob, draft).await?;
    let seen = contact(&agent, &bob).await?;
    let unproved = seen.proved.as_ref() == Some(&old);
    scene.expect(&req::PATH_FOREIGN, unproved, || {
        format!("expected {new} not to be proved by a nonce that nobody sent, seen {seen:?}")
    });
    let seen = reached(&scene, &agent, &bob, [&old, new]).await?;
    expect_reached(&scene, &req::PATH_FOREIGN, &seen, [1, 1]);
    Ok(())
}

async fn echoed(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let draft = bob.message(&friendship.peer, &text, scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    let nonce = Id128::random(&mut scene.rng("nonce"));
    draft.delivery.path = Some(nonce);
    scene.send(&mut bob, draft).await?;
    scene.mail_to(&bob)?;
    agent.jump(1).await?;
    let sent = scene.mail_to(&bob)?;
    let echoes = |sent: &&Arc<Sent>| {
        let delivery = sent.mail.as_ref().ok().and_then(Mail::delivery);
        delivery.is_some_and(|delivery| delivery.echoes.contains(&nonce.to_string()))
    };
    let echoed = sent.iter().filter(echoes).count();
    scene.expect(&req::PATH_ECHO, echoed == 1, || {
        format!("expected the nonce to come back once within a day, seen it {echoed} times")
    });
    Ok(())
}

async fn older_last(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let mut mails = Vec::new();
    for address in ["bob.first@b.test", "bob.second@b.test"] {
        let draft = bob.moved(&friendship.peer, address, scene.now());
        scene.renewed(&bob)?;
        mails.push(scene.write(&mut bob, draft.map_err(Stop::harness)?)?);
    }
    for mail in mails.iter().rev() {
        scene.deliver(mail)?;
        agent.sync().await?;
    }
    let seen = contact(&agent, &bob).await?;
    let first = seen.addresses.first().map(String::as_str);
    let newest = bob.address.as_str();
    scene.expect(&req::CONTACT_LATEST, first == Some(newest), || {
        format!("expected the newest contact's address {newest}, seen {seen:?}")
    });
    Ok(())
}

async fn moved(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    // One that the same account may send from.
    let address = agent.address().replace('@', "+moved@");
    let to = address.clone();
    agent.act(Move { address: to }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::CONTACT_LATEST, &bob, "contact")?;
    let contact = sent.object("contact");
    let preferred = contact.and_then(|contact| contact.payload.child("address"));
    let preferred = preferred.map(|element| element.text.as_str());
    scene.expect(&req::CONTACT_LATEST, preferred == Some(&*address), || {
        format!("expected a contact that prefers {address}, seen {preferred:?}")
    });
    Ok(())
}
