//! What all cases of a run share: the certificate authority, the seed, the puppets' keys.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kith_adapter::protocol::{About, Class, Clock, KeyKind};
use kith_forge::{DAY, Instant, Puppet, Seed};
use kith_testbed::{Authority, TestbedError};

use crate::case::Stop;

/// When a case begins, for an agent whose clock can be set.
pub const BEGINNING: Instant = Instant::EXAMPLE;

/// What all cases of a run share.
#[derive(Debug)]
pub struct Stage {
    authority: Authority,
    seed: Seed,
    about: About,
    /// People by name and kind of keys: their keys are made once in a run.
    people: Mutex<BTreeMap<(String, KeyKind), Puppet>>,
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
            people: Mutex::default(),
        })
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
    ) -> Result<Puppet, Stop> {
        let version = match kind {
            KeyKind::V4 => kith_forge::KeyKind::V4,
            KeyKind::V6 => kith_forge::KeyKind::V6,
            KeyKind::Pq => {
                return Err(Stop::NotTested(
                    "the puppets have no post-quantum keys".to_owned(),
                ));
            }
        };
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let made = people.entry((name.to_owned(), kind)).or_insert_with(|| {
            let seed = self.seed.child("people").child(name);
            Puppet::new(&seed, name, address, version, BEGINNING - 30 * DAY)
        });
        let mut person = made.clone();
        drop(people);
        person.rng = seed.child(name).rng();
        if person.address != address {
            address.clone_into(&mut person.address);
            person.certificate_spec.user_id = format!("{name} <{address}>");
            person.renew_certificate();
            person.renew_contact(BEGINNING - 30 * DAY);
        }
        Ok(person)
    }
}
