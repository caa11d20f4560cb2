//! Unusual envelopes, documents and repetitions.

use kith_spec::{limit, req};

use super::super::mail::add;
use super::super::{Base, Fault, Scene};
use super::sealed;
use crate::hash::Id128;
use crate::instant::DAY;
use crate::kinds::ack;
use crate::mime::{Part, TransferEncoding};
use crate::openpgp::{HashAlgorithm, Packet, Subpacket, subpacket, tag};
use crate::xml::{Element, NEVER_ASSIGNED};

pub(super) fn faults() -> Vec<Fault> {
    [unlisted(), security(), documents(), again()].concat()
}

fn unlisted() -> Vec<Fault> {
    let rule = &req::MAIL_LISTED_PARTS;
    vec![
        Fault::new(
            "accepted/unlisted-object",
            "a delivery with an object that its document does not list",
            rule,
            Base::Message,
        )
        .unlisted()
        .flags(&["wrapping"])
        .sealed(|scene, draft| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let listed = draft
                .sign(&mut scene.rng)
                .iter()
                .map(|object| object.hash)
                .collect();
            let extra = scene.author.message_object(&to, "Not listed.", None, now);
            draft.objects.push(extra.into());
            draft.delivery.objects = Some(listed);
        }),
        sealed(
            "accepted/unlisted-certificate",
            "a delivery with somebody's certificate that its document does not list",
            rule,
            |scene, draft| {
                draft.certificates.push(scene.third.certificate.clone());
                draft.delivery.certificates = Some(Vec::new());
            },
        )
        .flags(&["key-substitution"]),
        sealed(
            "accepted/extra-part",
            "a delivery with a part of an unknown type",
            rule,
            |_, draft| {
                draft.inner.set(|mut root| {
                    let kind = "application/x-never-assigned";
                    add(
                        &mut root,
                        Part::content(kind, "?", TransferEncoding::Base64),
                    );
                    root
                });
            },
        ),
    ]
}

fn security() -> Vec<Fault> {
    vec![
        sealed(
            "accepted/compressed-once",
            "an envelope with one layer of compression",
            &req::SEC_COMPRESSION_DEPTH,
            |_, draft| draft.envelope.compression = 1,
        ),
        sealed(
            "accepted/sha512",
            "signatures with SHA-512",
            &req::SEC_HASH,
            |_, draft| {
                draft
                    .envelope
                    .signatures
                    .iter_mut()
                    .for_each(|s| s.hash = HashAlgorithm::Sha512);
            },
        )
        .key(crate::openpgp::KeyKind::V4),
        sealed(
            "accepted/other-notation",
            "a delivery signature with another notation that is not critical",
            &req::SEC_CRITICAL,
            |_, draft| {
                let other = Subpacket::notation("mood@kith.invalid", "fine");
                draft
                    .envelope
                    .signatures
                    .iter_mut()
                    .for_each(|s| s.hashed.push(other.clone()));
            },
        ),
        sealed(
            "accepted/unhashed-noise",
            "a delivery signature with meaningless unhashed subpackets",
            &req::SEC_HASHED_ONLY,
            |_, draft| {
                let noise = Subpacket::new(subpacket::PRIVATE, *b"noise");
                draft
                    .envelope
                    .signatures
                    .iter_mut()
                    .for_each(|s| s.unhashed.push(noise.clone()));
            },
        ),
        sealed(
            "accepted/padding-packet",
            "an envelope with a padding packet before its data",
            &req::SEC_RECIPIENTS_AGREE,
            |_, draft| {
                draft.envelope.content.set(|mut packets| {
                    packets.push(Packet::new(tag::PADDING, [7; 32]));
                    packets
                });
            },
        ),
        sealed(
            "accepted/unpadded",
            "a delivery without padding",
            &req::MAIL_PADDING,
            |_, draft| draft.padded = false,
        ),
        sealed(
            "accepted/slightly-in-the-future",
            "a delivery signed an hour after the time of receiving",
            &req::SEC_DELIVERY_TIME,
            |scene, draft| {
                let time = (scene.now + 3600).openpgp();
                let created = Subpacket::seconds(subpacket::CREATED, time);
                draft
                    .envelope
                    .signatures
                    .iter_mut()
                    .for_each(|s| s.replace(created.clone()));
            },
        )
        .flags(&["clock"]),
        Fault::new(
            "accepted/request-after-rotation",
            "a request of an identity with three epochs",
            &req::IDENTITY_COMPLETE,
            Base::Request,
        )
        .accepted()
        .prepare(|scene| {
            scene.author.rotate(scene.now, &[]);
            scene.author.rotate(scene.now, &[1]);
        }),
        Fault::new(
            "accepted/contact-with-several-addresses",
            "a request whose contact lists several addresses and unknown features",
            &req::FRIENDS_REQUEST_CONTACT,
            Base::Request,
        )
        .accepted()
        .prepare(|scene| {
            scene.reissue(
                |_, _| {},
                |scene, contact| {
                    let own = Element::new("address").text(&scene.author.address);
                    let payload = &mut contact.payload;
                    payload.content.clear();
                    *payload = payload
                        .clone()
                        .child(own)
                        .child(Element::new("address").text("second@c.test"))
                        .child(Element::new("feature").text(NEVER_ASSIGNED));
                },
            );
        }),
    ]
}

