//! Chapters “Devices” and “The mailbox”: several devices of one person, exports, and leaving.

mod archives;
mod copies;
mod others;
mod readable;

use kith_adapter::act::device::{Export, RestoreMailbox};
use kith_adapter::act::private::Message;
use kith_adapter::protocol::{Authentication, Octets, Outcome};
use kith_adapter::view::delivery::Devices;
use kith_adapter::view::private::Messages;
use kith_adapter::view::relation::{Friends, State};
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Scene, Who};
use kith_spec::req;
use kith_testbed::Deliver;

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let case = |id, title, rules: &[kith_spec::Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&needs)
    };
    let mut cases = vec![
        case(
            "devices/export",
            "a device that starts from an export shows what the first one shows",
            &[
                &req::DEVICES_SAME_KEYS,
                &req::EXPORT_COMPLETE,
                &req::DEVICES_LISTED,
            ],
            |scene| Box::pin(export(scene)),
        ),
        case(
            "devices/self-copy",
            "what one device sends, the other one learns from the mailbox and does not send again",
            &[&req::SELF_APPEND, &req::SELF_EFFECT, &req::SELF_MARK],
            |scene| Box::pin(self_copy(scene)),
        ),
        case(
            "devices/channels",
            "each device has channels of its own",
            &[&req::CHANNEL_RESTORED],
            |scene| Box::pin(channels(scene)),
        ),
        case(
            "devices/confirm-held",
            "a confirm for an accept of another device waits for the self-copy",
            &[&req::SELF_CONFIRM_HELD],
            |scene| Box::pin(confirm_held(scene)),
        ),
        case(
            "devices/journal",
            "a device that starts later agrees when something was received",
            &[
                &req::JOURNAL_APPEND,
                &req::JOURNAL_TIME,
                &req::DEVICES_REBUILD,
            ],
            |scene| Box::pin(journal(scene)),
        ),
        case(
            "devices/import-refused",
            "an export is opened only with its passphrase, and whole",
            &[&req::EXPORT_WHOLE, &req::EXPORT_FORM],
            |scene| Box::pin(import_refused(scene)),
        ),
        case(
            "file/back",
            "ordinary mail that a filter put among Kith mail goes back",
            &[&req::FILE_BACK],
            |scene| Box::pin(back(scene)),
        ),
        case(
            "file/restore",
            "leaving brings all mail back to INBOX, and it stays there",
            &[&req::FILE_RESTORE],
            |scene| Box::pin(restore(scene)),
        ),
    ];
    cases.extend(archives::cases());
    cases.extend(copies::cases());
    cases.extend(others::cases());
    cases.extend(readable::cases());
    cases
}

fn message(to: &kith_forge::Puppet, text: &str) -> Result<Message, Stop> {
    Ok(Message {
        to: to.id.to_string().parse().map_err(Stop::harness)?,
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    })
}

async fn texts(agent: &Agent) -> Result<Vec<String>, Stop> {
    let messages = agent.view(Messages {}).await?;
    Ok(messages.into_iter().map(|message| message.text).collect())
}

async fn export(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let token = scene.token();
    scene.say(&mut bob, &friendship.peer, &token).await?;
    let mine = scene.token();
    laptop.act(message(&bob, &mine)?).await?;
    laptop.sync().await?;
    let phone = laptop.another_device("phone").await?;
    let same = phone.identity() == laptop.identity()
        && phone.opened().certificate == laptop.opened().certificate;
    scene.expect(&req::DEVICES_SAME_KEYS, same, || {
        "expected the same identity and certificate on both devices, seen others".to_owned()
    });
    let (texts, friends) = (texts(&phone).await?, phone.view(Friends {}).await?);
    let complete = texts.contains(&token) && texts.contains(&mine) && friends.len() == 1;
    scene.expect(&req::EXPORT_COMPLETE, complete, || {
        format!("expected a friend and two messages from the export, seen {friends:?}, {texts:?}")
    });
    phone.act(message(&bob, &scene.token())?).await?;
    phone.sync().await?;
    laptop.sync().await?;
    let devices = laptop.view(Devices {}).await?;
    let listed = |name: &str| devices.iter().any(|device| device.name == name);
    let both = listed("laptop") && listed("phone");
    scene.expect(&req::DEVICES_LISTED, both, || {
        format!("expected laptop and phone, seen {devices:?}")
    });
    Ok(())
}

async fn self_copy(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let phone = laptop.another_device("phone").await?;
    phone.sync().await?;
    let before = scene.server().messages(laptop.address(), "Kith")?.len();
    let token = scene.token();
    laptop.act(message(&bob, &token)?).await?;
    laptop.sync().await?;
    let kith = scene.server().messages(laptop.address(), "Kith")?;
    scene.expect(&req::SELF_APPEND, kith.len() > before, || {
        format!(
            "expected a self-copy in Kith, seen {} mails as before",
            kith.len()
        )
    });
    let new = kith.iter().skip(before);
    let unread = new
        .filter(|mail| !mail.flags.iter().any(|flag| flag.contains("Seen")))
        .count();
    scene.expect(&req::SELF_MARK, unread == 0, || {
        format!("expected self-copies with the flag \\Seen, seen {unread} without")
    });
    let sent = scene.server().submissions().len();
    phone.sync().await?;
    let seen = texts(&phone).await?;
    scene.expect(&req::SELF_EFFECT, seen.contains(&token), || {
        format!("expected the other device's message, seen {seen:?}")
    });
    let again = scene.server().submissions().len() - sent;
    scene.expect(&req::SELF_EFFECT, again == 0, || {
        format!("expected nothing sent because of a self-copy, seen {again} mails")
    });
    Ok(())
}

