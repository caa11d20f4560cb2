//! Chapter “Identity”: verification, names, receipts; moving and rotating have files of their own.

mod introducing;
mod kit;
mod moving;
pub(crate) mod rotating;

pub(crate) use rotating::rotate;

use kith_adapter::act::identity::{Consent, Petname, Verify};
use kith_adapter::act::private::Message;
use kith_adapter::protocol::Identity;
use kith_adapter::view::identity::{Contact, Contacts};
use kith_adapter::view::relation::Friends;
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let cases = [
        Case::new(
            "identity/verify",
            "only the right safety code verifies a friend",
            Rung::Rest,
            &[&req::CONTACT_VERIFIED, &req::CONTACT_SAFETY_CODE],
            verified,
        ),
        Case::new(
            "identity/petname",
            "the name that the person gives comes before the claimed one",
            Rung::Rest,
            &[&req::CONTACT_PETNAME, &req::CONTACT_PETNAME_LOCAL],
            petname,
        ),
        Case::new(
            "message/receipt",
            "a receipt leaves only if the person agreed",
            Rung::Rest,
            &[&req::RECEIPT_CONSENT, &req::RECEIPT_RIDES],
            receipt,
        ),
    ];
    let cases = cases.into_iter().map(|case| case.needs(&needs));
    cases
        .chain(introducing::cases())
        .chain(moving::cases())
        .chain(rotating::cases())
        .chain(kit::cases())
        .collect()
}

fn identity(puppet: &Puppet) -> Result<Identity, Stop> {
    puppet.id.to_string().parse().map_err(Stop::harness)
}

async fn contact(agent: &Agent, puppet: &Puppet) -> Result<Contact, Stop> {
    let id = identity(puppet)?;
    let contacts = agent.view(Contacts {}).await?;
    let found = contacts.into_iter().find(|contact| contact.identity == id);
    found.ok_or_else(|| Stop::Agent(format!("{} is not among the contacts", puppet.address)))
}

async fn write(scene: &Scene, agent: &Agent, to: &Puppet) -> Result<(), Stop> {
    let message = Message {
        to: identity(to)?,
        text: scene.token(),
        parent: None,
        media: Vec::new(),
    };
    agent.act(message).await?;
    agent.sync().await?;
    Ok(())
}

async fn verified(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let before = contact(&agent, &bob).await?;
    let wrong = Verify {
        identity: identity(&bob)?,
        code: "00000 ".repeat(12),
    };
    let refused = agent.try_act(wrong).await?.is_err();
    let still = contact(&agent, &bob).await?.verified;
    scene.expect(&req::CONTACT_VERIFIED, refused && !still, || {
        "expected a wrong code to be refused, seen it taken".to_owned()
    });
    let right = Verify {
        identity: identity(&bob)?,
        code: before.code.clone(),
    };
    agent.act(right).await?;
    let after = contact(&agent, &bob).await?;
    for rule in [&req::CONTACT_VERIFIED, &req::CONTACT_SAFETY_CODE] {
        scene.expect(rule, after.verified && before.code.len() == 71, || {
            format!("expected the right code to verify, seen {after:?}")
        });
    }
    Ok(())
}

async fn petname(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let name = Some("The one from Oslo".to_owned());
    let identity = identity(&bob)?;
    agent
        .act(Petname {
            identity,
            name: name.clone(),
        })
        .await?;
    let friends = agent.view(Friends {}).await?;
    let shown = friends
        .iter()
        .any(|friend| Some(&friend.name) == name.as_ref());
    scene.expect(&req::CONTACT_PETNAME, shown, || {
        format!("expected the given name, seen {friends:?}")
    });
    write(&scene, &agent, &bob).await?;
    let sent = scene.all_sent()?;
    let mut mails = sent.iter().filter_map(|sent| sent.mail.as_ref().ok());
    let told = mails.any(|mail| name.as_ref().is_some_and(|name| mail.holds(name)));
    scene.expect(&req::CONTACT_PETNAME_LOCAL, !told, || {
        "expected the given name in no mail, seen it".to_owned()
    });
    Ok(())
}

async fn receipt(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    write(&scene, &agent, &bob).await?;
    let before = scene.mail_to(&bob)?;
    let silent = before.iter().all(|sent| sent.object("receipt").is_none());
    scene.expect(&req::RECEIPT_CONSENT, silent, || {
        "expected no receipt before the person agrees, seen one".to_owned()
    });
    let consent = Consent {
        delivered: true,
        seen: false,
        introduce: false,
    };
    agent.act(consent).await?;
    scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    write(&scene, &agent, &bob).await?;
    let sent = scene.expect_mail(&req::RECEIPT_RIDES, &bob, "receipt")?;
    let receipt = sent.object("receipt");
    let delivered = receipt.and_then(|receipt| receipt.payload.child("delivered"));
    scene.expect(&req::RECEIPT_RIDES, delivered.is_some(), || {
        "expected the receipt to name a message that arrived, seen none".to_owned()
    });
    Ok(())
}
