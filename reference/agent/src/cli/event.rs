//! Events, and who comes.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueEnum};
use kith_agent::{Driver, calendar};
use kith_core::agent::view::Event;
use kith_core::kinds::event::{Guests, Happening, Status, When};
use kith_core::kinds::rsvp;
use kith_core::{Action, Done};
use serde_json::json;

use super::failure::Failure;
use super::output::{safe, short};
use super::profile::write_private;
use super::sync::finish;
use super::{Context, circle, group, now, resolve};

/// What to do with events.
#[derive(Debug, Subcommand)]
pub(super) enum EventCommand {
    /// Show events
    List,
    /// Show an event, and who answered
    Show(Named),
    /// Invite friends or a group to an event
    Create(Create),
    /// Change an event of yours
    Change(Change),
    /// Cancel an event of yours
    Cancel(Named),
    /// Answer an event
    Rsvp(Rsvp),
    /// Write events as iCalendar, for the calendar of another program
    Export(Export),
    /// Invite to the events in an iCalendar file
    Import(Import),
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Who is invited and who answered is not in the file.

Examples:
  kith event export --to kith.ics
  kith event export 1f0c9ab2 > party.ics")]
pub(super) struct Export {
    /// The id of the event, or its beginning, instead of all events
    id: Option<String>,
    /// The file to write, which doesn't exist yet, instead of standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(super) struct Import {
    /// The file
    file: PathBuf,
    /// The time zone of times of day without one, like Europe/Vienna
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The friends who are invited, instead of all
    #[arg(long, value_name = "FRIEND")]
    to: Vec<String>,
    /// The group that is invited, instead of friends
    #[arg(long, conflicts_with = "to")]
    group: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Named {
    /// The id of the event, or its beginning
    id: String,
}

/// Times and places.
#[derive(Debug, Arguments)]
pub(super) struct Details {
    /// When it is over, in the form of the start
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// The time zone of start and end, like Europe/Vienna
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Where
    #[arg(long)]
    location: Option<String>,
    /// More about it
    #[arg(long)]
    description: Option<String>,
    /// A page about it; https only
    #[arg(long)]
    url: Option<String>,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
A time is a day (2027-06-21), a time of day with --zone (2027-06-21T19:00), or an instant in UTC
(2027-06-21T17:00Z).

Examples:
  kith event create 'Summer party' 2027-06-21T19:00 --zone Europe/Vienna --location 'Our garden'
  kith event create 'Rehearsal' 2027-03-01T18:30Z --group Choir")]
pub(super) struct Create {
    /// What it is
    summary: String,
    /// When it begins
    start: String,
    #[command(flatten)]
    details: Details,
    /// The friends who are invited, instead of all
    #[arg(long, value_name = "FRIEND")]
    to: Vec<String>,
    /// The group that is invited, instead of friends
    #[arg(long, conflicts_with = "to")]
    group: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Change {
    /// The id of the event, or its beginning
    id: String,
    /// What it is
    #[arg(long)]
    summary: Option<String>,
    /// When it begins
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    #[command(flatten)]
    details: Details,
}

/// Whether somebody comes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Answer {
    /// You come
    Yes,
    /// You don't come
    No,
    /// Perhaps
    Maybe,
    /// Take an earlier answer back
    Undecided,
}

#[derive(Debug, Arguments)]
pub(super) struct Rsvp {
    /// The id of the event, or its beginning
    id: String,
    /// Whether you come
    #[arg(value_enum)]
    answer: Answer,
    /// How many others you bring along
    #[arg(long, default_value_t = 0, value_name = "N")]
    guests: u32,
    /// A few words to the organiser
    #[arg(long)]
    note: Option<String>,
}

pub(super) async fn event(context: &Context, command: &EventCommand) -> Result<(), Failure> {
    match command {
        EventCommand::List => list(context),
        EventCommand::Show(named) => show(context, &named.id),
        EventCommand::Create(create) => self::create(context, create).await,
        EventCommand::Change(change) => self::change(context, change).await,
        EventCommand::Cancel(named) => cancel(context, &named.id).await,
        EventCommand::Rsvp(rsvp) => self::rsvp(context, rsvp).await,
        EventCommand::Export(export) => self::export(context, export),
        EventCommand::Import(import) => self::import(context, import).await,
    }
}

fn unusable(what: &str) -> Failure {
    Failure::Nobody {
        what: "time",
        wanted: what.to_owned(),
        list: "event create --help",
    }
}

/// A time as a person types it: the seconds may be missing.
fn time(text: &str, zone: Option<&str>) -> Result<When, Failure> {
    let Some((day, clock)) = text.split_once('T') else {
        return Ok(When::Date(text.to_owned()));
    };
    let (clock, utc) = match clock.strip_suffix('Z') {
        Some(clock) => (clock, true),
        None => (clock, false),
    };
    let clock = match clock.len() {
        5 => format!("{clock}:00"),
        _ => clock.to_owned(),
    };
    let time = format!("{day}T{clock}");
    match (utc, zone) {
        (true, _) => {
            let format = ::time::macros::format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second]"
            );
            let parsed = ::time::PrimitiveDateTime::parse(&time, format);
            let parsed = parsed.map_err(|_| unusable(text))?;
            Ok(When::Utc(parsed.assume_utc().unix_timestamp()))
        }
        (false, Some(zone)) => Ok(When::Zoned {
            time,
            tzid: zone.to_owned(),
        }),
        (false, None) => Err(unusable(text)),
    }
}

/// Whom an event is for.
fn guests(driver: &Driver, group: Option<&str>, to: &[String]) -> Result<Guests, Failure> {
    Ok(match group {
        Some(wanted) => Guests::Group(group::id(&group::find(driver, wanted)?)?),
        None if to.is_empty() => Guests::Friends,
        None => Guests::Some(circle::people(driver, to)?),
    })
}

fn export(context: &Context, export: &Export) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let events = match &export.id {
        Some(id) => vec![find(&driver, id, false)?],
        None => driver.view(now()).events()?,
    };
    let text = calendar::write(&events, now());
    match &export.to {
        Some(file) => {
            write_private(file, text.as_bytes())?;
            let file = safe(&file.to_string_lossy());
            context.output.line(&format!("Written: {file}."));
        }
        None if context.output.is_json() => {}
        None => anstream::print!("{text}"),
    }
    if context.output.is_json() {
        context.output.value(&json!({ "calendar": text }));
    }
    Ok(())
}

