//! Faults of the chapter "Post-quantum keys".

use kith_spec::req;

use super::{Base, Fault, Scene};
use crate::instant::DAY;
use crate::openpgp::{KeyKind, SigningKey};
use crate::xml::{Element, Node};

pub(super) fn faults() -> Vec<Fault> {
    [declared(), downgraded(), rotated()].concat()
}

fn declare(payload: &mut Element) {
    let feature = Element::new("feature").text("pq");
    payload.content.push(Node::Element(feature));
}

/// A certificate whose composite subkey has ended.
fn expire(scene: &mut Scene) {
    for subkey in &mut scene.author.certificate_spec.subkeys {
        if subkey.key.is_composite() {
            subkey.expires = Some(DAY as u32);
        }
    }
    scene.author.renew_certificate();
}

fn declared() -> Vec<Fault> {
    let rule = &req::PQ_DECLARED;
    vec![
        Fault::new(
            "pq/declared-without-subkey",
            "a request with a contact that lists `pq` and a certificate without such a subkey",
            rule,
            Base::Request,
        )
        .key(KeyKind::V6)
        .prepare(|scene| {
            scene.reissue(|_, _| {}, |_, contact| declare(&mut contact.payload));
        }),
        Fault::new(
            "pq/declared-after-the-end",
            "a request with a contact that lists `pq` and a certificate whose subkey has expired",
            rule,
            Base::Request,
        )
        .key(KeyKind::Mixed)
        .prepare(expire),
        Fault::new(
            "pq/declared-later",
            "a friend's new contact that lists `pq`, though the certificate has no such subkey",
            rule,
            Base::Message,
        )
        .key(KeyKind::V6)
        .in_object()
        .sealed(|scene, draft| {
            let mut contact = scene.author.contact_object(scene.now);
            declare(&mut contact.payload);
            draft.objects.push(contact.into());
        }),
    ]
}

fn downgraded() -> Vec<Fault> {
    vec![
        Fault::new(
            "pq/downgraded",
            "a message under the classical subkey of a recipient who has a post-quantum one, as the \
             author has",
            &req::PQ_RECEIVED,
            Base::Message,
        )
        .flags(&["downgrade"])
        .key(KeyKind::Pq)
        .recipient(KeyKind::Mixed)
        .sealed(|scene, draft| {
            let certificate = scene.recipient.certificate.as_ref();
            let classical = certificate.and_then(|known| known.classical_key().ok());
            for (recipient, key) in draft.envelope.recipients.iter_mut().zip(classical) {
                recipient.key = key;
            }
        }),
        Fault::new(
            "pq/undeclared-author",
            "a message under the classical subkey of a recipient who has a post-quantum one, of an \
             author who has none",
            &req::PQ_ACCEPT_KEYS,
            Base::Message,
        )
        .accepted()
        .key(KeyKind::V6)
        .recipient(KeyKind::Mixed)
        .sealed(|scene, draft| {
            let certificate = scene.recipient.certificate.as_ref();
            let classical = certificate.and_then(|known| known.classical_key().ok());
            for (recipient, key) in draft.envelope.recipients.iter_mut().zip(classical) {
                recipient.key = key;
            }
        }),
    ]
}

fn rotated() -> Vec<Fault> {
    let rule = &req::PQ_ROTATION;
    vec![
        Fault::new(
            "pq/chain-back-to-classical",
            "a chain whose first key is ML-DSA-65+Ed25519 and whose second is Ed25519",
            rule,
            Base::Request,
        )
        .flags(&["downgrade"])
        .key(KeyKind::Pq)
        .prepare(|scene| {
            let now = scene.now;
            scene.author.kind = KeyKind::V6;
            if let Ok(key) = SigningKey::generate(&mut scene.rng, KeyKind::V6, now) {
                scene.author.next = key;
            }
            scene.reissue(|_, _| {}, |_, _| {});
            scene.author.rotate(now, &[]);
        }),
        Fault::new(
            "pq/rotation-back-to-classical",
            "a friend's rotation from ML-DSA-65+Ed25519 to Ed25519, to which the friend was committed",
            rule,
            Base::Rotation,
        )
        .flags(&["downgrade"])
        .key(KeyKind::Pq)
        .prepare(|scene| {
            // The next key is still the one committed to; the one after it is classical.
            scene.author.kind = KeyKind::V6;
            super::rotation::rotated(scene, &[]);
        }),
    ]
}
