//! Requests in the queue, what stands in the mailbox, and the way to the servers.

mod servers;
mod transport;

use kith_adapter::protocol::Class;
use kith_adapter::view::private::Messages;
use kith_adapter::view::relation::{Requests, State};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{Hash, Id128, Mail};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{AuthResult, Scene, Who};
use kith_spec::{Rule, req};
use kith_testbed::Deliver;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/request/shown"];
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&needs)
    };
    let mut cases = vec![
        case(
            "friends/request/rivals",
            "two who claim one name are shown together, with name and address",
            &[&req::FRIENDS_REQUEST_RIVALS, &req::CONTACT_PETNAME],
            |scene| Box::pin(rivals(scene)),
        ),
        case(
            "friends/request/queue",
            "the queue of strangers' requests has an end, and not for those whose mail is authenticated",
            &[&req::FRIENDS_REQUEST_QUEUE],
            |scene| Box::pin(queue(scene)),
        ),
        case(
            "friends/accept/again",
            "an accept is sent again after 1, 3, 7 and 14 days, the same, until it is confirmed",
            &[&req::FRIENDS_ACCEPT_AGAIN, &req::SEC_OCTETS],
            |scene| Box::pin(accept_again(scene)),
        ),
        case(
            "friends/crossed/foreign-authentication",
            "Authentication-Results of another server don't make requests cross",
            &[&req::FRIENDS_AUTH_RESULTS],
            |scene| Box::pin(foreign_authentication(scene)),
        ),
        case(
            "contact/latest",
            "mail goes to the first address of a friend's newest contact",
            &[&req::CONTACT_LATEST],
            |scene| Box::pin(moved(scene)),
        ),
        case(
            "receive/stranger",
            "a stranger's delivery leaves no trace",
            &[&req::RECEIVE_NO_EFFECT, &req::RECEIVE_HANDSHAKE],
            |scene| Box::pin(stranger(scene)),
        ),
        case(
            "receive/time",
            "the time of receiving is the agent's clock, whatever the mail says",
            &[&req::RECEIVE_TIME],
            |scene| Box::pin(time(scene)),
        ),
        case(
            "file/kith-and-ordinary",
            "Kith mail moves to its folder, and ordinary mail is left as it was",
            &[&req::FILE_KITH, &req::FILE_ORDINARY, &req::FILE_PEEK],
            |scene| Box::pin(filing(scene)),
        ),
        case(
            "file/unreadable",
            "an envelope that can't be opened is refused only if it says that it is Kith mail",
            &[&req::MAIL_UNREADABLE],
            |scene| Box::pin(unreadable(scene)),
        )
        .class(kith_spec::Class::Mailbox),
    ];
    cases.extend(transport::cases());
    cases.extend(servers::cases());
    cases
}

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

fn noted(note: &str) -> RequestOptions {
    RequestOptions {
        note: Some(note.to_owned()),
        ..RequestOptions::default()
    }
}

async fn rivals(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut one = scene.puppet_at("Bob", "bob@b.test", kith_forge::KeyKind::V4)?;
    // Another person, who claims the same name.
    let mut two = scene.puppet("Rob")?;
    two.name.clone_from(&one.name);
    two.renew_contact(scene.now());
    scene.renewed(&two)?;
    for puppet in [&mut one, &mut two] {
        let draft = puppet.request(agent.address(), scene.now(), noted("Hello"));
        scene.send(puppet, draft).await?;
    }
    let requests = agent.view(Requests {}).await?;
    let disputed = requests.len() == 2 && requests.iter().all(|request| request.rivals.len() == 1);
    scene.expect(&req::FRIENDS_REQUEST_RIVALS, disputed, || {
        format!("expected two requests, each with the other as its rival, seen {requests:?}")
    });
    let named = requests
        .iter()
        .all(|request| request.name == "Bob" && request.address.contains('@'));
    scene.expect(&req::CONTACT_PETNAME, named, || {
        format!("expected claimed names together with addresses, seen {requests:?}")
    });
    Ok(())
}

async fn queue(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let most = kith_spec::limit::REQUEST_QUEUE;
    for number in 0..=most {
        let mut puppet = scene.puppet(&format!("Stranger{number}"))?;
        let draft = puppet.request(agent.address(), scene.now(), noted("Hello"));
        let mail = scene.write(&mut puppet, draft)?;
        scene.deliver_unjudged(&mail, AuthResult::None)?;
    }
    agent.sync().await?;
    let waiting = agent.view(Requests {}).await?.len() as u64;
    scene.expect(&req::FRIENDS_REQUEST_QUEUE, waiting == most, || {
        format!(
            "expected {most} of {} requests in the queue, seen {waiting}",
            most + 1
        )
    });
    let mut bob = scene.puppet("Bob")?;
    let draft = bob.request(agent.address(), scene.now(), noted("Hello"));
    scene.send(&mut bob, draft).await?;
    scene.request_shown(&agent, &bob).await?;
    Ok(())
}

