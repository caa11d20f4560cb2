//! The person's devices (specification, chapter "Devices").

use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::AgentError;
use crate::agent::devices::{DEVICE, Device};
use crate::store::Table;

/// One of the person's devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnDevice {
    /// Its id, in hex.
    pub id: String,
    /// What the person calls it.
    pub name: Option<String>,
    /// Whether it is this one.
    pub current: bool,
    /// When it last wrote a self-copy, unix seconds.
    pub last: Option<i64>,
}

impl View<'_> {
    /// The devices whose self-copies were seen, this one first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn devices(&self) -> Result<Vec<OwnDevice>, AgentError> {
        crate::implements!(req::DEVICES_LISTED);
        let shown = |device: Device, current: bool| OwnDevice {
            id: hex::encode(device.id),
            name: device.name,
            current,
            last: Some(device.last).filter(|&last| last > 0),
        };
        let own: Option<Device> = self.store.record(Table::Own, DEVICE)?;
        let id = own.as_ref().map(|own| own.id);
        let mut devices: Vec<OwnDevice> = own.map(|own| shown(own, true)).into_iter().collect();
        for (_, device) in self.store.records::<Device>(Table::Device, b"")? {
            if Some(device.id) != id {
                devices.push(shown(device, false));
            }
        }
        Ok(devices)
    }
}
