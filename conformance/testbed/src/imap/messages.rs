//! APPEND, COPY, MOVE, EXPUNGE.

use std::fmt::Write as _;

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::datetime::DateTime;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::Flag;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::sequence::SequenceSet;

use super::view::Selected;
use super::{Answer, Answered, Session, folder_by_id, store};
use crate::world::{NewMessage, Uid, World};

fn gone() -> Answer {
    Answer::no("The mailbox has gone")
}

/// UIDs as a set, with ranges.
pub(super) fn uid_set(uids: &[Uid]) -> String {
    let mut text = String::new();
    let mut uids = uids.iter().copied().peekable();
    while let Some(first) = uids.next() {
        let mut last = first;
        while let Some(next) = uids.next_if(|next| Some(*next) == last.checked_add(1)) {
            last = next;
        }
        if !text.is_empty() {
            text.push(',');
        }
        let _ = write!(text, "{first}");
        if last > first {
            let _ = write!(text, ":{last}");
        }
    }
    text
}

/// Where copies went.
struct Copied {
    uid_validity: u32,
    from: Vec<Uid>,
    to: Vec<Uid>,
}

impl Copied {
    fn code(&self, uidplus: bool) -> String {
        if !uidplus || self.from.is_empty() {
            return String::new();
        }
        let (from, to) = (uid_set(&self.from), uid_set(&self.to));
        format!("[COPYUID {} {from} {to}] ", self.uid_validity)
    }
}

