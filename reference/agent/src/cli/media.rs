//! Files that go with posts and messages, and saving those of others.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use kith_agent::media::prepare;
use kith_core::Action;
use kith_core::agent::media::{Attachment, Content};
use kith_core::agent::view::Medium;
use kith_core::wire::{locked, sha256};
use serde_json::json;

use super::args::{Fetched, Media, MediaCommand, Save};
use super::failure::Failure;
use super::output::safe;
use super::sync::finish;
use super::{Context, now, resolve};

/// Media types by the end of a file's name. What isn't here goes as octets.
const TYPES: [(&str, &str); 17] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("svg", "image/svg+xml"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("json", "application/json"),
    ("odt", "application/vnd.oasis.opendocument.text"),
];

fn media_type(file: &Path) -> &'static str {
    let end = file.extension().and_then(|end| end.to_str());
    let end = end.unwrap_or_default().to_ascii_lowercase();
    let known = TYPES.iter().find(|(known, _)| *known == end);
    known.map_or("application/octet-stream", |(_, media_type)| media_type)
}

/// The name of a file, if it can stand in an object.
fn name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let fits = name.chars().count() <= 100 && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::Unreadable(file.to_owned(), error))
}

/// What the options for media say.
pub(super) fn attachments(media: &Media) -> Result<Vec<Attachment>, Failure> {
    let mut attachments = Vec::new();
    for (index, file) in media.media.iter().enumerate() {
        let octets = read(file)?;
        let mut attachment = prepare(octets, media_type(file), media.keep_metadata)
            .map_err(|error| Failure::Medium(file.clone(), error.to_string()))?;
        // Pictures are shown in place and need no name.
        if !attachment.media_type.starts_with("image/") {
            attachment.name = name(file);
        }
        attachment.alt = media.alt.get(index).cloned();
        attachment.caption = media.caption.get(index).cloned();
        attachments.push(attachment);
    }
    Ok(attachments)
}

/// A link to a large file. With `encrypt` the encrypted file is written there, to be put on the
/// server.
pub(super) fn linked(
    href: &str,
    file: Option<&Path>,
    encrypt: Option<&Path>,
) -> Result<Attachment, Failure> {
    let file = file.ok_or(Failure::Missing("--link-file"))?;
    let mut octets = read(file)?;
    let mut password = None;
    if let Some(target) = encrypt {
        let random: [u8; 16] = rand::random();
        let made = hex::encode(random);
        octets = locked::lock(&octets, &made)
            .map_err(|error| Failure::Medium(file.to_owned(), error.to_string()))?;
        write_new(target, &octets)?;
        password = Some(made);
    }
    Ok(Attachment {
        media_type: media_type(file).to_owned(),
        name: name(file),
        content: Content::Linked {
            href: href.to_owned(),
            password,
            hash: sha256(&octets),
            size: octets.len() as u64,
        },
        ..Attachment::default()
    })
}

/// Writes a file that doesn't exist yet.
fn write_new(target: &Path, octets: &[u8]) -> Result<(), Failure> {
    let unwritable = |error| Failure::Unwritable(target.to_owned(), error);
    let mut file = fs::File::create_new(target).map_err(unwritable)?;
    file.write_all(octets).map_err(unwritable)
}

/// A text with a line for each of its media.
pub(super) fn shown(text: &str, media: &[Medium]) -> String {
    let mut lines: Vec<String> = vec![text.to_owned()];
    lines.retain(|text| !text.is_empty());
    for (index, medium) in media.iter().enumerate() {
        let about = medium.alt.as_ref().or(medium.caption.as_ref());
        let about = about.or(medium.name.as_ref()).map_or("", String::as_str);
        let place = match (&medium.href, medium.available) {
            (_, true) => String::new(),
            (Some(href), false) => format!(", at {href}"),
            (None, false) => ", not here yet".to_owned(),
        };
        lines.push(format!(
            "[{}: {} {about}, {} octets{place}]",
            index + 1,
            medium.media_type,
            medium.size
        ));
    }
    lines.join("\n")
}

pub(super) async fn media(context: &Context, command: &MediaCommand) -> Result<(), Failure> {
    match command {
        MediaCommand::Save(save) => self::save(context, save),
        MediaCommand::Fetched(fetched) => self::fetched(context, fetched).await,
    }
}

fn save(context: &Context, save: &Save) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let said = resolve::said(&driver, &save.id, false)?;
    let position = save.number.saturating_sub(1);
    let octets = driver
        .view(now())
        .octets(said.author, said.id, position, save.thumbnail)?;
    let octets = octets.ok_or_else(|| Failure::Nobody {
        what: "medium here",
        wanted: format!("{} {}", save.id, save.number),
        list: "timeline",
    })?;
    let target: PathBuf = save.to.clone();
    write_new(&target, &octets)?;
    context
        .output
        .line(&format!("Saved to {}.", safe(&target.to_string_lossy())));
    Ok(())
}

async fn fetched(context: &Context, fetched: &Fetched) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let said = resolve::said(&driver, &fetched.id, false)?;
    let mut octets = Vec::new();
    let unreadable = |error| Failure::Unreadable(fetched.file.clone(), error);
    fs::File::open(&fetched.file)
        .and_then(|mut file| file.read_to_end(&mut octets))
        .map_err(unreadable)?;
    driver.act(
        Action::Fetched {
            author: said.author,
            id: said.id,
            position: fetched.number.saturating_sub(1),
            octets,
        },
        now(),
    )?;
    context
        .output
        .line("It is what its author linked to; `kith media save` writes it to a file.");
    finish(context, driver, json!({})).await
}
