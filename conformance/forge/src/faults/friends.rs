//! Faults of the chapter "Friends": requests and the handshake.

use kith_spec::{limit, req};

use super::mail::without;
use super::{Action, Base, Fault, Scene};
use crate::draft::{Item, OpenDraft};
use crate::hash::{Hash, Id128};
use crate::instant::DAY;
use crate::kinds::RequestOptions;
use crate::mime::Part;

pub(super) fn faults() -> Vec<Fault> {
    [
        relation(),
        request_parts(),
        request_times(),
        request_notes(),
        request_again(),
        handshake_open(),
        accept(),
        accept_credentials(),
        rest(),
        invites(),
    ]
    .concat()
}

fn relation() -> Vec<Fault> {
    let rule = &req::FRIENDS_ONLY_FRIENDS;
    vec![
        Fault::new(
            "friends/message-of-a-stranger",
            "a stranger's message, with everything that introduces the stranger",
            rule,
            Base::Request,
        )
        .flags(&["stranger"])
        .any(|scene, draft| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let message = scene.author.message(&to, &text, now);
            if let Some(mut message) = scene.keep(message) {
                let mut objects = scene.author.credential_objects();
                objects.append(&mut message.objects);
                message.objects = objects;
                *draft = message.into();
            }
        }),
        Fault::new(
            "friends/message-of-an-unknown-key",
            "a stranger's message, without anything that introduces the stranger",
            rule,
            Base::Request,
        )
        .flags(&["stranger"])
        .any(|scene, draft| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let message = scene.author.message(&to, &text, now);
            if let Some(message) = scene.keep(message) {
                *draft = message.into();
            }
        }),
        Fault::new(
            "friends/message-after-end",
            "a message after the end of the friendship",
            rule,
            Base::Message,
        )
        .also(&req::FRIENDS_END_FINAL)
        .prepare(|scene| {
            if let Ok(end) = scene.valid(Base::End) {
                scene.before(end);
            }
        }),
        Fault::new(
            "friends/message-of-a-blocked",
            "a message of an identity that the recipient has blocked",
            &req::FRIENDS_BLOCK_SILENT,
            Base::Message,
        )
        .prepare(|scene| scene.act_before(Action::Block(scene.author.id))),
    ]
}

/// Leaves out a signed object of the mail.
fn leave_out(draft: &mut OpenDraft, left_out: Hash) {
    draft
        .objects
        .retain(|item| !matches!(item, Item::Signed(object) if object.hash == left_out));
}

fn request_parts() -> Vec<Fault> {
    let rule = &req::FRIENDS_REQUEST_CREDENTIALS;
    vec![
        Fault::new(
            "friends/request-for-another-address",
            "a request for another address than the recipient's",
            &req::FRIENDS_REQUEST_ADDRESS,
            Base::Request,
        )
        .object(|_, object| {
            if let Some(to) = object.payload.find("to") {
                to.set("address", "somebody.else@b.test");
            }
        }),
        Fault::new(
            "friends/request-for-plus-address",
            "a request for the recipient's address with a plus-tag",
            &req::FRIENDS_REQUEST_ADDRESS,
            Base::Request,
        )
        .also(&req::MAIL_ADDRESS_COMPARE)
        .object(|scene, object| {
            let address = scene.recipient.address.replacen('@', "+kith@", 1);
            if let Some(to) = object.payload.find("to") {
                to.set("address", address);
            }
        }),
        Fault::new(
            "friends/request-without-chain",
            "a request whose chain is not in the mail",
            rule,
            Base::Request,
        )
        .open(|scene, draft| leave_out(draft, scene.author.chain[0].hash)),
        Fault::new(
            "friends/request-without-contact",
            "a request whose contact is not in the mail",
            rule,
            Base::Request,
        )
        .open(|scene, draft| leave_out(draft, scene.author.contact.hash)),
        Fault::new(
            "friends/request-without-certificate",
            "a request whose certificate is not in the mail",
            rule,
            Base::Request,
        )
        .open(|_, draft| draft.certificates.clear()),
        Fault::new(
            "friends/request-names-other-certificate",
            "a request that names another certificate than the one in the mail",
            rule,
            Base::Request,
        )
        .object(|scene, object| {
            let other = scene.third.certificate.hash;
            if let Some(certificate) = credential(object, "certificate") {
                certificate.set("hash", other);
            }
        }),
        Fault::new(
            "friends/request-with-contact-of-another",
            "a request that names the contact of somebody else",
            &req::FRIENDS_REQUEST_CONTACT,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| scene.author.contact = scene.third.contact.clone()),
        Fault::new(
            "friends/request-contact-signed-by-another",
            "a request with a contact that somebody else signed",
            &req::FRIENDS_REQUEST_CONTACT,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |_, _| {},
                |scene, contact| contact.sign.key = scene.third.key.clone(),
            );
        }),
        Fault::new(
            "friends/request-mail-too-large",
            "a request in a mail larger than the limit for requests",
            &req::FRIENDS_REQUEST_MAIL_SIZE,
            Base::Request,
        )
        .flags(&["compact"])
        .open(|_, draft| {
            draft.parts.set(|mut parts| {
                let line = "This is a very long letter, and it says the same again and again.\n";
                let times = limit::REQUEST_MAIL_OCTETS as usize / line.len() + 1;
                parts.push(Part::text(&line.repeat(times)));
                parts
            });
        }),
    ]
}

