//! FETCH, with CHANGEDSINCE (RFC 7162 section 3.1.4).

use std::borrow::Cow;
use std::cell::OnceCell;

use imap_codec::imap_types::command::FetchModifier;
use imap_codec::imap_types::fetch::{
    Macro, MacroOrMessageDataItemNames, MessageDataItemName, Section,
};
use imap_codec::imap_types::sequence::SequenceSet;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::view::{Entry, flags_text};
use super::{Answer, Answered, Session, envelope, folder_by_id, section, structure};
use crate::mime::{self, Part};
use crate::world::Message;

type Items<'a> = Vec<MessageDataItemName<'a>>;

impl Session {
    pub(super) fn fetch(
        &mut self,
        set: &SequenceSet,
        items: MacroOrMessageDataItemNames<'_>,
        uid: bool,
        modifiers: &[FetchModifier],
        out: &mut Vec<u8>,
    ) -> Answered {
        let items = self.items(items, uid, modifiers)?;
        let changed_since = modifiers.iter().find_map(|modifier| match modifier {
            FetchModifier::ChangedSince(modseq) => Some(modseq.get()),
            FetchModifier::Vanished => None,
        });
        let account = self.account.clone().unwrap_or_default();
        let Some(selected) = &mut self.selected else {
            return Err(Answer::bad("Select a mailbox first"));
        };
        let indices = selected.resolve(set, uid)?;
        let mut world = self.shared.world();
        let folder = folder_by_id(&mut world, &account, selected.folder);
        let folder = folder.ok_or_else(|| Answer::no("The mailbox has gone"))?;
        selected.announce_keywords(folder, out);
        let sees = !selected.read_only && items.iter().any(sets_seen);
        let mut new_modseq = None;
        let mut missing = false;
        for index in indices {
            let Some(entry) = selected.entries.get_mut(index) else {
                continue;
            };
            let Some(message) = folder.message(entry.uid) else {
                missing = true;
                continue;
            };
            if changed_since.is_some_and(|since| message.modseq <= since) {
                continue;
            }
            let newly_seen = sees && !message.flags.contains("\\Seen");
            if newly_seen {
                let modseq = *new_modseq.get_or_insert_with(|| folder.next_modseq());
                if let Some(message) = folder.message_mut(entry.uid) {
                    message.flags.insert("\\Seen".to_owned());
                    message.modseq = modseq;
                }
            }
            let Some(message) = folder.message(entry.uid) else {
                continue;
            };
            if newly_seen || items.contains(&MessageDataItemName::Flags) {
                entry.modseq = message.modseq;
            }
            write_message(out, index, entry, message, &items, newly_seen);
        }
        if new_modseq.is_some() {
            world.changed(&account);
        }
        if missing && !uid {
            return Err(Answer::no("[EXPUNGEISSUED] Some of the messages have gone"));
        }
        Ok(Answer::ok("Fetch completed"))
    }

    /// The items asked for, and those that must come along.
    fn items<'a>(
        &mut self,
        items: MacroOrMessageDataItemNames<'a>,
        uid: bool,
        modifiers: &[FetchModifier],
    ) -> Result<Items<'a>, Answer> {
        let mut items = match items {
            MacroOrMessageDataItemNames::Macro(macro_) => expand(&macro_),
            MacroOrMessageDataItemNames::MessageDataItemNames(items) => items,
        };
        let binary = |item: &MessageDataItemName<'_>| {
            matches!(
                item,
                MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. }
            )
        };
        let asks_modseq = items.contains(&MessageDataItemName::ModSeq);
        let vanished = modifiers.contains(&FetchModifier::Vanished);
        if items.iter().any(binary) || vanished {
            return Err(Answer::bad("Not offered here"));
        }
        if asks_modseq || !modifiers.is_empty() {
            if !self.shared.config.capabilities.imap.condstore {
                return Err(Answer::bad("Not offered here"));
            }
            self.condstore = true;
        }
        if !asks_modseq && !modifiers.is_empty() {
            items.push(MessageDataItemName::ModSeq);
        }
        if uid && !items.contains(&MessageDataItemName::Uid) {
            items.insert(0, MessageDataItemName::Uid);
        }
        Ok(items)
    }
}

fn expand(macro_: &Macro) -> Items<'static> {
    let mut items = vec![
        MessageDataItemName::Flags,
        MessageDataItemName::InternalDate,
        MessageDataItemName::Rfc822Size,
    ];
    if *macro_ != Macro::Fast {
        items.push(MessageDataItemName::Envelope);
    }
    if *macro_ == Macro::Full {
        items.push(MessageDataItemName::Body);
    }
    items
}

