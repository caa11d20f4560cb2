//! What all cases of a run share: the certificate authority, the seed, the puppets' keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use kith_adapter::protocol::{About, Class, Clock, KeyKind};
use kith_forge::{DAY, Instant, Puppet, Seed};
use kith_testbed::{Authority, Described, TestbedError};
use sequoia_openpgp::Cert;

use crate::case::Stop;
use crate::judge;

/// When a case begins, for an agent whose clock can be set.
pub const BEGINNING: Instant = Instant::EXAMPLE;

/// What all cases of a run share.
#[derive(Debug)]
pub struct Stage {
    authority: Authority,
    seed: Seed,
    about: About,
    /// Servers outside this process that no case plays on now.
    servers: Mutex<Vec<Described>>,
    outside: bool,
    /// People by name and kind of keys: their keys are made once in a run.
    people: Mutex<BTreeMap<(String, KeyKind), Character>>,
}

/// A server outside this process, lent to a case.
#[derive(Debug)]
pub(crate) struct Lane {
    stage: Arc<Stage>,
    pub(crate) described: Described,
}

impl Drop for Lane {
    fn drop(&mut self) {
        let servers = &self.stage.servers;
        let mut servers = servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.push(self.described.clone());
    }
}

/// A person, with the secret keys as the judge reads them.
#[derive(Debug, Clone)]
pub(crate) struct Character {
    pub(crate) puppet: Puppet,
    pub(crate) secret: Arc<Cert>,
}

impl Stage {
    /// A stage for runs with an implementation that says this about itself.
    ///
    /// # Errors
    /// If the certificate authority can't be made.
    pub fn new(seed: u64, about: About) -> Result<Self, TestbedError> {
        Ok(Self {
            authority: Authority::new()?,
            seed: Seed::new(&format!("kith-conform {seed}")),
            about,
            servers: Mutex::default(),
            outside: false,
            people: Mutex::default(),
        })
    }

    /// The same stage on servers outside this process: each case has one of them for itself.
    /// None: each case has an embedded one.
    #[must_use]
    pub fn on(mut self, servers: Vec<Described>) -> Self {
        self.outside = !servers.is_empty();
        self.servers = Mutex::new(servers);
        self
    }

    /// Whether cases are played on servers outside this process.
    pub fn is_outside(&self) -> bool {
        self.outside
    }

    /// The authority of all servers' certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What the implementation says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Whether the implementation declares a class, in full or in part.
    pub fn declares(&self, class: Class) -> bool {
        self.about.classes.contains_key(&class)
    }

    /// Whether the agent's clock follows the harness.
    pub fn clock_is_set(&self) -> bool {
        self.about.clock == Clock::Set
    }

    /// A server outside this process that no other case has, until the lane is dropped.
    pub(crate) fn lane(self: &Arc<Self>) -> Option<Lane> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let described = servers.pop()?;
        Some(Lane {
            stage: Arc::clone(self),
            described,
        })
    }

    /// The seed for a case.
    pub(crate) fn seed_of(&self, case: &str) -> Seed {
        self.seed.child(case)
    }

    /// A person with keys of this kind, made at the first call. `seed` is what the
    /// person draws in this case, so that no two cases see the same ids.
    pub(crate) fn person(
        &self,
        name: &str,
        address: &str,
        kind: KeyKind,
        seed: &Seed,
    ) -> Result<Character, Stop> {
        let version = match kind {
            KeyKind::V4 => kith_forge::KeyKind::V4,
            KeyKind::V6 => kith_forge::KeyKind::V6,
            KeyKind::Pq => {
                let reason = "the puppets have no post-quantum keys";
                return Err(Stop::NotTested(reason.to_owned()));
            }
        };
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut person = match people.entry((name.to_owned(), kind)) {
            Entry::Occupied(made) => made.get().clone(),
            Entry::Vacant(place) => {
                let own = self.seed.child("people").child(name);
                let puppet = Puppet::new(&own, name, address, version, BEGINNING - 30 * DAY);
                let secret = judge::secret(&puppet)?;
                place.insert(Character { puppet, secret }).clone()
            }
        };
        drop(people);
        let puppet = &mut person.puppet;
        puppet.rng = seed.child(name).rng();
        if puppet.address != address {
            address.clone_into(&mut puppet.address);
            puppet.certificate_spec.user_id = format!("{name} <{address}>");
            puppet.renew_certificate();
            puppet.renew_contact(BEGINNING - 30 * DAY);
        }
        Ok(person)
    }
}
