//! Chapter “Post-quantum keys”.

use kith_adapter::act::group::GroupPost;
use kith_adapter::act::private::Message;
use kith_adapter::act::profile::{FieldValue, ProfileSet};
use kith_adapter::act::publishing::Post;
use kith_adapter::act::thread::Comment;
use kith_adapter::protocol::{KeyKind as AgentKeys, ObjectRef};
use kith_adapter::view::group::GroupTimeline;
use kith_adapter::view::private::Messages;
use kith_adapter::view::publishing::Timeline;
use kith_adapter::view::thread::Threads;
use kith_forge::openpgp::{split, tag};
use kith_forge::{DAY, KeyKind, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::{Form, Mail};
use kith_runner::scene::{Agent, Scene, Sent, Who};
use kith_spec::{Rule, req};

use crate::gather;

/// ML-DSA-65+Ed25519.
const SIGN: u8 = 30;
/// ML-KEM-768+X25519.
const ENCRYPT: u8 = 35;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    let both = ["friends/handshake/accepted", "devices/self-copy"];
    let with = |keys: AgentKeys, mut case: Case| {
        case.keys = keys;
        case
    };
    let classical = |case| with(AgentKeys::V6, case);
    let pq = |case| with(AgentKeys::Pq, case);
    let new = |id, title, rules: &[Rule]| (format!("pq/{id}"), title, rules.to_vec());
    macro_rules! case {
        ($id:expr, $title:expr, $rules:expr, $play:expr) => {{
            let (id, title, rules): (String, &str, Vec<Rule>) = new($id, $title, $rules);
            Case::new(&id, title, Rung::Rest, &rules, $play).needs(&needs)
        }};
    }
    vec![
        pq(case!(
            "generated",
            "keys that the agent makes are those of the chapter",
            &[&req::PQ_GENERATE],
            generated
        )),
        pq(case!(
            "generated-next",
            "a rotation leads to a key of the same kind",
            &[&req::PQ_GENERATE],
            rotated
        )),
        classical(case!(
            "friends",
            "somebody with post-quantum keys becomes a friend, and both write",
            &[&req::PQ_ACCEPT_KEYS],
            friends
        )),
        pq(case!(
            "newest-subkey",
            "mail is under the newest post-quantum subkey, beside a classical one",
            &[&req::PQ_SUBKEY],
            newest_subkey
        )),
        pq(case!(
            "declared",
            "the contact lists `pq` with such a subkey",
            &[&req::PQ_DECLARE],
            declared
        )),
        classical(case!(
            "undeclared",
            "the contact doesn't list `pq` without such a subkey",
            &[&req::PQ_DECLARE],
            declared
        )),
        pq(case!(
            "declared-no-more",
            "once the subkey has expired, a new contact doesn't list `pq`",
            &[&req::PQ_DECLARE],
            declared_no_more
        )),
        pq(case!(
            "no-downgrade",
            "nothing is sent under a classical subkey to who declares a post-quantum one",
            &[&req::PQ_NO_DOWNGRADE, &req::PQ_WITHHELD],
            no_downgrade
        )),
        pq(case!(
            "shown",
            "messages and posts show whether they were protected",
            &[&req::PQ_SHOWN],
            shown
        )),
        classical(case!(
            "shown-classical",
            "what was under a classical subkey shows as not protected",
            &[&req::PQ_SHOWN],
            shown
        )),
        pq(case!(
            "shown-elsewhere",
            "another device shows the same, of what was before it came and after",
            &[&req::SELF_PROTECTED],
            elsewhere
        ))
        .needs(&both),
        classical(case!(
            "shown-elsewhere-classical",
            "another device shows what was under a classical subkey as not protected",
            &[&req::SELF_PROTECTED],
            elsewhere
        ))
        .needs(&both),
        pq(case!(
            "group",
            "a group is protected only if all members are",
            &[&req::PQ_EVERY_PACKET],
            group
        )),
    ]
}

fn message(to: &Puppet, text: &str) -> Result<Message, Stop> {
    Ok(Message {
        to: gather::identity(to.id)?,
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    })
}

