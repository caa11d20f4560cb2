//! Comments, reactions and hides among four people: relaying, moderating, taking back, and any
//! order of arrival.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

#[path = "people/person.rs"]
mod people;

use kith_core::Action;
use kith_core::kinds::post::NewPost;
use kith_core::wire::keys::KeyKind;
use people::{Person, START, befriend, exchange};
use proptest::prelude::*;

struct Crowd {
    alice: Person,
    bob: Person,
    carol: Person,
    post: ([u8; 32], [u8; 16]),
}

/// Alice posted to Bob and Carol, who don't know each other.
fn crowd() -> Crowd {
    let mut alice = Person::new("Alice", KeyKind::V4);
    let mut bob = Person::new("Bob", KeyKind::V6);
    let mut carol = Person::new("Carol", KeyKind::V4);
    befriend(&mut alice, &mut bob);
    befriend(&mut alice, &mut carol);
    let text = "Who comes along?".to_owned();
    let post = NewPost {
        text,
        ..NewPost::default()
    };
    let id = alice.make(START + 10, Action::Post(post));
    let post = (alice.id(), id);
    Crowd {
        alice,
        bob,
        carol,
        post,
    }
}

impl Crowd {
    fn exchange(&mut self, now: i64) -> Vec<(String, usize)> {
        exchange(&mut [&mut self.alice, &mut self.bob, &mut self.carol], now)
    }

    fn comment(&self, text: &str, parent: Option<([u8; 32], [u8; 16])>, private: bool) -> Action {
        Action::Comment {
            root: self.post,
            parent,
            text: text.to_owned(),
            private,
        }
    }
}

/// What a person sees of all threads, as text.
fn seen(person: &Person) -> String {
    let view = person.agent.view(&person.store, START + 1000);
    let threads = view.threads().unwrap();
    let mut lines: Vec<String> = Vec::new();
    for thread in &threads {
        for comment in &thread.comments {
            let (name, text) = (&comment.speaker.name, &comment.text);
            let depth = if comment.parent.is_some() { "  " } else { "" };
            lines.push(format!("{depth}{name}: {text}"));
        }
        for reaction in &thread.reactions {
            let (name, symbols) = (&reaction.speaker.name, reaction.symbols.join(" "));
            lines.push(format!("{name} {symbols}"));
        }
    }
    lines.join("\n")
}

#[test]
fn a_comment_reaches_the_readers_of_the_post_and_nobody_else() {
    let mut crowd = crowd();
    crowd.exchange(START + 10);
    let mut dave = Person::new("Dave", KeyKind::V4);
    befriend(&mut crowd.alice, &mut dave);

    let mine = crowd.comment("me!", None, false);
    let comment = crowd.carol.make(START + 20, mine);
    let mails = crowd.carol.outbox(START + 20);
    assert_eq!(mails.len(), 1, "only to the post's author");
    assert_eq!(mails[0].0, "alice@a.test");
    crowd.alice.receive(&mails[0].1, START + 20);
    let relayed = crowd.alice.outbox(START + 20);
    let to: Vec<&str> = relayed.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(
        to,
        ["bob@b.test"],
        "not to its author, nor to who lacks the post"
    );
    crowd.bob.receive(&relayed[0].1, START + 20);
    assert_eq!(
        seen(&crowd.bob),
        "Carol (through Alice <alice@a.test>): me!"
    );
    assert_eq!(seen(&crowd.alice), "Carol <carol@c.test>: me!");

    let answer = crowd.comment("me too", Some((crowd.carol.id(), comment)), false);
    crowd.bob.make(START + 30, answer);
    crowd.exchange(START + 30);
    let told = "you: me!\n  Bob (through Alice <alice@a.test>): me too";
    assert_eq!(seen(&crowd.carol), told);

    crowd.carol.act(
        START + 40,
        Action::End {
            identity: crowd.alice.id(),
        },
    );
    crowd.exchange(START + 40);
    crowd.carol.act(START + 50, Action::Retract { id: comment });
    crowd.exchange(START + 50);
    assert_eq!(seen(&crowd.bob), "you: me too");
    assert_eq!(seen(&crowd.alice), "Bob <bob@b.test>: me too");
}

#[test]
fn what_is_for_the_author_alone_stays_there() {
    let mut crowd = crowd();
    crowd.exchange(START + 10);
    let private = crowd.comment("between us", None, true);
    let comment = crowd.carol.make(START + 20, private);
    crowd.exchange(START + 20);
    assert_eq!(seen(&crowd.bob), "");
    assert_eq!(seen(&crowd.alice), "Carol <carol@c.test>: between us");
    let answer = crowd.comment("hush", Some((crowd.carol.id(), comment)), false);
    // Alice is the author: what is for her alone has nobody to go to.
    let to_herself = crowd.comment("a note", None, true);
    let now = START + 30;
    let alice = &mut crowd.alice;
    for refused in [answer, to_herself] {
        assert!(alice.agent.act(&alice.store, refused, now).is_err());
    }
}

