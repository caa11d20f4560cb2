//! `event`: something that takes place (specification, chapter "Events").

use kith_schemas::types::{
    Audience, Event as Content, EventDate, EventForm, EventGeo, EventLatitude, EventLocalTime,
    EventLongitude, EventStatus, EventTime, EventUrl, EventZone, EventZoned, Line, Payload, Text,
    Time,
};
use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::group::{GroupId, Said};
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};

/// When something takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A whole day: `2026-12-24`.
    Date(String),
    /// An instant, unix seconds.
    Utc(i64),
    /// A time of day in a zone of the IANA database: `2026-12-24T18:00:00`.
    Zoned {
        /// The time of day.
        time: String,
        /// The zone.
        tzid: String,
    },
}

/// Whether it takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Perhaps.
    Tentative,
    /// Yes.
    Confirmed,
    /// No.
    Cancelled,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// What it is, in one line.
    pub summary: String,
    /// More about it.
    pub description: Option<String>,
    /// When it begins.
    pub start: When,
    /// When it is over.
    pub end: Option<When>,
    /// Where.
    pub location: Option<String>,
    /// Degrees north and east, as written.
    pub geo: Option<(String, String)>,
    /// A page about it.
    pub url: Option<String>,
    /// Whether it takes place.
    pub status: Status,
}

impl When {
    fn of(time: &EventTime) -> Self {
        match &time.event_form {
            EventForm::Date(date) => Self::Date(date.to_string()),
            EventForm::Utc(time) => Self::Utc(time.unix_seconds()),
            EventForm::Zoned(zoned) => Self::Zoned {
                time: zoned.time.to_string(),
                tzid: zoned.tzid.to_string(),
            },
        }
    }

    fn write(&self) -> Result<EventTime, ActError> {
        let form = match self {
            Self::Date(date) => EventForm::Date(EventDate::new(date.as_str()).map_err(text)?),
            Self::Utc(time) => EventForm::Utc(Time::new(*time).map_err(text)?),
            Self::Zoned { time, tzid } => EventForm::Zoned(EventZoned {
                time: EventLocalTime::new(time.as_str()).map_err(text)?,
                tzid: EventZone::new(tzid.as_str()).map_err(text)?,
            }),
        };
        Ok(EventTime { event_form: form })
    }

    /// Whether the day exists; the schema can't say how long months are.
    fn exists(&self) -> bool {
        match self {
            Self::Utc(_) => true,
            Self::Date(day) | Self::Zoned { time: day, .. } => {
                let format = time::macros::format_description!("[year]-[month]-[day]");
                day.get(..10)
                    .is_some_and(|day| time::Date::parse(day, format).is_ok())
            }
        }
    }

    /// Whether an end has the form of its start and doesn't come before it.
    fn may_end(start: &Self, end: &Self) -> bool {
        match (start, end) {
            (Self::Date(start), Self::Date(end)) => start <= end,
            (Self::Utc(start), Self::Utc(end)) => start <= end,
            (
                Self::Zoned { time: start, tzid },
                Self::Zoned {
                    time: end,
                    tzid: same,
                },
            ) => tzid == same && start <= end,
            _ => false,
        }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Date(date) => f.write_str(date),
            Self::Utc(time) => match Time::new(*time) {
                Ok(time) => write!(f, "{time}"),
                Err(_) => f.write_str("at an unknown time"),
            },
            Self::Zoned { time, tzid } => {
                let shown = time.replace('T', " ");
                // Seconds are told where there are some.
                let minutes = shown.strip_suffix(":00").filter(|rest| rest.contains(':'));
                write!(f, "{} {tzid}", minutes.unwrap_or(&shown))
            }
        }
    }
}

fn text(error: impl std::fmt::Display) -> ActError {
    ActError::Text(error.to_string())
}

impl Happening {
    pub(crate) fn of(event: &Content) -> Self {
        let geo = |geo: &EventGeo| (geo.latitude.to_string(), geo.longitude.to_string());
        Self {
            summary: event.summary.to_string(),
            description: event.description.as_ref().map(ToString::to_string),
            start: When::of(&event.dtstart),
            end: event.dtend.as_ref().map(When::of),
            location: event.location.as_ref().map(ToString::to_string),
            geo: event.geo.as_ref().map(geo),
            url: event.url.as_ref().map(ToString::to_string),
            status: match event.status {
                EventStatus::Tentative => Status::Tentative,
                EventStatus::Confirmed => Status::Confirmed,
                EventStatus::Cancelled => Status::Cancelled,
            },
        }
    }

