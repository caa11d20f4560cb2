//! Fields of the own profile.

use kith_adapter::act::profile::{FieldValue, ProfileSet};
use kith_adapter::protocol::Failure;
use kith_core::kinds::field::{NewField, Place, Value};

use super::{attachment, readers};

pub(super) fn new_field(wanted: &ProfileSet) -> Result<NewField, Failure> {
    Ok(NewField {
        name: wanted.field.clone(),
        values: wanted.values.iter().map(value).collect::<Result<_, _>>()?,
        photo: wanted.photo.as_ref().map(attachment).transpose()?,
        to: readers(&wanted.to)?,
    })
}

fn value(wanted: &FieldValue) -> Result<Value, Failure> {
    let parts = wanted.parts.iter();
    Ok(Value {
        text: wanted.text.clone(),
        place: match wanted.place.as_deref() {
            None => None,
            Some("home") => Some(Place::Home),
            Some("work") => Some(Place::Work),
            Some(other) => return Err(Failure::Refused(format!("there is no place {other}"))),
        },
        parts: parts
            .map(|part| (part.part.clone(), part.text.clone()))
            .collect(),
    })
}
