//! Faults of the sections "Rotation" and "Freezing" of the chapter "Identity", of receipts, and of
//! introductions.

use kith_spec::{limit, req};

use super::{Base, Fault, Scene};
use crate::draft::ObjectDraft;
use crate::hash::Hash;
use crate::instant::DAY;
use crate::openpgp::{SignSpec, SigningKey};

pub(super) fn faults() -> Vec<Fault> {
    [
        entries(),
        earlier_keys(),
        objects(),
        frozen(),
        receipts(),
        introductions(),
    ]
    .concat()
}

/// Lets the author rotate before, with these epochs as compromised.
pub(super) fn rotated(scene: &mut Scene, compromised: &[i64]) {
    let (to, now) = (scene.recipient.clone(), scene.now);
    let rotation = scene.author.rotation(&to, compromised, now);
    if let Some(rotation) = scene.keep(rotation) {
        scene.before(rotation);
    }
}

fn first_key(scene: &Scene) -> SigningKey {
    scene
        .author
        .earlier
        .first()
        .unwrap_or(&scene.author.key)
        .clone()
}

/// Lets the first key sign what follows.
fn back_to_first_key(scene: &mut Scene) {
    scene.author.key = first_key(scene);
}

fn signed_by_first_key(scene: &mut Scene, object: &mut ObjectDraft) {
    object.sign = SignSpec::new(&first_key(scene), scene.now).purpose("object");
}

fn entries() -> Vec<Fault> {
    vec![
        Fault::new(
            "identity/rotation-without-certificate",
            "a rotation that comes without the certificate of the new key",
            &req::IDENTITY_ROTATION_CERTIFICATE,
            Base::Rotation,
        )
        .sealed(|_, draft| draft.certificates.clear()),
        Fault::new(
            "identity/rotation-not-committed",
            "a friend's rotation to a key that the epoch before did not commit to",
            &req::IDENTITY_COMMITTED,
            Base::Rotation,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| scene.author.next = scene.third.key.clone()),
        Fault::new(
            "identity/compromised-names-itself",
            "a chain whose second entry names its own epoch as compromised",
            &req::IDENTITY_COMPROMISED_EARLIER,
            Base::Request,
        )
        .prepare(|scene| scene.author.rotate(scene.now, &[1])),
        Fault::new(
            "identity/compromised-twice",
            "a chain whose second entry names an epoch as compromised twice",
            &req::IDENTITY_COMPROMISED_EARLIER,
            Base::Request,
        )
        .prepare(|scene| scene.author.rotate(scene.now, &[0, 0])),
    ]
}

fn earlier_keys() -> Vec<Fault> {
    let previous = &req::IDENTITY_PREVIOUS_KEY;
    vec![
        Fault::new(
            "identity/previous-key-in-time",
            "a message under the previous key, a day after the rotation",
            previous,
            Base::Message,
        )
        .accepted()
        .flags(&["clock"])
        .prepare(|scene| {
            rotated(scene, &[]);
            back_to_first_key(scene);
            scene.now = scene.now + DAY;
        }),
        Fault::new(
            "identity/previous-key-too-late",
            "a message under the previous key, 31 days after the rotation",
            previous,
            Base::Message,
        )
        .flags(&["clock"])
        .prepare(|scene| {
            rotated(scene, &[]);
            back_to_first_key(scene);
            scene.now = scene.now + (limit::ROTATION_DAYS as i64 + 1) * DAY;
        }),
        Fault::new(
            "identity/key-before-previous",
            "a message under the key of epoch 0 after two rotations",
            previous,
            Base::Message,
        )
        .prepare(|scene| {
            rotated(scene, &[]);
            rotated(scene, &[]);
            back_to_first_key(scene);
        }),
        Fault::new(
            "identity/compromised-key",
            "a message under a key that its owner named as compromised",
            &req::IDENTITY_COMPROMISED_DELIVERY,
            Base::Message,
        )
        .prepare(|scene| {
            rotated(scene, &[0]);
            back_to_first_key(scene);
        }),
    ]
}

fn objects() -> Vec<Fault> {
    let compromised = &req::IDENTITY_COMPROMISED_OBJECT;
    vec![
        Fault::new(
            "identity/old-object",
            "an object that the previous key signed, handed over after an ordinary rotation",
            &req::IDENTITY_OLD_OBJECTS,
            Base::Message,
        )
        .accepted()
        .prepare(|scene| rotated(scene, &[]))
        .object(signed_by_first_key),
        Fault::new(
            "identity/compromised-object",
            "a new object that only a compromised key signed",
            compromised,
            Base::Message,
        )
        .prepare(|scene| rotated(scene, &[0]))
        .object(signed_by_first_key),
        Fault::new(
            "identity/compromised-object-backdated",
            "a new object of a compromised key that claims to be older than the rotation",
            compromised,
            Base::Message,
        )
        .prepare(|scene| rotated(scene, &[0]))
        .object(|scene, object| {
            object.created = scene.now - 10 * DAY;
            object.sign = SignSpec::new(&first_key(scene), scene.now - 10 * DAY).purpose("object");
        }),
        Fault::new(
            "identity/contact-of-previous-epoch",
            "a friend's contact of the epoch before, signed by the previous key",
            &req::CONTACT_AUTHOR,
            Base::Message,
        )
        .in_object()
        .prepare(|scene| rotated(scene, &[]))
        .sealed(|scene, draft| {
            let mut contact = scene.author.contact_object(scene.now);
            contact.payload.set("epoch", 0);
            signed_by_first_key(scene, &mut contact);
            draft.objects.push(contact.into());
        }),
    ]
}

