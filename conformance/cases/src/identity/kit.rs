//! Section “Recovery kit” of chapter “Identity”: what is in it, when there is a new one, and how
//! a person goes on with nothing else.

use kith_adapter::act::identity::Rotate;
use kith_adapter::view::relation::Friends;
use kith_forge::openpgp::{dearmor, split, tag};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::read::{document, openpgp};
use kith_runner::scene::{Scene, Who, request_ref};
use kith_spec::{Rule, req};

use super::write;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "identity/kit/content",
            "a recovery kit holds the next key, the chain and the contact, as armored text",
            Rung::Rest,
            &[&req::KIT_CONTENT, &req::IDENTITY_NEXT_MANDATORY],
            content,
        ),
        Case::new(
            "identity/kit/renewed",
            "a rotation gives a new recovery kit, before anything is sent",
            Rung::Rest,
            &[&req::KIT_RENEWED],
            renewed,
        ),
        Case::new(
            "identity/kit/recover",
            "from the recovery kit alone a person goes on as the same identity",
            Rung::Rest,
            &[&req::KIT_RECOVER],
            recover,
        ),
        Case::new(
            "identity/kit/recover-elsewhere",
            "from the recovery kit alone a person whose provider is lost too goes on at another address",
            Rung::Rest,
            &[&req::KIT_RECOVER, &req::KIT_CONTENT],
            elsewhere,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// A recovery kit, read.
struct Kit {
    /// The octets of the transferable secret key.
    secret: Vec<u8>,
    /// Its key hash.
    key: String,
    /// The objects: kind, hash, and the key that an entry of the chain commits to.
    objects: Vec<(String, String, Option<String>)>,
}

/// Reads a kit: the armored blocks in a text, in order.
fn read(scene: &Scene, rule: Rule, text: &str) -> Result<Kit, Stop> {
    let printable = text
        .chars()
        .all(|c| c.is_ascii_graphic() || " \r\n".contains(c));
    scene.expect(rule, printable, || {
        "expected a kit of printable ASCII, seen other characters".to_owned()
    });
    let blocks: Vec<String> = text
        .split("-----BEGIN ")
        .skip(1)
        .map(|block| format!("-----BEGIN {block}"))
        .collect();
    let label = |block: &String| block.lines().next().unwrap_or_default().to_owned();
    let labels: Vec<_> = blocks.iter().map(label).collect();
    let key_first =
        labels.first().map(String::as_str) == Some("-----BEGIN PGP PRIVATE KEY BLOCK-----");
    let others = labels.iter().skip(1);
    let right = key_first
        && others
            .clone()
            .all(|label| label == "-----BEGIN PGP MESSAGE-----");
    scene.require(rule, right && others.len() >= 2, || {
        format!("expected a private key, then messages, all in armor, seen {labels:?}")
    })?;
    let octets = |block: &String| dearmor(block.as_bytes()).map_err(Stop::harness);
    let secret = octets(&blocks[0])?;
    let facts = openpgp::certificate(&secret).map_err(|error| Stop::Agent(error.to_string()))?;
    let mut objects = Vec::new();
    for block in &blocks[1..] {
        let message = openpgp::message(&octets(block)?, &openpgp::Keyring::default());
        let message = message.map_err(|error| Stop::Agent(error.to_string()))?;
        let object = document::object(&message.content);
        let object = object.map_err(|error| Stop::Agent(error.to_string()))?;
        let next = object.payload.child("next").map(|next| next.text.clone());
        objects.push((object.kind, object.hash, next));
    }
    Ok(Kit {
        secret,
        key: facts.key_hash,
        objects,
    })
}

/// Expects a kit with the committed key, a chain of so many entries and the contact.
fn expect_complete(scene: &Scene, rule: Rule, kit: &Kit, entries: usize) {
    let kinds: Vec<_> = kit.objects.iter().map(|(kind, ..)| kind.as_str()).collect();
    let mut wanted = vec!["identity"; entries];
    wanted.push("contact");
    scene.expect(rule, kinds == wanted, || {
        format!("expected the objects {wanted:?}, seen {kinds:?}")
    });
    let newest = kit.objects.iter().rfind(|(kind, ..)| kind == "identity");
    let committed = newest.and_then(|(.., next)| next.clone());
    scene.expect(rule, committed.as_ref() == Some(&kit.key), || {
        let key = &kit.key;
        format!("expected the key that the newest entry commits to, {committed:?}, seen {key}")
    });
}

/// The text of a kit, or why it can't be seen.
fn shown(kit: Option<String>) -> Result<String, Stop> {
    let reason = "the adapter doesn't show recovery kits";
    kit.ok_or_else(|| Stop::Unsupported(reason.to_owned()))
}

async fn content(scene: Scene) -> Result<(), Stop> {
    let rule = &req::KIT_CONTENT;
    let agent = scene.agent_with_own_keys().await?;
    let text = shown(agent.opened().kit.clone())?;
    let kit = read(&scene, rule, &text)?;
    expect_complete(&scene, rule, &kit, 1);
    expect_complete(&scene, &req::IDENTITY_NEXT_MANDATORY, &kit, 1);
    let packets = split(&kit.secret).map_err(Stop::harness)?;
    let secret = packets.first().map(|packet| packet.tag);
    scene.expect(rule, secret == Some(tag::SECRET_KEY), || {
        format!("expected a secret key first in the armor, seen packet type {secret:?}")
    });
    Ok(())
}

async fn renewed(scene: Scene) -> Result<(), Stop> {
    let rule = &req::KIT_RENEWED;
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let text = shown(agent.opened().kit.clone())?;
    let first = read(&scene, rule, &text)?;
    let sent = scene.server().submissions().len();
    let rotate = Rotate {
        secret: first.secret.into(),
        compromised: false,
    };
    let rotated = agent.act(rotate).await?;
    let before = scene.server().submissions().len() - sent;
    scene.expect(rule, before == 0, || {
        format!("expected nothing sent before the kit was given, seen {before} mails")
    });
    let text = rotated.kit.unwrap_or_default();
    let second = read(&scene, rule, &text)?;
    expect_complete(&scene, rule, &second, 2);
    scene.expect(rule, first.key != second.key, || {
        "expected another key in the new kit, seen the same".to_owned()
    });
    agent.sync().await?;
    let told = scene.expect_mail(rule, &bob, "identity")?;
    let hash = told.object("identity").map(|entry| entry.hash.clone());
    let entry = second.objects.get(1).map(|(_, hash, _)| hash.clone());
    scene.expect(rule, hash == entry, || {
        format!("expected the kit's entry {entry:?} in what friends get, seen {hash:?}")
    });
    Ok(())
}

async fn recover(scene: Scene) -> Result<(), Stop> {
    let rule = &req::KIT_RECOVER;
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    write(&scene, &agent, &bob).await?;
    scene.mail_to(&bob)?;
    let kit = shown(agent.opened().kit.clone())?;
    // Everything but the kit is lost.
    let same = agent.identity().to_string();
    let agent = scene.recovered(&agent, kit, true).await?;
    scene.require(rule, agent.identity().as_str() == same, || {
        format!("expected the identity {same}, seen {}", agent.identity())
    })?;
    let chain = &agent.opened().chain;
    scene.expect(rule, chain.len() == 2, || {
        format!("expected a chain of two entries, seen {}", chain.len())
    });
    let sent = scene.asked(&agent, &bob).await?;
    let mail = sent.mail.as_ref().map_err(Stop::harness)?;
    let entry = mail.readable().find(|object| {
        let epoch = object.payload.attribute("epoch");
        object.kind == "identity" && epoch == Some("1")
    });
    let entry = scene.require_some(rule, entry, || {
        "expected a request with the entry of epoch 1, seen none".to_owned()
    })?;
    scene.expect(rule, entry.author == same, || {
        format!("expected an entry of {same}, seen one of {}", entry.author)
    });
    let lost = entry
        .payload
        .child("compromised")
        .map(|epoch| epoch.text.clone());
    scene.expect(rule, lost.as_deref() == Some("0"), || {
        format!("expected the lost epoch 0 to be named as compromised, seen {lost:?}")
    });
    let request = sent.object("request").map(|request| request.author.clone());
    scene.expect(rule, request.as_ref() == Some(&same), || {
        format!("expected a request of {same}, seen one of {request:?}")
    });
    Ok(())
}

async fn elsewhere(scene: Scene) -> Result<(), Stop> {
    let rule = &req::KIT_RECOVER;
    let lost = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let kit = shown(lost.opened().kit.clone())?;
    let same = lost.identity().to_string();
    let agent = scene.recovered_elsewhere(&lost, kit, true).await?;
    scene.require(rule, agent.identity().as_str() == same, || {
        format!("expected the identity {same}, seen {}", agent.identity())
    })?;
    let sent = scene.asked(&agent, &bob).await?;
    let contact = scene.require_some(rule, sent.object("contact"), || {
        "expected a request with a contact, seen none".to_owned()
    })?;
    let address = contact.payload.child("address");
    let address = address.map(|address| address.text.clone());
    scene.expect(rule, address.as_deref() == Some(agent.address()), || {
        let wanted = agent.address();
        format!("expected a contact that prefers {wanted}, seen {address:?}")
    });
    // The next kit leads there, and not to the address that is gone.
    let next = read(
        &scene,
        &req::KIT_CONTENT,
        &shown(agent.opened().kit.clone())?,
    )?;
    expect_complete(&scene, &req::KIT_CONTENT, &next, 2);
    let kept = next.objects.last().map(|(_, hash, _)| hash);
    scene.expect(&req::KIT_CONTENT, kept == Some(&contact.hash), || {
        format!("expected the contact of the request in the new kit, seen {kept:?}")
    });
    let accept = bob.accept(&request_ref(&sent)?, &agent.peer()?, scene.now());
    scene.send(&mut bob, accept.map_err(Stop::harness)?).await?;
    let friends = agent.view(Friends {}).await?;
    let friend = friends.iter().any(|friend| friend.address == bob.address);
    scene.expect(rule, friend, || {
        format!("expected the friend again after the accept, seen {friends:?}")
    });
    Ok(())
}
