//! Two people in memory: from invite or request to friendship, messages and posts.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::sync::Arc;

use kith_core::agent::outbox::{DAILY, Submitted};
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::agent::relation::State;
use kith_core::kinds::post::NewPost;
use kith_core::store::Memory;
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Agent, Done, Incoming, Receipt, Strict};
use kith_spec::Outcome;

const START: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

struct Person {
    agent: Agent,
    store: Memory,
}

impl Person {
    fn new(name: &str, address: &str, keys: KeyKind) -> Self {
        let new = NewIdentity {
            name: Some(name.to_owned()),
            address: address.to_owned(),
            keys,
            now: START,
        };
        let seed = [u8::try_from(name.len()).unwrap(); 32];
        let mut store = Memory::default();
        store.apply(Own::make(&Strict, &new, seed).unwrap().writes);
        let agent = Agent::open(Arc::new(Strict), &store, seed).unwrap();
        Self {
            agent: agent.trusting(Some("mx.test".to_owned())),
            store,
        }
    }

    fn id(&self) -> [u8; 32] {
        self.agent.own().id
    }

    fn act(&mut self, now: i64, action: Action) -> Done {
        let (done, effects) = self.agent.act(&self.store, action, now).unwrap();
        self.store.apply(effects.writes);
        done
    }

    fn take_outbox(&mut self, now: i64) -> Vec<(String, Vec<u8>)> {
        let effects = self.agent.tick(&self.store, now).unwrap();
        self.store.apply(effects.writes);
        let mut mails = Vec::new();
        for mail in self.agent.outbox(&self.store, now, 1000).unwrap() {
            let effects = self
                .agent
                .submitted(&self.store, mail.number, Submitted::Taken, now)
                .unwrap();
            self.store.apply(effects.writes);
            let copies = mail.to.into_iter();
            mails.extend(copies.map(|to| (to, mail.octets.clone())));
        }
        mails
    }

    fn receive(&mut self, octets: &[u8], now: i64) -> Receipt {
        let receipt = self
            .agent
            .receive(&self.store, Incoming { octets, now })
            .unwrap();
        self.store.apply(receipt.effects.writes.clone());
        receipt
    }

    fn state(&self, now: i64) -> State {
        let relations = self.agent.view(&self.store, now).relations().unwrap();
        relations
            .first()
            .map_or(State::Stranger, |relation| relation.state)
    }
}

/// Carries mail both ways until there is none, and tells how many.
fn exchange(one: &mut Person, other: &mut Person, now: i64) -> usize {
    let mut carried = 0;
    loop {
        let from_one = one.take_outbox(now);
        let from_other = other.take_outbox(now);
        if from_one.is_empty() && from_other.is_empty() {
            return carried;
        }
        assert!(carried < 20, "a mail loop");
        for (mails, receiver) in [(from_one, &mut *other), (from_other, &mut *one)] {
            for (_, octets) in mails {
                let receipt = receiver.receive(&octets, now);
                let violation = receipt.mail.violation.map(|v| v.to_string());
                assert_eq!(receipt.mail.outcome, Outcome::Accept, "{violation:?}");
                for object in &receipt.objects {
                    let violation = object.verdict.violation.map(|v| v.to_string());
                    assert_eq!(object.verdict.outcome, Outcome::Accept, "{violation:?}");
                }
                carried += 1;
            }
        }
    }
}

fn people() -> (Person, Person) {
    let alice = Person::new("Alice", "alice@a.test", KeyKind::V4);
    let bob = Person::new("Bob", "bob@b.test", KeyKind::V6);
    (alice, bob)
}

fn befriend(alice: &mut Person, bob: &mut Person) {
    let Done::Invite(invite) = alice.act(START, Action::Invite) else {
        panic!("no invite")
    };
    let ask = Action::Befriend {
        address: "alice@a.test".into(),
        note: None,
        invite: Some(invite),
    };
    bob.act(START, ask);
    exchange(alice, bob, START);
    assert_eq!(
        (alice.state(START), bob.state(START)),
        (State::Friends, State::Friends)
    );
}

#[test]
fn a_request_is_accepted_and_confirmed() {
    let (mut alice, mut bob) = people();
    let ask = Action::Befriend {
        address: "bob@b.test".to_owned(),
        note: Some("Hello, it's Alice".to_owned()),
        invite: None,
    };
    alice.act(START, ask);
    assert_eq!(exchange(&mut alice, &mut bob, START), 1);
    let requests = bob.agent.view(&bob.store, START).requests().unwrap();
    assert_eq!(requests[0].note.as_deref(), Some("Hello, it's Alice"));
    let request = <[u8; 16]>::try_from(hex::decode(&requests[0].request).unwrap()).unwrap();
    bob.act(START, Action::Accept { request });
    assert_eq!(
        (alice.state(START), bob.state(START)),
        (State::Requested, State::Accepted)
    );
    assert_eq!(exchange(&mut alice, &mut bob, START), 2);
    assert_eq!(
        (alice.state(START), bob.state(START)),
        (State::Friends, State::Friends)
    );
}