fn frozen() -> Vec<Fault> {
    vec![
        Fault::new(
            "identity/frozen-after-rival",
            "a message of a friend of whose newest entry a valid rival was seen",
            &req::IDENTITY_FROZEN,
            Base::Message,
        )
        .also(&req::IDENTITY_RIVAL_FREEZES)
        .prepare(|scene| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let chain = std::mem::take(&mut scene.author.chain);
            let next = std::mem::replace(&mut scene.author.next, scene.third.key.clone());
            let rival = scene.author.identity_object(now, &[]);
            scene.author.chain = chain;
            scene.author.next = next;
            let carried = scene.author.carry(&to, vec![rival], now);
            if let Some(carried) = scene.keep(carried) {
                scene.before(carried);
            }
        }),
        Fault::new(
            "identity/thawed-by-rotation",
            "the rotation of a friend who was frozen",
            &req::IDENTITY_THAW,
            Base::Rotation,
        )
        .accepted()
        .prepare(|scene| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let chain = std::mem::take(&mut scene.author.chain);
            let next = std::mem::replace(&mut scene.author.next, scene.third.key.clone());
            let rival = scene.author.identity_object(now, &[]);
            scene.author.chain = chain;
            scene.author.next = next;
            let carried = scene.author.carry(&to, vec![rival], now);
            if let Some(carried) = scene.keep(carried) {
                scene.before(carried);
            }
        }),
    ]
}

fn receipts() -> Vec<Fault> {
    vec![
        Fault::new(
            "messages/receipt-for-another",
            "a receipt that names somebody else",
            &req::RECEIPT_ADDRESSED,
            Base::Receipt,
        )
        .object(|scene, object| {
            if let Some(to) = object.payload.find("to") {
                to.set("id", scene.third.id);
            }
        }),
    ]
}

fn introductions() -> Vec<Fault> {
    let consent = &req::INTRODUCE_CONSENT;
    vec![
        Fault::new(
            "friends/introduce-for-another",
            "an introduction that names somebody else as its recipient",
            &req::INTRODUCE_ADDRESSED,
            Base::Introduce,
        )
        .object(|scene, object| {
            if let Some(to) = object.payload.find("to") {
                to.set("id", Hash::of(scene.third.id.to_string()));
            }
        }),
        Fault::new(
            "friends/introduce-recipient",
            "an introduction of its recipient",
            &req::INTRODUCE_THIRD,
            Base::Introduce,
        )
        .object(|scene, object| {
            let id = scene.recipient.id;
            if let Some(person) = object.payload.find("person") {
                person.set("id", id);
            }
        }),
        Fault::new(
            "friends/introduce-oneself",
            "an introduction of its author",
            &req::INTRODUCE_THIRD,
            Base::Introduce,
        )
        .in_object()
        .sealed(|scene, draft| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let mut own = scene.author.clone();
            own.introducible = true;
            own.renew_contact(now);
            let made = scene.author.introduce(&to, &own, now);
            if let Some(mut made) = scene.keep(made) {
                draft.objects = std::mem::take(&mut made.objects);
                draft.certificates = std::mem::take(&mut made.certificates);
            }
        }),
        Fault::new(
            "friends/introduce-without-consent",
            "an introduction of somebody whose contact doesn't agree to it",
            consent,
            Base::Introduce,
        )
        .in_object()
        .sealed(|scene, draft| {
            let (to, third, now) = (scene.recipient.clone(), scene.third.clone(), scene.now);
            let made = scene.author.introduce(&to, &third, now);
            if let Some(mut made) = scene.keep(made) {
                draft.objects = std::mem::take(&mut made.objects);
                draft.certificates = std::mem::take(&mut made.certificates);
            }
        }),
        Fault::new(
            "friends/introduce-without-contact",
            "an introduction that lacks the contact it names",
            &req::INTRODUCE_CREDENTIALS,
            Base::Introduce,
        )
        .in_object()
        .sealed(|_, draft| {
            let before_last = draft.objects.len().saturating_sub(2);
            draft.objects.remove(before_last);
        }),
        Fault::new(
            "friends/introduce-too-many",
            "one introduction more in thirty days than a friend may make",
            &req::INTRODUCE_LIMIT,
            Base::Introduce,
        )
        .in_object()
        .flags(&["flood"])
        .prepare(|scene| {
            for _ in 0..limit::INTRODUCE_COUNT {
                if let Ok(draft) = scene.valid(Base::Introduce) {
                    scene.before(draft);
                }
            }
        }),
    ]
}
