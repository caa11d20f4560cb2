//! Media that don't fit into one mail (`media.split`).

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::sync::Arc;

use kith_core::agent::media::{Attachment, Content};
use kith_core::agent::outbox::Submitted;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::kinds::post::NewPost;
use kith_core::store::Memory;
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Agent, Done, Incoming, Strict};
use kith_spec::limit;

const NOW: i64 = 1_800_000_000;

struct Person {
    agent: Agent,
    store: Memory,
}

impl Person {
    fn new(address: &str) -> Self {
        let new = NewIdentity {
            name: None,
            address: address.to_owned(),
            keys: KeyKind::V6,
            now: NOW,
        };
        let mut store = Memory::default();
        store.apply(Own::make(&Strict, &new, [3; 32]).unwrap().writes);
        let agent = Agent::open(Arc::new(Strict), &store, [4; 32]).unwrap();
        Self { agent, store }
    }

    fn act(&mut self, action: Action) -> Done {
        let (done, effects) = self.agent.act(&self.store, action, NOW).unwrap();
        self.store.apply(effects.writes);
        done
    }

    fn mails(&mut self) -> Vec<Vec<u8>> {
        let mut mails = Vec::new();
        for mail in self.agent.outbox(&self.store, NOW, 100).unwrap() {
            let effects = self
                .agent
                .submitted(&self.store, mail.number, Submitted::Taken, NOW)
                .unwrap();
            self.store.apply(effects.writes);
            mails.push(mail.octets);
        }
        mails
    }

    fn receive(&mut self, octets: &[u8]) {
        let incoming = Incoming { octets, now: NOW };
        let receipt = self.agent.receive(&self.store, incoming).unwrap();
        assert_eq!(receipt.mail.violation, None);
        self.store.apply(receipt.effects.writes);
    }
}

#[test]
fn an_album_too_large_for_one_mail_comes_in_several_and_in_any_order() {
    let (mut alice, mut bob) = (Person::new("alice@a.test"), Person::new("bob@b.test"));
    let Done::Invite(invite) = alice.act(Action::Invite) else {
        panic!("no invite")
    };
    bob.act(Action::Befriend {
        address: "alice@a.test".to_owned(),
        note: None,
        invite: Some(invite),
    });
    for _ in 0..3 {
        for mail in bob.mails() {
            alice.receive(&mail);
        }
        for mail in alice.mails() {
            bob.receive(&mail);
        }
    }
    let large = |fill: u8| Attachment {
        media_type: "application/zip".to_owned(),
        content: Content::Octets(vec![fill; 7_000_000]),
        ..Attachment::default()
    };
    alice.act(Action::Post(NewPost {
        media: vec![large(1), large(2)],
        ..NewPost::default()
    }));
    let mails = alice.mails();
    assert_eq!(mails.len(), 2);
    let most = usize::try_from(limit::MAIL_OCTETS).unwrap();
    assert!(mails.iter().all(|mail| mail.len() < most));
    for mail in mails.iter().rev() {
        bob.receive(mail);
    }
    let timeline = bob.agent.view(&bob.store, NOW).timeline(10).unwrap();
    let [post] = timeline.as_slice() else {
        panic!("expected one post")
    };
    assert_eq!(post.media.len(), 2);
    assert!(post.media.iter().all(|medium| medium.available));
}
