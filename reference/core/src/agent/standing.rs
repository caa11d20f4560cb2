//! What is kept about somebody besides what they say of themselves: petname, verification,
//! freezing, the paths to their addresses (specification, chapter "Identity").

use kith_schemas::types;
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::peer::Peer;
use super::{ActError, AgentError, DAY, Event, Id, Step, address};
use crate::store::{Table, Transaction};

/// What is kept about an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The name that the person gave.
    #[serde(default)]
    pub petname: Option<String>,
    /// Whether the person compared safety codes.
    #[serde(default)]
    pub verified: bool,
    /// Whether nothing is taken or sent until the next rotation.
    #[serde(default)]
    pub frozen: bool,
    /// What the person is warned of, until they compare safety codes.
    #[serde(default)]
    pub warning: Option<String>,
    /// When the newest entry of the chain was first seen, unless it was the first one seen.
    #[serde(default)]
    pub renewed: Option<i64>,
    /// The own epoch up to which the other knows the own chain.
    #[serde(default)]
    pub told: u16,
    /// The addresses that mail is known to reach, the last proved one last.
    #[serde(default)]
    pub proved: Vec<String>,
    /// Nonces sent to addresses that are not proved.
    #[serde(default)]
    pub paths: Vec<Path>,
    /// Nonces to be echoed.
    #[serde(default)]
    pub echoes: Vec<String>,
    /// When introductions by this friend came.
    #[serde(default)]
    pub introductions: Vec<i64>,
}

/// A delivery to an address that was not proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The address.
    pub address: String,
    /// The nonce, in hex.
    pub nonce: String,
    /// When.
    pub sent: i64,
}

/// Where a delivery goes: an address, with a nonce if it is not proved.
pub(crate) struct Route {
    pub(crate) address: String,
    pub(crate) nonce: Option<[u8; 16]>,
}

impl Standing {
    /// Reads what is kept about an identity.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn of(store: &Transaction<'_>, id: Id) -> Result<Self, AgentError> {
        Ok(store.record(Table::Standing, &id)?.unwrap_or_default())
    }

    /// Whether mail is known to arrive at an address.
    #[must_use]
    pub fn is_proved(&self, wanted: &str) -> bool {
        self.proved
            .iter()
            .any(|proved| address::same(proved, wanted))
    }

    fn prove(&mut self, proved: &str) {
        self.proved.retain(|known| !address::same(known, proved));
        self.proved.push(proved.to_owned());
        self.paths
            .retain(|path| !address::same(&path.address, proved));
    }
}

