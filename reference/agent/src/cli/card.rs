//! The own profile and those of friends.

use std::path::Path;

use kith_core::Action;
use kith_core::agent::circle::Readers;
use kith_core::agent::view::{Field, FieldValue};
use kith_core::kinds::field::{NewField, Place, Value};
use serde_json::json;

use super::args::{CardCommand, CardSet, CardUnset, Media};
use super::failure::Failure;
use super::sync::finish;
use super::{Context, circle, media, now, resolve};

pub(super) async fn card(context: &Context, command: &CardCommand) -> Result<(), Failure> {
    match command {
        CardCommand::Show { friend } => show(context, friend.as_deref()),
        CardCommand::Set(set) => self::set(context, set).await,
        CardCommand::Unset(unset) => self::unset(context, unset).await,
    }
}

async fn set(context: &Context, set: &CardSet) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let to = if set.nobody {
        Readers::Nobody
    } else {
        circle::readers(&driver, &set.to)?
    };
    let photo = match set.values.as_slice() {
        [file] if set.field == "photo" => Some(picture(file)?),
        _ => None,
    };
    let place = set.place.map(Place::from);
    let values = if photo.is_some() {
        Vec::new()
    } else {
        values(&set.field, &set.values, place)
    };
    let field = NewField {
        name: set.field.clone(),
        values,
        photo,
        to,
    };
    driver.act(Action::Field(field), now())?;
    context.output.line("Set.");
    finish(context, driver, json!({})).await
}

async fn unset(context: &Context, unset: &CardUnset) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let field = NewField {
        name: unset.field.clone(),
        to: Readers::Nobody,
        ..NewField::default()
    };
    driver.act(Action::Field(field), now())?;
    context.output.line("Taken back from everybody who had it.");
    finish(context, driver, json!({})).await
}

fn picture(file: &str) -> Result<kith_core::agent::media::Attachment, Failure> {
    let one = Media {
        media: vec![Path::new(file).to_owned()],
        ..Media::default()
    };
    let mut photo = media::attachments(&one)?;
    photo.pop().ok_or(Failure::Missing("the picture"))
}

/// The values of a field; of a name or an address one value, in parts like `street=Main Street 1`.
fn values(field: &str, given: &[String], place: Option<Place>) -> Vec<Value> {
    if matches!(field, "n" | "adr") {
        let part = |given: &String| {
            let (part, text) = given.split_once('=').unwrap_or(("", given));
            (part.to_owned(), text.to_owned())
        };
        return vec![Value {
            text: String::new(),
            place,
            parts: given.iter().map(part).collect(),
        }];
    }
    let values = given.iter().map(|text| Value {
        text: text.clone(),
        place,
        parts: Vec::new(),
    });
    values.collect()
}

fn show(context: &Context, friend: Option<&str>) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let who = match friend {
        Some(wanted) => resolve::octets(&resolve::friend(&driver, wanted)?.identity),
        None => Some(driver.agent().own().id),
    };
    let who = who.ok_or(Failure::Missing("the friend"))?;
    let fields = driver.view(now()).profile(who)?;
    if context.output.is_json() {
        context.output.value(&fields);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = fields.iter().map(row).collect();
    let none = match friend {
        Some(_) => "Nothing yet: what a friend tells you of itself stands here.",
        None => "Nothing yet: `kith profile set FIELD VALUE` tells your friends something of you.",
    };
    context
        .output
        .table(&["field", "value", "for"], &rows, none);
    Ok(())
}

fn row(field: &Field) -> Vec<String> {
    let mut values: Vec<String> = field.values.iter().map(value).collect();
    values.extend(field.photo.iter().map(|photo| {
        let here = if photo.available {
            ""
        } else {
            ", not here yet"
        };
        format!("{}, {} octets{here}", photo.media_type, photo.size)
    }));
    let to = match &field.to {
        None => String::new(),
        Some(Readers::Friends) => "all friends".to_owned(),
        Some(Readers::Circle(name)) => format!("circle {name}"),
        Some(Readers::Chosen(ids)) => format!("{} chosen", ids.len()),
        Some(Readers::Nobody) => "nobody".to_owned(),
    };
    vec![field.name.clone(), values.join("\n"), to]
}

fn value(value: &FieldValue) -> String {
    match value.place {
        Some(Place::Home) => format!("{} (home)", value.text),
        Some(Place::Work) => format!("{} (work)", value.text),
        None => value.text.clone(),
    }
}
