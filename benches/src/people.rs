//! People in memory, and mail carried between them.

use std::error::Error;
use std::sync::Arc;

use kith_agent::Store;
use kith_core::agent::outbox::Submitted;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::store::{Memory, Write};
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Agent, Done, Incoming, Strict};

pub(crate) const START: i64 = 1_800_000_000;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A person's agent with its store.
pub(crate) struct Person {
    pub(crate) agent: Agent,
    pub(crate) store: Memory,
    /// The same, in SQLite.
    pub(crate) disk: Store,
    address: String,
}

impl Person {
    pub(crate) fn new(number: u32) -> Result<Self> {
        let address = format!("person{number}@p{number}.test");
        let new = NewIdentity {
            name: Some(format!("Person {number}")),
            address: address.clone(),
            keys: KeyKind::V4,
            now: START,
        };
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        let (mut store, mut disk) = (Memory::default(), Store::memory()?);
        let writes = Own::make(&Strict, &new, seed)?.writes;
        disk.apply(&writes)?;
        store.apply(writes);
        let agent = Agent::open(Arc::new(Strict), &store, seed)?;
        Ok(Self {
            agent,
            store,
            disk,
            address,
        })
    }

    pub(crate) fn id(&self) -> [u8; 32] {
        self.agent.own().id
    }

    pub(crate) fn act(&mut self, now: i64, action: Action) -> Result<Done> {
        let (done, effects) = self.agent.act(&self.store, action, now)?;
        self.apply(effects.writes)?;
        Ok(done)
    }

    /// What is ready to leave, which leaves.
    pub(crate) fn outbox(&mut self, now: i64) -> Result<Vec<(String, Vec<u8>)>> {
        let effects = self.agent.tick(&self.store, now)?;
        self.apply(effects.writes)?;
        let mut mails = Vec::new();
        for mail in self.agent.outbox(&self.store, now, usize::MAX)? {
            let taken = Submitted::Taken;
            let effects = self.agent.submitted(&self.store, mail.number, taken, now)?;
            self.apply(effects.writes)?;
            mails.extend(mail.to.into_iter().map(|to| (to, mail.octets.clone())));
        }
        Ok(mails)
    }

    pub(crate) fn receive(&mut self, octets: &[u8], now: i64) -> Result<()> {
        let receipt = self.agent.receive(&self.store, Incoming { octets, now })?;
        self.apply(receipt.effects.writes)
    }

    fn apply(&mut self, writes: Vec<Write>) -> Result<()> {
        self.disk.apply(&writes)?;
        self.store.apply(writes);
        Ok(())
    }
}

/// Makes the second a friend of the first.
pub(crate) fn befriend(one: &mut Person, other: &mut Person) -> Result<()> {
    let Done::Invite(invite) = one.act(START, Action::Invite)? else {
        return Err("no invite".into());
    };
    let ask = Action::Befriend {
        address: one.address.clone(),
        note: None,
        invite: Some(invite),
    };
    other.act(START, ask)?;
    for _ in 0..4 {
        for (to, octets) in [one.outbox(START)?, other.outbox(START)?].concat() {
            let reader = if to == one.address {
                &mut *one
            } else {
                &mut *other
            };
            reader.receive(&octets, START)?;
        }
    }
    Ok(())
}
