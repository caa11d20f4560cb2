//! Faults of the chapter "Identity": chains and contacts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kith_spec::{limit, req};

use super::{Base, Fault, Scene};
use crate::draft::ObjectDraft;
use crate::hash::{Hash, Id128};
use crate::openpgp::{Packet, SignSpec, SigningKey, serialize, tag};
use crate::xml::{Element, NEVER_ASSIGNED};

pub(super) fn faults() -> Vec<Fault> {
    [entry(), key(), chain(), rivals(), contact()].concat()
}

fn keep(_: &mut Scene, _: &mut ObjectDraft) {}

fn set_key(object: &mut ObjectDraft, octets: &[u8]) {
    if let Some(key) = object.payload.find("key") {
        key.set_text(STANDARD.encode(octets));
    }
}

fn entry() -> Vec<Fault> {
    let signed = &req::IDENTITY_SELF_SIGNED;
    vec![
        Fault::new(
            "identity/id-is-not-the-key-hash",
            "a request of an identity whose id is not the hash of its key",
            &req::IDENTITY_ID,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| {
            scene.author.id = Hash::of("chosen freely");
            scene.reissue(keep, keep);
        }),
        Fault::new(
            "identity/id-of-somebody-else",
            "a request in the name of another identity, with own key and chain",
            &req::IDENTITY_ID,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| {
            scene.author.id = scene.third.id;
            scene.reissue(keep, keep);
        }),
        Fault::new(
            "identity/signed-by-another-key",
            "a chain entry that is not signed by the key it holds",
            signed,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |scene, identity| {
                    identity.sign = SignSpec::new(&scene.third.key, scene.now).purpose("object");
                },
                keep,
            );
        }),
        Fault::new(
            "identity/signature-broken",
            "a chain entry whose signature has one bit turned over",
            signed,
            Base::Request,
        )
        .prepare(|scene| scene.reissue(|_, identity| identity.sign.corrupt = true, keep)),
        Fault::new(
            "identity/author-is-another",
            "a chain entry in the name of another identity",
            signed,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(|scene, identity| identity.author = scene.third.id, keep);
        }),
    ]
}

fn key() -> Vec<Fault> {
    let rule = &req::IDENTITY_KEY_PACKET;
    vec![
        Fault::new(
            "identity/key-is-a-certificate",
            "a chain entry that holds a whole certificate instead of a bare key",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |scene, identity| set_key(identity, &scene.author.certificate.binary),
                keep,
            );
        }),
        Fault::new(
            "identity/two-keys",
            "a chain entry that holds two keys",
            rule,
            Base::Request,
        )
        .flags(&["wrapping"])
        .prepare(|scene| {
            scene.reissue(
                |scene, identity| {
                    let keys = [&scene.author.key, &scene.third.key].map(SigningKey::public_packet);
                    set_key(identity, &serialize(&keys));
                },
                keep,
            );
        }),
        Fault::new(
            "identity/key-is-a-subkey",
            "a chain entry whose key stands in a packet for subkeys",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |scene, identity| {
                    let body = scene.author.key.public_body();
                    set_key(identity, &Packet::new(tag::PUBLIC_SUBKEY, body).octets());
                },
                keep,
            );
        }),
        Fault::new(
            "identity/key-is-garbage",
            "a chain entry whose key is no OpenPGP packet",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(|_, identity| set_key(identity, b"no packet at all"), keep);
        }),
        Fault::new(
            "identity/key-with-trailing-octets",
            "a chain entry with octets after its key",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |scene, identity| {
                    let mut octets = scene.author.key.public_packet().octets();
                    octets.extend(b"more");
                    set_key(identity, &octets);
                },
                keep,
            );
        }),
    ]
}

/// Signs the newest chain entry again after a change.
fn change_last(scene: &mut Scene, change: impl FnOnce(&mut ObjectDraft)) {
    let last = scene.author.chain.pop();
    let mut draft = scene.author.identity_object(scene.now, &[]);
    if last.is_some() {
        change(&mut draft);
    }
    let entry = draft.sign(&mut scene.rng);
    scene.author.chain.push(entry);
}

