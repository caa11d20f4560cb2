//! From the mailbox to the core: only new mail is looked at, each mail once.

use std::collections::BTreeMap;

use kith_core::agent::receive::Filing;
use kith_core::{AgentError, Gate, Incoming, implements};
use kith_spec::{limit, req};

use super::ledger::{self, Cursor, Later, Move};
use super::{Driver, Failure, Problem, Report, shown_time};
use crate::mailbox::{Folder, Mailbox, Position, Summary};

/// How many of the newest mails are looked at in an INBOX that is read for the first time.
const FIRST_LOOK: u32 = 1000;
/// Octets that are fetched at once, unless one mail alone is larger.
const BATCH: u64 = 8 << 20;
/// How often a mail that can't be processed is tried.
const ATTEMPTS: u32 = 5;

/// A folder while it is read.
struct Scan {
    folder: Folder,
    validity: u32,
    /// Whether mail that doesn't belong into the folder is moved away.
    files: bool,
    now: i64,
}

impl Driver {
    /// Reads and files what is new.
    pub(super) async fn look(
        &mut self,
        mailbox: &mut Mailbox,
        now: i64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut refused = false;
        if ledger::read::<bool>(&self.store, ledger::REBUILD)?.is_some() {
            self.read_self_copies(mailbox, now).await?;
        }
        // `Kith` first: what this sync moves there need not be read again.
        for folder in [Folder::Kith, Folder::Inbox] {
            if folder == Folder::Kith && !mailbox.has(folder).await? {
                continue;
            }
            let Some(position) = self.scan(mailbox, folder, now, report).await? else {
                continue;
            };
            if self.is_paused()? {
                continue;
            }
            refused |= self
                .file(mailbox, folder, position.validity, now, report)
                .await?;
        }
        if self.is_paused()? {
            return Ok(());
        }
        self.prune(mailbox, now, refused).await
    }

    /// Whether the person asked that nothing be filed (`file.restore`).
    pub(super) fn is_paused(&self) -> Result<bool, Failure> {
        Ok(ledger::read::<i64>(&self.store, ledger::PAUSED)?.is_some())
    }

    /// Takes the self-copies before anything else, so that this device knows what the others did
    /// and when (`devices.rebuild`).
    async fn read_self_copies(&mut self, mailbox: &mut Mailbox, now: i64) -> Result<(), Failure> {
        implements!(req::DEVICES_REBUILD);
        if mailbox.has(Folder::Kith).await? {
            let position = mailbox.select(Folder::Kith).await?;
            let all = if position.exists > 0 {
                mailbox.list_from(1).await?
            } else {
                Vec::new()
            };
            for batch in batches(&all) {
                let mut mails = BTreeMap::new();
                mailbox.fetch(&batch, &mut mails).await?;
                for octets in mails.values() {
                    let mail = Incoming { octets, now };
                    let receipt = self.agent.receive_self_copy(&self.store, mail)?;
                    if let Some(receipt) = receipt {
                        self.commit(&receipt.effects.writes)?;
                    }
                }
            }
        }
        Ok(self.commit(&[ledger::delete(ledger::REBUILD)])?)
    }

    /// Reads what is new in a folder. `None` where there is nothing to do.
    async fn scan(
        &mut self,
        mailbox: &mut Mailbox,
        folder: Folder,
        now: i64,
        report: &mut Report,
    ) -> Result<Option<Position>, Failure> {
        let cursor: Option<Cursor> = ledger::read(&self.store, &ledger::cursor_key(folder))?;
        let waiting = !ledger::all::<Move>(&self.store, &ledger::moves(folder))?.is_empty()
            || !ledger::all::<Later>(&self.store, &ledger::laters(folder))?.is_empty();
        if folder != Folder::Inbox && !waiting {
            let position = mailbox.status(folder).await?;
            let same = |cursor: Cursor| cursor.validity == position.validity;
            if position.next.is_some()
                && cursor.filter(|c| same(*c)).map(|c| c.next) == position.next
            {
                return Ok(None);
            }
        }
        let position = mailbox.select(folder).await?;
        let validity = position.validity;
        let anew = self.rest.gate.enforces(&req::FILE_UIDVALIDITY);
        let known = cursor
            .filter(|cursor| cursor.validity == validity || !anew)
            .filter(|_| self.rest.gate.enforces(&req::FILE_NEW_ONLY));
        // When the server numbered the folder anew, it can't be told which mail is new. All are
        // read, which merging makes harmless, but what was filed long ago stays.
        let files = (folder == Folder::Inbox || cursor.is_none() || known.is_some())
            && !self.is_paused()?;
        let scan = Scan {
            folder,
            validity,
            files,
            now,
        };
        self.try_again(mailbox, &scan, report).await?;
        let from = match known {
            Some(cursor) => cursor.next,
            None if folder == Folder::Inbox && position.exists > FIRST_LOOK => mailbox
                .uid_at(position.exists - FIRST_LOOK + 1)
                .await?
                .unwrap_or(1),
            None => 1,
        };
        let nothing = position.exists == 0 || position.next.is_some_and(|next| next <= from);
        let new = if nothing {
            Vec::new()
        } else {
            mailbox.list_from(from).await?
        };
        self.compare_clock(&new, now, report);
        for batch in batches(&new) {
            self.read(mailbox, &scan, &batch, report).await?;
        }
        let last = new
            .last()
            .map_or(from, |summary| summary.uid.saturating_add(1));
        let next = position.next.unwrap_or(from).max(last);
        let end = Cursor { validity, next };
        if cursor != Some(end) {
            self.commit(&[ledger::put(ledger::cursor_key(folder), &end)])?;
        }
        Ok(Some(position))
    }