/// An element of the credentials that an object names.
fn credential<'a>(
    object: &'a mut crate::draft::ObjectDraft,
    name: &str,
) -> Option<&'a mut crate::xml::Element> {
    object.payload.find("credentials")?.find(name)
}

fn request_times() -> Vec<Fault> {
    vec![
        Fault::new(
            "friends/request-expired",
            "a request that arrives after it has expired",
            &req::FRIENDS_REQUEST_EXPIRED,
            Base::Request,
        )
        .flags(&["clock"])
        .any(|scene, _| scene.now = scene.now + 14 * DAY + 1),
        Fault::new(
            "friends/request-term-too-long",
            "a request that is to be valid for longer than 30 days",
            &req::FRIENDS_REQUEST_TERM,
            Base::Request,
        )
        .flags(&["clock"])
        .object(|scene, object| {
            let expires = scene.now + limit::REQUEST_DAYS as i64 * DAY + 1;
            object.payload.set("expires", expires);
        }),
        Fault::new(
            "friends/request-from-future",
            "a request that was created two days after the time of receiving",
            &req::FRIENDS_REQUEST_CREATED,
            Base::Request,
        )
        .flags(&["clock"])
        .object(|scene, object| object.created = scene.now + 2 * DAY),
    ]
}

fn request_notes() -> Vec<Fault> {
    let note = |id, title, change: fn(&mut Scene)| {
        Fault::new(id, title, &req::FRIENDS_REQUEST_NOTE, Base::Request).prepare(change)
    };
    vec![
        note(
            "friends/note-with-markup",
            "a request whose note holds markup",
            |scene| {
                scene.text.push_str(" <b>now</b>");
            },
        ),
        note(
            "friends/note-with-link",
            "a request whose note holds a web address",
            |scene| {
                scene.text.push_str(" https://attacker.test/");
            },
        ),
        note(
            "friends/note-with-upper-case-link",
            "a request whose note holds a web address in capital letters",
            |scene| scene.text.push_str(" HTTP://ATTACKER.TEST/"),
        ),
        note(
            "friends/note-with-control-character",
            "a request whose note holds a control character",
            |scene| scene.text.push('\u{9F}'),
        ),
        note(
            "friends/note-with-tab",
            "a request whose note holds a tab",
            |scene| {
                scene.text.push_str("\tnow");
            },
        ),
    ]
}

