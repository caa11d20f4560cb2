//! Chapter “Events”, as far as a sent mail shows it.

use kith_spec::req;
use sha2::{Digest, Sha256};

use crate::judge::{Check, Mail, Seen, Verdict};

/// Events and answers.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::EVENT_AUDIENCE,
        look: audience,
    },
    Check {
        rule: &req::RSVP_ID,
        look: rsvp_id,
    },
    Check {
        rule: &req::RSVP_ORGANISER,
        look: organiser,
    },
];

fn audience(seen: &Seen<'_>) -> Verdict {
    let objects = seen.mail.into_iter().flat_map(Mail::readable);
    let events = objects.filter(|object| object.kind == "event");
    Verdict::all(events.map(|event| {
        let expected = match seen.group() {
            Some(_) => "group",
            None => "friends",
        };
        let audience = &event.audience;
        Verdict::of(audience == expected, || {
            format!("expected an event with the audience `{expected}`, seen `{audience}`")
        })
    }))
}

fn rsvp_id(seen: &Seen<'_>) -> Verdict {
    let objects = seen.mail.into_iter().flat_map(Mail::readable);
    Verdict::all(objects.filter(|object| object.kind == "rsvp").map(|rsvp| {
        let attribute = |element, name| rsvp.payload.child(element)?.attribute(name);
        let organiser = attribute("to", "id").and_then(|id| hex::decode(id).ok());
        let event = attribute("event", "id").and_then(|id| hex::decode(id).ok());
        let (Some(organiser), Some(event)) = (organiser, event) else {
            return Verdict::Broken("expected an answer to name organiser and event".to_owned());
        };
        let hash = Sha256::digest([&b"rsvp\0"[..], &organiser, &event, b"event"].concat());
        let expected = hex::encode(&hash[..16]);
        Verdict::of(rsvp.id == expected, || {
            format!("expected the id {expected}, seen {}", rsvp.id)
        })
    }))
}

fn organiser(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.delivery() else {
        return Verdict::DoesNotApply;
    };
    let objects = seen.mail.into_iter().flat_map(Mail::readable);
    Verdict::all(objects.filter(|object| object.kind == "rsvp").map(|rsvp| {
        let named = rsvp.payload.child("to").and_then(|to| to.attribute("id"));
        let to: Vec<_> = delivery.to.iter().map(|party| party.id.as_str()).collect();
        Verdict::of(named.is_some_and(|named| to == [named]), || {
            format!("expected an answer to its organiser {named:?} alone, seen it sent to {to:?}")
        })
    }))
}
