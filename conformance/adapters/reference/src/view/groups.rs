//! Groups and events.

use kith_adapter::act::event::{Answer, Content, Geo, Status, When};
use kith_adapter::protocol::{Failure, ObjectRef};
use kith_adapter::view::event::{Answered, Event};
use kith_adapter::view::group::{Group, GroupEntry, GroupState, Member, Role};
use kith_core::agent::group;
use kith_core::agent::view;
use kith_core::kinds::{event, rsvp};

use crate::convert::{identity, object, timestamp};

pub(super) fn reference(author: &str, id: &str) -> Result<ObjectRef, Failure> {
    Ok(ObjectRef {
        author: identity(author)?,
        id: object(id)?,
    })
}

fn role(role: group::Role) -> Role {
    match role {
        group::Role::Owner => Role::Owner,
        group::Role::Admin => Role::Admin,
        group::Role::Member => Role::Member,
    }
}

pub(super) fn group(group: view::Group) -> Result<Group, Failure> {
    let (mut members, mut invited) = (Vec::new(), Vec::new());
    for listed in &group.list {
        let who = identity(&listed.identity)?;
        match listed.role {
            Some(may) => members.push(Member {
                identity: who,
                role: role(may),
            }),
            None => invited.push(who),
        }
    }
    Ok(Group {
        group: reference(&group.owner, &group.id)?,
        name: group.name,
        about: group.about,
        rev: group.rev,
        state: match group.state {
            group::GroupState::Invited => GroupState::Invited,
            group::GroupState::Joining => GroupState::Joining,
            group::GroupState::Member => GroupState::Member,
            group::GroupState::Left => GroupState::Left,
            group::GroupState::Removed => GroupState::Removed,
            group::GroupState::Ended => GroupState::Ended,
        },
        members,
        invited,
    })
}

pub(super) fn entry(group: &ObjectRef, entry: view::GroupEntry) -> Result<GroupEntry, Failure> {
    Ok(GroupEntry {
        group: group.clone(),
        author: identity(&entry.author)?,
        id: object(&entry.id)?,
        kind: entry.kind,
        text: entry.text,
        created: timestamp(entry.created),
        rev: entry.rev,
        protected: entry.protected,
    })
}

fn when(when: event::When) -> When {
    match when {
        event::When::Date(date) => When::Date(date),
        event::When::Utc(time) => When::Utc(timestamp(time)),
        event::When::Zoned { time, tzid } => When::Zoned { time, tzid },
    }
}

fn content(content: event::Happening) -> Content {
    Content {
        summary: content.summary,
        description: content.description,
        start: when(content.start),
        end: content.end.map(when),
        location: content.location,
        geo: content.geo.map(|(latitude, longitude)| Geo {
            latitude,
            longitude,
        }),
        url: content.url,
        status: match content.status {
            event::Status::Tentative => Status::Tentative,
            event::Status::Confirmed => Status::Confirmed,
            event::Status::Cancelled => Status::Cancelled,
        },
    }
}

fn answer(answer: rsvp::Answer) -> Answer {
    match answer {
        rsvp::Answer::Yes => Answer::Yes,
        rsvp::Answer::No => Answer::No,
        rsvp::Answer::Maybe => Answer::Maybe,
    }
}

fn answered(answered: view::Answered) -> Result<Answered, Failure> {
    Ok(Answered {
        identity: identity(&answered.identity)?,
        answer: answer(answered.answer),
        guests: answered.guests,
        note: answered.note,
        current: answered.current,
    })
}

pub(super) fn event(event: view::Event) -> Result<Event, Failure> {
    let group = event.group.map(|group| ObjectRef {
        author: kith_adapter::protocol::Identity::from_octets(group.owner),
        id: kith_adapter::protocol::ObjectId::from_octets(group.id),
    });
    let answers = event.answers.into_iter().map(answered);
    Ok(Event {
        event: reference(&event.organiser, &event.id)?,
        rev: event.rev,
        group,
        content: content(event.content),
        answer: event.answer.map(answer),
        answers: answers.collect::<Result<_, _>>()?,
        yes: event.yes,
        no: event.no,
        maybe: event.maybe,
    })
}
