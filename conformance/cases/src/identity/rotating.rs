//! Sections “Rotation” and “Freezing” of chapter “Identity”: the agent's own rotation, and what
//! becomes of friends who rotated.

use std::sync::Arc;

use kith_adapter::act::identity::{Rotate, Verify};
use kith_adapter::protocol::Octets;
use kith_adapter::view::private::Messages;
use kith_forge::Puppet;
use kith_forge::draft::Item;
use kith_forge::openpgp::SignSpec;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::read::openpgp::SessionKeyPacket;
use kith_runner::scene::{Agent, AuthResult, Scene, Sent, Who};
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
            "identity/rotate/own-earlier",
            "what is sealed to an own earlier key is read",
            Rung::Rest,
            &[&req::IDENTITY_OWN_EARLIER],
            |scene| own_earlier(scene, false),
        ),
        Case::new(
            "identity/rotate/own-compromised",
            "what is sealed to an own compromised key is refused",
            Rung::Rest,
            &[&req::IDENTITY_OWN_EARLIER],
            |scene| own_earlier(scene, true),
        ),
        Case::new(
            "identity/revoked",
            "a friend whose key is revoked is frozen, and not verified any more",
            Rung::Rest,
            &[&req::IDENTITY_REVOKED_FREEZES, &req::CONTACT_VERIFIED_KEPT],
            revoked,
        ),
        Case::new(
            "identity/rotate/verified",
            "a friend who rotated stays verified, and one who is frozen does not",
            Rung::Rest,
            &[&req::CONTACT_VERIFIED_KEPT],
            verified,
        ),
        Case::new(
            "identity/rotate/contact-stays",
            "the last contact of a friend is used until one of the new epoch comes",
            Rung::Rest,
            &[&req::CONTACT_STAYS],
            contact_stays,
        ),
        Case::new(
            "identity/certificate/renewed",
            "a friend's certificate with a new subkey takes the place of the one before",
            Rung::Rest,
            &[&req::DELIVERY_CERTIFICATE_RENEWED, &req::SEC_RECIPIENT_KEY],
            renewed_subkey,
        ),
        Case::new(
            "identity/certificate/unverified",
            "a certificate in a delivery that does not verify changes nothing",
            Rung::Rest,
            &[&req::SEC_CERT_KEPT],
            unverified,
        ),
        Case::new(
            "identity/rotate/without-certificate",
            "a rotation under the earlier key is refused without the certificate of the new one",
            Rung::Rest,
            &[&req::IDENTITY_ROTATION_CERTIFICATE],
            without_certificate,
        ),
        Case::new(
            "identity/rotate/compromised-loses",
            "what a compromised key signed stays until the owner says something else",
            Rung::Rest,
            &[&req::IDENTITY_COMPROMISED_LOSES],
            compromised_loses,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The agent's person takes the next key. The harness made the keys, and so knows it.
pub(crate) async fn rotate(scene: &Scene, agent: &Agent, compromised: bool) -> Result<(), Stop> {
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
    scene.expect(&req::IDENTITY_DEVICE, right, || {
        "expected deliveries under the new key, which they hand over".to_owned()
    });
    scene.require(&req::IDENTITY_ROTATION_RIDES, right, || {
        let seen: Vec<_> = sent.iter().map(|sent| sent.describe()).collect();
        format!("expected two deliveries with the entry of epoch 1, seen {seen:?}")
    })?;
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

async fn own_earlier(scene: Scene, compromised: bool) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    // Bob does not know of the rotation yet.
    let text = scene.token();
    let mail = scene.message(&mut bob, &friendship.peer, &text)?;
    rotate(&scene, &agent, compromised).await?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let messages = agent.view(Messages {}).await?;
    let shown = messages.iter().any(|message| message.text == text);
    scene.expect(&req::IDENTITY_OWN_EARLIER, shown != compromised, || {
        let expected = !compromised;
        format!("expected a message to the earlier key to be shown: {expected}, seen {shown}")
    });
    Ok(())
}

/// The user compares safety codes with a friend.
async fn verify(agent: &Agent, bob: &Puppet) -> Result<(), Stop> {
    let right = Verify {
        identity: identity(bob)?,
        code: contact(agent, bob).await?.code,
    };
    agent.act(right).await?;
    Ok(())
}

async fn revoked(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    verify(&agent, &bob).await?;
    bob.certificate_spec.revoked = Some(scene.now());
    bob.renew_certificate();
    let draft = bob.message(&friendship.peer, &scene.token(), scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.certificates.push(bob.certificate.clone());
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let seen = contact(&agent, &bob).await?;
    let warned = seen.frozen && seen.warning.is_some();
    scene.expect(&req::IDENTITY_REVOKED_FREEZES, warned, || {
        format!("expected the friend to be frozen and the user warned, seen {seen:?}")
    });
    scene.expect(&req::CONTACT_VERIFIED_KEPT, !seen.verified, || {
        "expected freezing to end the verification, seen it kept".to_owned()
    });
    Ok(())
}

async fn verified(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    verify(&agent, &bob).await?;
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

async fn is_shown(agent: &Agent, text: &str) -> Result<bool, Stop> {
    let messages = agent.view(Messages {}).await?;
    Ok(messages.iter().any(|message| message.text == text))
}

async fn contact_stays(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    let draft = bob.rotation(&friendship.peer, &[], scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    scene.renewed(&bob)?;
    draft.objects.truncate(1);
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let seen = contact(&agent, &bob).await?;
    let rule = &req::CONTACT_STAYS;
    let same = seen.epoch == 1 && seen.addresses == [bob.address.clone()];
    scene.expect(rule, same, || {
        format!("expected the new epoch and the old address, seen {seen:?}")
    });
    write(&scene, &agent, &bob).await?;
    scene.expect_mail(rule, &bob, "message")?;
    Ok(())
}

async fn compromised_loses(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let (stolen, owned) = (scene.token(), scene.token());
    let first = bob.message_object(&friendship.peer, &owned, None, scene.now());
    let mut thief = bob.edited(&first, &stolen, scene.now());
    thief.rev = 9;
    let draft = bob.carry(&friendship.peer, vec![thief], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let draft = bob.rotation(&friendship.peer, &[0], scene.now());
    scene.renewed(&bob)?;
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let rule = &req::IDENTITY_COMPROMISED_LOSES;
    let stays = is_shown(&agent, &stolen).await?;
    scene.expect(rule, stays, || {
        "expected what came before to stay until there is something else, seen it gone".to_owned()
    });
    let mut again = first;
    again.sign = SignSpec::new(&bob.key, scene.now()).purpose("object");
    let draft = bob.carry(&friendship.peer, vec![again], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let wins = is_shown(&agent, &owned).await? && !is_shown(&agent, &stolen).await?;
    scene.expect(rule, wins, || {
        "expected a lower revision under the new key to win, seen the compromised one".to_owned()
    });
    Ok(())
}

async fn renewed_subkey(scene: Scene) -> Result<(), Stop> {
    let rule = &req::DELIVERY_CERTIFICATE_RENEWED;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    let mut keys = Vec::new();
    for renewal in [false, true] {
        if renewal {
            scene.advance_days(1)?;
            bob.renew_subkey(scene.now());
            scene.renewed(&bob)?;
        }
        let draft = bob.message(&friendship.peer, &scene.token(), scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        // The certificate goes along with what says who the sender is.
        draft.objects.insert(0, bob.contact.clone().into());
        draft.certificates.push(bob.certificate.clone());
        scene.send(&mut bob, draft).await?;
        write(&scene, &agent, &bob).await?;
        // The judge sees whether that is the newest subkey.
        let sent = scene.expect_mail(rule, &bob, "message")?;
        let mail = sent.mail.as_ref().map_err(Stop::harness)?;
        keys.push(mail.session_keys().to_vec());
    }
    let changed = keys[0].len() == 1 && keys[1].len() == 1 && keys[0] != keys[1];
    scene.expect(rule, changed, || {
        format!("expected mail to the new subkey after it came, seen mail to {keys:?}")
    });
    scene.expect(&req::SEC_RECIPIENT_KEY, changed, || {
        format!("expected mail to the newest subkey, seen mail to {keys:?}")
    });
    Ok(())
}

async fn unverified(scene: Scene) -> Result<(), Stop> {
    let rule = &req::SEC_CERT_KEPT;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    write(&scene, &agent, &bob).await?;
    let sent = scene.expect_mail(rule, &bob, "message")?;
    let before = session_keys(&sent);
    scene.advance_days(1)?;
    bob.renew_subkey(scene.now());
    let mut seen = Vec::new();
    for verifies in [false, true] {
        let draft = bob.message(&friendship.peer, &scene.token(), scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        draft.objects.insert(0, bob.contact.clone().into());
        draft.certificates.push(bob.certificate.clone());
        if verifies {
            scene.renewed(&bob)?;
            scene.send(&mut bob, draft).await?;
        } else {
            let signatures = draft.envelope.signatures.iter_mut();
            signatures.for_each(|signature| signature.corrupt = true);
            let mail = scene.write(&mut bob, draft)?;
            scene.deliver_unjudged(&mail, AuthResult::Pass)?;
            agent.sync().await?;
        }
        write(&scene, &agent, &bob).await?;
        let sent = scene.expect_mail(rule, &bob, "message")?;
        seen.push(session_keys(&sent));
    }
    scene.expect(rule, seen[0] == before && seen[1] != before, || {
        format!("expected the new subkey once a delivery verified, {before:?}, seen {seen:?}")
    });
    Ok(())
}

/// The session-key packets of a mail that the judge could read.
fn session_keys(sent: &Sent) -> Vec<SessionKeyPacket> {
    let mail = sent.mail.as_ref().ok();
    mail.map_or_else(Vec::new, |mail| mail.session_keys().to_vec())
}

async fn without_certificate(scene: Scene) -> Result<(), Stop> {
    let rule = &req::IDENTITY_ROTATION_CERTIFICATE;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let earlier = bob.key.clone();
    bob.rotate(scene.now(), &[]);
    scene.renewed(&bob)?;
    for complete in [false, true] {
        let text = scene.token();
        let newest = std::mem::replace(&mut bob.key, earlier.clone());
        let message = bob.message_object(&friendship.peer, &text, None, scene.now());
        let draft = bob.delivery_on_channel(&friendship.peer, scene.now());
        let mut draft = draft.map_err(Stop::harness)?;
        bob.key = newest;
        let entry = bob.chain.last().cloned().map(Item::Signed);
        draft.objects.extend(entry);
        draft.objects.push(bob.contact.clone().into());
        draft.objects.push(message.into());
        if complete {
            draft.certificates.push(bob.certificate.clone());
        }
        let mail = scene.write(&mut bob, draft)?;
        scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        agent.sync().await?;
        let shown = is_shown(&agent, &text).await?;
        scene.expect(rule, shown == complete, || {
            let with = if complete { "with" } else { "without" };
            format!(
                "expected the message {with} the certificate to be shown: {complete}, seen {shown}"
            )
        });
    }
    Ok(())
}
