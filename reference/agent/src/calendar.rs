//! Events as iCalendar (RFC 5545), for the calendars of other programs (specification, section
//! "Calendars" of chapter "Events").
//!
//! Repetition is left out, because Kith has none: only the first date of such an event is read.

use icalendar::{Calendar, Component as _, Property};
use kith_core::agent::view::Event;
use kith_core::implements;
use kith_core::kinds::event::{Happening, Status, When};
use kith_spec::req;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Why a calendar can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// It is something else.
    #[error("it is no iCalendar file: {0}")]
    Form(String),
    /// An event lacks something.
    #[error("an event in it has no {0}")]
    Missing(&'static str),
    /// A time that is none.
    #[error("\"{0}\" in it is no time")]
    Time(String),
    /// A time of day somewhere.
    #[error("\"{0}\" in it has no time zone; name one with --zone")]
    Zone(String),
}

/// The text of a calendar with these events. Who is invited and who answered is not in it.
#[must_use]
pub fn write(events: &[Event], now: i64) -> String {
    implements!(req::EVENT_ICALENDAR);
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//kith//EN"));
    for event in events {
        calendar.push(written(event, now));
    }
    calendar.to_string()
}

fn written(event: &Event, now: i64) -> icalendar::Event {
    let content = &event.content;
    let mut written = icalendar::Event::new();
    let mut put = |name: &str, value: &str| {
        written.append_property(Property::new(name, value));
    };
    put("UID", &format!("{}-{}", event.organiser, event.id));
    put("SEQUENCE", &event.rev.saturating_sub(1).to_string());
    put("DTSTAMP", &stamp(now));
    put("SUMMARY", &content.summary);
    let texts = [
        ("DESCRIPTION", &content.description),
        ("LOCATION", &content.location),
        ("URL", &content.url),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            put(name, text);
        }
    }
    if let Some((latitude, longitude)) = &content.geo {
        put("GEO", &format!("{latitude};{longitude}"));
    }
    let status = match content.status {
        Status::Tentative => "TENTATIVE",
        Status::Confirmed => "CONFIRMED",
        Status::Cancelled => "CANCELLED",
    };
    put("STATUS", status);
    written.append_property(moment("DTSTART", &content.start));
    // RFC 5545 has no end that is the start.
    if let Some(end) = content.end.as_ref().filter(|end| **end != content.start) {
        written.append_property(moment("DTEND", end));
    }
    written
}

fn stamp(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    time.format(format).unwrap_or_default()
}

fn moment(name: &str, when: &When) -> Property {
    let bare = |text: &str| text.replace(['-', ':'], "");
    let with = |value: String, parameter: &str, text: &str| {
        let mut property = Property::new(name, value);
        property.add_parameter(parameter, text);
        property
    };
    match when {
        When::Date(day) => with(bare(day), "VALUE", "DATE"),
        When::Utc(at) => Property::new(name, stamp(*at)),
        When::Zoned { time, tzid } => with(bare(time), "TZID", tzid),
    }
}

/// The events of a calendar. `zone` is for times of day without one.
///
/// # Errors
///
/// [`CalendarError`], if anything in it can't be read.
pub fn read(text: &str, zone: Option<&str>) -> Result<Vec<Happening>, CalendarError> {
    implements!(req::EVENT_ICALENDAR);
    let calendar: Calendar = text.parse().map_err(CalendarError::Form)?;
    let events = calendar.events().map(|event| happening(event, zone));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    if events.is_empty() {
        return Err(CalendarError::Missing("event"));
    }
    Ok(events)
}

fn happening(event: &icalendar::Event, zone: Option<&str>) -> Result<Happening, CalendarError> {
    let text = |name| event.property_value(name).map(str::to_owned);
    let line = |name| text(name).map(|text| text.replace(['\r', '\n'], " "));
    let when = |name| {
        let property = event.properties().get(name);
        property
            .map(|property| read_moment(property, zone))
            .transpose()
    };
    Ok(Happening {
        summary: line("SUMMARY").ok_or(CalendarError::Missing("SUMMARY"))?,
        description: text("DESCRIPTION").filter(|text| !text.is_empty()),
        start: when("DTSTART")?.ok_or(CalendarError::Missing("DTSTART"))?,
        end: when("DTEND")?,
        location: line("LOCATION").filter(|text| !text.is_empty()),
        geo: event.property_value("GEO").and_then(|geo| {
            let (latitude, longitude) = geo.split_once(';')?;
            Some((latitude.to_owned(), longitude.to_owned()))
        }),
        // Others than https can't stand in an event.
        url: text("URL").filter(|url| url.starts_with("https://")),
        status: match event.property_value("STATUS") {
            Some("TENTATIVE") => Status::Tentative,
            Some("CANCELLED") => Status::Cancelled,
            _ => Status::Confirmed,
        },
    })
}