/// An extension element of a namespace that nobody knows.
fn extension() -> Element {
    let foreign = Element::new("x:mood")
        .attribute("xmlns:x", NEVER_ASSIGNED)
        .attribute("level", 3)
        .child(Element::new("x:word").text("cheerful"));
    Element::new("ext").child(foreign)
}

fn documents() -> Vec<Fault> {
    let extension_rule = &req::XML_EXTENSION;
    let object = |id, title, rule, change: fn(&mut Scene, &mut crate::draft::ObjectDraft)| {
        Fault::new(id, title, rule, Base::Message)
            .accepted()
            .object(change)
    };
    vec![
        object(
            "accepted/object-extended",
            "an object with an extension element that nobody knows",
            extension_rule,
            |_, object| object.ext = Some(extension()),
        )
        .flags(&["extension"]),
        object(
            "accepted/payload-extended",
            "a message with an extension element that nobody knows",
            extension_rule,
            |_, object| object.payload = object.payload.clone().child(extension()),
        )
        .flags(&["extension"]),
        sealed(
            "accepted/delivery-extended",
            "a delivery document with an extension element that nobody knows",
            extension_rule,
            |_, draft| draft.delivery.ext = Some(extension()),
        )
        .flags(&["extension"]),
        Fault::new(
            "accepted/request-extended",
            "a request with an extension element that nobody knows",
            extension_rule,
            Base::Request,
        )
        .accepted()
        .object(|_, object| object.payload = object.payload.clone().child(extension()))
        .flags(&["extension"]),
        Fault::new(
            "accepted/unknown-kind",
            "an object of a kind that nobody knows, shown by its fallback",
            &req::KIND_UNKNOWN,
            Base::Post,
        )
        .accepted()
        .flags(&["extension"])
        .sealed(|scene, draft| {
            let text = scene.text.clone();
            draft.objects = vec![scene.author.foreign_object(&text, scene.now).into()];
        }),
        object(
            "accepted/known-feature-required",
            "a message that requires the feature core",
            &req::KIND_REQUIRES,
            |_, object| object.requires.push("core".to_owned()),
        ),
        object(
            "accepted/other-prefix",
            "an object with its namespace bound to a prefix, single quotes, CDATA and comments",
            &req::XML_WELL_FORMED,
            |_, object| object.xml.set(|xml| prefixed(&xml)),
        ),
        object(
            "accepted/deepest",
            "an object nested as deep as it may be",
            &req::XML_DEPTH,
            |_, object| object.ext = Some(super::super::receiving::deep(limit::XML_DEPTH - 2)),
        )
        .flags(&["extension"]),
        object(
            "accepted/longest-text",
            "a message with a text as long as it may be, in several languages",
            &req::XML_SCHEMA,
            |_, object| {
                if let Some(text) = object.payload.find("text") {
                    text.set_text("Öß€語 👋🏽 ".chars().cycle().take(20_000).collect::<String>());
                }
            },
        ),
        object(
            "accepted/created-in-the-future",
            "a message created a year after the time of receiving",
            &req::MESSAGE_ORDER,
            |scene, object| object.created = scene.now + 365 * DAY,
        )
        .flags(&["clock"]),
        object(
            "accepted/parent-unknown",
            "a message that answers one which the recipient does not know",
            &req::MESSAGE_THREAD,
            |_, object| {
                let parent = Element::new("parent").attribute("hash", crate::Hash::of("unknown"));
                object
                    .payload
                    .content
                    .insert(1, crate::xml::Node::Element(parent));
            },
        ),
    ]
}

