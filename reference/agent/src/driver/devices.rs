//! Exports, and what devices of one person append for each other (specification, chapter
//! "Devices").

use std::sync::Arc;

use kith_core::agent::Own;
use kith_core::{Agent, Gate, implements};
use kith_spec::req;

use super::ledger;
use super::{Driver, DriverError, Failure};
use crate::account::Account;
use crate::mailbox::Folder;
use crate::readable;
use crate::store::Store;

impl Driver {
    /// Makes another device of the person whose export this is, in an empty store.
    ///
    /// # Errors
    ///
    /// When there is an identity already, or the export can't be opened or contradicts itself;
    /// then nothing was written.
    pub fn import(
        gate: Arc<dyn Gate>,
        mut store: Store,
        account: Account,
        export: &[u8],
        passphrase: &str,
        now: i64,
    ) -> Result<Self, DriverError> {
        import_into(&gate, &mut store, export, passphrase, now)?;
        Self::open(gate, store, account)
    }

    /// Starts this device from an export, which it refuses where there is an identity: that is, as
    /// long as somebody uses it.
    ///
    /// # Errors
    ///
    /// As [`import`](Self::import).
    pub fn import_here(
        &mut self,
        export: &[u8],
        passphrase: &str,
        now: i64,
    ) -> Result<(), DriverError> {
        let gate = Arc::clone(&self.rest.gate);
        import_into(&gate, &mut self.store, export, passphrase, now)
    }

    /// Everything that the person has, in an archive encrypted with a passphrase.
    ///
    /// # Errors
    ///
    /// When the store or the OpenPGP library fails.
    pub fn export(&mut self, passphrase: &str, now: i64) -> Result<Vec<u8>, DriverError> {
        Ok(self.agent.export(&self.store, passphrase, now)?)
    }

    /// What the person sees, as files for people and other programs; not encrypted.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn readable(&self, now: i64) -> Result<Vec<readable::File>, DriverError> {
        if !self.rest.gate.enforces(&req::EXPORT_READABLE) {
            return Ok(Vec::new());
        }
        Ok(readable::files(&self.view(now), now)?)
    }

    /// Names this device.
    ///
    /// # Errors
    ///
    /// When the name can't be used or the store fails.
    pub fn name_device(&mut self, name: &str, now: i64) -> Result<(), DriverError> {
        let effects = self.agent.name_device(&self.store, name, now)?;
        self.commit(&effects.writes)
    }

    /// Appends the self-copies that wait, over the connection of this sync.
    pub(super) async fn append_copies(&mut self, now: i64) -> Result<(), Failure> {
        implements!(req::SELF_APPEND);
        if self.is_paused()? {
            return Ok(());
        }
        // Where the mailbox can't be reached they wait, and the mail they tell of doesn't.
        let Some(mut mailbox) = self.rest.mailbox.take() else {
            return Ok(());
        };
        let sealed = self.agent.write_copies(&self.store, now)?;
        self.commit(&sealed.writes)?;
        for copy in self.agent.self_copies(&self.store)? {
            // What this device wrote it need not read; appended twice after a crash, it does no harm.
            let digest = ledger::digest(&copy.octets);
            let known = ledger::moved_key(&digest);
            self.commit(&[ledger::put(known.clone(), &now)])?;
            let landed = mailbox.append(Folder::Kith, &copy.octets).await?;
            let mut writes = self.agent.appended(&self.store, copy.number)?.writes;
            if let Some(cursor) = self.passed_over(landed)? {
                writes.extend([cursor, ledger::delete(known)]);
            }
            self.commit(&writes)?;
        }
        self.rest.mailbox = Some(mailbox);
        Ok(())
    }
}

/// Writes what an export holds into an empty store.
fn import_into(
    gate: &Arc<dyn Gate>,
    store: &mut Store,
    export: &[u8],
    passphrase: &str,
    now: i64,
) -> Result<(), DriverError> {
    implements!(req::EXPORT_WHOLE);
    if let Some(own) = Own::load(store)?
        && gate.enforces(&req::EXPORT_EMPTY)
    {
        return Err(DriverError::Exists(own.address));
    }
    let mut writes = Agent::import(gate, export, passphrase, now, rand::random())?;
    writes.push(ledger::put(ledger::REBUILD, &true));
    Ok(store.apply(&writes)?)
}