/// The versions and algorithms of the keys in a certificate.
fn keys(certificate: &[u8], kind: u8) -> Result<Vec<(u8, u8)>, Stop> {
    let packets = split(certificate).map_err(Stop::harness)?;
    let keys = packets.iter().filter(|packet| packet.tag == kind);
    let of = |body: &[u8]| Some((*body.first()?, *body.get(5)?));
    Ok(keys.filter_map(|packet| of(&packet.body)).collect())
}

/// The algorithms of a mail's session-key packets, and for whom they are.
fn session_keys(sent: &Sent) -> Vec<(u8, Option<&str>)> {
    let Ok(Mail { form, .. }) = &sent.mail else {
        return Vec::new();
    };
    let Form::Sealed { envelope, .. } = form else {
        return Vec::new();
    };
    let packets = envelope.session_keys.iter();
    packets
        .map(|packet| (packet.algorithm, packet.recipient.as_deref()))
        .collect()
}

async fn generated(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let certificate = &agent.opened().certificate.0;
    let primary = keys(certificate, tag::PUBLIC_KEY)?;
    let subkeys = keys(certificate, tag::PUBLIC_SUBKEY)?;
    let right = primary == [(6, SIGN)] && subkeys.contains(&(6, ENCRYPT));
    scene.expect(&req::PQ_GENERATE, right, || {
        format!(
            "expected a primary key of version 6 and algorithm {SIGN} and a subkey {ENCRYPT}, \
             seen {primary:?} and {subkeys:?}"
        )
    });
    let mut bob = scene.puppet_with("Bob", KeyKind::Pq)?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let draft = bob.message(&agent.peer()?, &text, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let messages = agent.view(Messages {}).await?;
    let read = messages.iter().any(|message| message.text == text);
    scene.expect(&req::PQ_GENERATE, read, || {
        format!("expected the agent to read mail under its keys, seen {messages:?}")
    });
    Ok(())
}

async fn rotated(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Pq)?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    crate::identity::rotating::rotate(&scene, &agent, false).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    let mails = scene.mail_to(&bob)?;
    let mails = mails.iter().filter_map(|sent| sent.mail.as_ref().ok());
    let mut brought = mails.flat_map(|mail| mail.certificates.iter().flatten());
    let kinds = brought
        .next()
        .map(|facts| keys(&facts.binary, tag::PUBLIC_KEY))
        .transpose()?;
    let right = kinds.as_deref() == Some(&[(6, SIGN)]);
    scene.expect(&req::PQ_GENERATE, right, || {
        format!("expected the next primary key to be of algorithm {SIGN}, seen {kinds:?}")
    });
    Ok(())
}

async fn friends(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Pq)?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    scene.say(&mut bob, &friendship.peer, &text).await?;
    let messages = agent.view(Messages {}).await?;
    let read = messages.iter().any(|message| message.text == text);
    scene.expect(&req::PQ_ACCEPT_KEYS, read, || {
        format!("expected the friend's message `{text}`, seen {messages:?}")
    });
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    scene.expect_mail(&req::PQ_ACCEPT_KEYS, &bob, "message")?;
    Ok(())
}

async fn newest_subkey(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Mixed)?;
    bob.add_composite_subkey(scene.now() - DAY);
    scene.renewed(&bob)?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::PQ_SUBKEY, &bob, "message")?;
    let newest = bob.certificate.encryption_key().map_err(Stop::harness)?;
    let newest = newest.fingerprint().to_string();
    let seen = session_keys(&sent);
    let right = matches!(seen[..], [(ENCRYPT, Some(to))] if to.eq_ignore_ascii_case(&newest));
    scene.expect(&req::PQ_SUBKEY, right, || {
        format!("expected one session-key packet {ENCRYPT} for {newest}, seen {seen:?}")
    });
    Ok(())
}

/// Whether a contact lists `pq`.
fn lists(sent: &Sent) -> Option<bool> {
    let contact = sent.object("contact")?;
    let mut features = contact.payload.all("feature");
    Some(features.any(|feature| feature.text == "pq"))
}

async fn declared(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let bob = scene.puppet("Bob")?;
    let sent = scene.asked(&agent, &bob).await?;
    let expected = Some(scene.keys() == AgentKeys::Pq);
    let seen = lists(&sent);
    scene.expect(&req::PQ_DECLARE, seen == expected, || {
        format!("expected whether the contact lists `pq` to be {expected:?}, seen {seen:?}")
    });
    Ok(())
}

