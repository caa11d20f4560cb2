//! The catalogue is complete, well-formed, and makes the same mail every time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

use std::collections::BTreeSet;

use kith_forge::KeyKind;
use kith_forge::faults::{Base, Expectation, catalogue, flags};
use kith_forge::play::{Opening, Play};
use kith_forge::read::Knowledge;
use kith_spec::{Lack, exceptions, pending, requirements};

fn plays() -> Vec<(&'static str, Expectation, Play)> {
    let play = |fault: &kith_forge::faults::Fault| {
        let (relation, author, recipient, third) = fault.opening();
        let opening = Opening::new(relation, author, recipient, third).unwrap();
        let play = opening.fault(fault);
        (
            fault.id,
            fault.expectation,
            play.unwrap_or_else(|e| panic!("{}: {e}", fault.id)),
        )
    };
    catalogue().iter().map(play).collect()
}

#[test]
fn every_entry_has_an_id_of_its_own_and_known_flags() {
    let known: BTreeSet<_> = flags().iter().map(|flag| flag.id).collect();
    let mut seen = BTreeSet::new();
    for fault in catalogue() {
        assert!(seen.insert(fault.id), "{} twice", fault.id);
        let words = fault.id.split('/').flat_map(|part| part.split('-'));
        for word in words {
            assert!(
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            );
        }
        for flag in fault.flags {
            assert!(known.contains(flag), "{}: no flag {flag}", fault.id);
        }
        let breaks = fault.expectation == Expectation::Break;
        assert!(
            !breaks || fault.requirement.outcome.is_some(),
            "{}",
            fault.id
        );
    }
    let used: BTreeSet<_> = catalogue()
        .iter()
        .flat_map(|fault| fault.flags)
        .copied()
        .collect();
    assert_eq!(used, known);
}

#[test]
fn every_violation_has_an_entry() {
    let broken: BTreeSet<_> = catalogue()
        .iter()
        .filter(|fault| fault.expectation == Expectation::Break)
        .flat_map(|fault| fault.requirements().collect::<Vec<_>>())
        .map(|rule| rule.id)
        .collect();
    let excused = |id| {
        let mut all = exceptions().iter();
        all.any(|e| e.requirement.id == id && e.lacks.contains(&Lack::Vector))
    };
    let waits = |rule: kith_spec::Rule| {
        let mut all = pending().iter();
        all.any(|entry| entry.covers(rule) && entry.lacks.contains(&Lack::Vector))
    };
    let missing: Vec<_> = requirements()
        .iter()
        .filter(|rule| rule.violation.is_some() && !broken.contains(rule.id))
        .filter(|rule| !excused(rule.id) && !waits(rule))
        .map(|rule| rule.id)
        .collect();
    assert!(missing.is_empty(), "no entry breaks {missing:?}");
}

#[test]
fn the_catalogue_makes_the_same_mail_every_time() {
    for (first, second) in plays().iter().zip(plays()) {
        assert_eq!(first.2.mail, second.2.mail, "{}", first.0);
    }
}

fn check(id: &str, play: &Play) {
    let mut knowledge = Knowledge::new();
    knowledge.certificate(&play.author.certificate);
    // Objects and deliveries of earlier epochs verify under their own keys.
    for entry in &play.author.chain {
        knowledge.identity(&entry.xml);
    }
    let reading = play.opening.recipient.read(&play.mail.octets, &knowledge);
    let reading = reading.unwrap_or_else(|error| panic!("{id}: {error}"));
    for object in &reading.objects {
        let signature = object.signature.as_ref().unwrap();
        assert!(signature.verified.is_some(), "{id}: {}", object.kind);
    }
    if let Some(envelope) = &reading.envelope {
        for signature in &envelope.signatures {
            assert!(signature.verified.is_some(), "{id}");
        }
    }
    let read: Vec<_> = reading.objects.iter().map(|object| object.hash).collect();
    for (hash, _) in &play.objects {
        assert!(read.contains(hash), "{id}: {hash}");
    }
}

#[test]
fn what_is_to_be_accepted_reads_well() {
    for (id, expectation, play) in plays() {
        if expectation != Expectation::Break {
            check(id, &play);
        }
    }
    for author in KeyKind::CLASSICAL {
        for recipient in KeyKind::CLASSICAL {
            for base in Base::ALL {
                let opening = Opening::new(base.relation(), author, recipient, false).unwrap();
                check(base.name(), &opening.valid(base).unwrap());
            }
        }
    }
}