fn request_again() -> Vec<Fault> {
    vec![
        Fault::new(
            "friends/request-replayed",
            "a request that was declined and comes again",
            &req::FRIENDS_REQUEST_REPLAY,
            Base::Request,
        )
        .flags(&["replay"])
        .open(|scene, draft| {
            let signed = draft.sign(&mut scene.rng);
            scene.before(draft.clone());
            if let Some(request) = signed.last() {
                scene.act_before(Action::Decline(request.key.1));
            }
        }),
        Fault::new(
            "friends/second-request",
            "a second request of an identity whose first is pending",
            &req::FRIENDS_REQUEST_PENDING,
            Base::Request,
        )
        .prepare(|scene| {
            let address = scene.recipient.address.clone();
            let first = scene
                .author
                .request(&address, scene.now, RequestOptions::default());
            scene.before(first);
        }),
    ]
}

/// Puts the objects of a sealed mail into an open one.
fn unseal(scene: &mut Scene, draft: &mut crate::draft::AnyDraft) {
    let address = scene.recipient.address.clone();
    let mut open = scene
        .author
        .request(&address, scene.now, RequestOptions::default());
    open.objects = std::mem::take(draft.objects());
    *draft = open.into();
}

fn handshake_open() -> Vec<Fault> {
    let fault = |id, title, base| {
        Fault::new(id, title, &req::FRIENDS_ACCEPT_SEALED, base)
            .also(&req::MAIL_OPEN_PRIVATE)
            .any(unseal)
    };
    vec![
        fault(
            "friends/accept-open",
            "an accept in an open mail",
            Base::Accept,
        ),
        fault(
            "friends/confirm-open",
            "a confirm in an open mail",
            Base::Confirm,
        ),
        fault(
            "friends/decline-open",
            "a decline in an open mail",
            Base::Decline,
        ),
        fault("friends/end-open", "an end in an open mail", Base::End),
    ]
}

fn set_hash(element: Option<&mut crate::xml::Element>, hash: Hash) {
    if let Some(element) = element {
        element.set("hash", hash);
    }
}

fn accept() -> Vec<Fault> {
    let (to, request) = (&req::FRIENDS_ACCEPT_TO, &req::FRIENDS_ACCEPT_REQUEST);
    let for_third = |id, title, base| {
        Fault::new(id, title, to, base)
            .flags(&["surreptitious-forwarding"])
            .object(|scene, object| {
                let third = scene.third.id;
                if let Some(to) = object.payload.find("to") {
                    to.set("id", third);
                }
            })
    };
    vec![
        for_third(
            "friends/accept-for-another",
            "an accept for another identity",
            Base::Accept,
        ),
        for_third(
            "friends/confirm-for-another",
            "a confirm for another identity",
            Base::Confirm,
        ),
        for_third(
            "friends/decline-for-another",
            "a decline for another identity",
            Base::Decline,
        ),
        for_third(
            "friends/end-for-another",
            "an end for another identity",
            Base::End,
        ),
        Fault::new(
            "friends/accept-of-unknown-request",
            "an accept of a request that the recipient never made",
            request,
            Base::Accept,
        )
        .object(|_, object| set_hash(object.payload.find("request"), Hash::of("no request"))),
        Fault::new(
            "friends/accept-with-wrong-nonce",
            "an accept with another nonce than the request's",
            request,
            Base::Accept,
        )
        .object(|scene, object| object.payload.set("nonce", Id128::random(&mut scene.rng))),
        Fault::new(
            "friends/accept-too-late",
            "an accept that arrives 61 days after the request",
            &req::FRIENDS_ACCEPT_WINDOW,
            Base::Accept,
        )
        .flags(&["clock"])
        .prepare(|scene| scene.now = scene.now + (limit::ACCEPT_DAYS as i64 + 1) * DAY),
        Fault::new(
            "friends/accept-from-another-address",
            "an accept whose contact does not list the address that was asked",
            &req::FRIENDS_ACCEPT_ADDRESS,
            Base::Accept,
        )
        .flags(&["key-substitution"])
        .prepare(move_away),
    ]
}