impl Session {
    pub(super) fn append(
        &self,
        mailbox: &Mailbox<'_>,
        flags: &[Flag<'_>],
        date: Option<DateTime>,
        message: &LiteralOrLiteral8<'_>,
    ) -> Answered {
        let LiteralOrLiteral8::Literal(message) = message else {
            return Err(Answer::bad("Binary literals are not offered here"));
        };
        let path = self.path(mailbox)?;
        let offered = &self.shared.config.capabilities.imap;
        let key = self.account.as_deref().unwrap_or_default();
        let mut world = self.shared.world();
        let now = world.now();
        let account = world.accounts.get_mut(key).ok_or_else(gone)?;
        let room = account.has_room(message.data().len());
        let folder = account.folders.get_mut(&path);
        let folder = folder.ok_or_else(|| Answer::no("[TRYCREATE] There is no such mailbox"))?;
        if !room {
            return Err(Answer::no("[OVERQUOTA] The mailbox is full"));
        }
        let uid = folder.add(NewMessage {
            flags: store::to_set(flags, offered.keywords),
            internal_date: date.map_or(now, |date| date.as_ref().timestamp()),
            octets: message.data().into(),
            envelope_from: None,
        });
        let uid_validity = folder.uid_validity;
        world.changed(key);
        Ok(Answer::ok(if offered.uidplus {
            format!("[APPENDUID {uid_validity} {uid}] Append completed")
        } else {
            "Append completed".to_owned()
        }))
    }

    pub(super) fn copy(&self, set: &SequenceSet, mailbox: &Mailbox<'_>, uid: bool) -> Answered {
        let uidplus = self.shared.config.capabilities.imap.uidplus;
        let mut world = self.shared.world();
        let copied = self.copy_to(&mut world, set, mailbox, uid)?;
        Ok(Answer::ok(format!(
            "{}Copy completed",
            copied.code(uidplus)
        )))
    }

    pub(super) fn move_(
        &self,
        set: &SequenceSet,
        mailbox: &Mailbox<'_>,
        uid: bool,
        out: &mut Vec<u8>,
    ) -> Answered {
        let offered = &self.shared.config.capabilities.imap;
        if !offered.move_ {
            return Err(Answer::bad("Not offered here"));
        }
        let copied = self.relocate(set, mailbox, uid)?;
        let code = copied.code(offered.uidplus);
        if !code.is_empty() {
            // RFC 6851 section 4.3: before the EXPUNGEs, so in an untagged OK.
            out.extend_from_slice(format!("* OK {code}Moved\r\n").as_bytes());
        }
        Ok(Answer::ok("Move completed"))
    }

    /// Moves what a MOVE or COPY names, as another client that was faster.
    pub(super) fn moved_before(&self, body: &CommandBody<'_>) {
        if let CommandBody::Move {
            sequence_set,
            mailbox,
            uid,
            ..
        }
        | CommandBody::Copy {
            sequence_set,
            mailbox,
            uid,
            ..
        } = body
        {
            // Where it can't be done, the command itself says why.
            let _ = self.relocate(sequence_set, mailbox, *uid);
        }
    }

    fn relocate(
        &self,
        set: &SequenceSet,
        mailbox: &Mailbox<'_>,
        uid: bool,
    ) -> Result<Copied, Answer> {
        let selected = self.writable()?;
        let mut world = self.shared.world();
        let copied = self.copy_to(&mut world, set, mailbox, uid)?;
        let key = self.account.as_deref().unwrap_or_default();
        let folder = folder_by_id(&mut world, key, selected.folder).ok_or_else(gone)?;
        folder.remove(|message| copied.from.binary_search(&message.uid).is_ok());
        world.changed(key);
        Ok(copied)
    }

    /// Copies messages with flags and date; all or none.
    fn copy_to(
        &self,
        world: &mut World,
        set: &SequenceSet,
        mailbox: &Mailbox<'_>,
        uid: bool,
    ) -> Result<Copied, Answer> {
        let selected = self.selected.as_ref().ok_or_else(gone)?;
        let path = self.path(mailbox)?;
        let indices = selected.resolve(set, uid)?;
        let key = self.account.as_deref().unwrap_or_default();
        let account = world.accounts.get_mut(key).ok_or_else(gone)?;
        let source = account.folder_by_id(selected.folder).ok_or_else(gone)?;
        let entries = indices
            .iter()
            .filter_map(|index| selected.entries.get(*index));
        let messages: Vec<_> = entries
            .filter_map(|entry| source.message(entry.uid).cloned())
            .collect();
        let octets = messages.iter().map(|message| message.octets.len()).sum();
        let room = account.has_room(octets);
        let target = account.folders.get_mut(&path);
        let target = target.ok_or_else(|| Answer::no("[TRYCREATE] There is no such mailbox"))?;
        if !room {
            return Err(Answer::no("[OVERQUOTA] The mailbox is full"));
        }
        let mut copied = Copied {
            uid_validity: target.uid_validity,
            from: Vec::new(),
            to: Vec::new(),
        };
        for message in messages {
            copied.from.push(message.uid);
            copied.to.push(target.add(NewMessage {
                flags: message.flags,
                internal_date: message.internal_date,
                octets: message.octets,
                envelope_from: message.envelope_from,
            }));
        }
        world.changed(key);
        Ok(copied)
    }

    /// The selected folder, if it may be changed.
    pub(super) fn writable(&self) -> Result<&Selected, Answer> {
        let selected = self.selected.as_ref().ok_or_else(gone)?;
        if selected.read_only {
            return Err(Answer::no("[READ-ONLY] The mailbox was opened by EXAMINE"));
        }
        Ok(selected)
    }

    /// Takes away the deleted messages, or those of them that a set of UIDs names. The EXPUNGEs
    /// follow at the update that ends the command.
    pub(super) fn expunge(&self, set: Option<&SequenceSet>) -> Answered {
        if set.is_some() && !self.shared.config.capabilities.imap.uidplus {
            return Err(Answer::bad("Not offered here"));
        }
        let selected = self.writable()?;
        let mut uids = None;
        if let Some(set) = set {
            let indices = selected.resolve(set, true)?;
            let entries = indices
                .iter()
                .filter_map(|index| selected.entries.get(*index));
            uids = Some(entries.map(|entry| entry.uid).collect::<Vec<_>>());
        }
        let key = self.account.as_deref().unwrap_or_default();
        let mut world = self.shared.world();
        let folder = folder_by_id(&mut world, key, selected.folder).ok_or_else(gone)?;
        let removed = folder.remove(|message| {
            let named = uids
                .as_ref()
                .is_none_or(|uids| uids.binary_search(&message.uid).is_ok());
            named && message.flags.contains("\\Deleted")
        });
        if removed {
            world.changed(key);
        }
        Ok(Answer::ok("Expunge completed"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sets_with_ranges() {
        assert_eq!(super::uid_set(&[1, 2, 3, 5, 7, 8]), "1:3,5,7:8");
        assert_eq!(super::uid_set(&[]), "");
        assert_eq!(super::uid_set(&[u32::MAX]), "4294967295");
    }
}
