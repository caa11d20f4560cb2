//! Several people in memory who are friends of the first one.

use std::sync::Arc;

use kith_core::agent::outbox::Submitted;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::store::Memory;
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Agent, Done, Incoming, Receipt, Strict};

pub(crate) const START: i64 = 1_800_000_000;

/// A person's agent with its store.
pub(crate) struct Person {
    pub(crate) agent: Agent,
    pub(crate) store: Memory,
    pub(crate) address: String,
}

impl Person {
    pub(crate) fn new(name: &str, keys: KeyKind) -> Self {
        let address = format!("{}@{}.test", name.to_lowercase(), &name[..1].to_lowercase());
        let new = NewIdentity {
            name: Some(name.to_owned()),
            address: address.clone(),
            keys,
            now: START,
        };
        let seed = [name.as_bytes()[0]; 32];
        let mut store = Memory::default();
        store.apply(Own::make(&Strict, &new, seed).unwrap().writes);
        let agent = Agent::open(Arc::new(Strict), &store, seed).unwrap();
        Self {
            agent,
            store,
            address,
        }
    }

    pub(crate) fn id(&self) -> [u8; 32] {
        self.agent.own().id
    }

    pub(crate) fn act(&mut self, now: i64, action: Action) -> Done {
        let (done, effects) = self.agent.act(&self.store, action, now).unwrap();
        self.store.apply(effects.writes);
        done
    }

    pub(crate) fn make(&mut self, now: i64, action: Action) -> [u8; 16] {
        match self.act(now, action) {
            Done::Object(id) => id,
            other => panic!("no object: {other:?}"),
        }
    }

    pub(crate) fn outbox(&mut self, now: i64) -> Vec<(String, Vec<u8>)> {
        let effects = self.agent.tick(&self.store, now).unwrap();
        self.store.apply(effects.writes);
        let mut mails = Vec::new();
        for mail in self.agent.outbox(&self.store, now, 1000).unwrap() {
            let taken = Submitted::Taken;
            let effects = self.agent.submitted(&self.store, mail.number, taken, now);
            self.store.apply(effects.unwrap().writes);
            for to in mail.to {
                mails.push((to, mail.octets.clone()));
            }
        }
        mails
    }

    pub(crate) fn receive(&mut self, octets: &[u8], now: i64) -> Receipt {
        let incoming = Incoming { octets, now };
        let receipt = self.agent.receive(&self.store, incoming).unwrap();
        self.store.apply(receipt.effects.writes.clone());
        receipt
    }
}

/// Carries mail among all until there is none; tells who got how many.
pub(crate) fn exchange(people: &mut [&mut Person], now: i64) -> Vec<(String, usize)> {
    let mut got: Vec<(String, usize)> = people.iter().map(|p| (p.address.clone(), 0)).collect();
    for _ in 0..20 {
        let mails: Vec<_> = people.iter_mut().flat_map(|p| p.outbox(now)).collect();
        if mails.is_empty() {
            return got;
        }
        for (to, octets) in mails {
            for (person, count) in people.iter_mut().zip(&mut got) {
                if person.address == to {
                    person.receive(&octets, now);
                    count.1 += 1;
                }
            }
        }
    }
    panic!("a mail loop")
}

/// Makes the second a friend of the first.
pub(crate) fn befriend(one: &mut Person, other: &mut Person) {
    let Done::Invite(invite) = one.act(START, Action::Invite) else {
        panic!("no invite")
    };
    let ask = Action::Befriend {
        address: one.address.clone(),
        note: None,
        invite: Some(invite),
    };
    other.act(START, ask);
    exchange(&mut [one, other], START);
}
