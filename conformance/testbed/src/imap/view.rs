//! A session's own view of the selected folder: what it has told its client.
//!
//! Sequence numbers belong to the view, not to the folder. The view follows the folder at
//! [`Selected::update`]; messages that others have expunged stay in it until EXPUNGE may be sent.

use std::fmt::Write as _;

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

use super::Answer;
use crate::world::{Folder, Message, Uid};

/// A message as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uid: Uid,
    /// The state of the flags that the client was told.
    pub(super) modseq: u64,
    pub(super) recent: bool,
}

/// The selected folder.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) folder: u64,
    pub(super) read_only: bool,
    pub(super) entries: Vec<Entry>,
    /// The folder's UIDNEXT at the last update.
    uid_next: Uid,
    /// The folder's HIGHESTMODSEQ at the last update, if nothing was left untold.
    told: Option<u64>,
    /// How many keywords the client was told in FLAGS.
    announced: usize,
    /// Whether `\*` stands in PERMANENTFLAGS.
    new_keywords: bool,
}

impl Selected {
    pub(super) fn new(folder: &mut Folder, read_only: bool, new_keywords: bool) -> Self {
        let mut selected = Self {
            folder: folder.id,
            read_only,
            entries: Vec::new(),
            uid_next: 1,
            told: None,
            announced: folder.keywords.len(),
            new_keywords,
        };
        selected.take_new(folder);
        selected.told = Some(folder.highest_modseq);
        selected
    }

    pub(super) fn recent(&self) -> usize {
        self.entries.iter().filter(|entry| entry.recent).count()
    }

    /// Takes in messages that came since; true if there were any.
    fn take_new(&mut self, folder: &mut Folder) -> bool {
        let start = folder
            .messages
            .partition_point(|message| message.uid < self.uid_next);
        let new = folder.messages.get(start..).unwrap_or_default();
        let first_recent = folder.first_recent;
        self.entries.extend(new.iter().map(|message| Entry {
            uid: message.uid,
            modseq: message.modseq,
            recent: message.uid >= first_recent,
        }));
        self.uid_next = folder.uid_next;
        let some = start < folder.messages.len();
        if !self.read_only {
            folder.first_recent = folder.uid_next;
        }
        some
    }

    /// Tells the client what has changed in the folder.
    pub(super) fn update(
        &mut self,
        folder: &mut Folder,
        out: &mut Vec<u8>,
        expunges: bool,
        condstore: bool,
    ) {
        if self.told == Some(folder.highest_modseq) {
            return;
        }
        let gone = |entry: &Entry| folder.index_of(entry.uid).is_none();
        let mut untold = false;
        if expunges {
            let mut number = 0;
            self.entries.retain(|entry| {
                number += 1;
                let gone = gone(entry);
                if gone {
                    out.extend_from_slice(format!("* {number} EXPUNGE\r\n").as_bytes());
                    number -= 1;
                }
                !gone
            });
        } else {
            untold = self.entries.iter().any(gone);
        }
        self.announce_keywords(folder, out);
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let message = folder.message(entry.uid);
            if let Some(message) = message.filter(|message| message.modseq > entry.modseq) {
                entry.modseq = message.modseq;
                out.extend_from_slice(flags_line(index, entry, message, condstore).as_bytes());
            }
        }
        if self.take_new(folder) {
            let exists = self.entries.len();
            let recent = self.recent();
            let line = format!("* {exists} EXISTS\r\n* {recent} RECENT\r\n");
            out.extend_from_slice(line.as_bytes());
        }
        self.told = (!untold).then_some(folder.highest_modseq);
    }

    /// Tells the client of keywords before they are used in FETCH.
    pub(super) fn announce_keywords(&mut self, folder: &Folder, out: &mut Vec<u8>) {
        if folder.keywords.len() > self.announced {
            self.announced = folder.keywords.len();
            out.extend_from_slice(
                flags_lines(folder, self.read_only, self.new_keywords).as_bytes(),
            );
        }
    }

    /// Indices of the messages in a set, ascending.
    pub(super) fn resolve(&self, set: &SequenceSet, uid: bool) -> Result<Vec<usize>, Answer> {
        let count = self.entries.len();
        let largest = if uid {
            self.entries.last().map_or(0, |entry| entry.uid)
        } else {
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let value = |number: &SeqOrUid| match number {
            SeqOrUid::Value(number) => number.get(),
            SeqOrUid::Asterisk => largest,
        };
        let mut chosen = vec![false; count];
        for sequence in set.0.as_ref() {
            let (first, last) = match sequence {
                Sequence::Single(number) => (number, number),
                Sequence::Range(first, last) => (first, last),
            };
            let open = *first == SeqOrUid::Asterisk || *last == SeqOrUid::Asterisk;
            let (first, last) = (value(first), value(last));
            let (first, last) = (first.min(last), first.max(last));
            let (start, end) = if uid {
                let start = self.entries.partition_point(|entry| entry.uid < first);
                let end = self.entries.partition_point(|entry| entry.uid <= last);
                (start, end)
            } else if open {
                // `5:*` is the last message where there are fewer, and nothing where there is none.
                (first.min(largest).saturating_sub(1) as usize, count)
            } else if last > largest {
                return Err(Answer::bad("There is no message of that number"));
            } else {
                ((first as usize).saturating_sub(1), last as usize)
            };
            if let Some(range) = chosen.get_mut(start..end) {
                range.fill(true);
            }
        }
        let chosen = chosen.iter().enumerate();
        Ok(chosen
            .filter_map(|(index, chosen)| chosen.then_some(index))
            .collect())
    }
}

/// Flags as in FETCH, with parentheses.
pub(super) fn flags_text(message: &Message, recent: bool) -> String {
    let mut flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
    if recent {
        flags.push("\\Recent");
    }
    format!("({})", flags.join(" "))
}

/// An untagged FETCH with the flags of one message.
pub(super) fn flags_line(index: usize, entry: &Entry, message: &Message, modseq: bool) -> String {
    let flags = flags_text(message, entry.recent);
    let mut line = format!("* {} FETCH (UID {} FLAGS {flags}", index + 1, entry.uid);
    if modseq {
        let _ = write!(line, " MODSEQ ({})", message.modseq);
    }
    line.push_str(")\r\n");
    line
}

/// FLAGS and PERMANENTFLAGS.
pub(super) fn flags_lines(folder: &Folder, read_only: bool, new_keywords: bool) -> String {
    let mut flags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft".to_owned();
    for keyword in &folder.keywords {
        flags.push(' ');
        flags.push_str(keyword);
    }
    let permanent = match (read_only, new_keywords) {
        (true, _) => String::new(),
        (false, true) => format!("{flags} \\*"),
        (false, false) => flags.clone(),
    };
    format!("* FLAGS ({flags})\r\n* OK [PERMANENTFLAGS ({permanent})] Flags\r\n")
}