    fn write(&self) -> Result<Content, ActError> {
        let geo = |(latitude, longitude): &(String, String)| -> Result<EventGeo, ActError> {
            Ok(EventGeo {
                latitude: EventLatitude::new(latitude.as_str()).map_err(text)?,
                longitude: EventLongitude::new(longitude.as_str()).map_err(text)?,
            })
        };
        let description = self.description.as_deref();
        let location = self.location.as_deref();
        let url = self.url.as_deref();
        Ok(Content {
            summary: Line::new(self.summary.as_str()).map_err(text)?,
            description: description.map(Text::new).transpose().map_err(text)?,
            dtstart: self.start.write()?,
            dtend: self.end.as_ref().map(When::write).transpose()?,
            location: location.map(Line::new).transpose().map_err(text)?,
            geo: self.geo.as_ref().map(geo).transpose()?,
            url: url.map(EventUrl::new).transpose().map_err(text)?,
            status: match self.status {
                Status::Tentative => EventStatus::Tentative,
                Status::Confirmed => EventStatus::Confirmed,
                Status::Cancelled => EventStatus::Cancelled,
            },
        })
    }

    fn fallback(&self, name: &str, is_new: bool) -> String {
        let what = match (self.status, is_new) {
            (Status::Cancelled, _) => "cancelled",
            (_, true) => "invites you",
            (_, false) => "changed",
        };
        let place = self.location.as_deref().map(|place| format!(", {place}"));
        format!(
            "{name} {what}: {}, {}{}",
            self.summary,
            self.start,
            place.unwrap_or_default()
        )
    }

    fn check(&self) -> Result<(), ActError> {
        let ends = self.end.iter().all(|end| When::may_end(&self.start, end));
        let exist = self.start.exists() && self.end.iter().all(When::exists);
        match (exist, ends) {
            (false, _) => Err(text("there is no such day")),
            (_, false) => Err(text(
                "the end must have the form of the start and come after it",
            )),
            _ => Ok(()),
        }
    }
}

/// Whom an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guests {
    /// All friends.
    Friends,
    /// Some friends.
    Some(Vec<Id>),
    /// The members of a group.
    Group(GroupId),
}

/// Invites people to an event, or with an earlier entry tells them that it changed.
pub(crate) fn write(
    step: &mut Step<'_>,
    event: &Happening,
    guests: &Guests,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    event.check()?;
    let payload = Payload::Event(event.write()?);
    let fallback = event.fallback(&step.own.shown(), earlier.is_none());
    let body = Body::Event(event.clone());
    crate::implements!(req::EVENT_CHANGED);
    let group = match (earlier, guests) {
        (Some(earlier), _) => earlier.scope,
        (None, Guests::Group(group)) => Some(*group),
        (None, _) => None,
    };
    if let Some(group) = group {
        let said = Said {
            kind: "event",
            payload,
            body,
            fallback,
        };
        return step.say_in_group(group, said, earlier);
    }
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Friends,
        fallback,
        payload,
    })?;
    let entry = step.own_entry("event", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    let recipients = match (earlier, guests) {
        (Some(entry), _) if step.gate.enforces(&req::EVENT_CHANGED) => {
            step.recipients(&entry.key())?
        }
        (Some(_), _) => Vec::new(),
        (None, Guests::Some(some)) => some.clone(),
        (None, _) => step.friends()?,
    };
    for friend in recipients {
        let Some(peer) = step.peer(friend)? else {
            continue;
        };
        let load = Load {
            objects: vec![hash],
            numbered: true,
            subject: Some(entry.key()),
            ..Load::default()
        };
        step.deliver_subject(&peer, load, rev)?;
    }
    Ok(id)
}

impl Kind for Content {
    fn traits(&self) -> Traits {
        Traits::content("event", &[Audience::Friends], &req::EVENT_AUDIENCE).in_group()
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let event = Happening::of(self);
        let gate = step.gate;
        let exist = event.start.exists() && event.end.iter().all(When::exists);
        gate.check(&req::EVENT_DATES, exist)?;
        let ends = event.end.iter().all(|end| When::may_end(&event.start, end));
        gate.check(&req::EVENT_END, ends)?;
        let summary = event.summary.clone();
        if step.merge(arrival.part, arrival.object, Body::Event(event))? {
            let from = arrival.sender.peer.shown();
            step.events.push(Event::Event { from, summary });
        }
        Ok(())
    }
}

impl Step<'_> {
    /// An own event by its object id.
    pub(crate) fn own_event(&self, id: [u8; 16]) -> Result<Option<Entry>, AgentError> {
        let key = crate::agent::objects::merge_key(self.own.id, "event", id);
        Ok(self.entry(&key)?.filter(|entry| !entry.retracted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_do_not_exist_are_noticed() {
        let day = |day: &str| When::Date(day.to_owned()).exists();
        assert!(day("2028-02-29") && !day("2027-02-29") && !day("2026-04-31"));
        let zoned = When::Zoned {
            time: "2026-06-31T10:00:00".to_owned(),
            tzid: "Europe/Berlin".to_owned(),
        };
        assert!(!zoned.exists());
    }

    #[test]
    fn an_end_has_the_form_of_its_start() {
        let day = When::Date("2026-12-24".to_owned());
        assert!(When::may_end(&day, &day));
        assert!(!When::may_end(&day, &When::Utc(1_800_000_000)));
        assert!(!When::may_end(&When::Utc(2), &When::Utc(1)));
    }
}
