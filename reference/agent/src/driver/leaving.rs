//! Undoing what Kith did to the mailbox (specification, section "Leaving" of chapter "The
//! mailbox").

use std::collections::BTreeMap;

use kith_core::store::{Read as _, Table, successor};
use kith_core::{Incoming, implements};
use kith_spec::req;

use super::ledger;
use super::{Driver, DriverError, Failure};
use crate::mailbox::{Folder, Mailbox, MailboxError};

/// What leaving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Mails that went back to INBOX.
    pub moved: usize,
    /// Self-copies that were deleted.
    pub deleted: usize,
}

/// Why leaving ended early. What was moved stays moved; it can be done again.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The mailbox failed.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// Store or core failed.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

impl From<Failure> for LeaveError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Mailbox(error) => Self::Mailbox(error),
            Failure::Driver(error) => Self::Driver(error),
        }
    }
}

impl Driver {
    /// Moves what arrived back to INBOX, deletes the self-copies and the empty folders, and files
    /// nothing from now on.
    ///
    /// # Errors
    ///
    /// [`LeaveError`].
    pub async fn restore_mailbox(&mut self, now: i64) -> Result<Restored, LeaveError> {
        implements!(req::FILE_RESTORE);
        self.commit(&[ledger::put(ledger::PAUSED, &now)])?;
        let dialer = self.dialer().map_err(MailboxError::from)?;
        let mut mailbox =
            Mailbox::open(&dialer, &self.rest.account, self.rest.gate.clone()).await?;
        let mut restored = Restored::default();
        for folder in [Folder::Refused, Folder::Kith] {
            if mailbox.has(folder).await? {
                self.empty(&mut mailbox, folder, now, &mut restored).await?;
            }
        }
        mailbox.close().await;
        Ok(restored)
    }

    /// Files again from the next sync on.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn resume_filing(&mut self) -> Result<(), DriverError> {
        // What stands in INBOX by now is looked at again.
        let cursor = ledger::cursor_key(Folder::Inbox);
        self.commit(&[ledger::delete(ledger::PAUSED), ledger::delete(cursor)])
    }

    /// Forgets how far the folders have been read, because the account has another mailbox now.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn change_mailbox(&mut self) -> Result<(), DriverError> {
        let folders = [Folder::Inbox, Folder::Kith, Folder::Refused];
        let mut writes: Vec<_> = folders
            .iter()
            .map(|&folder| ledger::delete(ledger::cursor_key(folder)))
            .collect();
        let begins = folders
            .iter()
            .flat_map(|&f| [ledger::moves(f), ledger::laters(f)]);
        for prefix in begins.chain([ledger::MARKS.to_vec()]) {
            let rows =
                self.store
                    .range(Table::Mailbox, &prefix, &successor(&prefix), usize::MAX)?;
            writes.extend(rows.into_iter().map(|(key, _)| ledger::delete(key)));
        }
        self.commit(&writes)
    }

    /// Whether nothing is filed, because the person left.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn files_nothing(&self) -> Result<bool, DriverError> {
        Ok(ledger::read::<i64>(&self.store, ledger::PAUSED)?.is_some())
    }

    async fn empty(
        &mut self,
        mailbox: &mut Mailbox,
        folder: Folder,
        now: i64,
        restored: &mut Restored,
    ) -> Result<(), LeaveError> {
        let position = mailbox.select(folder).await?;
        let all = if position.exists > 0 {
            mailbox.list_from(1).await?
        } else {
            Vec::new()
        };
        let (mut back, mut own) = (Vec::new(), Vec::new());
        for summary in &all {
            let mut mails = BTreeMap::new();
            if folder == Folder::Kith {
                mailbox.fetch(&[summary.uid], &mut mails).await?;
            }
            let octets = mails.get(&summary.uid);
            let copy = octets.map(|octets| self.is_self_copy(octets, now));
            if copy.transpose()?.unwrap_or(false) {
                own.push(summary.uid);
            } else {
                back.push(summary.uid);
            }
        }
        mailbox.discard(&own).await?;
        if mailbox.can_move() {
            mailbox.relocate(&back, Folder::Inbox).await?;
            restored.moved += back.len();
        }
        restored.deleted += own.len();
        if mailbox.select(folder).await?.exists == 0 {
            mailbox.remove(folder).await?;
        }
        Ok(())
    }

    /// Whether a mail is a valid self-copy; nothing is kept of it.
    fn is_self_copy(&mut self, octets: &[u8], now: i64) -> Result<bool, DriverError> {
        let receipt = self
            .agent
            .receive_self_copy(&self.store, Incoming { octets, now })?;
        Ok(receipt.is_some_and(|receipt| receipt.mail.violation.is_none()))
    }
}
