//! Post-quantum keys: what is sealed under which subkey, and what the person sees of it
//! (specification, chapter "Post-quantum keys").

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

#[path = "people/person.rs"]
mod people;

use std::sync::Arc;

use kith_core::agent::NewIdentity;
use kith_core::agent::group::{GroupChange, GroupId};
use kith_core::agent::own::Own;
use kith_core::kinds::post::NewPost;
use kith_core::store::Memory;
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Action, Agent, Done, Strict};
use people::{Person, START, befriend, exchange};

const LATER: i64 = START + 3600;

/// The first of two friends writes to the second and posts something: what either sees of it.
fn seen(one: KeyKind, other: KeyKind) -> [Vec<Option<bool>>; 2] {
    let mut ada = Person::new("Ada", one);
    let mut bob = Person::new("Bob", other);
    befriend(&mut ada, &mut bob);
    let (ada_id, bob_id) = (ada.id(), bob.id());
    ada.make(
        LATER,
        Action::Message {
            to: bob_id,
            text: "a word".to_owned(),
            parent: None,
            media: Vec::new(),
        },
    );
    let post = NewPost {
        text: "for all".to_owned(),
        ..NewPost::default()
    };
    ada.make(LATER, Action::Post(post));
    exchange(&mut [&mut ada, &mut bob], LATER);
    let seen = |person: &Person, with| {
        let view = person.agent.view(&person.store, LATER);
        let messages = view.messages(Some(with)).unwrap().into_iter();
        let posts = view.timeline(10).unwrap().into_iter();
        let messages = messages.map(|message| message.protected);
        messages.chain(posts.map(|post| post.protected)).collect()
    };
    [seen(&ada, bob_id), seen(&bob, ada_id)]
}

#[test]
fn a_mail_is_protected_where_its_recipient_has_a_composite_subkey() {
    let both = |protected| [vec![Some(protected); 2], vec![Some(protected); 2]];
    assert_eq!(seen(KeyKind::Pq, KeyKind::Pq), both(true));
    assert_eq!(seen(KeyKind::V4, KeyKind::Mixed), both(true));
    assert_eq!(seen(KeyKind::Mixed, KeyKind::Pq), both(true));
    assert_eq!(seen(KeyKind::Pq, KeyKind::V4), both(false));
    assert_eq!(seen(KeyKind::Mixed, KeyKind::V6), both(false));
}

#[test]
fn one_member_without_a_composite_subkey_leaves_a_group_unprotected() {
    for (kind, protected) in [(KeyKind::Mixed, true), (KeyKind::V6, false)] {
        let mut ada = Person::new("Ada", KeyKind::Pq);
        let mut bob = Person::new("Bob", KeyKind::Pq);
        let mut eve = Person::new("Eve", kind);
        befriend(&mut ada, &mut bob);
        befriend(&mut ada, &mut eve);
        let create = Action::GroupCreate {
            name: "Hikers".to_owned(),
            about: None,
        };
        let id = ada.make(LATER, create);
        let group = GroupId {
            owner: ada.id(),
            id,
        };
        for member in [bob.id(), eve.id()] {
            let change = GroupChange::Invite(member);
            ada.act(LATER, Action::GroupChange { group, change });
        }
        exchange(&mut [&mut ada, &mut bob, &mut eve], LATER);
        bob.act(LATER, Action::GroupJoin { group });
        eve.act(LATER, Action::GroupJoin { group });
        exchange(&mut [&mut ada, &mut bob, &mut eve], LATER);
        let text = "Where?".to_owned();
        ada.act(LATER, Action::GroupPost { group, text });
        exchange(&mut [&mut ada, &mut bob, &mut eve], LATER);
        for person in [&ada, &bob, &eve] {
            let view = person.agent.view(&person.store, LATER);
            let entries = view.group_timeline(group, 10).unwrap();
            let shown: Vec<_> = entries.iter().map(|entry| entry.protected).collect();
            assert_eq!(shown, [Some(protected)], "{}", person.address);
        }
    }
}

#[test]
fn two_rotations_lead_to_post_quantum_keys() {
    for kind in [KeyKind::Mixed, KeyKind::Pq] {
        let new = NewIdentity {
            name: Some("Ada".to_owned()),
            address: "ada@a.test".to_owned(),
            keys: KeyKind::V4,
            now: START,
        };
        let made = Own::make(&Strict, &new, [7; 32]).unwrap();
        let mut store = Memory::default();
        store.apply(made.writes);
        let mut ada = Person {
            agent: Agent::open(Arc::new(Strict), &store, [7; 32]).unwrap(),
            store,
            address: new.address,
        };
        let mut bob = Person::new("Bob", KeyKind::V6);
        befriend(&mut ada, &mut bob);
        let (id, mut kit) = (ada.id(), made.recovery_kit);
        let kinds = [KeyKind::V4, kind];
        for (day, next) in [(1, Some(kind)), (2, None)] {
            let now = START + day * 86_400;
            let rotate = Action::Rotate {
                kit: kit.into_bytes(),
                compromised: false,
                next,
            };
            let Done::Kit(renewed) = ada.act(now, rotate) else {
                panic!("no kit")
            };
            kit = renewed;
            exchange(&mut [&mut ada, &mut bob], now);
            let own = ada.agent.view(&ada.store, now).identity().unwrap();
            assert_eq!(own.keys, kinds[usize::from(own.epoch) - 1]);
            let text = format!("under key {}", own.epoch);
            let (parent, media) = (None, Vec::new());
            let write = Action::Message {
                to: id,
                text,
                parent,
                media,
            };
            bob.act(now, write);
            exchange(&mut [&mut ada, &mut bob], now);
        }
        assert_eq!(ada.id(), id);
        let view = ada.agent.view(&ada.store, LATER);
        let messages = view.messages(None).unwrap().into_iter();
        let got: Vec<_> = messages.map(|got| (got.text, got.protected)).collect();
        let told = |text: &str, protected| (text.to_owned(), Some(protected));
        assert_eq!(got, [told("under key 1", false), told("under key 2", true)]);
        let back = Action::Rotate {
            kit: kit.into_bytes(),
            compromised: false,
            next: Some(KeyKind::Mixed),
        };
        let refused = ada.agent.act(&ada.store, back, START + 3 * 86_400);
        let refused = matches!(refused, Err(ActError::Weaker));
        assert_eq!(refused, kind == KeyKind::Pq);
    }
}
