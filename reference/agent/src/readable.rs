//! Exports that people and other programs can read (specification, section "Export" of chapter
//! "Devices"): contacts as vCard, events as iCalendar, messages as mbox, posts as HTML.
//!
//! They are not encrypted, and can't be imported: the archive is for that.

use kith_core::agent::view::View;
use kith_core::agent::{AgentError, Id};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::calendar;

mod html;
mod mbox;
mod vcard;

/// The names of the files that are always there, with their media types.
pub const NAMES: [(&str, &str); 4] = [
    ("contacts.vcf", "text/vcard"),
    ("events.ics", "text/calendar"),
    ("messages.mbox", "application/mbox"),
    ("posts.html", "text/html"),
];

/// The folder of the media that `posts.html` shows.
pub const MEDIA: &str = "media";

/// The endings of the names of files, by media type.
const ENDINGS: [(&str, &str); 12] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/avif", "avif"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/ogg", "ogg"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
];

/// A file of the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name; media stand in the folder [`MEDIA`], under names made of hexadecimal digits.
    pub name: String,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// Everything that the person sees, as files for people and other programs.
///
/// # Errors
///
/// When the store fails.
pub fn files(view: &View<'_>, now: i64) -> Result<Vec<File>, AgentError> {
    let (posts, media) = html::write(view, now)?;
    let contents = [
        vcard::write(view)?.into_bytes(),
        calendar::write(&view.events()?, now).into_bytes(),
        mbox::write(view)?,
        posts.into_bytes(),
    ];
    let named = NAMES.iter().zip(contents).map(|((name, _), octets)| File {
        name: (*name).to_owned(),
        octets,
    });
    Ok(named.chain(media).collect())
}

/// An identity or object id in hex, as octets.
fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    hex::decode_to_slice(text, &mut octets).ok()?;
    Some(octets)
}

/// The octets of a medium, if they are here.
fn medium(
    view: &View<'_>,
    (author, id): (&str, &str),
    position: usize,
) -> Result<Option<Vec<u8>>, AgentError> {
    match (octets::<32>(author), octets::<16>(id)) {
        (Some(author), Some(id)) => view.octets(author as Id, id, position, false),
        _ => Ok(None),
    }
}

/// How the name of a file of a media type ends.
fn ending(media_type: &str) -> Option<&'static str> {
    let known = ENDINGS.iter().find(|(kind, _)| *kind == media_type);
    known.map(|(_, ending)| *ending)
}

fn moment(at: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn shown_time(at: i64) -> String {
    moment(at).format(&Rfc3339).unwrap_or_default()
}