async fn accept_again(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let draft = bob.request(agent.address(), scene.now(), noted("Hello"));
    scene.send(&mut bob, draft).await?;
    let request = scene.request_shown(&agent, &bob).await?;
    agent
        .act(kith_adapter::act::relation::Accept { request })
        .await?;
    agent.sync().await?;
    let first = scene.expect_mail(&req::FRIENDS_ACCEPT_AGAIN, &bob, "accept")?;
    let hash = first.object("accept").map(|object| object.hash.clone());
    let mut passed = 0;
    for day in [1, 3, 7, 14] {
        agent.jump(day - passed).await?;
        passed = day;
        let again = scene.expect_mail(&req::FRIENDS_ACCEPT_AGAIN, &bob, "accept")?;
        let same = again.object("accept").map(|object| object.hash.clone()) == hash;
        scene.expect(&req::SEC_OCTETS, same, || {
            format!("expected the accept of before after {day} days, seen another")
        });
    }
    if let Some(hash) = hash.and_then(|hash| hash.parse().ok()) {
        let draft = bob
            .confirm(&agent.peer()?, hash, scene.now())
            .map_err(Stop::harness)?;
        scene.send(&mut bob, draft).await?;
    }
    agent.jump(10).await?;
    let mails = scene.mail_to(&bob)?;
    let more = mails
        .iter()
        .filter(|sent| sent.object("accept").is_some())
        .count();
    scene.expect(&req::FRIENDS_ACCEPT_AGAIN, more == 0, || {
        format!("expected no accept after the confirm, seen {more}")
    });
    Ok(())
}

async fn foreign_authentication(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.ask(&agent, &bob, None).await?;
    let draft = bob.request(agent.address(), scene.now(), noted("Hello"));
    let mail = scene.write(&mut bob, draft)?;
    let claim = b"Authentication-Results: mx.evil.test; dmarc=pass header.from=b.test\r\n";
    let octets = [&claim[..], &mail.octets].concat();
    scene.deliver_unjudged(&Mail { octets, ..mail }, AuthResult::None)?;
    agent.sync().await?;
    let state = scene.relation(&agent, &bob).await?;
    scene.expect(&req::FRIENDS_AUTH_RESULTS, state == State::Met, || {
        format!("expected a request that waits for an answer (met), seen {state:?}")
    });
    Ok(())
}

async fn moved(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    bob.address = "bob-moved@b.test".to_owned();
    scene.server().add_account(&bob.address, "moved")?;
    bob.renew_contact(scene.now());
    let mut draft = bob
        .acknowledge(&friendship.peer, Vec::new(), scene.now())
        .map_err(Stop::harness)?;
    draft.objects = vec![bob.contact.clone().into()];
    draft.delivery.channel = Some(bob.next_seq(friendship.peer.id));
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let to = bob.id.to_string().parse().map_err(Stop::harness)?;
    let message = kith_adapter::act::private::Message {
        to,
        text: scene.token(),
        parent: None,
        media: Vec::new(),
    };
    agent.act(message).await?;
    agent.sync().await?;
    let submissions = scene.server().submissions();
    let last = submissions
        .last()
        .map(|submission| submission.recipients.clone());
    let right = last
        .as_ref()
        .is_some_and(|to| to.iter().any(|to| to == "bob-moved@b.test"));
    scene.expect(&req::CONTACT_LATEST, right, || {
        format!("expected mail to bob-moved@b.test, seen {last:?}")
    });
    Ok(())
}

