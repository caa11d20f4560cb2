//! Groups and events.

use kith_adapter::act::event::{Answer, Content, EventChange, EventCreate, Rsvp, Status, When};
use kith_adapter::protocol::{Failure, Identity, ObjectRef};
use kith_core::Action;
use kith_core::agent::group::{GroupChange, GroupId};
use kith_core::kinds::{event, rsvp};

use crate::convert::{id16, id32, seconds};

pub(crate) fn group(group: &ObjectRef) -> Result<GroupId, Failure> {
    Ok(GroupId {
        owner: id32(&group.author)?,
        id: id16(&group.id)?,
    })
}

pub(super) fn change(group: &ObjectRef, change: GroupChange) -> Result<Action, Failure> {
    Ok(Action::GroupChange {
        group: self::group(group)?,
        change,
    })
}

pub(super) fn role(who: &Identity, admin: bool) -> Result<GroupChange, Failure> {
    Ok(GroupChange::Role(id32(who)?, admin))
}

fn when(when: &When) -> event::When {
    match when {
        When::Date(date) => event::When::Date(date.clone()),
        When::Utc(time) => event::When::Utc(seconds(*time)),
        When::Zoned { time, tzid } => event::When::Zoned {
            time: time.clone(),
            tzid: tzid.clone(),
        },
    }
}

fn content(content: &Content) -> event::Happening {
    let geo = content.geo.as_ref();
    event::Happening {
        summary: content.summary.clone(),
        description: content.description.clone(),
        start: when(&content.start),
        end: content.end.as_ref().map(when),
        location: content.location.clone(),
        geo: geo.map(|geo| (geo.latitude.clone(), geo.longitude.clone())),
        url: content.url.clone(),
        status: match content.status {
            Status::Tentative => event::Status::Tentative,
            Status::Confirmed => event::Status::Confirmed,
            Status::Cancelled => event::Status::Cancelled,
        },
    }
}

pub(super) fn create(create: &EventCreate) -> Result<Action, Failure> {
    let guests = match &create.group {
        Some(invited) => event::Guests::Group(group(invited)?),
        None if create.to.is_empty() => event::Guests::Friends,
        None => event::Guests::Some(create.to.iter().map(id32).collect::<Result<_, _>>()?),
    };
    Ok(Action::EventCreate {
        event: content(&create.event),
        guests,
    })
}

pub(super) fn change_event(change: &EventChange) -> Result<Action, Failure> {
    Ok(Action::EventChange {
        id: id16(&change.id)?,
        event: content(&change.event),
    })
}

pub(super) fn answer(answer: &Rsvp) -> Result<Action, Failure> {
    Ok(Action::Rsvp {
        organiser: id32(&answer.event.author)?,
        event: id16(&answer.event.id)?,
        answer: answer.answer.map(|answer| match answer {
            Answer::Yes => rsvp::Answer::Yes,
            Answer::No => rsvp::Answer::No,
            Answer::Maybe => rsvp::Answer::Maybe,
        }),
        guests: answer.guests,
        note: answer.note.clone(),
    })
}
