//! Fields of profiles.

use kith_adapter::act::profile::FieldPart;
use kith_adapter::protocol::{Failure, Identity};
use kith_adapter::view::profile::{Field, ShownValue};
use kith_core::agent::view;
use kith_core::kinds::field::Place;

use super::medium;

pub(super) fn field(identity: Identity, field: view::Field) -> Result<Field, Failure> {
    Ok(Field {
        identity,
        field: field.name,
        rev: field.rev,
        values: field.values.into_iter().map(value).collect(),
        photo: field.photo.as_ref().map(medium).transpose()?,
    })
}

fn value(value: view::FieldValue) -> ShownValue {
    let parts = value.parts.into_iter();
    ShownValue {
        text: value.text,
        place: value.place.map(|place| match place {
            Place::Home => "home".to_owned(),
            Place::Work => "work".to_owned(),
        }),
        parts: parts.map(|(part, text)| FieldPart { part, text }).collect(),
        offered: value.offered,
    }
}
