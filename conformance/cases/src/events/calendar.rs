//! Section “Calendars”: events for other programs, and from them.

use kith_adapter::act::event::{CalendarExport, CalendarImport, EventCreate};
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Rule, req};

use super::{party, reference, shown};

const RULE: Rule = &req::EVENT_ICALENDAR;

pub(super) fn cases() -> Vec<Case> {
    let cases = [
        Case::new(
            "events/calendar-written",
            "a calendar says what takes place, and not who is invited or comes",
            Rung::Rest,
            &[RULE],
            written,
        ),
        Case::new(
            "events/calendar-read",
            "from a calendar of another program comes an event that friends get",
            Rung::Rest,
            &[RULE],
            read,
        ),
    ];
    let needs = ["events/answered"];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The lines of a calendar, unfolded (RFC 5545, section 3.1).
fn lines(calendar: &str) -> Vec<String> {
    let whole = calendar.replace("\r\n ", "").replace("\r\n\t", "");
    whole.split("\r\n").map(str::to_owned).collect()
}

/// The parameters and the value of the first property of a name.
fn property<'a>(lines: &'a [String], name: &str) -> Option<(&'a str, &'a str)> {
    lines.iter().find_map(|line| {
        let (head, value) = line.split_once(':')?;
        let (found, parameters) = head.split_once(';').unwrap_or((head, ""));
        found
            .eq_ignore_ascii_case(name)
            .then_some((parameters, value))
    })
}

/// The agent, and a friend of it.
async fn two(scene: &Scene) -> Result<(Agent, Puppet, kith_forge::Peer), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    Ok((agent, bob, peer))
}

async fn written(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, peer) = two(&scene).await?;
    let (summary, note) = (scene.token(), scene.token());
    let event = party(&format!("{summary}, with music; come"));
    let (to, group) = (Vec::new(), None);
    agent.act(EventCreate { event, to, group }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::EVENT_AUDIENCE, &bob, "event")?;
    let draft = bob.rsvp(&peer, &reference(&sent)?, "yes", &note, scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let calendar = agent.act(CalendarExport {}).await?.calendar;
    let lines = lines(&calendar);
    let ends = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ];
    let formed = ends.iter().all(|end| lines.iter().any(|line| line == end));
    let named = property(&lines, "UID").is_some() && property(&lines, "DTSTAMP").is_some();
    scene.expect(RULE, formed && named, || {
        format!("expected a calendar with one event in the form of RFC 5545, seen {calendar:?}")
    });
    let said = property(&lines, "SUMMARY").map(|(_, value)| value.to_owned());
    let expected = format!("{summary}\\, with music\\; come");
    scene.expect(RULE, said.as_ref() == Some(&expected), || {
        format!("expected the summary {expected:?}, seen {said:?}")
    });
    let start = property(&lines, "DTSTART");
    let right = match start {
        Some((_, "20270621T170000Z")) => true,
        Some((zone, "20270621T190000")) => zone.replace('"', "") == "TZID=Europe/Berlin",
        _ => false,
    };
    scene.expect(RULE, right, || {
        format!("expected 19:00 on 21 June 2027 in Berlin as start, seen {start:?}")
    });
    let id = bob.id.to_string();
    let guests = [bob.address.as_str(), &id, &note, "ATTENDEE"];
    let told: Vec<_> = guests
        .iter()
        .filter(|guest| calendar.contains(**guest))
        .collect();
    scene.expect(RULE, told.is_empty(), || {
        format!("expected nothing in the calendar about guests and answers, seen {told:?}")
    });
    Ok(())
}

async fn read(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = two(&scene).await?;
    scene.mail_to(&bob)?;
    let token = scene.token();
    // A folded line and escaped characters, as calendars write them, and somebody whom nobody knows.
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//another//EN\r\nBEGIN:VEVENT\r\n\
         UID:{token}@elsewhere.test\r\nDTSTAMP:20261101T000000Z\r\n\
         DTSTART;TZID=Europe/Berlin:20270621T190000\r\nSUMMARY:{token}\\, with mu\r\n sic\r\n\
         LOCATION:Pariser Platz\r\nSTATUS:CONFIRMED\r\nATTENDEE:mailto:guest@b.test\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    agent.act(CalendarImport { calendar }).await?;
    agent.sync().await?;
    let summary = format!("{token}, with music");
    let content = shown(&agent, &summary).await?.map(|event| event.content);
    let mut expected = party(&summary);
    expected.end = content.as_ref().and_then(|content| content.end.clone());
    scene.expect(RULE, content.as_ref() == Some(&expected), || {
        format!("expected the event of the calendar {expected:?}, seen {content:?}")
    });
    let sent = scene.expect_mail(RULE, &bob, "event")?;
    let said = sent.object("event").and_then(|object| {
        let summary = object.payload.child("summary")?;
        Some(summary.text.clone())
    });
    scene.expect(RULE, said.as_ref() == Some(&summary), || {
        format!("expected the friend to get the event {summary:?}, seen {said:?}")
    });
    Ok(())
}
