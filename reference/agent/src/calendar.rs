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
use time::{Date, OffsetDateTime, PrimitiveDateTime};

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
    let uid = |event: &icalendar::Event| event.property_value("UID").map(str::to_owned);
    let changed = |event: &icalendar::Event| event.property_value("RECURRENCE-ID").is_some();
    let whole = calendar.events().filter(|event| !changed(event));
    let whole: Vec<_> = whole.map(uid).collect();
    // One date of a repeated event that was changed is no event besides it.
    let events = calendar
        .events()
        .filter(|event| !changed(event) || !whole.contains(&uid(event)))
        .map(|event| happening(event, zone));
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
    let start = when("DTSTART")?.ok_or(CalendarError::Missing("DTSTART"))?;
    let end = match (when("DTEND")?, event.property_value("DURATION")) {
        (None, Some(duration)) => {
            let wrong = || CalendarError::Time(duration.to_owned());
            let seconds = seconds(duration).ok_or_else(wrong)?;
            Some(later(&start, seconds).ok_or_else(wrong)?)
        }
        (end, _) => end,
    };
    Ok(Happening {
        summary: line("SUMMARY").ok_or(CalendarError::Missing("SUMMARY"))?,
        description: text("DESCRIPTION").filter(|text| !text.is_empty()),
        start,
        end,
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

/// The seconds of a duration (RFC 5545, section 3.3.6) that is not negative.
fn seconds(duration: &str) -> Option<i64> {
    let duration = duration.strip_prefix('+').unwrap_or(duration);
    let (mut total, mut number) = (0_i64, String::new());
    for character in duration.strip_prefix('P')?.chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            'T' if number.is_empty() => continue,
            'W' => 7 * 86_400,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        let count: i64 = std::mem::take(&mut number).parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
    }
    (number.is_empty() && duration.ends_with(|last: char| "WDHMS".contains(last))).then_some(total)
}

/// A time so many seconds later, of a date whole days. None where that is no time.
fn later(start: &When, seconds: i64) -> Option<When> {
    let local = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let day = format_description!("[year]-[month]-[day]");
    let span = time::Duration::seconds(seconds);
    Some(match start {
        When::Utc(at) => When::Utc(at.checked_add(seconds)?),
        When::Zoned { time, tzid } => {
            let end = PrimitiveDateTime::parse(time, local).ok()?;
            When::Zoned {
                time: end.checked_add(span)?.format(local).ok()?,
                tzid: tzid.clone(),
            }
        }
        When::Date(date) => {
            let end = Date::parse(date, day).ok()?.checked_add(span)?;
            When::Date(end.format(day).ok()?)
        }
    })
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
        assert_eq!(read[0].start.to_string(), "2027-06-21 19:00 Europe/Oslo");
        assert_eq!(read[0].url, None);
    }

    #[test]
    fn durations_and_changed_dates_are_read() {
        let event = |lines: &str| {
            format!("BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Choir\r\n{lines}END:VEVENT\r\n")
        };
        let calendar = |events: &[String]| {
            let events = events.concat();
            let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
            read(&text, Some("Europe/Oslo"))
        };
        let weekly = event("DTSTART:20270621T190000\r\nRRULE:FREQ=WEEKLY\r\nDURATION:PT1H30M\r\n");
        let moved =
            event("RECURRENCE-ID:20270628T190000\r\nDTSTART:20270629T190000\r\nDURATION:PT1H\r\n");
        let both = calendar(&[weekly, moved.clone()]).unwrap();
        let end = both[0].end.as_ref().map(ToString::to_string);
        assert_eq!(both.len(), 1);
        assert_eq!(end.as_deref(), Some("2027-06-21 20:30 Europe/Oslo"));
        assert_eq!(calendar(&[moved]).unwrap().len(), 1);
        let end = |lines: &str| calendar(&[event(lines)]).map(|read| read[0].end.clone());
        let days = end("DTSTART;VALUE=DATE:20271230\r\nDURATION:P3D\r\n");
        assert_eq!(days, Ok(Some(When::Date("2028-01-02".to_owned()))));
        let utc = end("DTSTART:20270621T170000Z\r\nDURATION:P1DT1M1S\r\n");
        assert_eq!(utc, Ok(Some(When::Utc(1_813_597_200 + 86_461))));
        for odd in ["PT", "-PT1H", "P", "1H", "P1", "PTxH"] {
            let read = end(&format!("DTSTART:20270621T170000Z\r\nDURATION:{odd}\r\n"));
            assert_eq!(read, Err(CalendarError::Time(odd.to_owned())), "{odd}");
        }
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