#[test]
fn stopping_and_hiding_stop_the_relay() {
    let mut crowd = crowd();
    crowd.exchange(START + 10);
    let first = crowd.comment("rude", None, false);
    let comment = crowd.carol.make(START + 20, first);
    crowd.exchange(START + 20);
    let target = (crowd.carol.id(), comment);
    let hide = crowd.alice.make(START + 30, Action::Hide { target });
    crowd.exchange(START + 30);
    assert_eq!([seen(&crowd.alice), seen(&crowd.bob)], ["", ""]);

    let id = comment;
    let text = "ruder".to_owned();
    crowd.carol.make(START + 40, Action::Edit { id, text });
    let got = crowd.exchange(START + 40);
    assert_eq!(got[1].1, 0, "what is hidden is not relayed: {got:?}");

    crowd.alice.act(START + 50, Action::Retract { id: hide });
    crowd.exchange(START + 50);
    assert_eq!(
        seen(&crowd.bob),
        "Carol (through Alice <alice@a.test>): rude"
    );

    let (id, allow) = (crowd.post.1, false);
    crowd.alice.act(START + 60, Action::Relaying { id, allow });
    let late = crowd.comment("late", None, false);
    crowd.carol.make(START + 70, late);
    let got = crowd.exchange(START + 70);
    assert_eq!(got[1].1, 0, "{got:?}");
}

/// Everything that Alice sends to Bob while Carol and she talk and take back.
fn correspondence() -> (Person, Vec<Vec<u8>>) {
    let mut crowd = crowd();
    let mut mails: Vec<Vec<u8>> = Vec::new();
    let mut now = START + 10;
    let mut carry = |crowd: &mut Crowd, mails: &mut Vec<Vec<u8>>| {
        now += 10;
        for _ in 0..3 {
            for (to, octets) in crowd.carol.outbox(now) {
                assert_eq!(to, "alice@a.test");
                crowd.alice.receive(&octets, now);
            }
            for (to, octets) in crowd.alice.outbox(now) {
                match to.as_str() {
                    "bob@b.test" => mails.push(octets),
                    _ => drop(crowd.carol.receive(&octets, now)),
                }
            }
        }
    };
    carry(&mut crowd, &mut mails);
    let first = crowd.comment("first", None, false);
    let first = crowd.carol.make(START + 100, first);
    carry(&mut crowd, &mut mails);
    let second = crowd.comment("second", Some((crowd.carol.id(), first)), false);
    let second = crowd.carol.make(START + 200, second);
    carry(&mut crowd, &mut mails);
    let third = crowd.comment("third", None, false);
    let third = crowd.alice.make(START + 300, third);
    for symbols in [&["❤", "🎉"][..], &["🎉"]] {
        let symbols = symbols.iter().map(ToString::to_string).collect();
        let react = Action::React {
            root: crowd.post,
            parent: Some((crowd.alice.id(), third)),
            symbols,
            private: false,
        };
        carry(&mut crowd, &mut mails);
        crowd.carol.make(START + 350, react);
        carry(&mut crowd, &mut mails);
    }
    let (id, text) = (second, "second, mended".to_owned());
    crowd.carol.make(START + 400, Action::Edit { id, text });
    crowd.carol.act(START + 400, Action::Retract { id: first });
    carry(&mut crowd, &mut mails);
    let fourth = crowd.comment("fourth", None, false);
    let fourth = crowd.carol.make(START + 500, fourth);
    carry(&mut crowd, &mut mails);
    let target = (crowd.carol.id(), fourth);
    crowd.alice.make(START + 600, Action::Hide { target });
    carry(&mut crowd, &mut mails);
    (crowd.bob, mails)
}

#[test]
fn any_order_gives_the_same_threads() {
    let (bob, mails) = correspondence();
    let fresh = bob.store.clone();
    let mut bob = bob;
    for mail in &mails {
        bob.receive(mail, START + 900);
    }
    let expected = seen(&bob);
    let lines: Vec<&str> = expected.lines().collect();
    assert_eq!(lines.len(), 3, "{expected}");
    let orders = Just((0..mails.len()).chain(0..mails.len()).collect::<Vec<_>>()).prop_shuffle();
    let bob = std::cell::RefCell::new(bob);
    proptest!(ProptestConfig::with_cases(64), |(order in orders)| {
        let mut bob = bob.borrow_mut();
        bob.store = fresh.clone();
        for index in order {
            bob.receive(&mails[index], START + 900);
        }
        prop_assert_eq!(&seen(&bob), &expected);
    });
}
