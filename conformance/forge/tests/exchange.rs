//! Puppets of all kinds of keys write to each other, and read everything back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

use kith_forge::kinds::{RequestOptions, ack};
use kith_forge::read::{Knowledge, Reading, read_open};
use kith_forge::{Draft, Instant, KeyKind, Puppet, Seed};

const NOW: Instant = Instant::EXAMPLE;

fn people(alice: KeyKind, bob: KeyKind) -> (Puppet, Puppet) {
    let seed = Seed::new("exchange");
    (
        Puppet::new(&seed, "Alice", "alice@a.test", alice, NOW),
        Puppet::new(&seed, "Bob", "bob@b.test", bob, NOW),
    )
}

fn delivered(from: &mut Puppet, to: &Puppet, draft: &Draft) -> Reading {
    let mail = draft.render(&mut from.rng).unwrap();
    let mut knowledge = Knowledge::new();
    knowledge.certificate(&from.certificate);
    let reading = to.read(&mail.octets, &knowledge).unwrap();
    check_lines(&mail.octets);
    check_sealed(&reading, from, to);
    let hashes: Vec<_> = reading.objects.iter().map(|object| object.hash).collect();
    assert_eq!(hashes, mail.objects);
    reading
}

fn check_lines(octets: &[u8]) {
    let text = std::str::from_utf8(octets).unwrap();
    assert!(text.is_ascii());
    for line in text.split("\r\n") {
        assert!(line.len() <= 76 && !line.contains(['\r', '\n']), "{line}");
    }
}

fn check_sealed(reading: &Reading, from: &Puppet, to: &Puppet) {
    let envelope = reading.envelope.as_ref().unwrap();
    let v2 = to.kind != KeyKind::V4;
    assert_eq!(envelope.seipd, if v2 { 2 } else { 1 });
    assert_eq!(envelope.session_keys.len(), 1);
    assert!([4096, 8192, 16_384, 32_768, 65_536].contains(&envelope.payload_length));
    let [signature] = &envelope.signatures[..] else {
        panic!("one signature")
    };
    assert_eq!(signature.verified, Some(from.fingerprint()));
    assert_eq!(signature.purpose(), Some("delivery"));
    assert_eq!(signature.intended, [to.fingerprint()]);
    assert_eq!(reading.field("Subject"), Some("[...]"));
    let inside = reading.inside.as_ref().unwrap();
    assert_eq!(inside.parameter("hp"), Some("cipher"));
    assert_eq!(reading.hp_outer.len(), 5);
    assert!(reading.hp_outer.contains(&"Subject: [...]".to_owned()));
    let delivery = reading.delivery.as_ref().unwrap();
    assert_eq!((delivery.from.id, delivery.to[0].id), (from.id, to.id));
    for object in &reading.objects {
        let signature = object.signature.as_ref().unwrap();
        assert_eq!(
            signature.verified,
            Some(from.fingerprint()),
            "{}",
            object.kind
        );
        assert_eq!(signature.purpose(), Some("object"));
        assert_eq!(object.packets, [4, 11, 2]);
    }
}

#[test]
fn handshake_and_what_follows() {
    for a in KeyKind::ALL {
        for b in KeyKind::ALL {
            let (mut alice, mut bob) = people(a, b);
            let options = RequestOptions {
                note: Some("It's me, Älice".to_owned()),
                ..RequestOptions::default()
            };
            let draft = alice.request(&bob.address, NOW, options);
            let mail = draft.render(&mut alice.rng).unwrap();
            check_lines(&mail.octets);
            let reading = read_open(&mail.octets, &Knowledge::new()).unwrap();
            let request = reading.request().unwrap();
            let to_alice = reading.sender().unwrap();
            assert_eq!(to_alice.id, alice.id);

            let draft = bob.accept(&request, &to_alice, NOW).unwrap();
            let reading = delivered(&mut bob, &alice, &draft);
            let accept = reading.object("accept").unwrap().hash;
            let to_bob = reading.sender().unwrap();

            let draft = alice.confirm(&to_bob, accept, NOW).unwrap();
            let first = delivered(&mut alice, &bob, &draft).delivery.unwrap();
            let draft = alice.message(&to_bob, "Grüße <&>", NOW).unwrap();
            let reading = delivered(&mut alice, &bob, &draft);
            let second = reading.delivery.as_ref().unwrap();
            let (first, second) = (first.channel.unwrap(), second.channel.unwrap());
            assert_eq!((first.id, first.seq + 1), (second.id, second.seq));
            let message = reading.object("message").unwrap();
            assert_eq!(message.payload.child("text").unwrap().text, "Grüße <&>");
            assert!(reading.text.unwrap().starts_with("Alice writes: Grüße <&>"));

            let acks = vec![ack(second.id, second.seq)];
            let draft = bob.acknowledge(&to_alice, acks.clone(), NOW).unwrap();
            let reading = delivered(&mut bob, &alice, &draft);
            assert_eq!(reading.delivery.as_ref().unwrap().acks, acks);
            assert_eq!(reading.field("Auto-Submitted"), Some("auto-generated"));

            let draft = alice.end(&to_bob, &[request.hash], NOW).unwrap();
            delivered(&mut alice, &bob, &draft);
        }
    }
}

#[test]
fn the_same_steps_give_the_same_octets() {
    let run = || {
        let (mut alice, bob) = people(KeyKind::V6, KeyKind::V4);
        let draft = alice.message(&bob.peer(), "Hi", NOW).unwrap();
        draft.render(&mut alice.rng).unwrap().octets
    };
    assert_eq!(run(), run());
}

#[test]
fn a_rotated_puppet_keeps_its_id() {
    let (mut alice, bob) = people(KeyKind::V4, KeyKind::V6);
    let (id, committed) = (alice.id, alice.next.key_hash());
    alice.rotate(NOW + 10, &[0]);
    assert_eq!((alice.id, alice.key.key_hash()), (id, committed));
    let draft = alice.request(&bob.address, NOW + 20, RequestOptions::default());
    let mail = draft.render(&mut alice.rng).unwrap();
    let reading = read_open(&mail.octets, &Knowledge::new()).unwrap();
    assert_eq!(reading.objects.len(), 4);
    for object in &reading.objects {
        assert!(object.signature.as_ref().unwrap().verified.is_some());
    }
}
