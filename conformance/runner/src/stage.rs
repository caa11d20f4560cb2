//! What all cases of a run share: the certificate authority, the seed, the puppets' keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use kith_adapter::protocol::{About, Class, Clock};
use kith_forge::{DAY, Instant, KeyKind, Puppet, Seed};
use kith_testbed::{Authority, Described, Outages, TestbedError};
use sequoia_openpgp::Cert;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::case::Stop;
use crate::dispatch::Options;
use crate::judge;

/// When a case begins, for an agent whose clock can be set.
pub const BEGINNING: Instant = Instant::EXAMPLE;

/// What all cases of a run share.
#[derive(Debug)]
pub struct Stage {
    authority: Authority,
    seed: Seed,
    about: About,
    /// Whether what the judge sees is written down.
    recorded: bool,
    /// Servers outside this process that no case plays on now.
    servers: Mutex<Vec<Described>>,
    outside: bool,
    outages: Option<Arc<dyn Outages>>,
    /// Held by all cases that are played, or by the one in which something happens to servers.
    turn: Arc<RwLock<()>>,
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

/// Leave to play, until this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "what is held is given back when it is dropped")]
pub(crate) enum Turn {
    /// While no other case is played.
    Alone(OwnedRwLockWriteGuard<()>),
    /// Beside others.
    Beside(OwnedRwLockReadGuard<()>),
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
            recorded: false,
            servers: Mutex::default(),
            outside: false,
            outages: None,
            turn: Arc::default(),
            people: Mutex::default(),
        })
    }

    /// The same stage on the run's servers outside this process, if it has any: each case has
    /// one of them for itself.
    #[must_use]
    pub fn on(mut self, options: &Options) -> Self {
        self.outside = !options.servers.is_empty();
        self.servers = Mutex::new(options.servers.clone());
        self.outages.clone_from(&options.outages);
        self.recorded = options.record.is_some();
        self
    }

    /// Whether what the judge sees is written down.
    pub(crate) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// What can happen to the servers outside this process.
    ///
    /// # Errors
    /// If nothing can.
    pub(crate) fn outages(&self) -> Result<&Arc<dyn Outages>, Stop> {
        let outages = self.outages.as_ref();
        outages.ok_or_else(|| Stop::NotTested("the servers are not the harness's own".to_owned()))
    }

    /// Waits until a case may be played, alone or beside others, as long as the turn is held.
    pub(crate) async fn turn(&self, alone: bool) -> Turn {
        let lock = Arc::clone(&self.turn);
        match alone {
            true => Turn::Alone(lock.write_owned().await),
            false => Turn::Beside(lock.read_owned().await),
        }
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
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut person = match people.entry((name.to_owned(), kind)) {
            Entry::Occupied(made) => made.get().clone(),
            Entry::Vacant(place) => {
                let own = self.seed.child("people").child(name);
                let puppet = Puppet::new(&own, name, address, kind, BEGINNING - 30 * DAY);
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
