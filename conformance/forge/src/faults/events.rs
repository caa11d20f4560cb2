//! Faults of the chapter "Events".

use kith_spec::req;

use super::{Base, Fault};
use crate::draft::ObjectDraft;
use crate::hash::Id128;
use crate::kinds::event::{day, rsvp_id, zoned};
use crate::xml::{Element, Node};

pub(super) fn faults() -> Vec<Fault> {
    [events(), answers()].concat()
}

/// Puts an element in the place of the one with its name.
fn replace(object: &mut ObjectDraft, element: Element) {
    for node in &mut object.payload.content {
        if matches!(node, Node::Element(there) if there.name == element.name) {
            *node = Node::Element(element);
            return;
        }
    }
}

fn events() -> Vec<Fault> {
    let dates = &req::EVENT_DATES;
    let end = &req::EVENT_END;
    vec![
        Fault::new(
            "events/audience-direct",
            "an event for one person",
            &req::EVENT_AUDIENCE,
            Base::Event,
        )
        .object(|_, object| "direct".clone_into(&mut object.audience)),
        Fault::new(
            "events/no-such-day",
            "an event on 31 June",
            dates,
            Base::Event,
        )
        .object(|_, object| {
            replace(
                object,
                zoned("dtend", "2027-06-31T23:30:00", "Europe/Berlin"),
            );
        }),
        Fault::new(
            "events/no-leap-day",
            "an event on 29 February of a common year",
            dates,
            Base::Event,
        )
        .object(|_, object| {
            replace(object, day("dtstart", "2027-02-29"));
            replace(object, day("dtend", "2027-03-01"));
        }),
        Fault::new(
            "events/end-before-start",
            "an event that is over before it begins",
            end,
            Base::Event,
        )
        .object(|_, object| {
            replace(
                object,
                zoned("dtend", "2027-06-21T18:59:59", "Europe/Berlin"),
            );
        }),
        Fault::new(
            "events/end-of-another-form",
            "an event that begins at a time and ends with a day",
            end,
            Base::Event,
        )
        .object(|_, object| replace(object, day("dtend", "2027-06-22"))),
        Fault::new(
            "events/end-in-another-zone",
            "an event that ends in another time zone",
            end,
            Base::Event,
        )
        .object(|_, object| {
            replace(
                object,
                zoned("dtend", "2027-06-21T23:30:00", "Europe/Paris"),
            );
        }),
        Fault::new(
            "events/whole-days",
            "an event of whole days",
            dates,
            Base::Event,
        )
        .accepted()
        .object(|_, object| {
            replace(object, day("dtstart", "2028-02-29"));
            replace(object, day("dtend", "2028-03-01"));
        }),
    ]
}

fn answers() -> Vec<Fault> {
    vec![
        Fault::new(
            "events/rsvp-with-another-id",
            "an answer with an id of its own choice",
            &req::RSVP_ID,
            Base::Rsvp,
        )
        .object(|scene, object| object.id = Id128::random(&mut scene.rng)),
        Fault::new(
            "events/rsvp-to-nothing",
            "an answer to an event that its organiser never sent",
            &req::RSVP_UNASKED,
            Base::Rsvp,
        )
        .object(|scene, object| {
            let id = Id128::random(&mut scene.rng);
            object.id = rsvp_id(scene.recipient.id, id);
            if let Some(event) = object.payload.find("event") {
                event.set("id", id);
            }
        }),
        Fault::new(
            "events/retract-of-rsvp",
            "a retract of an answer",
            &req::RSVP_KEPT,
            Base::Retract,
        )
        .object(|_, object| {
            if let Some(target) = object.payload.find("target") {
                target.set("kind", "rsvp");
            }
        }),
    ]
}