async fn import(context: &Context, import: &Import) -> Result<(), Failure> {
    let file = &import.file;
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::Unreadable(file.clone(), error))?;
    let events = calendar::read(&text, import.zone.as_deref())
        .map_err(|error| Failure::Calendar(file.clone(), error))?;
    let mut driver = context.profile.driver(!context.offline)?;
    let guests = guests(&driver, import.group.as_deref(), &import.to)?;
    let mut made = Vec::new();
    for event in events {
        let line = format!("{}, {}", safe(&event.summary), event.start);
        let guests = guests.clone();
        if let (Done::Object(id), _) = driver.act(Action::EventCreate { event, guests }, now())? {
            made.push(hex::encode(id));
            context.output.line(&line);
        }
    }
    finish(context, driver, json!({ "events": made })).await
}

async fn create(context: &Context, create: &Create) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let details = &create.details;
    let zone = details.zone.as_deref();
    let end = details.end.as_deref();
    let event = Happening {
        summary: create.summary.clone(),
        description: details.description.clone(),
        start: time(&create.start, zone)?,
        end: end.map(|end| time(end, zone)).transpose()?,
        location: details.location.clone(),
        geo: None,
        url: details.url.clone(),
        status: Status::Confirmed,
    };
    let guests = guests(&driver, create.group.as_deref(), &create.to)?;
    let (done, _) = driver.act(Action::EventCreate { event, guests }, now())?;
    let id = match done {
        Done::Object(id) => hex::encode(id),
        _ => String::new(),
    };
    context.output.line("The invitations are on their way.");
    finish(context, driver, json!({ "event": id })).await
}

/// An event, by the beginning of its id; `own` only if it is the person's own.
fn find(driver: &Driver, wanted: &str, own: bool) -> Result<Event, Failure> {
    let me = hex::encode(driver.agent().own().id);
    let mut found = driver.view(now()).events()?;
    let prefix = wanted.to_ascii_lowercase();
    found.retain(|event| {
        wanted.len() >= 4 && event.id.starts_with(&prefix) && (!own || event.organiser == me)
    });
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::Nobody {
            what: if own { "event of yours" } else { "event" },
            wanted: wanted.to_owned(),
            list: "event list",
        }),
        _ => Err(Failure::Several {
            wanted: wanted.to_owned(),
            found: found
                .iter()
                .map(|event| format!("{} {}", short(&event.id), event.content.summary))
                .collect(),
        }),
    }
}

async fn changed(
    context: &Context,
    mut driver: Driver,
    found: &Event,
    event: Happening,
) -> Result<(), Failure> {
    let id = resolve::octets(&found.id).ok_or_else(|| unusable(&found.id))?;
    driver.act(Action::EventChange { id, event }, now())?;
    context.output.line("Everybody who was invited will know.");
    finish(context, driver, json!({})).await
}