    async fn read(
        &mut self,
        mailbox: &mut Mailbox,
        scan: &Scan,
        uids: &[u32],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut mails = BTreeMap::new();
        let outcome = mailbox.fetch(uids, &mut mails).await;
        if scan.folder == Folder::Kith {
            self.take_self_copies_of(mails.values(), scan.now, report)?;
        }
        for &uid in uids {
            match mails.remove(&uid) {
                Some(octets) => self.judge(mailbox, scan, uid, &octets, None, report)?,
                // Deleted meanwhile, or not come any more.
                None if outcome.is_ok() => {}
                None => break,
            }
        }
        Ok(outcome?)
    }

    /// Takes the self-copies among new mails before the rest, which tell what other devices did
    /// about it, such as relaying. They are judged again in their turn, to no effect.
    fn take_self_copies_of<'m>(
        &mut self,
        mails: impl Iterator<Item = &'m Vec<u8>>,
        now: i64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let own = self.agent.own().address.clone();
        for octets in mails.filter(|octets| says_from(octets, &own)) {
            let known = ledger::moved_key(&ledger::digest(octets));
            if ledger::read::<i64>(&self.store, &known)?.is_some() {
                continue;
            }
            let mail = Incoming { octets, now };
            match self.agent.receive_self_copy(&self.store, mail) {
                Ok(Some(receipt)) => {
                    self.commit(&receipt.effects.writes)?;
                    report.events.extend(receipt.effects.events);
                }
                Err(error @ AgentError::Store(_)) => return Err(error.into()),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tries again what could not be processed before.
    async fn try_again(
        &mut self,
        mailbox: &mut Mailbox,
        scan: &Scan,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let prefix = ledger::laters(scan.folder);
        for (key, later) in ledger::all::<Later>(&self.store, &prefix)? {
            let mail = ledger::mail_of(&key, &prefix);
            let uid = mail
                .filter(|(validity, _)| *validity == scan.validity)
                .map(|(_, uid)| uid);
            let mut mails = BTreeMap::new();
            if let Some(uid) = uid {
                mailbox.fetch(&[uid], &mut mails).await?;
            }
            match uid.and_then(|uid| Some((uid, mails.remove(&uid)?))) {
                Some((uid, octets)) => {
                    self.judge(mailbox, scan, uid, &octets, Some(later), report)?;
                }
                None => self.commit(&[ledger::delete(key)])?,
            }
        }
        Ok(())
    }

    /// Gives a mail to the core, and records in one transaction what follows and how far the folder
    /// has been read.
    fn judge(
        &mut self,
        mailbox: &Mailbox,
        scan: &Scan,
        uid: u32,
        octets: &[u8],
        later: Option<Later>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let key = |prefix| ledger::mail_key(prefix, scan.validity, uid);
        let later_key = key(ledger::laters(scan.folder));
        let mut writes = Vec::new();
        if later.is_none() {
            let cursor = Cursor {
                validity: scan.validity,
                next: uid.saturating_add(1),
            };
            writes.push(ledger::put(ledger::cursor_key(scan.folder), &cursor));
        }
        let digest = ledger::digest(octets);
        let moved = ledger::moved_key(&digest);
        if scan.folder == Folder::Kith && ledger::read::<i64>(&self.store, &moved)?.is_some() {
            writes.push(ledger::delete(moved));
            return Ok(self.commit(&writes)?);
        }
        report.fetched += 1;
        let first = later.map_or(scan.now, |later| later.first);
        match self
            .agent
            .receive(&self.store, Incoming { octets, now: first })
        {
            Ok(receipt) => {
                if later.is_some() {
                    writes.push(ledger::delete(later_key));
                }
                let to = target(self.rest.gate.as_ref(), scan.folder, receipt.filing())
                    .filter(|_| scan.files);
                tracing::debug!(uid, folder = ?scan.folder, verdict = ?receipt.mail, ?to, "mail");
                if let Some(to) = to {
                    writes.push(ledger::put(
                        key(ledger::moves(scan.folder)),
                        &Move { to, digest },
                    ));
                }
                writes.extend(receipt.effects.writes);
                self.commit(&writes)?;
                report.events.extend(receipt.effects.events);
            }
            Err(error @ AgentError::Store(_)) => return Err(error.into()),
            Err(error) => {
                let attempts = later.map_or(0, |later| later.attempts) + 1;
                writes.push(if attempts < ATTEMPTS {
                    ledger::put(later_key, &Later { first, attempts })
                } else {
                    ledger::delete(later_key)
                });
                self.commit(&writes)?;
                let folder = mailbox.name(scan.folder);
                report.problems.push(Problem::Mail { folder, uid, error });
            }
        }
        Ok(())
    }

    fn compare_clock(&self, new: &[Summary], now: i64, report: &mut Report) {
        let newest = new.iter().filter_map(|summary| summary.internal_date).max();
        let skew = limit::CLOCK_SKEW_SECONDS as i64;
        if let Some(newest) = newest.filter(|&newest| newest > now + skew) {
            let seen = format!("the server dates a new mail {}", shown_time(newest));
            report.problems.push(Problem::Clock {
                clock: shown_time(now),
                seen,
            });
        }
    }
}

/// Where a mail goes from the folder in which it stands.
fn target(gate: &dyn Gate, folder: Folder, filing: Filing) -> Option<Folder> {
    implements!(req::FILE_KITH, req::FILE_REFUSED, req::FILE_ORDINARY);
    let to = match filing {
        Filing::Leave if !gate.enforces(&req::FILE_ORDINARY) => Folder::Kith,
        Filing::Leave if !gate.enforces(&req::FILE_BACK) => folder,
        // Ordinary mail that something put into the folder goes back.
        Filing::Leave => Folder::Inbox,
        Filing::Kith if gate.enforces(&req::FILE_KITH) => Folder::Kith,
        Filing::Refused if gate.enforces(&req::FILE_REFUSED) => Folder::Refused,
        Filing::Kith | Filing::Refused => folder,
    };
    (to != folder).then_some(to)
}

/// Whether a mail says that it is from an address.
fn says_from(mail: &[u8], address: &str) -> bool {
    let header = mail
        .split(|&octet| octet == b'\n')
        .map(<[u8]>::trim_ascii)
        .take_while(|line| !line.is_empty());
    header
        .map(|line| String::from_utf8_lossy(line).to_lowercase())
        .any(|line| line.starts_with("from:") && line.contains(&address.to_lowercase()))
}

/// UIDs of mails to fetch at once. What is too large is not fetched at all (`mail.size`).
fn batches(new: &[Summary]) -> Vec<Vec<u32>> {
    let mut batches: Vec<Vec<u32>> = Vec::new();
    let mut room = 0;
    for summary in new
        .iter()
        .filter(|summary| summary.octets <= limit::MAIL_OCTETS)
    {
        match batches.last_mut() {
            Some(batch) if summary.octets <= room => batch.push(summary.uid),
            _ => {
                batches.push(vec![summary.uid]);
                room = BATCH;
            }
        }
        room = room.saturating_sub(summary.octets.max(1));
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_and_leave_out_what_is_too_large() {
        let summary = |uid, octets| Summary {
            uid,
            octets,
            internal_date: None,
        };
        let new = [
            summary(1, BATCH / 2),
            summary(2, BATCH / 2),
            summary(3, 1),
            summary(4, limit::MAIL_OCTETS + 1),
            summary(5, limit::MAIL_OCTETS),
            summary(6, 1),
        ];
        assert_eq!(batches(&new), [vec![1, 2], vec![3], vec![5], vec![6]]);
    }
}