/// The same document in another spelling.
fn prefixed(xml: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(xml);
    let text = text
        .replace("</", "</k:")
        .replace('<', "<k:")
        .replace("<k:/k:", "</k:")
        .replace("<k:?", "<?")
        .replace("xmlns=", "xmlns:k=")
        .replace('"', "'")
        .replace("<k:fallback>", "<!-- said --><k:fallback><![CDATA[")
        .replace("</k:fallback>", "]]></k:fallback>");
    text.into_bytes()
}

fn again() -> Vec<Fault> {
    vec![
        sealed(
            "accepted/delivered-twice",
            "a mail that arrives a second time, octet by octet",
            &req::CHANNEL_DUPLICATE,
            |scene, draft| {
                draft.sign(&mut scene.rng);
                if let Some(mail) = scene.before(draft.clone()) {
                    draft.mail.raw.set(move |_| mail.octets.clone());
                }
            },
        )
        .flags(&["replay", "no-second-effect"]),
        sealed(
            "accepted/sent-again",
            "a delivery that is sent again: same number and objects, sealed anew",
            &req::CHANNEL_DUPLICATE,
            |scene, draft| {
                draft.sign(&mut scene.rng);
                scene.before(draft.clone());
                draft.mail.auto_submitted = Some("auto-generated".to_owned());
            },
        )
        .flags(&["no-second-effect"]),
        sealed(
            "accepted/message-id-used-before",
            "another message with the Message-ID of an earlier mail",
            &req::MERGE_KEY,
            |scene, draft| {
                let (to, now) = (scene.recipient.clone(), scene.now);
                let first = scene.author.message(&to, "The first.", now);
                if let Some(first) = scene.keep(first)
                    && let Some(mail) = scene.before(first)
                {
                    draft.mail.message_id = Some(mail.message_id);
                }
            },
        )
        .flags(&["replay"]),
        sealed(
            "accepted/numbers-skipped",
            "a delivery that leaves out numbers and raises the base past them",
            &req::CHANNEL_SKIP,
            |_, draft| {
                if let Some(channel) = &mut draft.delivery.channel {
                    channel.seq += 5;
                    channel.base = channel.seq;
                }
            },
        ),
        sealed(
            "accepted/unknown-ack",
            "a message with an ack of a channel that the recipient never used",
            &req::ACK_FOREIGN,
            |scene, draft| {
                let channel = Id128::random(&mut scene.rng);
                draft.delivery.acks.push(ack(channel, 9));
            },
        ),
        Fault::new(
            "accepted/retract-first",
            "a retract that arrives before the post that it takes back",
            &req::RETRACT_FIRST,
            Base::Retract,
        )
        .accepted(),
        Fault::new(
            "accepted/edited",
            "the second revision of a post",
            &req::MERGE_ORDER,
            Base::Post,
        )
        .accepted()
        .sealed(|scene, draft| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let first = scene.author.post_object("Before.", now - 60);
            let second = scene.author.edited(&first, &text, now);
            let carried = scene.author.carry(&to, vec![first], now);
            if let Some(carried) = scene.keep(carried) {
                scene.before(carried);
            }
            draft.objects = vec![second.into()];
        }),
    ]
}
