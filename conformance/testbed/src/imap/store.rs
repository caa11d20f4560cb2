//! STORE, with UNCHANGEDSINCE (RFC 7162 section 3.1.3).

use std::collections::BTreeSet;

use imap_codec::imap_types::command::StoreModifier;
use imap_codec::imap_types::flag::{Flag, StoreType};
use imap_codec::imap_types::sequence::SequenceSet;

use super::messages::uid_set;
use super::view::flags_line;
use super::{Answer, Answered, Session, folder_by_id};
use crate::world::Message;

/// What STORE is to do.
pub(super) struct Change<'a> {
    pub(super) kind: StoreType,
    pub(super) silent: bool,
    pub(super) flags: &'a [Flag<'a>],
    pub(super) unchanged_since: Option<u64>,
}

impl Change<'_> {
    /// Whether UNCHANGEDSINCE forbids to change this message.
    fn comes_late(&self, message: &Message) -> bool {
        self.unchanged_since
            .is_some_and(|since| message.modseq > since)
    }

    fn apply(&self, flags: &BTreeSet<String>, message: &mut Message, modseq: u64) {
        let before = message.flags.clone();
        match self.kind {
            StoreType::Replace => message.flags.clone_from(flags),
            StoreType::Add => message.flags.extend(flags.iter().cloned()),
            StoreType::Remove => message.flags.retain(|flag| !flags.contains(flag)),
        }
        if message.flags != before {
            message.modseq = modseq;
        }
    }
}

pub(super) fn unchanged_since(modifiers: &[StoreModifier]) -> Option<u64> {
    modifiers
        .iter()
        .map(|StoreModifier::UnchangedSince(modseq)| *modseq)
        .next()
}

/// Flags that can be stored. System flags nobody knows, `\Recent` among them, are left out, and
/// keywords too where the server has none.
pub(super) fn to_set(flags: &[Flag<'_>], keywords: bool) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    for flag in flags {
        match flag {
            Flag::Extension(_) => (),
            Flag::Keyword(_) if !keywords => (),
            flag => {
                set.insert(flag.to_string());
            }
        }
    }
    set
}

impl Session {
    pub(super) fn store(
        &mut self,
        set: &SequenceSet,
        change: &Change<'_>,
        uid: bool,
        out: &mut Vec<u8>,
    ) -> Answered {
        let offered = &self.shared.config.capabilities.imap;
        if change.unchanged_since.is_some() {
            if !offered.condstore {
                return Err(Answer::bad("Not offered here"));
            }
            self.condstore = true;
        }
        let flags = to_set(change.flags, offered.keywords);
        let indices = self.writable()?.resolve(set, uid)?;
        let account = self.account.clone().unwrap_or_default();
        let Some(selected) = &mut self.selected else {
            return Err(Answer::bad("Select a mailbox first"));
        };
        let mut world = self.shared.world();
        let folder = folder_by_id(&mut world, &account, selected.folder);
        let folder = folder.ok_or_else(|| Answer::no("The mailbox has gone"))?;
        let flags: BTreeSet<String> = flags.into_iter().map(|flag| folder.known(flag)).collect();
        selected.announce_keywords(folder, out);
        let modseq = folder.next_modseq();
        let (mut modified, mut missing) = (Vec::new(), false);
        for index in indices {
            let Some(entry) = selected.entries.get_mut(index) else {
                continue;
            };
            let Some(message) = folder.message_mut(entry.uid) else {
                missing = true;
                continue;
            };
            if change.comes_late(message) {
                let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
                modified.push(if uid { entry.uid } else { number });
                continue;
            }
            let others_changed = message.modseq > entry.modseq;
            change.apply(&flags, message, modseq);
            entry.modseq = message.modseq;
            if !change.silent || others_changed {
                let line = flags_line(index, entry, message, self.condstore);
                out.extend_from_slice(line.as_bytes());
            } else if self.condstore {
                let (number, uid) = (index + 1, entry.uid);
                let line = format!(
                    "* {number} FETCH (UID {uid} MODSEQ ({}))\r\n",
                    message.modseq
                );
                out.extend_from_slice(line.as_bytes());
            }
        }
        world.changed(&account);
        if !modified.is_empty() {
            let modified = uid_set(&modified);
            return Ok(Answer::ok(format!(
                "[MODIFIED {modified}] Some had changed"
            )));
        }
        if missing && !uid {
            return Err(Answer::no("[EXPUNGEISSUED] Some of the messages have gone"));
        }
        Ok(Answer::ok("Store completed"))
    }
}
