//! Putting mail into folders and taking it out (specification, section "Filing").

use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{Response, ResponseCode};
use kith_core::implements;
use kith_spec::req;

use super::{Folder, Mailbox, MailboxError, fetch, names};

/// Where mail stands after it was put into a folder (RFC 4315).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landed {
    /// The folder's UIDVALIDITY.
    pub validity: u32,
    /// The lowest UID.
    pub first: u32,
    /// The highest UID.
    pub last: u32,
    /// How many mails.
    pub count: u32,
}

impl Landed {
    /// Adds what an answer tells, if it does.
    fn note(landed: &mut Option<Self>, answer: &Response<'_>) {
        let code = match answer {
            Response::Data { outcome, .. } | Response::Done { outcome, .. } => &outcome.code,
            _ => return,
        };
        let (validity, set) = match code {
            Some(ResponseCode::AppendUid(validity, set)) => (*validity, set),
            Some(ResponseCode::CopyUid(validity, _, set)) => (*validity, set),
            _ => return,
        };
        for member in set {
            let (first, last) = match member {
                UidSetMember::Uid(uid) => (*uid, *uid),
                UidSetMember::UidRange(range) => (*range.start(), *range.end()),
            };
            let (first, last) = (first.min(last), first.max(last));
            let all = landed.get_or_insert(Self {
                validity,
                first,
                last,
                count: 0,
            });
            all.first = all.first.min(first);
            all.last = all.last.max(last);
            all.count = all.count.saturating_add((last - first).saturating_add(1));
        }
    }

    /// Whether it stands at the end of what was known of the folder, with nothing in between.
    #[must_use]
    pub fn follows(&self, validity: u32, next: u32) -> bool {
        (self.validity, self.first) == (validity, next)
            && self.last - self.first == self.count.saturating_sub(1)
    }
}

impl Mailbox {
    /// Appends a mail to a folder, marked as read (`self.mark`). Returns where it stands, if the
    /// server tells.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn append(
        &mut self,
        folder: Folder,
        octets: &[u8],
    ) -> Result<Option<Landed>, MailboxError> {
        implements!(req::SELF_MARK);
        self.ensure(folder).await?;
        let marked = self.gate.enforces(&req::SELF_MARK);
        let flags = if marked { " (\\Seen)" } else { "" };
        let name = names::quoted(&self.name(folder));
        let command = format!("APPEND {name}{flags} {{{}}}", octets.len());
        let mut landed = None;
        let note = |answer: &Response<'_>| Landed::note(&mut landed, answer);
        self.command_with(&command, Some(octets), note).await?;
        Ok(landed)
    }

    /// Moves mail out of the selected folder, where the server can (`file.no-move`). Returns where
    /// it stands now, if the server tells. Mail that is gone already is no error, so it may be
    /// done again.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn relocate(
        &mut self,
        uids: &[u32],
        to: Folder,
    ) -> Result<Option<Landed>, MailboxError> {
        if !self.can_move() {
            return Ok(None);
        }
        self.ensure(to).await?;
        match self.relocate_once(uids, to).await {
            Err(MailboxError::Refused { missing: true, .. }) => {
                // Somebody deleted the folder in the meantime.
                self.present.remove(&to);
                self.ensure(to).await?;
                self.relocate_once(uids, to).await
            }
            other => other,
        }
    }

    async fn relocate_once(
        &mut self,
        uids: &[u32],
        to: Folder,
    ) -> Result<Option<Landed>, MailboxError> {
        let name = names::quoted(&self.name(to));
        let mut landed: Option<Landed> = None;
        for set in fetch::sets(uids) {
            if !self.gate.enforces(&req::FILE_FLAGS) {
                let mark = format!("UID STORE {set} +FLAGS.SILENT (\\Flagged)");
                self.command(&mark, |_| {}).await?;
            }
            if self.abilities.moves {
                let note = |answer: &Response<'_>| Landed::note(&mut landed, answer);
                self.command(&format!("UID MOVE {set} {name}"), note)
                    .await?;
                let gone = self.abilities.uidplus && landed.is_none();
                if gone && !self.gate.enforces(&req::FILE_RACE) {
                    return Err(self.refused("filing mail (MOVE)", "the mail is gone".to_owned()));
                }
            } else {
                let note = |answer: &Response<'_>| Landed::note(&mut landed, answer);
                self.command(&format!("UID COPY {set} {name}"), note)
                    .await?;
                self.expunge(&set).await?;
            }
        }
        Ok(landed)
    }

    async fn expunge(&mut self, set: &str) -> Result<(), MailboxError> {
        self.command(
            &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"),
            |_| {},
        )
        .await?;
        if self.abilities.uidplus {
            return self.command(&format!("UID EXPUNGE {set}"), |_| {}).await;
        }
        // Only in the agent's own folder of refused mail: elsewhere it would hit other mail too.
        self.command("EXPUNGE", |_| {}).await
    }

    /// Deletes mail from a folder of Kith, which must be selected: refused mail, or self-copies
    /// where the server can delete by UID.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn discard(&mut self, uids: &[u32]) -> Result<(), MailboxError> {
        match self.selected {
            Some(Folder::Refused) => {}
            Some(Folder::Kith) if self.abilities.uidplus => {}
            _ => return Ok(()),
        }
        for set in fetch::sets(uids) {
            self.expunge(&set).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landed(answers: &[&str]) -> Option<Landed> {
        let mut landed = None;
        for answer in answers {
            let (_, answer) = Response::parse(answer.as_bytes()).unwrap();
            Landed::note(&mut landed, &answer);
        }
        landed
    }

    #[test]
    fn the_server_tells_where_mail_stands() {
        let appended = landed(&["A1 OK [APPENDUID 7 12] done\r\n"]).unwrap();
        assert!(appended.follows(7, 12));
        assert!(!appended.follows(7, 11) && !appended.follows(8, 12));
        let moved = landed(&[
            "* OK [COPYUID 7 3:4,9 12:13,14] moved\r\n",
            "* 3 EXPUNGE\r\n",
            "A2 OK done\r\n",
            "* OK [COPYUID 7 10 15] moved\r\n",
        ]);
        let moved = moved.unwrap();
        assert_eq!((moved.first, moved.last, moved.count), (12, 15, 4));
        assert!(moved.follows(7, 12));
        let gap = landed(&["* OK [COPYUID 7 3:4 12,14] moved\r\n"]).unwrap();
        assert!(!gap.follows(7, 12));
        assert_eq!(landed(&["A2 OK done\r\n"]), None);
    }
}
