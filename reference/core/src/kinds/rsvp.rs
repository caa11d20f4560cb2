//! `rsvp`: the answer to an event, to its organiser only (specification, section "Answers" of chapter
//! "Events").

use kith_schemas::types::{
    Audience, EventRevision, Line, Payload, Person, Rsvp, RsvpAnswer, RsvpGuests,
};
use kith_spec::{Rule, req};
use serde::{Deserialize, Serialize};

use super::event::Status;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, merge_key};
use crate::agent::outbox::audience_key;
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};
use crate::store::{Read, Table};
use crate::wire;

/// Whether somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Comes.
    Yes,
    /// Doesn't come.
    No,
    /// Perhaps comes.
    Maybe,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The event's object id.
    #[serde(with = "hex::serde")]
    pub event: [u8; 16],
    /// The object hash of the revision that it answers.
    #[serde(with = "hex::serde")]
    pub revision: Id,
    /// Whether its author comes; none if the answer was taken back.
    pub answer: Option<Answer>,
    /// How many others come along.
    pub guests: u32,
    /// A few words.
    pub note: Option<String>,
}

/// The id of an answer (`rsvp.id`).
#[must_use]
pub fn id(organiser: Id, event: [u8; 16]) -> [u8; 16] {
    let hash = wire::sha256(&[&b"rsvp\0"[..], &organiser, &event, b"event"].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// Answers an event.
pub(crate) fn write(
    step: &mut Step<'_>,
    organiser: Id,
    event: [u8; 16],
    answer: Option<Answer>,
    guests: u32,
    note: Option<&str>,
) -> Result<[u8; 16], ActError> {
    let unknown = || ActError::Unknown {
        what: "event",
        id: hex::encode(event),
        list: "event list",
    };
    let entry = step.entry(&merge_key(organiser, "event", event))?;
    let entry = entry.filter(|entry| !entry.retracted).ok_or_else(unknown)?;
    let peer = step.peer(organiser)?.ok_or_else(unknown)?;
    let Body::Event(happening) = &entry.body else {
        return Err(unknown());
    };
    if happening.status == Status::Cancelled {
        return Err(ActError::State {
            name: happening.summary.clone(),
            reason: "it is cancelled",
        });
    }
    let own = id(organiser, event);
    let earlier = step.entry(&merge_key(step.own.id, "rsvp", own))?;
    let rev = earlier.as_ref().map_or(1, |entry| entry.rev + 1);
    let text = |error: &dyn std::fmt::Display| ActError::Text(error.to_string());
    let some = u16::try_from(guests).ok().filter(|guests| *guests > 0);
    let rsvp = Rsvp {
        answer: answer.map(|answer| match answer {
            Answer::Yes => RsvpAnswer::Yes,
            Answer::No => RsvpAnswer::No,
            Answer::Maybe => RsvpAnswer::Maybe,
        }),
        guests: some
            .map(RsvpGuests::new)
            .transpose()
            .map_err(|error| text(&error))?,
        to: Person {
            id: organiser.into(),
        },
        event: EventRevision {
            id: event.into(),
            hash: entry.hash.into(),
        },
        note: note
            .map(Line::new)
            .transpose()
            .map_err(|error| text(&error))?,
    };
    let words = match answer {
        Some(Answer::Yes) => "comes to",
        Some(Answer::No) => "does not come to",
        Some(Answer::Maybe) => "perhaps comes to",
        None => "has not decided about",
    };
    let more = match guests {
        0 => String::new(),
        1 => ", with one guest".to_owned(),
        some => format!(", with {some} guests"),
    };
    let said = note.map(|note| format!(" {note}")).unwrap_or_default();
    let fallback = format!(
        "{} {words} {}{more}.{said}",
        step.own.shown(),
        happening.summary
    );
    let hash = step.sign(Draft {
        id: own,
        rev,
        audience: Audience::Direct,
        fallback,
        payload: Payload::Rsvp(rsvp),
    })?;
    let body = Body::Rsvp(Response {
        event,
        revision: entry.hash,
        answer,
        guests,
        note: note.map(ToOwned::to_owned),
    });
    let kept = step.own_entry("rsvp", own, rev, hash, body, earlier.as_ref());
    step.keep_own(&kept, earlier.as_ref())?;
    crate::implements!(req::RSVP_ORGANISER);
    let load = Load {
        objects: vec![hash],
        numbered: true,
        subject: Some(kept.key()),
        ..Load::default()
    };
    step.deliver_subject(&peer, load, rev)?;
    Ok(own)
}

impl Kind for Rsvp {
    fn traits(&self) -> Traits {
        Traits::content("rsvp", &[Audience::Direct], &req::KIND_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let object = arrival.object;
        let from = object.author.0;
        let me = step.own.id;
        let event = self.event.id.0;
        let derived = object.id.0 == id(me, event);
        step.gate.check(&req::RSVP_ID, derived)?;
        let asked = match step.own_event(event)? {
            Some(entry) => was_sent(step, &entry.key(), from)?,
            None => false,
        };
        step.gate.check(&req::RSVP_UNASKED, asked)?;
        let answer = self.answer.map(|answer| match answer {
            RsvpAnswer::Yes => Answer::Yes,
            RsvpAnswer::No => Answer::No,
            RsvpAnswer::Maybe => Answer::Maybe,
        });
        let body = Body::Rsvp(Response {
            event,
            revision: self.event.hash.0,
            answer,
            guests: self.guests.map_or(0, |guests| guests.get().into()),
            note: self.note.as_ref().map(ToString::to_string),
        });
        if step.merge(arrival.part, object, body)? {
            let from = arrival.sender.peer.shown();
            step.events.push(Event::Answer { from });
        }
        Ok(())
    }
}

fn was_sent(step: &Step<'_>, event: &[u8], to: Id) -> Result<bool, AgentError> {
    Ok(step
        .store
        .get(Table::Audience, &audience_key(event, to))?
        .is_some())
}