fn chain() -> Vec<Fault> {
    let rule = &req::IDENTITY_COMPLETE;
    vec![
        Fault::new(
            "identity/first-epoch-missing",
            "a request of a rotated identity without its first entry",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            scene.author.chain.remove(0);
        }),
        Fault::new(
            "identity/middle-epoch-missing",
            "a request of an identity of three epochs without the second entry",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            scene.author.rotate(scene.now, &[]);
            scene.author.chain.remove(1);
        }),
        Fault::new(
            "identity/epoch-number-skipped",
            "a chain whose second entry has the number 2",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            change_last(scene, |entry| entry.payload.set("epoch", 2));
        }),
        Fault::new(
            "identity/previous-wrong",
            "a chain whose second entry names another first one",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            change_last(scene, |entry| {
                if let Some(previous) = entry.payload.find("prev") {
                    previous.set("hash", Hash::of("another"));
                }
            });
        }),
        Fault::new(
            "identity/previous-missing",
            "a chain whose second entry names none before",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            change_last(scene, |entry| entry.payload.remove("prev"));
        }),
        Fault::new(
            "identity/previous-of-first",
            "a chain whose first entry names one before",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |_, identity| {
                    let previous = Element::new("prev").attribute("hash", Hash::of("before"));
                    let previous = crate::xml::Node::Element(previous);
                    identity.payload.content.insert(0, previous);
                },
                keep,
            );
        }),
        Fault::new(
            "identity/key-not-committed",
            "a chain whose second key is not the one that the first entry committed to",
            &req::IDENTITY_COMMITTED,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| {
            scene.author.next = scene.third.key.clone();
            scene.author.rotate(scene.now, &[]);
        }),
        Fault::new(
            "identity/chain-too-large",
            "a chain whose entries are larger than the limit together",
            &req::IDENTITY_CHAIN_SIZE,
            Base::Request,
        )
        .flags(&["compact"])
        .prepare(|scene| {
            scene.reissue(
                |_, identity| {
                    let filler = "x".repeat(limit::CHAIN_OCTETS as usize);
                    let foreign = Element::new("x:filler")
                        .attribute("xmlns:x", NEVER_ASSIGNED)
                        .text(filler);
                    identity.ext = Some(Element::new("ext").child(foreign));
                },
                keep,
            );
        }),
    ]
}

fn rivals() -> Vec<Fault> {
    vec![
        Fault::new(
            "identity/rival-entry",
            "a friend's delivery with a second, different entry for a known epoch",
            &req::IDENTITY_FIRST_SEEN,
            Base::Message,
        )
        .in_object()
        .sealed(|scene, draft| {
            let chain = std::mem::take(&mut scene.author.chain);
            let next = std::mem::replace(&mut scene.author.next, scene.third.key.clone());
            let rival = scene.author.identity_object(scene.now, &[]);
            scene.author.chain = chain;
            scene.author.next = next;
            draft.objects.push(rival.into());
        }),
        Fault::new(
            "identity/entry-retracted",
            "a retract that names a chain entry of its author",
            &req::IDENTITY_NOT_MERGED,
            Base::Retract,
        )
        .also(&req::RETRACT_KINDS)
        .object(|scene, object| {
            let entry = scene.author.chain.first().map(|entry| entry.key.1);
            if let (Some(target), Some(id)) = (object.payload.find("target"), entry) {
                target.set("id", id);
                target.set("kind", "identity");
            }
        }),
    ]
}

fn contact() -> Vec<Fault> {
    let (epoch, characters) = (&req::CONTACT_AUTHOR, &req::CONTACT_NAME_CHARACTERS);
    let name = |id, title, change: fn(&mut Scene)| {
        Fault::new(id, title, characters, Base::Request)
            .flags(&["spoofing"])
            .prepare(change)
    };
    vec![
        Fault::new(
            "identity/contact-of-future-epoch",
            "a contact that names an epoch which does not exist",
            epoch,
            Base::Request,
        )
        .prepare(|scene| scene.reissue(keep, |_, contact| contact.payload.set("epoch", 1))),
        Fault::new(
            "identity/contact-of-old-epoch",
            "a rotated identity's contact that its first key signed",
            epoch,
            Base::Request,
        )
        .prepare(|scene| {
            let old = scene.author.contact.clone();
            scene.author.rotate(scene.now, &[]);
            scene.author.contact = old;
        }),
        Fault::new(
            "identity/contact-signed-by-old-key",
            "a rotated identity's contact of the new epoch that its first key signed",
            epoch,
            Base::Request,
        )
        .prepare(|scene| {
            let old = scene.author.key.clone();
            scene.author.rotate(scene.now, &[]);
            let mut contact = scene.author.contact_object(scene.now);
            contact.sign = SignSpec::new(&old, scene.now).purpose("object");
            scene.author.contact = contact.sign(&mut scene.rng);
        }),
        Fault::new(
            "identity/contact-id-random",
            "a contact with a random id",
            &req::CONTACT_ID,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(keep, |scene, contact| {
                contact.id = Id128::random(&mut scene.rng);
            });
        }),
        name(
            "identity/name-turns-direction",
            "a claimed name with a character that turns the direction of text",
            |scene| claim(scene, "Alice \u{202E}tset.knab"),
        ),
        name(
            "identity/name-isolates",
            "a claimed name with a character that isolates a direction of text",
            |scene| claim(scene, "Alice \u{2067}Bob\u{2069}"),
        ),
        name(
            "identity/name-control-character",
            "a claimed name with a control character",
            |scene| claim(scene, "Alice\u{0085}Bob"),
        ),
    ]
}

fn claim(scene: &mut Scene, name: &str) {
    name.clone_into(&mut scene.author.name);
    scene.reissue(keep, keep);
}