#[test]
fn a_request_that_was_lost_is_sent_again_by_hand() {
    let (mut alice, mut bob) = people();
    let ask = Action::Befriend {
        address: "bob@b.test".to_owned(),
        note: None,
        invite: None,
    };
    alice.act(START, ask);
    assert_eq!(alice.take_outbox(START).len(), 1);
    let view = alice.agent.view(&alice.store, START);
    let id = hex::FromHex::from_hex(&view.requests().unwrap()[0].request).unwrap();
    for (times, now) in [(1, START + DAY), (2, START + 2 * DAY)] {
        alice.act(now, Action::Resend { id });
        let mails = alice.take_outbox(now);
        let outcome = bob.receive(&mails[0].1, now).mail.outcome;
        let expected = [Outcome::Accept, Outcome::Refuse][times - 1];
        assert_eq!((mails.len(), outcome), (1, expected));
        assert_eq!(bob.agent.view(&bob.store, now).requests().unwrap().len(), 1);
    }
    let late = START + 31 * DAY;
    let again = Action::Resend { id };
    assert!(alice.agent.act(&alice.store, again, late).is_err());
}

#[test]
fn messages_and_posts_arrive_once_change_and_go() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let to = bob.id();
    let text = "Shall we meet on Friday? Ž".to_owned();
    let Done::Object(message) = alice.act(
        START,
        Action::Message {
            to,
            text,
            parent: None,
            media: Vec::new(),
        },
    ) else {
        panic!("no message")
    };
    let Done::Object(post) = bob.act(
        START,
        Action::Post(NewPost {
            text: "Snow!".to_owned(),
            ..NewPost::default()
        }),
    ) else {
        panic!("no post")
    };
    let mails = alice.take_outbox(START);
    for (_, octets) in mails.iter().chain(&mails) {
        assert_eq!(bob.receive(octets, START).mail.outcome, Outcome::Accept);
    }
    exchange(&mut alice, &mut bob, START);
    let seen = bob.agent.view(&bob.store, START).messages(None).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].text, "Shall we meet on Friday? Ž");
    assert_eq!(
        alice.agent.view(&alice.store, START).timeline(10).unwrap()[0].text,
        "Snow!"
    );
    alice.act(
        START,
        Action::Edit {
            id: message,
            text: "On Saturday?".to_owned(),
        },
    );
    bob.act(START, Action::Retract { id: post });
    exchange(&mut alice, &mut bob, START);
    let seen = bob.agent.view(&bob.store, START).messages(None).unwrap();
    assert_eq!(
        (seen.len(), seen[0].text.as_str(), seen[0].rev),
        (1, "On Saturday?", 2)
    );
    assert!(
        alice
            .agent
            .view(&alice.store, START)
            .timeline(10)
            .unwrap()
            .is_empty()
    );
    // What is left unacknowledged is acknowledged a day later, once, and then there is silence.
    assert!(exchange(&mut alice, &mut bob, START + DAY) <= 2);
    assert_eq!(exchange(&mut alice, &mut bob, START + 2 * DAY), 0);
    assert_eq!(exchange(&mut alice, &mut bob, START + 40 * DAY), 0);
}

#[test]
fn a_lost_delivery_is_sent_again() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let to = bob.id();
    let say = |text: &str| Action::Message {
        to,
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    };
    alice.act(START, say("lost"));
    alice.take_outbox(START);
    alice.act(START + 1, say("found"));
    exchange(&mut alice, &mut bob, START + 1);
    assert_eq!(
        bob.agent.view(&bob.store, START).gaps().unwrap()[0]
            .missing
            .len(),
        1
    );
    for day in 1..4 {
        exchange(&mut alice, &mut bob, START + day * DAY);
    }
    let now = START + 4 * DAY;
    let seen = bob.agent.view(&bob.store, now).messages(None).unwrap();
    assert_eq!(
        seen.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
        ["lost", "found"]
    );
    assert!(bob.agent.view(&bob.store, now).gaps().unwrap().is_empty());
}

#[test]
fn an_end_ends_it_for_both() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let identity = bob.id();
    alice.act(START, Action::End { identity });
    exchange(&mut alice, &mut bob, START);
    assert_eq!(
        (alice.state(START), bob.state(START)),
        (State::Stranger, State::Stranger)
    );
}

#[test]
fn an_end_that_was_lost_comes_a_week_later() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let identity = bob.id();
    alice.act(START, Action::End { identity });
    let lost = alice.take_outbox(START);
    assert_eq!(lost.len(), 1);
    assert!(alice.take_outbox(START + 6 * DAY).is_empty());
    assert_eq!(bob.state(START), State::Friends);
    let again = START + 7 * DAY;
    let mails = alice.take_outbox(again);
    assert_eq!(mails.len(), 1);
    bob.receive(&mails[0].1, again);
    assert_eq!(bob.state(again), State::Stranger);
    // The first one after the second, and as if it were new to the server: no effect, no answer.
    let receipt = bob.receive(&lost[0].1, again + 1);
    assert_eq!(receipt.mail.outcome, Outcome::Accept);
    assert_eq!(receipt.objects[0].verdict.outcome, Outcome::Accept);
    assert!(receipt.effects.events.is_empty());
    for day in 8..70 {
        assert_eq!(exchange(&mut alice, &mut bob, START + day * DAY), 0);
    }
}