fn read_moment(property: &Property, zone: Option<&str>) -> Result<When, CalendarError> {
    let value = property.value();
    let wrong = || CalendarError::Time(value.to_owned());
    let (time, utc) = match value.strip_suffix('Z') {
        Some(time) => (time, true),
        None => (value, false),
    };
    let Some((day, clock)) = time.split_once('T') else {
        return Ok(When::Date(parted(value, "-", [4, 2, 2]).ok_or_else(wrong)?));
    };
    let day = parted(day, "-", [4, 2, 2]).ok_or_else(wrong)?;
    let clock = parted(clock, ":", [2, 2, 2]).ok_or_else(wrong)?;
    let time = format!("{day}T{clock}");
    if utc {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let parsed = PrimitiveDateTime::parse(&time, format).map_err(|_| wrong())?;
        return Ok(When::Utc(parsed.assume_utc().unix_timestamp()));
    }
    let named = property.get_param_as("TZID", |zone| Some(zone.to_owned()));
    let tzid = named.or_else(|| zone.map(str::to_owned));
    let tzid = tzid.ok_or_else(|| CalendarError::Zone(value.to_owned()))?;
    Ok(When::Zoned { time, tzid })
}

/// Digits in groups of these lengths, with something between them.
fn parted(digits: &str, between: &str, lengths: [usize; 3]) -> Option<String> {
    let whole =
        digits.len() == lengths.iter().sum::<usize>() && digits.bytes().all(|d| d.is_ascii_digit());
    let (first, rest) = digits.split_at_checked(lengths[0]).filter(|_| whole)?;
    let (second, third) = rest.split_at_checked(lengths[1])?;
    Some([first, second, third].join(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(content: Happening) -> Event {
        Event {
            organiser: "aa".repeat(32),
            name: "Alice".to_owned(),
            id: "bb".repeat(16),
            hash: String::new(),
            rev: 3,
            group: None,
            content,
            answer: None,
            answers: Vec::new(),
            yes: 0,
            no: 0,
            maybe: 0,
        }
    }

    fn party(start: When, end: Option<When>) -> Happening {
        Happening {
            summary: "Party; bring cake, tea".to_owned(),
            description: Some("First line\nsecond \\ line".to_owned()),
            start,
            end,
            location: Some("Our garden, Vienna".to_owned()),
            geo: Some(("48.2".to_owned(), "16.37".to_owned())),
            url: Some("https://party.example/?a=1,2;3".to_owned()),
            status: Status::Tentative,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let zoned = |time: &str| When::Zoned {
            time: time.to_owned(),
            tzid: "Europe/Vienna".to_owned(),
        };
        let days = |day: &str| When::Date(day.to_owned());
        let all = [
            party(
                zoned("2027-06-21T19:00:00"),
                Some(zoned("2027-06-21T23:30:00")),
            ),
            party(When::Utc(1_813_597_200), None),
            party(days("2027-06-21"), Some(days("2027-06-23"))),
        ];
        let events: Vec<Event> = all.iter().cloned().map(event).collect();
        let text = write(&events, 1_813_000_000);
        assert_eq!(read(&text, None).unwrap(), all);
        for line in [
            "DTSTART;TZID=Europe/Vienna:20270621T190000\r\n",
            "DTSTART:20270621T170000Z\r\n",
            "DTSTART;VALUE=DATE:20270621\r\n",
            "SUMMARY:Party\\; bring cake\\, tea\r\n",
            "SEQUENCE:2\r\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(
            !text.contains("ATTENDEE") && !text.contains("Alice"),
            "{text}"
        );
    }

    #[test]
    fn what_other_calendars_write_is_read() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            DTSTAMP:20270101T000000Z\r\nDTSTART:20270621T190000\r\nSUMMARY:A long\r\n  line\r\n\
            URL:http://plain.example\r\nATTENDEE:mailto:bob@b.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            read(text, None),
            Err(CalendarError::Zone("20270621T190000".to_owned()))
        );
        let read = read(text, Some("Europe/Oslo")).unwrap();
        assert_eq!(read[0].summary, "A long line");
        assert_eq!(read[0].start.to_string(), "2027-06-21 19:00:00 Europe/Oslo");
        assert_eq!(read[0].url, None);
    }

    #[test]
    fn what_is_no_calendar_is_told() {
        for text in ["", "hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"] {
            assert!(read(text, None).is_err(), "{text}");
        }
        let odd = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:tomorrow\r\nEND:VEVENT\r\n\
            END:VCALENDAR\r\n";
        assert!(read(odd, None).is_err());
    }
}
