//! `field`: one field of a profile (specification, chapter "Profile").
//!
//! Who has which revision stands in [`Table::Audience`]; [`Step::settle_fields`] brings it in line
//! with whom the person means a field for, after everything that may change it.

use kith_schemas::types::{Audience, Field, Payload, Property};
use kith_spec::req;
use serde::{Deserialize, Serialize};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::circle::Readers;
use crate::agent::media::{self, Attachment, PICTURES};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::outbox::{Recipient, audience_key};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Failure, Id, Step};
use crate::store::{Read, Table, successor};
use crate::wire;

mod value;

pub use value::{NAMES, Place, Value};
pub(crate) use value::{clean, empty, values};

/// What the person wants a field to say, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewField {
    /// The name of the property, one of [`NAMES`].
    pub name: String,
    /// Its values; none empties it. A photo has none.
    pub values: Vec<Value>,
    /// The photo.
    pub photo: Option<Attachment>,
    /// For whom it is.
    pub to: Readers,
}

/// What the person decided about an own field: the row of [`Table::Field`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(crate) to: Readers,
    /// The highest revision made, with values or without.
    last: u32,
}

/// The id of a field (`field.id`).
#[must_use]
pub fn id(name: &str) -> [u8; 16] {
    let hash = wire::sha256(&[b"field\0", name.as_bytes()].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// Sets an own field and tells those for whom it is.
pub(crate) fn write(step: &mut Step<'_>, new: &NewField) -> Result<(), ActError> {
    // Whether there is such a circle, and whether the chosen are friends.
    step.readers(&new.to)?;
    let photo = step.attach(new.photo.as_slice())?.pop();
    let property = value::property(&new.name, &new.values, photo)?;
    if let Property::Photo(photo) = &property
        && !photo.media.as_ref().is_none_or(is_picture)
    {
        let reason = "a photo is a JPEG or PNG that goes along";
        return Err(ActError::Media(reason.to_owned()));
    }
    if !clean(&property) {
        let reason = "it has control characters or turns the direction of text";
        return Err(ActError::Text(reason.to_owned()));
    }
    let decided = Decided {
        to: new.to.clone(),
        last: step.decided(&new.name)?.map_or(0, |decided| decided.last),
    };
    step.store
        .set(Table::Field, new.name.as_bytes(), &decided)?;
    revise(step, &new.name, property)?;
    step.settle_field(&new.name, false)
}

/// Makes the next revision of an own field with this content and keeps it as the field.
fn revise(step: &mut Step<'_>, name: &str, property: Property) -> Result<Entry, AgentError> {
    let earlier = step.own_field(name)?;
    let (hash, rev) = sign(step, name, property)?;
    let body = Body::Field {
        name: name.to_owned(),
    };
    let entry = step.own_entry("field", id(name), rev, hash, body, earlier.as_ref());
    step.keep_own(&entry, earlier.as_ref())?;
    Ok(entry)
}

/// Signs a revision of an own field, with values or without.
fn sign(step: &mut Step<'_>, name: &str, property: Property) -> Result<(Id, u32), AgentError> {
    let mut decided = step.decided(name)?.unwrap_or(Decided {
        to: Readers::Nobody,
        last: 0,
    });
    decided.last += 1;
    step.store.set(Table::Field, name.as_bytes(), &decided)?;
    let said: Vec<String> = values(&property)
        .into_iter()
        .map(|value| value.text)
        .collect();
    let hash = step.sign(Draft {
        id: id(name),
        rev: decided.last,
        audience: Audience::Friends,
        fallback: format!("{}'s {name}: {}", step.own.shown(), said.join("; ")),
        payload: Payload::Field(Field { property }),
    })?;
    Ok((hash, decided.last))
}

/// A copy that some friend lacks.
struct Due {
    key: Vec<u8>,
    hash: Id,
    rev: u32,
    gone: bool,
    needs: Vec<media::Need>,
}

impl Step<'_> {
    pub(crate) fn decided(&self, name: &str) -> Result<Option<Decided>, AgentError> {
        Ok(self.store.record(Table::Field, name.as_bytes())?)
    }

    pub(crate) fn own_field(&self, name: &str) -> Result<Option<Entry>, AgentError> {
        self.entry(&merge_key(self.own.id, "field", id(name)))
    }

    /// Brings all friends' copies of the own fields in line with whom they are for: `automatic`
    /// where no person's action caused it directly.
    pub(crate) fn settle_fields(&mut self, automatic: bool) -> Result<(), ActError> {
        for (name, _) in self.store.records::<Decided>(Table::Field, b"")? {
            self.settle_field(&String::from_utf8_lossy(&name), automatic)?;
        }
        Ok(())
    }

    /// Sends a new friend the fields that are for it, in one delivery.
    pub(crate) fn greet_with_fields(&mut self, friend: Id) -> Result<(), AgentError> {
        if !self.gate.enforces(&req::FIELD_NEW_FRIEND) {
            return Ok(());
        }
        let mut due = Vec::new();
        for (name, decided) in self.store.records::<Decided>(Table::Field, b"")? {
            if self.readers_now(&decided.to)?.contains(&friend) {
                let name = String::from_utf8_lossy(&name).into_owned();
                due.extend(self.lacks(&name, friend)?);
            }
        }
        self.hand_over(friend, due, true)
    }

    fn settle_field(&mut self, name: &str, automatic: bool) -> Result<(), ActError> {
        crate::implements!(req::FIELD_CHOSEN);
        let Some(decided) = self.decided(name)? else {
            return Ok(());
        };
        let readers = self.readers_now(&decided.to)?;
        let key = merge_key(self.own.id, "field", id(name));
        let has = self.recipients(&key)?;
        let mut left_out = has
            .into_iter()
            .filter(|id| !readers.contains(id))
            .peekable();
        if left_out.peek().is_some() && self.gate.enforces(&req::FIELD_NARROWED) {
            let (hash, rev) = sign(self, name, empty(name)?)?;
            for friend in left_out {
                let due = Due {
                    key: key.clone(),
                    hash,
                    rev,
                    gone: true,
                    needs: Vec::new(),
                };
                self.hand_over(friend, vec![due], automatic)?;
            }
        }
        for friend in readers {
            let due = self.lacks(name, friend)?;
            self.hand_over(friend, due.into_iter().collect(), automatic)?;
        }
        Ok(())
    }

    /// The revision of an own field that a reader lacks.
    fn lacks(&mut self, name: &str, friend: Id) -> Result<Option<Due>, AgentError> {
        let Some(mut entry) = self.own_field(name)? else {
            return Ok(None);
        };
        let key = entry.key();
        let row: Option<Recipient> = self
            .store
            .record(Table::Audience, &audience_key(&key, friend))?;
        let payload = self.document(entry.hash)?.map(|object| object.payload);
        let Some(Payload::Field(Field { property })) = payload else {
            return Ok(None);
        };
        let nothing = values(&property).is_empty();
        match &row {
            // An empty field is news only to those who have something of it.
            None if nothing => return Ok(None),
            Some(row) if row.gone && nothing => return Ok(None),
            Some(row) if !row.gone && row.rev >= entry.rev => return Ok(None),
            // What was taken away comes back with a higher revision.
            Some(row) if row.rev >= entry.rev => entry = revise(self, name, property)?,
            _ => {}
        }
        Ok(Some(Due {
            key,
            hash: entry.hash,
            rev: entry.rev,
            gone: nothing,
            needs: media::needs(&self.media_of(&entry)?),
        }))
    }

    fn hand_over(&mut self, friend: Id, due: Vec<Due>, automatic: bool) -> Result<(), AgentError> {
        let Some(peer) = self.peer(friend)?.filter(|_| !due.is_empty()) else {
            return Ok(());
        };
        let load = Load {
            objects: due.iter().map(|due| due.hash).collect(),
            media: due.iter().flat_map(|due| due.needs.clone()).collect(),
            numbered: true,
            automatic,
            ..Load::default()
        };
        let delivery = self.deliver(&peer, load)?;
        // Another device sent what this one is quiet about; what is kept back is still due.
        if delivery.is_none() && !self.quiet {
            return Ok(());
        }
        for due in due {
            let row = Recipient {
                delivery: delivery.clone(),
                rev: due.rev,
                gone: due.gone,
                hashes: Vec::new(),
            };
            self.store
                .set(Table::Audience, audience_key(&due.key, friend), &row)?;
        }
        Ok(())
    }

    /// Forgets what a former friend told of itself, and that it was told anything.
    pub(crate) fn forget_fields(&mut self, author: Id) -> Result<(), AgentError> {
        for (name, _) in self.store.records::<Decided>(Table::Field, b"")? {
            let own = id(&String::from_utf8_lossy(&name));
            let key = merge_key(self.own.id, "field", own);
            self.store
                .delete(Table::Audience, audience_key(&key, author));
        }
        let prefix = [&author[..], b"field\0"].concat();
        let rows = self
            .store
            .range(Table::Object, &prefix, &successor(&prefix), usize::MAX)?;
        for (key, _) in rows {
            if let Some(entry) = self.entry(&key)? {
                self.hide(entry)?;
                self.store.delete(Table::Object, key);
            }
        }
        Ok(())
    }
}

fn is_picture(medium: &kith_schemas::types::Media) -> bool {
    medium.source.is_none() && PICTURES.contains(&medium.r#type.as_str())
}

impl Kind for Field {
    fn traits(&self) -> Traits {
        Traits::content("field", &[Audience::Friends], &req::FIELD_AUDIENCE)
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        crate::implements!(
            req::FIELD_NAME_CLAIM,
            req::FIELD_NOT_CONTACT,
            req::FIELD_NO_KEYS,
            req::FIELD_NO_CONTACT,
        );
        let gate = step.gate;
        let name = self.property.kind();
        gate.check(&req::FIELD_ID, arrival.object.id.0 == id(&name))?;
        let media = match &self.property {
            Property::Photo(photo) => photo.media.as_slice(),
            _ => &[],
        };
        media::check(gate, media)?;
        gate.check(&req::FIELD_PHOTO, media.iter().all(is_picture))?;
        gate.check(&req::FIELD_CHARACTERS, clean(&self.property))?;
        if values(&self.property).is_empty() && !gate.enforces(&req::FIELD_EMPTIED) {
            return Ok(());
        }
        let body = Body::Field {
            name: name.into_owned(),
        };
        step.merge(arrival.part, arrival.object, body)?;
        Ok(())
    }
}