async fn stranger(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let token = scene.token();
    let draft = bob
        .message(&agent.peer()?, &token, scene.now())
        .map_err(Stop::harness)?;
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    // The barrier: the same person's request has its effect.
    let draft = bob.request(agent.address(), scene.now(), noted("Hello"));
    scene.send(&mut bob, draft).await?;
    scene.request_shown(&agent, &bob).await?;
    let views = serde_json::to_string(&agent.everything().await?).map_err(Stop::harness)?;
    scene.expect(&req::RECEIVE_NO_EFFECT, !views.contains(&token), || {
        format!("expected no trace of the message, seen {views}")
    });
    // An answer to a request that nobody made.
    let mut carol = scene.puppet("Carol")?;
    let request = RequestRef {
        hash: Hash::of(&token),
        id: Id128([0; 16]),
        nonce: Id128([0; 16]),
        author: agent.peer()?.id,
    };
    let draft = carol.decline(&request, &agent.peer()?, scene.now());
    let answer = scene.write(&mut carol, draft.map_err(Stop::harness)?)?;
    scene.deliver_unjudged(&answer, AuthResult::Pass)?;
    agent.sync().await?;
    let state = scene.relation(&agent, &carol).await?;
    scene.expect(&req::RECEIVE_HANDSHAKE, state == State::Stranger, || {
        format!("expected nothing of an answer to no request, seen {state:?}")
    });
    for refused in [&mail, &answer] {
        filed(&scene, &refused.octets, "Kith/Refused", &req::FILE_REFUSED)?;
    }
    Ok(())
}

/// An agent that keeps the mailbox in order has put a mail into this folder.
fn filed(scene: &Scene, octets: &[u8], folder: &str, rule: Rule) -> Result<(), Stop> {
    if scene.declares(Class::Mailbox) {
        let folders = scene.folders_with(octets)?;
        scene.expect(rule, folders == [folder], || {
            format!("expected the mail in {folder}, seen it in {folders:?}")
        });
    }
    Ok(())
}

async fn time(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let mut object = bob.message_object(&friendship.peer, &scene.token(), None, scene.now());
    object.created = scene.now() + 365 * 86_400;
    let draft = bob
        .carry(&friendship.peer, vec![object], scene.now())
        .map_err(Stop::harness)?;
    let mail = scene.write(&mut bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    agent.sync().await?;
    let now = scene.now().0;
    let messages = agent.view(Messages {}).await?;
    let received = messages.first().and_then(|message| message.received);
    let seen = received.map(|received| received.time().unix_timestamp());
    let close = seen.is_some_and(|seen| (now - 60..=now).contains(&seen));
    scene.expect(&req::RECEIVE_TIME, close, || {
        format!("expected a time of receiving close to {now}, seen {seen:?}")
    });
    Ok(())
}

async fn filing(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let ordinary = b"From: shop@b.test\r\nTo: you\r\nSubject: Offer\r\n\r\nNothing of Kith.\r\n";
    let how = Deliver::from("shop@b.test");
    scene.server().deliver(agent.address(), ordinary, &how)?;
    let mut bob = scene.puppet("Bob")?;
    let draft = bob.request(agent.address(), scene.now(), noted("Hello"));
    let mail = scene.send(&mut bob, draft).await?;
    let folders = scene.folders_with(&mail.octets)?;
    scene.expect(&req::FILE_KITH, folders == ["Kith"], || {
        format!("expected Kith mail in Kith, seen it in {folders:?}")
    });
    let folders = scene.folders_with(ordinary)?;
    scene.expect(&req::FILE_ORDINARY, folders == ["INBOX"], || {
        format!("expected ordinary mail in INBOX, seen it in {folders:?}")
    });
    let left = scene.server().messages(agent.address(), "INBOX")?;
    let seen = left
        .iter()
        .any(|message| message.flags.iter().any(|flag| flag.contains("Seen")));
    scene.expect(&req::FILE_PEEK, !seen, || {
        "expected ordinary mail without the flag \\Seen, seen it with".to_owned()
    });
    Ok(())
}

async fn unreadable(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mail = |version: &str| {
        format!(
            "From: x@b.test\r\nTo: {}\r\nSubject: [...]\r\n{version}MIME-Version: 1.0\r\n\
             Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n\
             --b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\
             --b\r\nContent-Type: application/octet-stream\r\n\r\nnothing {}\r\n--b--\r\n",
            agent.address(),
            version.len()
        )
    };
    let how = Deliver::from("x@b.test");
    let (marked, plain) = (mail("Kith-Version: 1.0\r\n"), mail(""));
    for octets in [&marked, &plain] {
        scene
            .server()
            .deliver(agent.address(), octets.as_bytes(), &how)?;
    }
    agent.sync().await?;
    for (octets, folder) in [(&marked, "Kith/Refused"), (&plain, "INBOX")] {
        let folders = scene.folders_with(octets.as_bytes())?;
        scene.expect(&req::MAIL_UNREADABLE, folders == [folder], || {
            format!("expected the mail in {folder}, seen it in {folders:?}")
        });
    }
    Ok(())
}
