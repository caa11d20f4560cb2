//! Chapters “Private messages” and “Posts to friends”, as far as a sent mail shows them.

use kith_spec::req;

use crate::judge::read::document::ObjectFacts;
use crate::judge::{Check, Seen, Verdict};

/// Messages and posts.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::MESSAGE_ADDRESSED,
        look: message_addressed,
    },
    Check {
        rule: &req::MESSAGE_AUDIENCE,
        look: message_audience,
    },
    Check {
        rule: &req::POST_AUDIENCE,
        look: post_audience,
    },
    Check {
        rule: &req::RETRACT_AUTHOR,
        look: retract_author,
    },
    Check {
        rule: &req::RETRACT_KINDS,
        look: retract_kinds,
    },
];

fn audience(seen: &Seen<'_>, kind: &str, expected: &str) -> Verdict {
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    // What the sender hands over of others is judged by `delivery.author`.
    let from = seen.mail.and_then(super::super::read::Mail::delivery);
    let own = |object: &&ObjectFacts| from.is_none_or(|from| from.from.id == object.author);
    let objects = objects.filter(own);
    if seen.group().is_some() {
        return Verdict::DoesNotApply;
    }
    Verdict::all(objects.filter(|object| object.kind == kind).map(|object| {
        let audience = &object.audience;
        Verdict::of(audience == expected, || {
            format!("expected a `{kind}` with the audience `{expected}`, seen `{audience}`")
        })
    }))
}

fn message_addressed(seen: &Seen<'_>) -> Verdict {
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    Verdict::all(
        objects
            .filter(|object| object.kind == "message" && object.scope.is_none())
            .map(|object| {
                let to = object.payload.child("to").and_then(|to| to.attribute("id"));
                Verdict::of(to.is_some(), || {
                    "expected the message to name its recipient".to_owned()
                })
            }),
    )
}

fn message_audience(seen: &Seen<'_>) -> Verdict {
    audience(seen, "message", "direct")
}

fn post_audience(seen: &Seen<'_>) -> Verdict {
    let expected = if seen.is_sealed() {
        "friends"
    } else {
        "public"
    };
    audience(seen, "post", expected)
}

fn retract_author(seen: &Seen<'_>) -> Verdict {
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    Verdict::all(
        objects
            .filter(|object| object.kind == "retract")
            .map(|object| {
                let target = object
                    .payload
                    .child("target")
                    .and_then(|target| target.attribute("author"));
                Verdict::of(target == Some(object.author.as_str()), || {
                    format!("expected a retract of an own object, seen one of {target:?}")
                })
            }),
    )
}

fn retract_kinds(seen: &Seen<'_>) -> Verdict {
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    Verdict::all(
        objects
            .filter(|object| object.kind == "retract")
            .map(|object| {
                let kind = object
                    .payload
                    .child("target")
                    .and_then(|target| target.attribute("kind"));
                let forbidden = matches!(
                    kind,
                    Some(
                        "identity"
                            | "contact"
                            | "request"
                            | "accept"
                            | "confirm"
                            | "decline"
                            | "end"
                    )
                );
                Verdict::of(!forbidden, || format!("expected no retract of a {kind:?}"))
            }),
    )
}