async fn channels(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let mut used = Vec::new();
    let phone = laptop.another_device("phone").await?;
    for device in [&laptop, &phone] {
        device.act(message(&bob, &scene.token())?).await?;
        device.sync().await?;
        let sent = scene.expect_mail(&req::CHANNEL_RESTORED, &bob, "message")?;
        let mail = sent.mail.as_ref().ok();
        let delivery = mail.and_then(|mail| mail.delivery());
        let channel = delivery.and_then(|delivery| delivery.channel.as_ref());
        used.push(channel.map(|channel| channel.id.clone()));
    }
    let differ = used[0].is_some() && used[1].is_some() && used[0] != used[1];
    scene.expect(&req::CHANNEL_RESTORED, differ, || {
        format!("expected two channels, seen {used:?}")
    });
    Ok(())
}

async fn confirm_held(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let note = Some("Hello".to_owned());
    let options = RequestOptions {
        note,
        ..RequestOptions::default()
    };
    let draft = bob.request(laptop.address(), scene.now(), options);
    scene.send(&mut bob, draft).await?;
    let request = scene.request_shown(&laptop, &bob).await?;
    let phone = laptop.another_device("phone").await?;
    phone.sync().await?;
    scene.request_shown(&phone, &bob).await?;
    laptop
        .act(kith_adapter::act::relation::Accept { request })
        .await?;
    laptop.sync().await?;
    let accept = scene.expect_mail(&req::SELF_CONFIRM_HELD, &bob, "accept")?;
    let hash = accept.object("accept").map(|object| object.hash.clone());
    let hash = hash.and_then(|hash| hash.parse().ok());
    let hash = hash.ok_or_else(|| Stop::Harness("the accept has no hash".to_owned()))?;
    let draft = bob.confirm(&laptop.peer()?, hash, scene.now());
    let mail = scene.write(&mut bob, draft.map_err(Stop::harness)?)?;
    let received = phone.receive(&mail.octets, Authentication::Pass).await?;
    let held = received
        .objects
        .iter()
        .any(|object| object.outcome == Outcome::Hold);
    let held = held || received.outcome == Outcome::Hold;
    scene.expect(&req::SELF_CONFIRM_HELD, held, || {
        format!("expected a held confirm, seen {received:?}")
    });
    phone.sync().await?;
    let state = scene.relation(&phone, &bob).await?;
    scene.expect(&req::SELF_CONFIRM_HELD, state == State::Friends, || {
        format!("expected friends after the self-copy, seen {state:?}")
    });
    Ok(())
}

async fn journal(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let passphrase = scene.token();
    let early = Export {
        passphrase: passphrase.clone(),
    };
    let early = laptop.act(early).await?.archive;
    let token = scene.token();
    scene.say(&mut bob, &friendship.peer, &token).await?;
    let received = |messages: Vec<kith_adapter::view::private::Message>| {
        let message = messages.into_iter().find(|message| message.text == token);
        message.and_then(|message| message.received)
    };
    let first = received(laptop.view(Messages {}).await?);
    laptop.jump(1).await?;
    scene.advance_days(40)?;
    let phone = laptop.device_from("phone", early, passphrase).await?;
    phone.sync().await?;
    let later = received(phone.view(Messages {}).await?);
    let agree = first.is_some() && first == later;
    for rule in [
        &req::JOURNAL_APPEND,
        &req::JOURNAL_TIME,
        &req::DEVICES_REBUILD,
    ] {
        scene.expect(rule, agree, || {
            format!("expected the time of receiving {first:?} on a later device, seen {later:?}")
        });
    }
    Ok(())
}

async fn import_refused(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let passphrase = scene.token();
    let export = Export {
        passphrase: passphrase.clone(),
    };
    let archive = laptop.act(export).await?.archive;
    let mut damaged = archive.0.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let wrong = scene.token();
    for (rule, archive, words) in [
        (&req::EXPORT_WHOLE, archive.clone(), wrong),
        (&req::EXPORT_FORM, Octets(damaged), passphrase.clone()),
    ] {
        let opened = laptop.device_from("thief", archive, words).await;
        scene.expect(rule, opened.is_err(), || {
            "expected a refusal of the export, seen a device".to_owned()
        });
    }
    laptop.device_from("phone", archive, passphrase).await?;
    Ok(())
}

async fn back(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let ordinary = b"From: shop@b.test\r\nTo: you\r\nSubject: Offer\r\n\r\nNothing of Kith.\r\n";
    let how = Deliver {
        folder: "Kith".to_owned(),
        ..Deliver::from("shop@b.test")
    };
    scene.server().deliver(agent.address(), ordinary, &how)?;
    agent.sync().await?;
    let folders = scene.folders_with(ordinary)?;
    scene.expect(&req::FILE_BACK, folders == ["INBOX"], || {
        format!("expected ordinary mail in INBOX, seen it in {folders:?}")
    });
    Ok(())
}

async fn restore(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let mail = scene.message(&mut bob, &friendship.peer, &scene.token())?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let folders = scene.folders_with(&mail.octets)?;
    scene.require(&req::FILE_RESTORE, folders == ["Kith"], || {
        format!("expected the mail in Kith before leaving, seen it in {folders:?}")
    })?;
    agent.act(RestoreMailbox {}).await?;
    for when in ["after leaving", "after the next sync"] {
        let folders = scene.folders_with(&mail.octets)?;
        scene.expect(&req::FILE_RESTORE, folders == ["INBOX"], || {
            format!("expected the mail in INBOX {when}, seen it in {folders:?}")
        });
        agent.sync().await?;
    }
    let folders = scene.server().folders(agent.address())?;
    let left = folders.iter().any(|folder| folder.name.starts_with("Kith"));
    scene.expect(&req::FILE_RESTORE, !left, || {
        format!("expected no folder of Kith, seen {folders:?}")
    });
    Ok(())
}