async fn change(context: &Context, change: &Change) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let found = find(&driver, &change.id, true)?;
    let details = &change.details;
    let zone = match (&details.zone, &found.content.start) {
        (Some(zone), _) | (None, When::Zoned { tzid: zone, .. }) => Some(zone.clone()),
        _ => None,
    };
    let zone = zone.as_deref();
    let mut event = found.content.clone();
    if let Some(summary) = &change.summary {
        event.summary.clone_from(summary);
    }
    if let Some(start) = &change.start {
        event.start = time(start, zone)?;
    }
    if let Some(end) = &details.end {
        event.end = Some(time(end, zone)?);
    }
    let over = |new: &Option<String>, old: &mut Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    over(&details.location, &mut event.location);
    over(&details.description, &mut event.description);
    over(&details.url, &mut event.url);
    changed(context, driver, &found, event).await
}

async fn cancel(context: &Context, id: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let found = find(&driver, id, true)?;
    let mut event = found.content.clone();
    event.status = Status::Cancelled;
    changed(context, driver, &found, event).await
}

async fn rsvp(context: &Context, rsvp: &Rsvp) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let found = find(&driver, &rsvp.id, false)?;
    let organiser = resolve::octets(&found.organiser).ok_or_else(|| unusable(&found.id))?;
    let event = resolve::octets(&found.id).ok_or_else(|| unusable(&found.id))?;
    let answer = match rsvp.answer {
        Answer::Yes => Some(rsvp::Answer::Yes),
        Answer::No => Some(rsvp::Answer::No),
        Answer::Maybe => Some(rsvp::Answer::Maybe),
        Answer::Undecided => None,
    };
    let action = Action::Rsvp {
        organiser,
        event,
        answer,
        guests: rsvp.guests,
        note: rsvp.note.clone(),
    };
    driver.act(action, now())?;
    context
        .output
        .line("Your answer goes to the organiser alone.");
    finish(context, driver, json!({})).await
}

fn list(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let events = driver.view(now()).events()?;
    if context.output.is_json() {
        context.output.value(&events);
        return Ok(());
    }
    let row = |event: &Event| {
        let status = match event.content.status {
            Status::Tentative => "perhaps",
            Status::Confirmed => "",
            Status::Cancelled => "cancelled",
        };
        vec![
            short(&event.id).to_owned(),
            event.content.start.to_string(),
            safe(&event.content.summary),
            safe(&event.name),
            status.to_owned(),
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    let none = "No events: `kith event create` invites to one.";
    context
        .output
        .table(&["id", "when", "what", "by", ""], &rows, none);
    Ok(())
}

fn show(context: &Context, id: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let event = find(&driver, id, false)?;
    if context.output.is_json() {
        context.output.value(&event);
        return Ok(());
    }
    let content = &event.content;
    context.output.heading(&safe(&content.summary));
    let mut lines = vec![format!("by {}, {}", safe(&event.name), content.start)];
    lines.extend(content.end.as_ref().map(|end| format!("until {end}")));
    lines.extend(content.location.as_deref().map(safe));
    lines.extend(content.url.as_deref().map(safe));
    lines.extend(content.description.as_deref().map(safe));
    for line in lines {
        context.output.line(&line);
    }
    if event.answers.is_empty() {
        return Ok(());
    }
    let (yes, no, maybe) = (event.yes, event.no, event.maybe);
    context
        .output
        .line(&format!("{yes} come, {no} do not, {maybe} perhaps"));
    let word = |answer| match answer {
        rsvp::Answer::Yes => "yes",
        rsvp::Answer::No => "no",
        rsvp::Answer::Maybe => "maybe",
    };
    let mut rows: Vec<_> = event
        .answers
        .iter()
        .map(|answered| {
            let before = if answered.current {
                ""
            } else {
                "before the change"
            };
            vec![
                safe(&answered.name),
                word(answered.answer).to_owned(),
                answered.guests.to_string(),
                safe(answered.note.as_deref().unwrap_or_default()),
                before.to_owned(),
            ]
        })
        .collect();
    rows.sort();
    let head = ["who", "answer", "guests", "note", ""];
    context.output.table(&head, &rows, "No answers yet.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_typed() {
        let day = time("2027-06-21", None).unwrap();
        assert_eq!(day, When::Date("2027-06-21".to_owned()));
        let zoned = time("2027-06-21T19:00", Some("Europe/Vienna")).unwrap();
        assert_eq!(zoned.to_string(), "2027-06-21 19:00 Europe/Vienna");
        let instant = time("2027-06-21T17:00Z", None).unwrap();
        assert_eq!(instant, When::Utc(1_813_597_200));
        assert!(time("2027-06-21T17:00", None).is_err());
    }
}
