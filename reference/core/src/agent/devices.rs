//! The devices of one person, and what they tell each other through the mailbox that they share
//! (specification, chapter "Devices").
//!
//! A step notes what other devices must know ([`notes`]); when it can be appended that becomes
//! self-copies, mails sealed to oneself that the driver appends to the folder `Kith`. A self-copy
//! that comes back is taken ([`take`]) as if this device had done it. Exports ([`export`],
//! [`import`]) are made of the same documents.

use kith_schemas::types;
use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, Effects, Id, Step};
use crate::store::{Read, Table, successor};
use crate::wire::WireError;

pub mod export;
pub mod import;
mod journal;
pub(crate) mod notes;
mod pages;
mod restart;
mod take;

pub(super) const DEVICE: &[u8] = b"device";

/// This device, or another one as its self-copies show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its random id.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
    /// The number of its last self document.
    pub seq: u64,
    /// What the person calls it.
    pub name: Option<String>,
    /// The time of its last self document, unix seconds; 0 before the first.
    pub last: i64,
}

/// A self-copy that waits to be appended to the folder `Kith`.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its number in the queue.
    pub number: u64,
    /// The mail.
    pub octets: Vec<u8>,
}

impl Step<'_> {
    /// This device; it gets an id when it first needs one.
    pub(crate) fn device(&mut self) -> Result<Device, AgentError> {
        if let Some(device) = self.store.record(Table::Own, DEVICE)? {
            return Ok(device);
        }
        let device = Device {
            id: self.random(),
            seq: 0,
            name: None,
            last: 0,
        };
        self.set_device(&device)?;
        Ok(device)
    }

    /// Whether another device of the person was seen.
    pub(crate) fn has_other_devices(&self) -> Result<bool, AgentError> {
        let own: Option<Device> = self.store.record(Table::Own, DEVICE)?;
        let own = own.map(|own| own.id);
        let seen = self.store.records::<Device>(Table::Device, b"")?;
        Ok(seen.iter().any(|(_, device)| Some(device.id) != own))
    }

    fn set_device(&mut self, device: &Device) -> Result<(), AgentError> {
        Ok(self.store.set(Table::Own, DEVICE, device)?)
    }
}

impl Agent {
    /// Names this device.
    ///
    /// # Errors
    ///
    /// When the name is no line of 1 to 100 characters, or the store fails.
    pub fn name_device(
        &mut self,
        store: &dyn Read,
        name: &str,
        now: i64,
    ) -> Result<Effects, AgentError> {
        let line = types::Line::new(name);
        line.map_err(|error| WireError::Xml(format!("the device's name: {error}")))?;
        let mut step = self.step(store, now);
        let mut device = step.device()?;
        device.name = Some(name.to_owned());
        step.set_device(&device)?;
        Ok(step.into_effects())
    }

    /// Seals what other devices must know, so that it can be appended.
    ///
    /// # Errors
    ///
    /// When the store fails or a mail can't be made.
    pub fn write_copies(&mut self, store: &dyn Read, now: i64) -> Result<Effects, AgentError> {
        let mut step = self.step(store, now);
        step.write_copies()?;
        Ok(step.into_effects())
    }

    /// How many self-copies wait for the next sync; what is noted and not sealed yet counts as one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn untold(&self, store: &dyn Read) -> Result<usize, AgentError> {
        let notes = store.range(Table::Note, &[], &successor(&[]), 1)?;
        Ok(notes.len() + self.self_copies(store)?.len())
    }

    /// The self-copies that wait to be appended, oldest first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn self_copies(&self, store: &dyn Read) -> Result<Vec<Waiting>, AgentError> {
        let rows = store.range(Table::SelfCopy, &[], &[u8::MAX; 9], usize::MAX)?;
        let waiting = rows.into_iter().filter_map(|(key, octets)| {
            let number = u64::from_be_bytes(key.try_into().ok()?);
            Some(Waiting { number, octets })
        });
        Ok(waiting.collect())
    }

    /// Forgets a self-copy that was appended.
    ///
    /// # Errors
    ///
    /// Never as it is; the signature is that of every step.
    pub fn appended(&mut self, store: &dyn Read, number: u64) -> Result<Effects, AgentError> {
        let mut step = self.step(store, 0);
        step.store.delete(Table::SelfCopy, number.to_be_bytes());
        Ok(step.into_effects())
    }
}

fn hash_ref(hash: Id) -> types::HashRef {
    types::HashRef { hash: hash.into() }
}

fn time(at: i64) -> Result<types::Time, AgentError> {
    let time = types::Time::new(at).map_err(|error| WireError::Xml(error.to_string()))?;
    Ok(time)
}