/// Lets the composite subkey, which is thirty days old, end in ten days.
fn end_soon(person: &mut Puppet) {
    for subkey in &mut person.certificate_spec.subkeys {
        if subkey.key.is_composite() {
            subkey.expires = Some(40 * DAY as u32);
        }
    }
    person.renew_certificate();
}

async fn declared_no_more(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_made(KeyKind::Mixed, end_soon).await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent.jump(11).await?;
    let mails = scene.mail_to(&bob)?;
    let seen = mails.iter().filter_map(|sent| lists(sent)).next_back();
    scene.expect(&req::PQ_DECLARE, seen == Some(false), || {
        format!("expected a new contact without `pq`, seen {seen:?}")
    });
    Ok(())
}

async fn no_downgrade(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Mixed)?;
    end_soon(&mut bob);
    scene.renewed(&bob)?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    scene.expect_mail(&req::PQ_NO_DOWNGRADE, &bob, "message")?;
    agent.jump(11).await?;
    // The agent may say that it can't, or let the message wait.
    let _ = agent.try_act(message(&bob, &scene.token())?).await?;
    let post = Post {
        text: scene.token(),
        ..Post::default()
    };
    let written = agent.try_act(post).await?.is_ok();
    let field = ProfileSet {
        field: "nickname".to_owned(),
        values: vec![FieldValue {
            text: scene.token(),
            ..FieldValue::default()
        }],
        ..ProfileSet::default()
    };
    let told = agent.try_act(field).await?.is_ok();
    agent.sync().await?;
    let mails = scene.mail_to(&bob)?;
    let weak = |sent: &Sent| session_keys(sent).iter().any(|(kind, _)| *kind != ENCRYPT);
    let weak: Vec<_> = mails.iter().filter(|sent| weak(sent)).collect();
    scene.expect(&req::PQ_NO_DOWNGRADE, weak.is_empty(), || {
        let seen: Vec<_> = weak.iter().map(|sent| sent.describe()).collect();
        format!("expected no mail under a classical subkey, seen {seen:?}")
    });
    // With a new subkey all is well again.
    bob.add_composite_subkey(scene.now());
    bob.renew_contact(scene.now());
    scene.renewed(&bob)?;
    let contact = bob.contact.clone();
    let draft = bob.delivery_on_channel(&friendship.peer, scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.objects.push(contact.into());
    draft.certificates.push(bob.certificate.clone());
    scene.send(&mut bob, draft).await?;
    agent.act(message(&bob, &scene.token())?).await?;
    agent.sync().await?;
    let mails = scene.mail_to(&bob)?;
    for (kind, written) in [("post", written), ("field", told)] {
        let seen = mails.iter().filter(|sent| sent.object(kind).is_some());
        let seen = seen.count();
        scene.expect(&req::PQ_WITHHELD, seen == usize::from(written), || {
            format!("expected the {kind} of meanwhile once, seen {seen}")
        });
    }
    let mut messages = mails.iter().filter(|sent| sent.object("message").is_some());
    let newest = messages.next_back().map(|sent| session_keys(sent));
    let right = newest
        .as_ref()
        .is_some_and(|keys| matches!(keys[..], [(ENCRYPT, _)]));
    scene.expect(&req::PQ_NO_DOWNGRADE, right, || {
        format!("expected a message under the new subkey, seen {newest:?}")
    });
    Ok(())
}

/// What the agent shows of messages and posts with these texts.
async fn protection(agent: &Agent, texts: &[&str]) -> Result<Vec<Option<bool>>, Stop> {
    let messages = agent.view(Messages {}).await?;
    let posts = agent.view(Timeline {}).await?;
    let threads = agent.view(Threads {}).await?;
    let comments = threads.iter().flat_map(|thread| &thread.comments);
    let comments = comments.map(|seen| (&seen.text, seen.protected));
    let messages = messages.iter().map(|seen| (&seen.text, seen.protected));
    let posts = posts.iter().map(|seen| (&seen.text, seen.protected));
    let all: Vec<_> = messages.chain(posts).chain(comments).collect();
    let find = |text: &&str| all.iter().find(|(seen, _)| seen.as_str() == *text);
    Ok(texts
        .iter()
        .map(|text| find(text).and_then(|(_, protected)| *protected))
        .collect())
}

