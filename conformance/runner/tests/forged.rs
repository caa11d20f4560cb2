//! The judge looks at what the forge makes: valid mail of every kind is clean, and both
//! readers agree on it; a faulty mail shows its fault where a check bears it, else nothing.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::collections::BTreeMap;

use kith_forge::faults::{Base, Expectation, History, Relation, Scene, catalogue};
use kith_forge::kinds::{RequestOptions, RequestRef, RevisionRef};
use kith_forge::read::{Knowledge, read_open};
use kith_forge::{DAY, Hash, Instant, KeyKind, Puppet, Seed};
use kith_runner::judge::{self, Keyring, forged};

const NOW: Instant = Instant::EXAMPLE;

fn person(name: &str, address: &str, kind: KeyKind) -> Puppet {
    Puppet::new(&Seed::new("judge"), name, address, kind, NOW - 40 * DAY)
}

fn request_ref(asker: &mut Puppet, address: &str) -> RequestRef {
    let draft = asker.request(address, NOW, RequestOptions::default());
    let mail = draft.render(&mut asker.rng).unwrap();
    let reading = read_open(&mail.octets, &Knowledge::new()).unwrap();
    reading.request().unwrap()
}

fn scene(kind: KeyKind, relation: Relation) -> (Scene, Keyring) {
    scene_of(kind, kind, relation)
}

fn scene_of(kind: KeyKind, recipient: KeyKind, relation: Relation) -> (Scene, Keyring) {
    let mut alice = person("Alice", "alice@a.test", recipient);
    let mut bob = person("Bob", "bob@b.test", kind);
    let carol = person("Carol", "carol@b.test", kind);
    let mut keyring = Keyring::default();
    for person in [&alice, &bob, &carol] {
        keyring.add_person(person).unwrap();
    }
    let invite = bob.invite(NOW);
    let mut rng = Seed::new("judge").child("post").rng();
    let post = alice.post_object("The first snow!", NOW).sign(&mut rng);
    let post = RevisionRef::of(&post, "post");
    let history = History {
        request: Some(request_ref(&mut bob, "alice@a.test")),
        asked: Some(request_ref(&mut alice, "bob@b.test")),
        accept: Some(Hash::of("accept")),
        invite: (relation == Relation::AskedInvited).then_some(invite),
        post: Some(post),
        group: None,
        plain_group: None,
        event: None,
    };
    let rng = Seed::new("judge").child("rng").rng();
    let mut scene = Scene::new(bob, carol, alice.peer(), NOW, rng);
    scene.history = history;
    (scene, keyring)
}

/// Whether two people are enough for it: groups and events have a past, which the cases play.
fn is_of_two(base: Base) -> bool {
    use Relation::{Host, Members, Organiser, OwnDevice, Owner};
    !matches!(
        base.relation(),
        Members | Host | Owner | Organiser | OwnDevice
    )
}

#[test]
fn valid_mail_of_every_kind_is_clean() {
    for kind in KeyKind::ALL {
        for base in Base::ALL.into_iter().filter(|base| is_of_two(*base)) {
            let (mut scene, keyring) = scene(kind, base.relation());
            let draft = scene.valid(base).unwrap();
            let mail = draft.render(&mut scene.rng).unwrap();
            let read = forged::valid(&mail, &keyring, NOW.0);
            let read = read.unwrap_or_else(|error| panic!("{kind} {}: {error}", base.name()));
            assert!(
                read.is_some(),
                "{kind} {}: the judge has the keys",
                base.name()
            );
        }
    }
}

#[test]
fn a_faulty_mail_shows_no_other_fault() {
    let mut wrong = BTreeMap::new();
    for fault in catalogue() {
        if fault.expectation != Expectation::Break || !is_of_two(fault.base) {
            continue;
        }
        let kind = fault.key.unwrap_or(KeyKind::V4);
        let recipient = fault.recipient.unwrap_or(kind);
        let (mut scene, mut keyring) = scene_of(kind, recipient, fault.base.relation());
        let made = fault.forge(&mut scene).unwrap();
        keyring.add_person(&scene.author).unwrap();
        if let Err(error) = forged::faulty(&made.mail, fault.requirement, &keyring, scene.now.0) {
            wrong.insert(fault.id, error);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_checks_bear_requirements_of_several_chapters() {
    let chapters: std::collections::BTreeSet<_> =
        judge::rules().iter().map(|rule| rule.chapter).collect();
    assert!(
        chapters.contains("mail") && chapters.contains("security"),
        "{chapters:?}"
    );
}
