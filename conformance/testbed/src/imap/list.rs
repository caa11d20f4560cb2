//! LIST and LSUB.

use std::collections::{BTreeMap, BTreeSet};

use imap_codec::imap_types::core::IString;
use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox};

use super::{Answer, Answered, Session};
use crate::config::ImapCapabilities;
use crate::names::{INBOX, path_to_wire};
use crate::world::SPECIAL;

/// A name as a quoted string.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn name_of(mailbox: &Mailbox<'_>) -> String {
    match mailbox {
        Mailbox::Inbox => INBOX.to_owned(),
        Mailbox::Other(other) => String::from_utf8_lossy(other.as_ref()).into_owned(),
    }
}

fn pattern_of(reference: &Mailbox<'_>, pattern: &ListMailbox<'_>) -> String {
    let pattern = match pattern {
        ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
        ListMailbox::String(IString::Literal(text)) => {
            String::from_utf8_lossy(text.as_ref()).into_owned()
        }
        ListMailbox::String(IString::Quoted(text)) => text.inner().to_owned(),
    };
    format!("{}{pattern}", name_of(reference))
}

/// Whether a name fits a pattern: `*` stands for anything, `%` for anything but the delimiter.
fn fits(name: &str, pattern: &str, delimiter: char) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            let here = name.get(at).copied();
            match wanted {
                '*' | '%' => {
                    let passes = at > 0
                        && next[at - 1]
                        && (wanted == '*' || name.get(at - 1) != Some(&delimiter));
                    next[at] = reached[at] || passes;
                }
                _ if reached[at] && here == Some(wanted) => next[at + 1] = true,
                _ => (),
            }
        }
        reached = next;
    }
    reached[name.len()]
}

/// INBOX is case-insensitive, also in patterns without wildcards.
fn fits_name(name: &str, pattern: &str, delimiter: char) -> bool {
    fits(name, pattern, delimiter)
        || name == INBOX && fits(name, &pattern.to_ascii_uppercase(), delimiter)
}

/// All names with their superiors; true for those that are there themselves.
fn with_superiors(names: &BTreeSet<String>, delimiter: char) -> BTreeMap<String, bool> {
    let mut all: BTreeMap<String, bool> = BTreeMap::new();
    for name in names {
        for (index, character) in name.char_indices() {
            if character == delimiter {
                let superior = name.get(..index).unwrap_or_default().to_owned();
                all.entry(superior).or_insert(false);
            }
        }
        all.insert(name.clone(), true);
    }
    all
}

fn has_children(all: &BTreeMap<String, bool>, name: &str, delimiter: char) -> bool {
    let start = format!("{name}{delimiter}");
    let mut after = all.range(start.clone()..);
    after
        .next()
        .is_some_and(|(other, _)| other.starts_with(&start))
}

fn special_use(name: &str, offered: &ImapCapabilities) -> Option<&'static str> {
    let plain = name.strip_prefix(offered.namespace_prefix.as_str())?;
    let special = SPECIAL.iter().find(|(special, _)| *special == plain)?;
    offered.special_use.then_some(special.1)
}

impl Session {
    pub(super) fn list(
        &self,
        reference: &Mailbox<'_>,
        pattern: &ListMailbox<'_>,
        out: &mut Vec<u8>,
    ) -> Answered {
        let offered = &self.shared.config.capabilities.imap;
        let delimiter = offered.delimiter;
        let pattern = pattern_of(reference, pattern);
        if pattern.is_empty() {
            let line = format!("* LIST (\\Noselect) \"{delimiter}\" \"\"\r\n");
            out.extend_from_slice(line.as_bytes());
            return Ok(Answer::ok("List completed"));
        }
        let all = with_superiors(&self.wire_names(false), delimiter);
        for (name, is_there) in &all {
            if !fits_name(name, &pattern, delimiter) {
                continue;
            }
            let mut attributes = vec![if has_children(&all, name, delimiter) {
                "\\HasChildren"
            } else {
                "\\HasNoChildren"
            }];
            if !is_there {
                attributes.push("\\Noselect");
            }
            attributes.extend(special_use(name, offered));
            let attributes = attributes.join(" ");
            let line = format!("* LIST ({attributes}) \"{delimiter}\" {}\r\n", quoted(name));
            out.extend_from_slice(line.as_bytes());
        }
        Ok(Answer::ok("List completed"))
    }

    /// With `%`, a name that is not subscribed is listed if something below it is
    /// (RFC 3501 section 6.3.9).
    pub(super) fn lsub(
        &self,
        reference: &Mailbox<'_>,
        pattern: &ListMailbox<'_>,
        out: &mut Vec<u8>,
    ) -> Answered {
        let delimiter = self.shared.config.capabilities.imap.delimiter;
        let pattern = pattern_of(reference, pattern);
        for (name, is_subscribed) in with_superiors(&self.wire_names(true), delimiter) {
            let counts = is_subscribed || pattern.ends_with('%');
            if counts && fits_name(&name, &pattern, delimiter) {
                let attributes = if is_subscribed { "" } else { "\\Noselect" };
                let line = format!(
                    "* LSUB ({attributes}) \"{delimiter}\" {}\r\n",
                    quoted(&name)
                );
                out.extend_from_slice(line.as_bytes());
            }
        }
        Ok(Answer::ok("Lsub completed"))
    }

    fn wire_names(&self, subscribed: bool) -> BTreeSet<String> {
        let offered = &self.shared.config.capabilities.imap;
        let world = self.shared.world();
        let account = self
            .account
            .as_ref()
            .and_then(|key| world.accounts.get(key));
        let Some(account) = account else {
            return BTreeSet::new();
        };
        if subscribed {
            let paths = account.subscribed.iter();
            paths.map(|path| path_to_wire(path, offered)).collect()
        } else {
            let paths = account.folders.keys();
            paths.map(|path| path_to_wire(path, offered)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (name, pattern, expected) in [
            ("a/b", "*", true),
            ("a/b", "%", false),
            ("a", "%", true),
            ("a/b", "a/%", true),
            ("a/b/c", "%/c", false),
            ("a/b/c", "*c", true),
            ("ab", "a%b", true),
            ("INBOX", "inbox", true),
            ("a", "", false),
        ] {
            assert_eq!(fits_name(name, pattern, '/'), expected, "{name} {pattern}");
        }
    }
}
