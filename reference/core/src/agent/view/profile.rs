//! Profiles and circles (specification, chapter "Profile").

use kith_schemas::types::Payload;
use kith_spec::req;
use serde::Serialize;

use super::{Medium, View};
use crate::agent::circle::{self, Readers};
use crate::agent::objects::Entry;
use crate::agent::relation::Relation;
use crate::agent::{AgentError, Id};
use crate::kinds::field::{self, Decided, Place};
use crate::store::Table;

/// The schemes of URIs that the person is offered to open (`field.schemes`).
const SCHEMES: [&str; 7] = ["https", "mailto", "matrix", "sip", "sips", "tel", "xmpp"];

/// A field of a profile.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// The name of the property.
    pub name: String,
    /// The object id, in hex.
    pub id: String,
    /// The revision.
    pub rev: u32,
    /// Its values in order of preference.
    pub values: Vec<FieldValue>,
    /// The photo.
    pub photo: Option<Medium>,
    /// For whom an own field is.
    pub to: Option<Readers>,
}

/// A value of a field.
#[derive(Debug, Clone, Serialize)]
pub struct FieldValue {
    /// The value in one piece.
    pub text: String,
    /// Where it belongs.
    pub place: Option<Place>,
    /// The parts of a name or postal address.
    pub parts: Vec<(String, String)>,
    /// Whether the person is offered to open it with the program for such a URI.
    pub offered: bool,
}

/// A circle.
#[derive(Debug, Clone, Serialize)]
pub struct Circle {
    /// Its name.
    pub name: String,
    /// The identities in it, in hex.
    pub members: Vec<String>,
}

impl View<'_> {
    /// The profile of a friend, or the own one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn profile(&self, of: Id) -> Result<Vec<Field>, AgentError> {
        let relation: Option<Relation> = self.store.record(Table::Relation, &of)?;
        let friend =
            relation.is_some_and(|relation| relation.friend.is_some() && !relation.blocked);
        if of != self.own && !friend {
            return Ok(Vec::new());
        }
        let prefix = [&of[..], b"field\0"].concat();
        let mut fields = Vec::new();
        for (_, entry) in self.store.records::<Entry>(Table::Object, &prefix)? {
            fields.extend(self.field(&entry)?);
        }
        let place = |field: &Field| field::NAMES.iter().position(|name| *name == field.name);
        fields.sort_by_key(place);
        Ok(fields)
    }

    fn field(&self, entry: &Entry) -> Result<Option<Field>, AgentError> {
        let Some(Payload::Field(field)) = self.payload(entry)? else {
            return Ok(None);
        };
        let name = field.property.kind().into_owned();
        let values = field::values(&field.property).into_iter();
        let values: Vec<FieldValue> = values.map(|value| self.field_value(value)).collect();
        let decided: Option<Decided> = if entry.author == self.own {
            self.store.record(Table::Field, name.as_bytes())?
        } else {
            None
        };
        if values.is_empty() {
            return Ok(None);
        }
        Ok(Some(Field {
            id: hex::encode(entry.id),
            rev: entry.rev,
            values: if name == "photo" { Vec::new() } else { values },
            photo: self.media(entry)?.pop(),
            to: decided.map(|decided| decided.to),
            name,
        }))
    }

    fn field_value(&self, value: field::Value) -> FieldValue {
        let scheme = value.text.split_once(':').map(|(scheme, _)| scheme);
        let known = |scheme: &str| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
        FieldValue {
            offered: scheme
                .is_some_and(|scheme| known(scheme) || !self.gate.enforces(&req::FIELD_SCHEMES)),
            text: value.text,
            place: value.place,
            parts: value.parts,
        }
    }

    /// The own circles.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn circles(&self) -> Result<Vec<Circle>, AgentError> {
        let rows = self.store.records::<circle::Circle>(Table::Circle, b"")?;
        let circles = rows.into_iter().map(|(name, circle)| Circle {
            name: String::from_utf8_lossy(&name).into_owned(),
            members: circle.members.into_iter().collect(),
        });
        Ok(circles.collect())
    }
}