fn sets_seen(item: &MessageDataItemName<'_>) -> bool {
    matches!(
        item,
        MessageDataItemName::BodyExt { peek: false, .. }
            | MessageDataItemName::Rfc822
            | MessageDataItemName::Rfc822Text
    )
}

fn write_message(
    out: &mut Vec<u8>,
    index: usize,
    entry: &Entry,
    message: &Message,
    items: &Items<'_>,
    newly_seen: bool,
) {
    out.extend_from_slice(format!("* {} FETCH (", index + 1).as_bytes());
    let parsed = OnceCell::new();
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(b' ');
        }
        write_item(out, item, entry, message, &parsed);
    }
    if newly_seen && !items.contains(&MessageDataItemName::Flags) {
        out.extend_from_slice(format!(" FLAGS {}", flags_text(message, entry.recent)).as_bytes());
    }
    out.extend_from_slice(b")\r\n");
}

fn write_item(
    out: &mut Vec<u8>,
    item: &MessageDataItemName<'_>,
    entry: &Entry,
    message: &Message,
    parsed: &OnceCell<Part>,
) {
    let octets = &*message.octets;
    let root = || parsed.get_or_init(|| mime::parse(octets));
    match item {
        MessageDataItemName::Uid => out.extend_from_slice(format!("UID {}", entry.uid).as_bytes()),
        MessageDataItemName::Flags => {
            let flags = flags_text(message, entry.recent);
            out.extend_from_slice(format!("FLAGS {flags}").as_bytes());
        }
        MessageDataItemName::ModSeq => {
            out.extend_from_slice(format!("MODSEQ ({})", message.modseq).as_bytes());
        }
        MessageDataItemName::InternalDate => {
            let date = internal_date(message.internal_date);
            out.extend_from_slice(format!("INTERNALDATE \"{date}\"").as_bytes());
        }
        MessageDataItemName::Rfc822Size => {
            out.extend_from_slice(format!("RFC822.SIZE {}", octets.len()).as_bytes());
        }
        MessageDataItemName::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            envelope::write(out, mime::split_header(octets).0);
        }
        MessageDataItemName::Body => {
            out.extend_from_slice(b"BODY ");
            structure::write(out, octets, root(), false);
        }
        MessageDataItemName::BodyStructure => {
            out.extend_from_slice(b"BODYSTRUCTURE ");
            structure::write(out, octets, root(), true);
        }
        MessageDataItemName::Rfc822 => named(out, "RFC822", octets),
        MessageDataItemName::Rfc822Header => {
            named(out, "RFC822.HEADER", mime::split_header(octets).0);
        }
        MessageDataItemName::Rfc822Text => {
            named(out, "RFC822.TEXT", mime::split_header(octets).1);
        }
        MessageDataItemName::BodyExt {
            section: wanted,
            partial,
            ..
        } => {
            let content = match wanted {
                None => Some(Cow::Borrowed(octets)),
                Some(wanted) => section::content(octets, root(), wanted),
            };
            let partial = partial.map(|(start, length)| (start as usize, length.get() as usize));
            write_section(out, wanted.as_ref(), content.as_deref(), partial);
        }
        MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. } => (),
    }
}

fn named(out: &mut Vec<u8>, name: &str, octets: &[u8]) {
    out.extend_from_slice(format!("{name} {{{}}}\r\n", octets.len()).as_bytes());
    out.extend_from_slice(octets);
}

fn write_section(
    out: &mut Vec<u8>,
    wanted: Option<&Section<'_>>,
    content: Option<&[u8]>,
    partial: Option<(usize, usize)>,
) {
    let mut name = format!("BODY[{}]", wanted.map(section::name).unwrap_or_default());
    if let Some((start, _)) = partial {
        name.push_str(&format!("<{start}>"));
    }
    let Some(content) = content else {
        out.extend_from_slice(format!("{name} NIL").as_bytes());
        return;
    };
    let content = match partial {
        None => content,
        Some((start, length)) => {
            let rest = content.get(start..).unwrap_or_default();
            rest.get(..length).unwrap_or(rest)
        }
    };
    named(out, &name, content);
}

const INTERNAL_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[day padding:space]-[month repr:short]-[year] [hour]:[minute]:[second] \
     [offset_hour sign:mandatory][offset_minute]"
);

fn internal_date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|date| date.format(INTERNAL_DATE).ok())
        .unwrap_or_else(|| " 1-Jan-1970 00:00:00 +0000".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn internal_dates() {
        assert_eq!(super::internal_date(0), " 1-Jan-1970 00:00:00 +0000");
        assert_eq!(
            super::internal_date(1_795_299_139),
            "21-Nov-2026 22:12:19 +0000"
        );
    }
}
