//! Post-quantum keys: what is sealed under which subkey, and what the person sees of it
//! (specification, chapter "Post-quantum keys").

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

#[path = "people/person.rs"]
mod people;

use kith_core::Action;
use kith_core::agent::group::{GroupChange, GroupId};
use kith_core::kinds::post::NewPost;
use kith_core::wire::keys::KeyKind;
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
