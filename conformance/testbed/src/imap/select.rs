//! SELECT, EXAMINE, CLOSE, UNSELECT, STATUS.

use std::fmt::Write as _;

use imap_codec::imap_types::command::SelectParameter;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::status::StatusDataItemName;

use super::view::{Selected, flags_lines};
use super::{Answer, Answered, Session, folder_by_id};
use crate::names::path_to_wire;
use crate::world::Folder;

impl Session {
    pub(super) fn select(
        &mut self,
        mailbox: &Mailbox<'_>,
        parameters: &[SelectParameter],
        read_only: bool,
        out: &mut Vec<u8>,
    ) -> Answered {
        self.selected = None;
        let offered = &self.shared.config.capabilities.imap;
        let (has_condstore, new_keywords) = (offered.condstore, offered.keywords);
        if !parameters.is_empty() {
            if !has_condstore || parameters != [SelectParameter::CondStore] {
                return Err(Answer::bad("Not offered here"));
            }
            self.condstore = true;
        }
        let path = self.path(mailbox)?;
        let account = self.account.clone().unwrap_or_default();
        let mut world = self.shared.world();
        let folders = world
            .accounts
            .get_mut(&account)
            .map(|account| &mut account.folders);
        let folder = folders.and_then(|folders| folders.get_mut(&path));
        let folder = folder.ok_or_else(|| Answer::no("[NONEXISTENT] There is no such mailbox"))?;
        let selected = Selected::new(folder, read_only, new_keywords);
        out.extend_from_slice(flags_lines(folder, read_only, new_keywords).as_bytes());
        out.extend_from_slice(numbers(folder, &selected, has_condstore).as_bytes());
        self.selected = Some(selected);
        Ok(Answer::ok(if read_only {
            "[READ-ONLY] Examine completed"
        } else {
            "[READ-WRITE] Select completed"
        }))
    }

    pub(super) fn close(&mut self) -> Answered {
        if let (Some(selected), Some(account)) = (self.selected.take(), &self.account)
            && !selected.read_only
        {
            let mut world = self.shared.world();
            let folder = folder_by_id(&mut world, account, selected.folder);
            let removed = folder
                .is_some_and(|folder| folder.remove(|message| message.flags.contains("\\Deleted")));
            if removed {
                world.changed(account);
            }
        }
        Ok(Answer::ok("Close completed"))
    }

    pub(super) fn unselect(&mut self) -> Answered {
        if !self.shared.config.capabilities.imap.unselect {
            return Err(Answer::bad("Not offered here"));
        }
        self.selected = None;
        Ok(Answer::ok("Unselect completed"))
    }

    pub(super) fn status(
        &mut self,
        mailbox: &Mailbox<'_>,
        items: &[StatusDataItemName],
        out: &mut Vec<u8>,
    ) -> Answered {
        let path = self.path(mailbox)?;
        let offered = &self.shared.config.capabilities.imap;
        let wire = path_to_wire(&path, offered);
        let world = self.shared.world();
        let account = self
            .account
            .as_ref()
            .and_then(|key| world.accounts.get(key));
        let folder = account.and_then(|account| account.folders.get(&path));
        let folder = folder.ok_or_else(|| Answer::no("[NONEXISTENT] There is no such mailbox"))?;
        let mut values = Vec::new();
        for item in items {
            values.push(match item {
                StatusDataItemName::Messages => format!("MESSAGES {}", folder.messages.len()),
                StatusDataItemName::Recent => format!("RECENT {}", recent(folder)),
                StatusDataItemName::UidNext => format!("UIDNEXT {}", folder.uid_next),
                StatusDataItemName::UidValidity => format!("UIDVALIDITY {}", folder.uid_validity),
                StatusDataItemName::Unseen => format!("UNSEEN {}", unseen(folder)),
                StatusDataItemName::HighestModSeq if offered.condstore => {
                    self.condstore = true;
                    format!("HIGHESTMODSEQ {}", folder.highest_modseq)
                }
                _ => return Err(Answer::bad("This item is not offered here")),
            });
        }
        let line = format!(
            "* STATUS {} ({})\r\n",
            super::list::quoted(&wire),
            values.join(" ")
        );
        out.extend_from_slice(line.as_bytes());
        Ok(Answer::ok("Status completed"))
    }
}

fn recent(folder: &Folder) -> usize {
    let start = folder
        .messages
        .partition_point(|message| message.uid < folder.first_recent);
    folder.messages.len() - start
}

fn unseen(folder: &Folder) -> usize {
    let unseen = folder.messages.iter();
    unseen
        .filter(|message| !message.flags.contains("\\Seen"))
        .count()
}

fn numbers(folder: &Folder, selected: &Selected, condstore: bool) -> String {
    let mut text = format!(
        "* {} EXISTS\r\n* {} RECENT\r\n",
        selected.entries.len(),
        selected.recent()
    );
    let first_unseen = folder
        .messages
        .iter()
        .position(|message| !message.flags.contains("\\Seen"));
    if let Some(index) = first_unseen {
        let _ = write!(text, "* OK [UNSEEN {}] First unseen\r\n", index + 1);
    }
    let _ = write!(
        text,
        "* OK [UIDVALIDITY {}] UIDs valid\r\n* OK [UIDNEXT {}] Next UID\r\n",
        folder.uid_validity, folder.uid_next
    );
    if condstore {
        let _ = write!(
            text,
            "* OK [HIGHESTMODSEQ {}] Highest\r\n",
            folder.highest_modseq
        );
    }
    text
}