impl Step<'_> {
    pub(crate) fn standing(&self, id: Id) -> Result<Standing, AgentError> {
        Standing::of(&self.store, id)
    }

    pub(crate) fn set_standing(&mut self, id: Id, standing: &Standing) -> Result<(), AgentError> {
        Ok(self.store.set(Table::Standing, id, standing)?)
    }

    fn change_standing(
        &mut self,
        id: Id,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), AgentError> {
        let mut standing = self.standing(id)?;
        change(&mut standing);
        self.set_standing(id, &standing)
    }

    /// Freezes a contact: its newest key is in two hands or revoked.
    pub(crate) fn freeze(&mut self, peer: &Peer, why: &str) -> Result<(), AgentError> {
        let mut standing = self.standing(peer.id)?;
        if standing.frozen {
            return Ok(());
        }
        standing.frozen = true;
        if self.gate.enforces(&req::CONTACT_VERIFIED_KEPT) {
            standing.verified = false;
        }
        standing.warning = Some(why.to_owned());
        self.set_standing(peer.id, &standing)?;
        let name = self.shown_name(peer.id)?;
        self.events.push(Event::Frozen {
            name,
            why: why.to_owned(),
        });
        Ok(())
    }

    /// Notes that a new entry of somebody's chain was seen.
    pub(crate) fn renewed(&mut self, id: Id) -> Result<(), AgentError> {
        let (now, thaws) = (self.now, self.gate.enforces(&req::IDENTITY_THAW));
        self.change_standing(id, |standing| {
            standing.renewed = Some(now);
            standing.frozen &= !thaws;
        })
    }

    /// Notes that the handshake went through an address, and which own epoch it told of.
    pub(crate) fn met_at(&mut self, id: Id, proved: &str) -> Result<(), AgentError> {
        let told = self.own.epoch();
        self.change_standing(id, |standing| {
            standing.prove(proved);
            standing.told = told;
        })
    }

    /// Where the next delivery to a friend goes.
    pub(crate) fn routes(&mut self, peer: &Peer) -> Result<Vec<Route>, AgentError> {
        crate::implements!(req::PATH_PROVED, req::PATH_RENEWED);
        let mut standing = self.standing(peer.id)?;
        let wanted = peer.address().to_owned();
        let plain = |address: String| Route {
            address,
            nonce: None,
        };
        if standing.is_proved(&wanted) {
            return Ok(vec![plain(wanted)]);
        }
        let mut routes = Vec::new();
        let both = self.gate.enforces(&req::PATH_BOTH);
        if let Some(last) = standing.proved.last().filter(|_| both) {
            routes.push(plain(last.clone()));
        }
        let since = self.now - limit::PATH_DAYS as i64 * DAY;
        standing.paths.retain(|path| path.sent > since);
        let few = (standing.paths.len() as u64) < limit::PATH_DELIVERIES;
        if few || !self.gate.enforces(&req::PATH_FEW) {
            let nonce: [u8; 16] = self.random();
            standing.paths.push(Path {
                address: wanted.clone(),
                nonce: hex::encode(nonce),
                sent: self.now,
            });
            routes.push(Route {
                address: wanted,
                nonce: self.gate.enforces(&req::PATH_NONCE).then_some(nonce),
            });
        }
        self.set_standing(peer.id, &standing)?;
        Ok(routes)
    }

    /// The echoes that are owed to a friend; they count as given.
    pub(crate) fn take_echoes(&mut self, id: Id) -> Result<Vec<types::DeliveryEcho>, AgentError> {
        let mut standing = self.standing(id)?;
        if standing.echoes.is_empty() || !self.gate.enforces(&req::PATH_ECHO) {
            return Ok(Vec::new());
        }
        let nonces = std::mem::take(&mut standing.echoes);
        self.set_standing(id, &standing)?;
        let octets = |nonce: &String| <[u8; 16] as hex::FromHex>::from_hex(nonce).ok();
        let echo = |nonce: [u8; 16]| types::DeliveryEcho {
            nonce: nonce.into(),
        };
        Ok(nonces
            .iter()
            .rev()
            .filter_map(octets)
            .take(8)
            .map(echo)
            .collect())
    }

    /// Takes the nonces of a delivery: what is to be echoed, and what was.
    pub(crate) fn take_paths(
        &mut self,
        id: Id,
        delivery: &types::Delivery,
    ) -> Result<(), AgentError> {
        if delivery.path.is_none() && delivery.echo.is_empty() {
            return Ok(());
        }
        let mut standing = self.standing(id)?;
        for echo in &delivery.echo {
            let nonce = hex::encode(echo.nonce.0);
            let known = standing.paths.iter().find(|path| path.nonce == nonce);
            let known = known.or_else(|| {
                let any = !self.gate.enforces(&req::PATH_FOREIGN);
                standing.paths.last().filter(|_| any)
            });
            if let Some(proved) = known.map(|path| path.address.clone()) {
                standing.prove(&proved);
            }
        }
        let mut owes = false;
        if let Some(path) = &delivery.path {
            let nonce = hex::encode(path.nonce.0);
            if !standing.echoes.contains(&nonce) {
                standing.echoes.push(nonce);
                owes = true;
            }
        }
        self.set_standing(id, &standing)?;
        if owes {
            self.due(self.now + DAY, &super::tick::Due::Ack { peer: id })?;
        }
        Ok(())
    }

    /// Gives somebody a name that only the person sees, or takes it back.
    pub(crate) fn petname(&mut self, id: Id, name: Option<&str>) -> Result<(), ActError> {
        crate::implements!(req::CONTACT_PETNAME_LOCAL);
        self.known_peer(id)?;
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        let long = name.is_some_and(|name| name.chars().count() > 100);
        if long || name.is_some_and(|name| !crate::kinds::contact::is_clean(name)) {
            let what = "a name has at most 100 characters, none of them a control character";
            return Err(ActError::Text(what.to_owned()));
        }
        Ok(self.change_standing(id, |standing| standing.petname = name.map(str::to_owned))?)
    }

    /// Marks a friend as verified if the code that the person read is the right one.
    pub(crate) fn verify(&mut self, id: Id, code: &str) -> Result<(), ActError> {
        let peer = self.known_peer(id)?;
        let refuse = |reason| ActError::State {
            name: peer.shown(),
            reason,
        };
        if self.standing(id)?.frozen {
            return Err(refuse(
                "nothing can be verified until this person has changed the key",
            ));
        }
        let code = code.strip_prefix("kith-safety:").unwrap_or(code);
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let (mine, theirs) = (self.own.head(), (peer.id, peer.head()));
        let right = digits == safety_code(mine, theirs).replace(' ', "");
        if !right && self.gate.enforces(&req::CONTACT_VERIFIED) {
            return Err(refuse(
                "this is not the safety code of the two of you; compare again, and if it differs, somebody may be between you",
            ));
        }
        Ok(self.change_standing(id, |standing| {
            standing.verified = true;
            standing.warning = None;
        })?)
    }

    fn known_peer(&self, id: Id) -> Result<Peer, ActError> {
        self.peer(id)?
            .ok_or_else(|| super::act::unknown("identity", &id, "friends"))
    }
}

/// The safety code of two people: for each, the identity id and the object hash of the newest
/// entry of its chain (`contact.safety-code`).
#[must_use]
pub fn safety_code(one: (Id, Id), other: (Id, Id)) -> String {
    use sha2::{Digest, Sha512};
    crate::implements!(req::CONTACT_SAFETY_CODE);
    let (first, second) = if one.0 <= other.0 {
        (one, other)
    } else {
        (other, one)
    };
    let mut hash = Sha512::new();
    hash.update(b"kith-safety\0");
    for octets in [first.0, first.1, second.0, second.1] {
        hash.update(octets);
    }
    let digest = hash.finalize();
    let group = |five: &[u8]| {
        let number = five
            .iter()
            .fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
        format!("{:05}", number % 100_000)
    };
    let groups: Vec<String> = digest[..60].chunks(5).map(group).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_see_the_same_code() {
        let (alice, bob) = (([1; 32], [2; 32]), ([3; 32], [4; 32]));
        let code = safety_code(alice, bob);
        assert_eq!(code, safety_code(bob, alice));
        assert_eq!(code.len(), 12 * 5 + 11);
        assert_ne!(code, safety_code(alice, ([3; 32], [5; 32])));
    }
}
