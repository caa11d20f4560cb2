//! `field`: one field of a profile.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::{Hash, Id128};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

/// The id of a field.
pub fn field_id(name: &str) -> Id128 {
    let hash = Hash::of([b"field\0", name.as_bytes()].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    Id128(id)
}

impl Puppet {
    /// The object of a field with these values of one line.
    pub fn field_object(&mut self, name: &str, values: &[&str], now: Instant) -> ObjectDraft {
        let value = |text: &&str| Element::new("value").text(*text);
        let property = Element::new(name).children(values.iter().map(value));
        self.field_of(name, property, now)
    }

    /// The object of a field with this property.
    pub fn field_of(&mut self, name: &str, property: Element, now: Instant) -> ObjectDraft {
        let payload = Element::new("field").child(property);
        let fallback = format!("{} tells something about itself.", self.name);
        let mut object = self.object(payload, "friends", &fallback, now);
        object.id = field_id(name);
        object
    }

    /// A field for one friend.
    pub fn field(
        &mut self,
        to: &Peer,
        name: &str,
        values: &[&str],
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let field = self.field_object(name, values, now);
        self.carry(to, vec![field], now)
    }
}
