//! Circles: the person's own lists of friends (specification, section "Circles" of chapter "Posts
//! to friends"). No mail knows them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ActError, AgentError, Id, Step};
use crate::store::Table;

/// For whom something is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// All friends.
    #[default]
    Friends,
    /// The friends in a circle.
    Circle(String),
    /// Friends one by one.
    Chosen(#[serde(with = "hex_ids")] Vec<Id>),
    /// Nobody.
    Nobody,
}

/// Identity ids as texts in hex.
mod hex_ids {
    use super::Id;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(ids: &[Id], to: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<String> = ids.iter().map(hex::encode).collect();
        ids.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Id>, D::Error> {
        let ids = Vec::<String>::deserialize(from)?;
        let decode = |id: &String| <Id as hex::FromHex>::from_hex(id).map_err(D::Error::custom);
        ids.iter().map(decode).collect()
    }
}

/// The longest name of a circle, in octets.
const NAME: usize = 100;

/// The members of a circle: the row of [`Table::Circle`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Circle {
    /// Identity ids in hex.
    pub(crate) members: BTreeSet<String>,
}

impl Circle {
    pub(crate) fn ids(&self) -> Vec<Id> {
        let decode = |id: &String| hex::FromHex::from_hex(id).ok();
        self.members.iter().filter_map(decode).collect()
    }
}

impl Step<'_> {
    pub(crate) fn circle(&self, name: &str) -> Result<Option<Circle>, AgentError> {
        Ok(self.store.record(Table::Circle, name.as_bytes())?)
    }

    /// Puts friends into a circle and takes others out. One without members is gone.
    pub(crate) fn change_circle(
        &mut self,
        name: &str,
        add: &[Id],
        remove: &[Id],
    ) -> Result<(), ActError> {
        let name = name.trim();
        if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
            return Err(ActError::Text(format!(
                "a circle's name is one line of {NAME} octets at most"
            )));
        }
        let mut circle = self.circle(name)?.unwrap_or_default();
        for friend in self.readers(&Readers::Chosen(add.to_vec()))? {
            circle.members.insert(hex::encode(friend));
        }
        for friend in remove {
            circle.members.remove(&hex::encode(friend));
        }
        if circle.members.is_empty() {
            self.store.delete(Table::Circle, name.as_bytes());
        } else {
            self.store.set(Table::Circle, name.as_bytes(), &circle)?;
        }
        // Fields of the profile follow; posts don't.
        self.settle_fields(false)
    }

    /// Takes somebody out of all circles.
    pub(crate) fn leave_circles(&mut self, id: Id) -> Result<(), AgentError> {
        for (name, mut circle) in self.store.records::<Circle>(Table::Circle, b"")? {
            if !circle.members.remove(&hex::encode(id)) {
                continue;
            }
            if circle.members.is_empty() {
                self.store.delete(Table::Circle, name);
            } else {
                self.store.set(Table::Circle, name, &circle)?;
            }
        }
        Ok(())
    }

    /// The friends for whom something is.
    ///
    /// # Errors
    ///
    /// When there is no such circle, or one of those chosen is no friend.
    pub(crate) fn readers(&self, readers: &Readers) -> Result<Vec<Id>, ActError> {
        match readers {
            Readers::Friends => Ok(self.friends()?),
            Readers::Nobody => Ok(Vec::new()),
            Readers::Circle(name) => {
                let circle = self.circle(name)?.ok_or_else(|| ActError::Unknown {
                    what: "circle",
                    id: name.clone(),
                    list: "circle list",
                })?;
                self.still_friends(circle.ids()).map_err(ActError::from)
            }
            Readers::Chosen(ids) => {
                for id in ids {
                    if !self.is_friend(*id)? {
                        return Err(ActError::Unknown {
                            what: "friend",
                            id: hex::encode(id),
                            list: "friends",
                        });
                    }
                }
                let distinct: BTreeSet<Id> = ids.iter().copied().collect();
                Ok(distinct.into_iter().collect())
            }
        }
    }

    /// Those for whom something is now: whoever is no friend any more is left out.
    pub(crate) fn readers_now(&self, readers: &Readers) -> Result<Vec<Id>, AgentError> {
        match readers {
            Readers::Friends => self.friends(),
            Readers::Nobody => Ok(Vec::new()),
            Readers::Circle(name) => {
                let members = self
                    .circle(name)?
                    .map_or_else(Vec::new, |circle| circle.ids());
                self.still_friends(members)
            }
            Readers::Chosen(ids) => self.still_friends(ids.clone()),
        }
    }

    fn still_friends(&self, ids: Vec<Id>) -> Result<Vec<Id>, AgentError> {
        let mut friends = Vec::new();
        for id in ids {
            if self.is_friend(id)? {
                friends.push(id);
            }
        }
        Ok(friends)
    }
}