#[test]
fn an_end_is_not_repeated_after_a_new_handshake_and_then_has_no_effect() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let identity = bob.id();
    alice.act(START, Action::End { identity });
    let end = alice.take_outbox(START);
    bob.receive(&end[0].1, START);
    befriend(&mut alice, &mut bob);
    for day in 0..30 {
        let now = START + day * DAY;
        exchange(&mut alice, &mut bob, now);
        bob.receive(&end[0].1, now);
        assert_eq!(
            (alice.state(now), bob.state(now)),
            (State::Friends, State::Friends)
        );
    }
}

#[test]
fn an_end_that_the_server_refused_is_not_sent_again() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let identity = bob.id();
    alice.act(START, Action::End { identity });
    let mails = alice.agent.outbox(&alice.store, START, 10).unwrap();
    let never = Submitted::Never("no such person".to_owned());
    let effects = alice
        .agent
        .submitted(&alice.store, mails[0].number, never, START);
    alice.store.apply(effects.unwrap().writes);
    assert!(alice.take_outbox(START + 8 * DAY).is_empty());
}

#[test]
fn a_bounce_changes_the_delivery_state_of_its_copy() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let to = bob.id();
    alice.act(
        START,
        Action::Message {
            to,
            text: "Hello".to_owned(),
            parent: None,
            media: Vec::new(),
        },
    );
    let mails = alice.take_outbox(START);
    let sent = String::from_utf8(mails[0].1.clone()).unwrap();
    let id = sent
        .lines()
        .find(|line| line.starts_with("Message-ID:"))
        .unwrap();
    let report = format!(
        "From: MAILER-DAEMON@b.test\r\nTo: alice@a.test\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; b.test\r\n\r\nFinal-Recipient: rfc822; bob@b.test\r\n\
         Action: failed\r\nStatus: 5.1.1\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n{id}\r\n--b--\r\n"
    );
    let receipt = alice.receive(report.as_bytes(), START);
    assert_eq!(receipt.mail.outcome, Outcome::Ignore);
    let copies = alice.agent.view(&alice.store, START).deliveries().unwrap();
    assert_eq!(
        copies[0].state,
        kith_core::agent::view::DeliveryState::Bounced
    );
    assert_eq!(alice.state(START), State::Friends);
    // It is sent again when the person wants it.
    let again = Action::Resend {
        id: hex::FromHex::from_hex(&copies[0].id).unwrap(),
    };
    alice.act(START + 60, again.clone());
    assert_eq!(exchange(&mut alice, &mut bob, START + 60), 1);
    assert_eq!(
        bob.agent
            .view(&bob.store, START)
            .messages(None)
            .unwrap()
            .len(),
        1
    );
    assert!(alice.agent.act(&alice.store, again, START + 60).is_err());
}

#[test]
fn what_goes_beyond_the_limit_of_a_day_leaves_on_the_next() {
    let (mut alice, mut bob) = people();
    befriend(&mut alice, &mut bob);
    let write = |person: &mut Person, to, now| {
        let text = "Hello".to_owned();
        let (parent, media) = (None, Vec::new());
        person.act(
            now,
            Action::Message {
                to,
                text,
                parent,
                media,
            },
        );
    };
    write(&mut bob, alice.id(), START);
    exchange(&mut bob, &mut alice, START);
    // An acknowledgement that nobody asked for comes first, and as many messages as a day allows.
    let now = START + DAY + 60;
    let effects = alice.agent.tick(&alice.store, now).unwrap();
    alice.store.apply(effects.writes);
    let owed = alice.agent.waiting(&alice.store).unwrap();
    assert_eq!(owed, 1);
    for _ in 0..DAILY {
        write(&mut alice, bob.id(), now);
    }
    let automatic = |mails: &[(String, Vec<u8>)]| {
        let says = |mail: &[u8]| String::from_utf8_lossy(mail).contains("Auto-Submitted");
        mails.iter().filter(|(_, mail)| says(mail)).count()
    };
    let today = alice.take_outbox(now);
    assert_eq!((today.len() as u64, automatic(&today)), (DAILY, 0));
    assert!(alice.take_outbox(now + 3600).is_empty());
    let midnight = (now / DAY + 1) * DAY;
    let next = alice.agent.next_submission(&alice.store).unwrap();
    assert_eq!(next, Some(midnight));
    let tomorrow = alice.take_outbox(midnight);
    assert_eq!((tomorrow.len(), automatic(&tomorrow)), (1, 1));
}