/// Gives the author a contact with another address only.
fn move_away(scene: &mut Scene) {
    scene.reissue(
        |_, _| {},
        |_, contact| {
            if let Some(address) = contact.payload.find("address") {
                address.set_text("elsewhere@c.test");
            }
        },
    );
}

fn accept_credentials() -> Vec<Fault> {
    let rule = &req::FRIENDS_ACCEPT_CREDENTIALS;
    vec![
        Fault::new(
            "friends/accept-without-chain",
            "an accept whose chain is not in the delivery",
            rule,
            Base::Accept,
        )
        .sealed(|_, draft| {
            draft.objects.remove(0);
        }),
        Fault::new(
            "friends/accept-without-contact",
            "an accept whose contact is not in the delivery",
            rule,
            Base::Accept,
        )
        .sealed(|_, draft| {
            draft.objects.remove(1);
        }),
        Fault::new(
            "friends/accept-without-certificate",
            "an accept whose certificate is not in the delivery",
            rule,
            Base::Accept,
        )
        .sealed(|_, draft| {
            draft.delivery.certificates = Some(Vec::new());
            draft
                .inner
                .set(|root| without(root, "application/pgp-keys"));
        }),
    ]
}

fn rest() -> Vec<Fault> {
    vec![
        Fault::new(
            "friends/confirm-of-unknown-accept",
            "a confirm of an accept that the recipient never sent",
            &req::FRIENDS_CONFIRM_UNKNOWN,
            Base::Confirm,
        )
        .object(|_, object| set_hash(object.payload.find("accept"), Hash::of("no accept"))),
        Fault::new(
            "friends/decline-of-unknown-request",
            "a decline of a request that the recipient never made",
            &req::FRIENDS_DECLINE_REQUEST,
            Base::Decline,
        )
        .object(|_, object| set_hash(object.payload.find("request"), Hash::of("no request"))),
        Fault::new(
            "friends/decline-from-another-address",
            "a decline whose contact does not list the address that was asked",
            &req::FRIENDS_DECLINE_REQUEST,
            Base::Decline,
        )
        .prepare(move_away),
        Fault::new(
            "friends/end-of-another-handshake",
            "an end that names a request of no handshake between the two",
            &req::FRIENDS_END_HANDSHAKE,
            Base::End,
        )
        .flags(&["replay"])
        .object(|_, object| set_hash(object.payload.find("request"), Hash::of("long ago"))),
    ]
}

fn invites() -> Vec<Fault> {
    let rule = &req::FRIENDS_INVITE_ANSWER;
    vec![
        Fault::new(
            "friends/invited-accept-without-proof",
            "an accept of an invited request without proof of the token",
            rule,
            Base::InvitedAccept,
        )
        .flags(&["key-substitution"])
        .object(|_, object| object.payload.remove("invite")),
        Fault::new(
            "friends/invited-accept-with-wrong-proof",
            "an accept of an invited request with the proof of another token",
            rule,
            Base::InvitedAccept,
        )
        .flags(&["key-substitution"])
        .object(|_, object| {
            if let Some(invite) = object.payload.find("invite") {
                invite.set("proof", Hash::of("another token"));
            }
        }),
        Fault::new(
            "friends/invited-accept-of-another-identity",
            "an accept of an invited request by another identity at the same address",
            &req::FRIENDS_INVITE_IDENTITY,
            Base::InvitedAccept,
        )
        .flags(&["key-substitution"])
        .any(|scene, draft| {
            scene.third.address.clone_from(&scene.author.address);
            scene.third.renew_contact(scene.now);
            let (asked, invite) = (scene.history.asked.clone(), scene.history.invite.clone());
            let Some(asked) = asked else { return };
            let (to, now) = (scene.recipient.clone(), scene.now);
            let accept = scene
                .third
                .accept_invited(&asked, invite.as_ref(), &to, now);
            if let Some(accept) = scene.keep(accept) {
                *draft = accept.into();
            }
        }),
    ]
}
