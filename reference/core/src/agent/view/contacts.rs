//! The own identity, what is known of others' keys and addresses, and introductions
//! (specification, chapter "Identity").

use serde::Serialize;

use super::View;
use crate::agent::introduction::Introduction;
use crate::agent::own::{Consent, Own};
use crate::agent::relation::Relation;
use crate::agent::standing::{Standing, safety_code};
use crate::agent::{AgentError, Id};
use crate::store::Table;
use crate::wire::keys::KeyKind;

/// The own identity.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// The identity id, in hex.
    pub identity: String,
    /// The name that is claimed.
    pub name: Option<String>,
    /// The address.
    pub address: String,
    /// The addresses before.
    pub earlier: Vec<String>,
    /// The number of the newest epoch.
    pub epoch: u16,
    /// Which keys the newest epoch has.
    pub keys: KeyKind,
    /// The object hashes of the chain, in hex.
    pub chain: Vec<String>,
    /// What the person agreed to.
    pub consent: Consent,
}

/// What is known of a friend's keys and addresses.
#[derive(Debug, Clone, Serialize)]
pub struct Contact {
    /// The identity id, in hex.
    pub identity: String,
    /// The name that it claims.
    pub name: Option<String>,
    /// The name that the person gave.
    pub petname: Option<String>,
    /// The addresses of its contact.
    pub addresses: Vec<String>,
    /// The address that mail is known to reach.
    pub proved: Option<String>,
    /// The number of the newest epoch of its chain.
    pub epoch: usize,
    /// Whether the person compared safety codes.
    pub verified: bool,
    /// Whether nothing is taken or sent until the next rotation.
    pub frozen: bool,
    /// What the person is warned of.
    pub warning: Option<String>,
    /// The safety code of the two.
    pub code: String,
}

/// Somebody whom a friend introduced.
#[derive(Debug, Clone, Serialize)]
pub struct Introduced {
    /// The identity id, in hex.
    pub identity: String,
    /// The name that it claims.
    pub name: Option<String>,
    /// The address.
    pub address: String,
    /// The friend who introduced it, in hex.
    pub by: String,
}

impl View<'_> {
    /// The own identity.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn identity(&self) -> Result<Identity, AgentError> {
        let own = self.own_identity()?;
        Ok(Identity {
            identity: hex::encode(own.id),
            epoch: own.epoch(),
            keys: own.key.kind(),
            chain: own.chain().iter().map(hex::encode).collect(),
            earlier: own.earlier_addresses().to_vec(),
            consent: own.consent,
            name: own.name,
            address: own.address,
        })
    }

    fn own_identity(&self) -> Result<Own, AgentError> {
        Own::load(&self.store)?.ok_or(AgentError::NoIdentity)
    }

    /// What is kept about an identity besides what it says.
    pub(super) fn standing(&self, id: Id) -> Result<Standing, AgentError> {
        Standing::of(&self.store, id)
    }

    /// The friends' keys and addresses.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn contacts(&self) -> Result<Vec<Contact>, AgentError> {
        let head = self.own_identity()?.head();
        let friend = |relation: &Relation| relation.friend.is_some() && !relation.blocked;
        let mut contacts = Vec::new();
        for (id, relation) in self.relations_of()? {
            let Some(peer) = self.peer(id)?.filter(|_| friend(&relation)) else {
                continue;
            };
            let standing = self.standing(id)?;
            let wanted = peer.address().to_owned();
            let proved = match standing.is_proved(&wanted) {
                true => Some(wanted),
                false => standing.proved.last().cloned(),
            };
            contacts.push(Contact {
                identity: hex::encode(id),
                code: safety_code(head, (id, peer.head())),
                epoch: peer.epoch(),
                name: peer.name,
                petname: standing.petname,
                addresses: peer.addresses,
                proved,
                verified: standing.verified,
                frozen: standing.frozen,
                warning: standing.warning,
            });
        }
        Ok(contacts)
    }

    /// The people whom friends introduced, as long as that lasts.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn introductions(&self) -> Result<Vec<Introduced>, AgentError> {
        let rows = self
            .store
            .records::<Introduction>(Table::Introduction, b"")?;
        let lasting = rows
            .into_iter()
            .map(|(_, one)| one)
            .filter(|one| one.until() >= self.now);
        let shown = lasting.map(|one| Introduced {
            identity: hex::encode(one.peer.id),
            name: one.peer.name.clone(),
            address: one.peer.address().to_owned(),
            by: hex::encode(one.by),
        });
        Ok(shown.collect())
    }
}
