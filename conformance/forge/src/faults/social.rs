//! Faults of the chapters "Private messages" and "Posts to friends".

use kith_spec::req;

use super::{Base, Fault};
use crate::draft::ObjectDraft;

pub(super) fn faults() -> Vec<Fault> {
    [messages(), posts(), retracts()].concat()
}

fn messages() -> Vec<Fault> {
    let audience = &req::MESSAGE_AUDIENCE;
    vec![
        Fault::new(
            "messages/for-another",
            "a message that names another recipient, passed on to this one",
            &req::MESSAGE_ADDRESSED,
            Base::Message,
        )
        .flags(&["surreptitious-forwarding"])
        .object(|scene, object| {
            let third = scene.third.id;
            if let Some(to) = object.payload.find("to") {
                to.set("id", third);
            }
        }),
        Fault::new(
            "messages/audience-friends",
            "a message for all friends",
            audience,
            Base::Message,
        )
        .object(|_, object| "friends".clone_into(&mut object.audience)),
        Fault::new(
            "messages/audience-public",
            "a message for everybody",
            audience,
            Base::Message,
        )
        .object(|_, object| "public".clone_into(&mut object.audience)),
    ]
}

fn posts() -> Vec<Fault> {
    let rule = &req::POST_AUDIENCE;
    vec![
        Fault::new(
            "posts/audience-direct",
            "a post for one person",
            rule,
            Base::Post,
        )
        .object(|_, object| "direct".clone_into(&mut object.audience)),
        Fault::new(
            "posts/audience-public",
            "a public post in a sealed mail",
            rule,
            Base::Post,
        )
        .object(|_, object| "public".clone_into(&mut object.audience)),
        Fault::new(
            "posts/audience-group",
            "a post for a group in a delivery to one friend",
            rule,
            Base::Post,
        )
        .object(|_, object| "group".clone_into(&mut object.audience)),
    ]
}

fn set_kind(object: &mut ObjectDraft, kind: &str) {
    if let Some(target) = object.payload.find("target") {
        target.set("kind", kind);
    }
}

fn retracts() -> Vec<Fault> {
    let kinds = &req::RETRACT_KINDS;
    let of_kind = |id, title, change: fn(&mut super::Scene, &mut ObjectDraft)| {
        Fault::new(id, title, kinds, Base::Retract).object(change)
    };
    vec![
        Fault::new(
            "posts/retract-of-another-author",
            "a retract of somebody else's post",
            &req::RETRACT_AUTHOR,
            Base::Retract,
        )
        .third_is_friend()
        .object(|scene, object| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let post = scene.third.post_object(&text, now);
            let carried = scene.third.carry(&to, vec![post.clone()], now);
            if let Some(carried) = scene.keep(carried) {
                scene.before(carried);
            }
            if let Some(target) = object.payload.find("target") {
                target.set("author", post.author);
                target.set("id", post.id);
            }
        }),
        of_kind(
            "posts/retract-of-contact",
            "a retract of the own contact",
            |scene, object| {
                let id = scene.author.contact.key.1;
                if let Some(target) = object.payload.find("target") {
                    target.set("id", id);
                }
                set_kind(object, "contact");
            },
        ),
        of_kind(
            "posts/retract-of-request",
            "a retract of a request",
            |_, object| {
                set_kind(object, "request");
            },
        ),
        of_kind(
            "posts/retract-of-accept",
            "a retract of an accept",
            |_, object| {
                set_kind(object, "accept");
            },
        ),
        of_kind(
            "posts/retract-of-end",
            "a retract of an end",
            |_, object| {
                set_kind(object, "end");
            },
        ),
    ]
}
