//! Filing (specification, section "Filing" of chapter "Receiving").
//!
//! Actions stand in the store before they are carried out, and are forgotten after. One that is
//! carried out twice names UIDs that are gone, which does nothing.

use std::collections::BTreeMap;

use kith_core::agent::DAY;
use kith_core::store::Write;
use kith_spec::limit;

use super::ledger::{self, Cursor, Mark, Move};
use super::{Driver, Failure, Report};
use crate::mailbox::{Folder, Landed, Mailbox, MailboxError, Summary};

/// How long refused mail is kept, in seconds.
const KEPT: i64 = 30 * DAY;

impl Driver {
    /// Moves what stands in the selected folder and belongs elsewhere. Returns whether refused mail
    /// was among it.
    pub(super) async fn file(
        &mut self,
        mailbox: &mut Mailbox,
        folder: Folder,
        validity: u32,
        now: i64,
        report: &mut Report,
    ) -> Result<bool, Failure> {
        let prefix = ledger::moves(folder);
        let mut targets: BTreeMap<Folder, Vec<(u32, Vec<u8>, String)>> = BTreeMap::new();
        let mut stale = Vec::new();
        for (key, action) in ledger::all::<Move>(&self.store, &prefix)? {
            match ledger::mail_of(&key, &prefix) {
                Some((of, uid)) if of == validity => {
                    targets
                        .entry(action.to)
                        .or_default()
                        .push((uid, key, action.digest));
                }
                _ => stale.push(ledger::delete(key)),
            }
        }
        self.commit(&stale)?;
        let mut refused = false;
        for (to, mails) in targets {
            match self.relocate(mailbox, to, mails, now).await {
                Ok(()) => refused |= to == Folder::Refused,
                // What could not be moved is tried again at the next sync.
                Err(Failure::Mailbox(
                    error @ (MailboxError::Quota { .. } | MailboxError::Refused { .. }),
                )) => report.problems.push(error.into()),
                Err(failure) => return Err(failure),
            }
        }
        Ok(refused)
    }

    async fn relocate(
        &mut self,
        mailbox: &mut Mailbox,
        to: Folder,
        mails: Vec<(u32, Vec<u8>, String)>,
        now: i64,
    ) -> Result<(), Failure> {
        let mut writes = Vec::new();
        if mailbox.can_move() {
            let uids: Vec<u32> = mails.iter().map(|(uid, ..)| *uid).collect();
            let landed = mailbox.relocate(&uids, to).await?;
            match to {
                Folder::Kith => match self.passed_over(landed)? {
                    Some(cursor) => writes.push(cursor),
                    // Somebody else filed mail too: what is new there is read, but for these.
                    None => {
                        let moved = |(_, _, digest): &(u32, Vec<u8>, String)| {
                            ledger::put(ledger::moved_key(digest), &now)
                        };
                        writes.extend(mails.iter().map(moved));
                    }
                },
                Folder::Refused => {
                    let (validity, next) = match landed {
                        Some(landed) => (landed.validity, landed.last.saturating_add(1)),
                        None => {
                            let position = mailbox.status(to).await?;
                            (position.validity, position.next.unwrap_or_default())
                        }
                    };
                    let mark = Mark {
                        validity,
                        next,
                        at: now,
                    };
                    let key = ledger::mark_key(mark.validity, now.div_euclid(DAY));
                    writes.push(ledger::put(key, &mark));
                }
                Folder::Inbox => {}
            }
        }
        writes.extend(mails.into_iter().map(|(_, key, _)| ledger::delete(key)));
        Ok(self.commit(&writes)?)
    }

    /// The row that says that `Kith` has been read up to behind what this device put there, unless
    /// something else came in between.
    pub(super) fn passed_over(&self, landed: Option<Landed>) -> Result<Option<Write>, Failure> {
        let key = ledger::cursor_key(Folder::Kith);
        let cursor: Option<Cursor> = ledger::read(&self.store, &key)?;
        let follows = |landed: &Landed| match cursor {
            Some(cursor) => landed.follows(cursor.validity, cursor.next),
            None => landed.follows(landed.validity, 1),
        };
        Ok(landed.filter(follows).map(|landed| {
            let cursor = Cursor {
                validity: landed.validity,
                next: landed.last.saturating_add(1),
            };
            ledger::put(key, &cursor)
        }))
    }

    /// Deletes refused mail that has been kept long enough, and the oldest beyond the folder's limit
    /// (`file.refused`).
    pub(super) async fn prune(
        &mut self,
        mailbox: &mut Mailbox,
        now: i64,
        grown: bool,
    ) -> Result<(), Failure> {
        let mut writes = Vec::new();
        for (key, at) in ledger::all::<i64>(&self.store, ledger::MOVED)? {
            if at + KEPT <= now {
                writes.push(ledger::delete(key));
            }
        }
        let marks = ledger::all::<Mark>(&self.store, ledger::MARKS)?;
        let due = |mark: &Mark| mark.at + KEPT <= now;
        if (grown || marks.iter().any(|(_, mark)| due(mark)))
            && mailbox.has(Folder::Refused).await?
        {
            let position = mailbox.select(Folder::Refused).await?;
            let kept = |mark: &&Mark| due(mark) && mark.validity == position.validity;
            let old = marks
                .iter()
                .map(|(_, mark)| mark)
                .filter(kept)
                .map(|mark| mark.next)
                .max();
            let all = if position.exists > 0 {
                mailbox.list_from(1).await?
            } else {
                Vec::new()
            };
            let excess = excess(&all, old.unwrap_or_default(), limit::REFUSED_OCTETS);
            mailbox.discard(&excess).await?;
            // So that INBOX is the selected folder while waiting for new mail.
            mailbox.select(Folder::Inbox).await?;
        }
        writes.extend(
            marks
                .into_iter()
                .filter(|(_, m)| due(m))
                .map(|(key, _)| ledger::delete(key)),
        );
        Ok(self.commit(&writes)?)
    }
}

/// The UIDs below `old`, and the lowest ones until the rest has `most` octets at most.
fn excess(all: &[Summary], old: u32, most: u64) -> Vec<u32> {
    let kept = all.iter().filter(|mail| mail.uid >= old);
    let mut octets: u64 = kept.map(|mail| mail.octets).sum();
    let mut excess = Vec::new();
    for mail in all {
        if mail.uid < old {
            excess.push(mail.uid);
        } else if octets > most {
            octets -= mail.octets;
            excess.push(mail.uid);
        }
    }
    excess
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_or_too_much_goes() {
        let mail = |uid| Summary {
            uid,
            octets: 10,
            internal_date: None,
        };
        let all = [mail(1), mail(2), mail(5), mail(6)];
        assert!(excess(&all, 0, 100).is_empty());
        assert_eq!(excess(&all, 5, 100), [1, 2]);
        assert_eq!(excess(&all, 0, 25), [1, 2]);
        assert_eq!(excess(&all, 2, 10), [1, 2, 5]);
    }
}