async fn shown(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Pq)?;
    let mut carol = scene.puppet_with("Carol", KeyKind::V6)?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    let [to_bob, to_carol, by_bob, post, said] = [(); 5].map(|()| scene.token());
    scene.say(&mut bob, &peer, &by_bob).await?;
    agent.act(message(&bob, &to_bob)?).await?;
    let text = post.clone();
    let posted = Post {
        text,
        ..Post::default()
    };
    let root = ObjectRef {
        author: agent.identity().clone(),
        id: agent.act(posted).await?.id,
    };
    let comment = Comment {
        root,
        parent: None,
        text: said.clone(),
        private: false,
    };
    agent.act(comment).await?;
    agent.sync().await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    agent.act(message(&carol, &to_carol)?).await?;
    agent.sync().await?;
    let seen = protection(&agent, &[&to_bob, &to_carol, &by_bob, &post, &said]).await?;
    // What the agent gets is under its own keys.
    let own = scene.keys() == AgentKeys::Pq;
    let expected = [Some(true), Some(false), Some(own), Some(true), Some(true)];
    scene.expect(&req::PQ_SHOWN, seen == expected, || {
        let what = "a message to and one from a friend, a post and a comment; and to somebody with \
                    classical keys second";
        format!("expected {expected:?} for {what}, seen {seen:?}")
    });
    Ok(())
}

async fn elsewhere(scene: Scene) -> Result<(), Stop> {
    let laptop = scene.agent().await?;
    let mut bob = scene.puppet_with("Bob", KeyKind::Pq)?;
    let mut carol = scene.puppet_with("Carol", KeyKind::V6)?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let texts = [(); 6].map(|()| scene.token());
    let [
        by_bob,
        before,
        before_classical,
        after,
        after_classical,
        post,
    ] = &texts;
    scene.say(&mut bob, &peer, by_bob).await?;
    laptop.act(message(&bob, before)?).await?;
    laptop.act(message(&carol, before_classical)?).await?;
    laptop.sync().await?;
    let phone = laptop.another_device("phone").await?;
    phone.sync().await?;
    laptop.act(message(&bob, after)?).await?;
    laptop.act(message(&carol, after_classical)?).await?;
    let text = post.clone();
    let to_both = Post {
        text,
        ..Post::default()
    };
    laptop.act(to_both).await?;
    laptop.sync().await?;
    phone.sync().await?;
    let wanted = texts.each_ref().map(String::as_str);
    let seen = protection(&phone, &wanted).await?;
    let own = scene.keys() == AgentKeys::Pq;
    let expected = [own, true, false, true, false, false].map(Some);
    scene.expect(&req::SELF_PROTECTED, seen == expected, || {
        let what = "a message of a friend, one to this friend and one to somebody with classical \
                    keys before the device came, the same two after, and a post to both";
        format!("expected {expected:?} on the other device for {what}, seen {seen:?}")
    });
    Ok(())
}

async fn group(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut group = None;
    for (name, keys) in [
        ("Bob", KeyKind::Pq),
        ("Dora", KeyKind::Mixed),
        ("Carol", KeyKind::V6),
    ] {
        let mut guest = scene.puppet_with(name, keys)?;
        scene.befriend(&mut guest, Who::Puppet).await?;
        let mut choir = match group.take() {
            Some(choir) => choir,
            None => gather::created(&scene, &agent, "Choir").await?,
        };
        let role = kith_adapter::view::group::Role::Member;
        gather::admitted(&scene, &agent, &mut choir, &mut guest, role).await?;
        let text = scene.token();
        let named = gather::named(&choir)?;
        let post = GroupPost {
            group: named.clone(),
            text: text.clone(),
        };
        agent.act(post).await?;
        agent.sync().await?;
        let entries = agent.view(GroupTimeline { group: Some(named) }).await?;
        let entry = entries.iter().find(|entry| entry.text == text);
        let seen = entry.and_then(|entry| entry.protected);
        let expected = Some(name != "Carol");
        scene.expect(&req::PQ_EVERY_PACKET, seen == expected, || {
            format!("expected {expected:?} once {name} is a member, seen {seen:?}")
        });
        group = Some(choir);
    }
    Ok(())
}
