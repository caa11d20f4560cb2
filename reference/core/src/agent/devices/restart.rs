//! A device that was restored from a backup, or copied, begins anew (specification, section "Keys
//! and channels" of chapter "Devices").

use kith_spec::req;

use super::Device;
use crate::agent::channel::{Outgoing, Sent, sent_key};
use crate::agent::outgoing::Load;
use crate::agent::{AgentError, Id, Step};
use crate::store::Table;

impl Step<'_> {
    /// Takes a new device id and new channels, and sends again what is not acknowledged.
    pub(super) fn restart(&mut self) -> Result<(), AgentError> {
        crate::implements!(req::CHANNEL_RESTORED);
        let fresh = Device {
            id: self.random(),
            seq: 0,
            last: 0,
            ..self.device()?
        };
        self.set_device(&fresh)?;
        if !self.gate.enforces(&req::DEVICES_CLONE) {
            return Ok(());
        }
        for (key, own) in self.store.records::<Outgoing>(Table::Outgoing, b"")? {
            let Ok(id) = Id::try_from(key) else { continue };
            let mut open = Vec::new();
            for number in &own.open {
                let key = sent_key(&own.channel, *number);
                open.extend(self.store.record::<Sent>(Table::Sent, &key)?);
            }
            self.drop_channel(id)?;
            self.drop_copies(&own.channel)?;
            let friend = self.is_friend(id)?;
            let Some(peer) = self.peer(id)?.filter(|_| friend) else {
                continue;
            };
            for sent in open {
                let hashes = sent.objects.iter();
                let decode = |hash: &String| hex::FromHex::from_hex(hash).ok();
                let load = Load {
                    objects: hashes.filter_map(decode).collect(),
                    numbered: true,
                    automatic: true,
                    ..Load::default()
                };
                self.deliver(&peer, load)?;
            }
        }
        Ok(())
    }
}
