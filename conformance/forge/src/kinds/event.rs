//! `event` and `rsvp`: what takes place, and who comes.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

/// An event of somebody as answers name it.
#[derive(Debug, Clone)]
pub struct EventRef {
    /// The organiser.
    pub organiser: IdentityId,
    /// Its id.
    pub id: Id128,
    /// The object hash of the revision.
    pub hash: Hash,
}

/// A time of day in a zone.
pub fn zoned(name: &str, time: &str, tzid: &str) -> Element {
    let zoned = Element::new("zoned")
        .attribute("time", time)
        .attribute("tzid", tzid);
    Element::new(name).child(zoned)
}

/// A whole day.
pub fn day(name: &str, date: &str) -> Element {
    Element::new(name).child(Element::new("date").text(date))
}

impl Puppet {
    /// An event with everything that it can say.
    pub fn event_object(&mut self, summary: &str, now: Instant) -> ObjectDraft {
        let geo = Element::new("geo")
            .attribute("latitude", "52.5163")
            .attribute("longitude", "13.3777");
        let payload = Element::new("event")
            .child(Element::new("summary").text(summary))
            .child(Element::new("description").text("Bring something to drink."))
            .child(zoned("dtstart", "2027-06-21T19:00:00", "Europe/Berlin"))
            .child(zoned("dtend", "2027-06-21T23:30:00", "Europe/Berlin"))
            .child(Element::new("location").text("Pariser Platz, Berlin"))
            .child(geo)
            .child(Element::new("url").text("https://a.test/summer"))
            .child(Element::new("status").text("confirmed"));
        let fallback = format!("{} invites you: {summary}, 21 June 2027", self.name);
        self.object(payload, "friends", &fallback, now)
    }

    /// The copy of a new event for one friend.
    pub fn event(&mut self, to: &Peer, summary: &str, now: Instant) -> Result<Draft, ForgeError> {
        let event = self.event_object(summary, now);
        self.carry(to, vec![event], now)
    }

    /// The object of an answer; without one it takes an earlier answer back.
    pub fn rsvp_object(
        &mut self,
        event: &EventRef,
        answer: Option<&str>,
        guests: Option<i64>,
        note: Option<&str>,
        now: Instant,
    ) -> ObjectDraft {
        let mut payload = Element::new("rsvp");
        if let Some(answer) = answer {
            payload = payload.attribute("answer", answer);
        }
        if let Some(guests) = guests {
            payload = payload.attribute("guests", guests);
        }
        let named = Element::new("event")
            .attribute("id", event.id)
            .attribute("hash", event.hash);
        let payload = payload
            .child(Element::new("to").attribute("id", event.organiser))
            .child(named)
            .children(note.map(|note| Element::new("note").text(note)));
        let fallback = format!("{} answers your invitation.", self.name);
        let object = self.object(payload, "direct", &fallback, now);
        ObjectDraft {
            id: rsvp_id(event.organiser, event.id),
            ..object
        }
    }

    /// An answer.
    pub fn rsvp(
        &mut self,
        to: &Peer,
        event: &EventRef,
        answer: &str,
        note: &str,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let rsvp = self.rsvp_object(event, Some(answer), Some(2), Some(note), now);
        self.carry(to, vec![rsvp], now)
    }
}

/// The id of an answer, which follows from the event.
pub fn rsvp_id(organiser: IdentityId, event: Id128) -> Id128 {
    Id128::derived("rsvp", &[&organiser.0[..], &event.0, b"event"].concat())
}
