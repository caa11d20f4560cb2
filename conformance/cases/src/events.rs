//! Chapter “Events”.

mod calendar;

use kith_adapter::act::event::{Answer, Content, EventChange, EventCreate, Rsvp, Status, When};
use kith_adapter::protocol::ObjectRef;
use kith_adapter::view::event::{Event, Events};
use kith_forge::kinds::EventRef;
use kith_forge::{IdentityId, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Sent, Who};
use kith_spec::req;

use crate::gather::identity;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "events/received",
            "the person sees a friend's event, and that it was cancelled",
            Rung::Rest,
            &[&req::EVENT_AUDIENCE, &req::EVENT_CANCELLED],
            received,
        )
        .needs(&["post/received"]),
        Case::new(
            "events/answered",
            "the organiser sees who comes, and who answered before a change",
            Rung::Rest,
            &[&req::RSVP_COUNTS, &req::EVENT_CHANGED],
            answered,
        )
        .needs(&["events/received"]),
        Case::new(
            "events/answer-sent",
            "an answer goes to the organiser, is changed and taken back by revisions",
            Rung::Rest,
            &[&req::RSVP_ORGANISER, &req::RSVP_ID, &req::RSVP_KEPT],
            answer_sent,
        )
        .needs(&["events/received"]),
    ]
    .into_iter()
    .chain(calendar::cases())
    .collect()
}

pub(crate) fn party(summary: &str) -> Content {
    Content {
        summary: summary.to_owned(),
        description: None,
        start: When::Zoned {
            time: "2027-06-21T19:00:00".to_owned(),
            tzid: "Europe/Berlin".to_owned(),
        },
        end: None,
        location: Some("Pariser Platz".to_owned()),
        geo: None,
        url: None,
        status: Status::Confirmed,
    }
}

/// Lets the agent invite all friends, and returns what a puppet got.
pub(crate) async fn announced(
    scene: &Scene,
    agent: &Agent,
    guest: &Puppet,
) -> Result<EventRef, Stop> {
    let create = EventCreate {
        event: party("Summer party"),
        to: Vec::new(),
        group: None,
    };
    agent.act(create).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::EVENT_AUDIENCE, guest, "event")?;
    reference(&sent)
}

fn reference(sent: &Sent) -> Result<EventRef, Stop> {
    let none = || Stop::Harness("the mail holds no event".to_owned());
    let object = sent.object("event").ok_or_else(none)?;
    Ok(EventRef {
        organiser: object.author.parse().map_err(Stop::harness)?,
        id: object.id.parse().map_err(Stop::harness)?,
        hash: object.hash.parse().map_err(Stop::harness)?,
    })
}

async fn shown(agent: &Agent, summary: &str) -> Result<Option<Event>, Stop> {
    let events = agent.view(Events {}).await?;
    Ok(events
        .into_iter()
        .find(|event| event.content.summary == summary))
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    let text = scene.token();
    let mut object = bob.event_object(&text, scene.now());
    let draft = bob.carry(&peer, vec![object.clone()], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let seen = shown(&agent, &text).await?;
    let start = When::Zoned {
        time: "2027-06-21T19:00:00".to_owned(),
        tzid: "Europe/Berlin".to_owned(),
    };
    let right = seen
        .as_ref()
        .is_some_and(|event| event.content.start == start);
    scene.expect(&req::EVENT_AUDIENCE, right, || {
        format!("expected the friend's event with its time, seen {seen:?}")
    });
    object.rev += 1;
    if let Some(status) = object.payload.find("status") {
        status.set_text("cancelled");
    }
    let draft = bob.carry(&peer, vec![object], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let seen = shown(&agent, &text).await?;
    let cancelled = seen
        .as_ref()
        .is_some_and(|event| event.content.status == Status::Cancelled);
    scene.expect(&req::EVENT_CANCELLED, cancelled, || {
        format!("expected the event as cancelled, seen {seen:?}")
    });
    Ok(())
}

async fn answered(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let event = announced(&scene, &agent, &bob).await?;
    scene.mail_to(&carol)?;
    let note = scene.token();
    let draft = bob.rsvp(&peer, &event, "yes", &note, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let draft = carol.rsvp(&peer, &event, "maybe", &note, scene.now());
    scene
        .send(&mut carol, draft.map_err(Stop::harness)?)
        .await?;
    let seen = shown(&agent, "Summer party").await?;
    let counts = seen
        .as_ref()
        .map(|event| (event.yes, event.no, event.maybe));
    scene.expect(&req::RSVP_COUNTS, counts == Some((3, 0, 3)), || {
        format!("expected 3 who come, none who doesn't, 3 perhaps, seen {counts:?}")
    });
    let mut content = party("Summer party");
    content.location = Some("Elsewhere".to_owned());
    let id = event.id.to_string().parse().map_err(Stop::harness)?;
    agent.act(EventChange { id, event: content }).await?;
    agent.sync().await?;
    for guest in [&bob, &carol] {
        let sent = scene.expect_mail(&req::EVENT_CHANGED, guest, "event")?;
        let rev = sent.object("event").map(|object| object.rev);
        scene.expect(&req::EVENT_CHANGED, rev == Some(2), || {
            format!("expected the second revision of the event, seen {rev:?}")
        });
    }
    let seen = shown(&agent, "Summer party").await?;
    let outdated = seen.as_ref().is_some_and(|event| {
        event.answers.len() == 2 && event.answers.iter().all(|answered| !answered.current)
    });
    scene.expect(&req::RSVP_COUNTS, outdated, || {
        format!("expected both answers as given before the change, seen {seen:?}")
    });
    Ok(())
}

async fn answer_sent(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let object = bob.event_object(&scene.token(), scene.now());
    let id: IdentityId = bob.id;
    let event = ObjectRef {
        author: identity(id)?,
        id: object.id.to_string().parse().map_err(Stop::harness)?,
    };
    let draft = bob.carry(&peer, vec![object], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    scene.mail_to(&bob)?;
    scene.mail_to(&carol)?;
    let answers = [Some(Answer::Yes), Some(Answer::No), None];
    for (number, answer) in answers.into_iter().enumerate() {
        let rsvp = Rsvp {
            event: event.clone(),
            answer,
            guests: 0,
            note: None,
        };
        agent.act(rsvp).await?;
        agent.sync().await?;
        let sent = scene.expect_mail(&req::RSVP_ORGANISER, &bob, "rsvp")?;
        let seen = sent.object("rsvp").map(|object| {
            let said = object.payload.attribute("answer").map(str::to_owned);
            (object.rev, said)
        });
        let word = answer.map(|answer| match answer {
            Answer::Yes => "yes".to_owned(),
            Answer::No => "no".to_owned(),
            Answer::Maybe => "maybe".to_owned(),
        });
        let expected = Some((number as u64 + 1, word));
        scene.expect(&req::RSVP_KEPT, seen == expected, || {
            format!("expected revision and answer {expected:?}, seen {seen:?}")
        });
    }
    let others = scene.mail_to(&carol)?;
    let alone = others.iter().all(|sent| sent.object("rsvp").is_none());
    scene.expect(&req::RSVP_ORGANISER, alone, || {
        "expected answers to the organiser alone, seen one elsewhere".to_owned()
    });
    Ok(())
}
