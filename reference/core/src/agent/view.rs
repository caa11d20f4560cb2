//! What the person sees: a file for each chapter of the specification.

use std::sync::Arc;

use kith_spec::req;

use super::peer::Peer;
use super::relation::Relation;
use super::{Agent, AgentError, Id};
use crate::gate::Gate;
use crate::store::{Read, Table, Transaction};

mod apps;
mod contacts;
mod delivery;
mod devices;
mod events;
mod groups;
mod media;
mod pages;
mod private;
mod profile;
mod publishing;
mod relation;
mod thread;

pub use apps::{App, AppUpdate};
pub use contacts::{Contact, Identity, Introduced};
pub use delivery::{Copy, DeliveryState, Gap};
pub use devices::OwnDevice;
pub use events::{Answered, Event};
pub use groups::{Group, GroupEntry, Listed};
pub use media::Medium;
pub use pages::{Follower, Page};
pub use private::Message;
pub use profile::{Circle, Field, FieldValue};
pub use publishing::{Mention, Post};
pub use relation::{Direction, Friend, RelationState, Request};
pub use thread::{Comment, Reaction, Shared, Speaker, Thread};

/// Reads a store for the person.
pub struct View<'a> {
    own: Id,
    store: Transaction<'a>,
    now: i64,
    gate: Arc<dyn Gate>,
}

impl Agent {
    /// What the person sees at a time.
    #[must_use]
    pub fn view<'a>(&self, store: &'a dyn Read, now: i64) -> View<'a> {
        View {
            own: self.own.id,
            store: Transaction::new(store),
            now,
            gate: self.gate.clone(),
        }
    }
}

impl View<'_> {
    fn peer(&self, id: Id) -> Result<Option<Peer>, AgentError> {
        Ok(self.store.record(Table::Peer, &id)?)
    }

    fn relations_of(&self) -> Result<Vec<(Id, Relation)>, AgentError> {
        let rows = self.store.records::<Relation>(Table::Relation, b"")?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, r)| Some((key.try_into().ok()?, r)))
            .collect())
    }

    /// Whether every mail with this revision was protected after quantum computers.
    fn protected(&self, object: Id) -> Result<Option<bool>, AgentError> {
        let noted = self.store.get(Table::Protection, &object)?;
        let shown = noted.filter(|_| self.gate.enforces(&req::PQ_SHOWN));
        Ok(shown.map(|protected| protected == [1]))
    }

    fn is_blocked(&self, id: Id) -> Result<bool, AgentError> {
        let relation: Option<Relation> = self.store.record(Table::Relation, &id)?;
        Ok(relation.is_some_and(|relation| relation.blocked))
    }

    /// How somebody is shown.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn name(&self, id: Id) -> Result<String, AgentError> {
        if id == self.own {
            return Ok("you".to_owned());
        }
        if let Some(petname) = self.standing(id)?.petname {
            return Ok(petname);
        }
        Ok(self
            .peer(id)?
            .map_or_else(|| hex::encode(&id[..8]), |peer| peer.shown()))
    }
}
