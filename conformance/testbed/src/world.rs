//! The state of a server: accounts, folders, messages, submissions, the clock.
//!
//! All of it is in memory behind one lock. Every change raises the account's change counter, which
//! wakes idling sessions, and the server's, which wakes the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::TestbedError;
use crate::config::Config;
use crate::delivery::Held;
use crate::names::{INBOX, address_key, without_detail};
use crate::octets;

/// A message's unique identifier within its folder.
pub type Uid = u32;

/// Something that was submitted and accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The account that submitted it.
    pub account: String,
    /// The reverse-path; empty for `<>`.
    pub envelope_from: String,
    /// The accepted forward-paths, in order.
    pub recipients: Vec<String>,
    /// The mail, dot-unstuffed, otherwise as it came.
    #[serde(with = "octets")]
    pub octets: Arc<[u8]>,
    /// When it was accepted, Unix seconds by the server's clock.
    pub at: i64,
    /// The parameters of MAIL.
    pub params: MailParams,
}

/// The parameters of the MAIL command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailParams {
    /// SIZE (RFC 1870), octets.
    pub size: Option<usize>,
    /// BODY=8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

/// A folder as the judge sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderState {
    /// Its path, joined by `/`, without the server's prefix.
    pub name: String,
    /// Its name on the wire.
    pub wire_name: String,
    /// Whether the account has subscribed to it.
    pub subscribed: bool,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ.
    pub highest_modseq: u64,
    /// How many messages it holds.
    pub messages: usize,
}

/// A message as the judge sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its UID.
    pub uid: Uid,
    /// Flags and keywords, sorted.
    pub flags: Vec<String>,
    /// INTERNALDATE, Unix seconds.
    pub internal_date: i64,
    /// MODSEQ.
    pub modseq: u64,
    /// The message with the fields that delivery put on top.
    #[serde(with = "octets")]
    pub octets: Arc<[u8]>,
    /// The reverse-path, if it came by delivery and not by APPEND.
    pub envelope_from: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) uid: Uid,
    pub(crate) flags: BTreeSet<String>,
    pub(crate) internal_date: i64,
    pub(crate) modseq: u64,
    pub(crate) octets: Arc<[u8]>,
    pub(crate) envelope_from: Option<String>,
}

/// A message before it has a place.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) flags: BTreeSet<String>,
    pub(crate) internal_date: i64,
    pub(crate) octets: Arc<[u8]>,
    pub(crate) envelope_from: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) id: u64,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: Uid,
    pub(crate) highest_modseq: u64,
    /// In order of UID.
    pub(crate) messages: Vec<Message>,
    /// All keywords ever used here, in the spelling that came first.
    pub(crate) keywords: Vec<String>,
    /// Messages from this UID on are recent to the next session that selects the folder.
    pub(crate) first_recent: Uid,
}

impl Folder {
    fn new(id: u64) -> Self {
        Self {
            id,
            // Folders made later get larger values, also under a name that was used before.
            uid_validity: 1_000_000_u32.saturating_add(u32::try_from(id).unwrap_or(u32::MAX)),
            uid_next: 1,
            highest_modseq: 1,
            messages: Vec::new(),
            keywords: Vec::new(),
            first_recent: 1,
        }
    }

    pub(crate) fn next_modseq(&mut self) -> u64 {
        self.highest_modseq += 1;
        self.highest_modseq
    }

    /// Stores a message and returns its UID.
    pub(crate) fn add(&mut self, message: NewMessage) -> Uid {
        let uid = self.uid_next;
        self.uid_next = self.uid_next.saturating_add(1);
        let modseq = self.next_modseq();
        let flags = message
            .flags
            .into_iter()
            .map(|flag| self.known(flag))
            .collect();
        self.messages.push(Message {
            uid,
            flags,
            internal_date: message.internal_date,
            modseq,
            octets: message.octets,
            envelope_from: message.envelope_from,
        });
        uid
    }

    /// The keyword in the spelling used here, remembered if new.
    pub(crate) fn known(&mut self, flag: String) -> String {
        if flag.starts_with('\\') {
            return flag;
        }
        let same = |known: &&String| known.eq_ignore_ascii_case(&flag);
        if let Some(known) = self.keywords.iter().find(same) {
            return known.clone();
        }
        self.keywords.push(flag.clone());
        flag
    }

    pub(crate) fn index_of(&self, uid: Uid) -> Option<usize> {
        self.messages
            .binary_search_by_key(&uid, |message| message.uid)
            .ok()
    }

    pub(crate) fn message(&self, uid: Uid) -> Option<&Message> {
        self.messages.get(self.index_of(uid)?)
    }

    pub(crate) fn message_mut(&mut self, uid: Uid) -> Option<&mut Message> {
        let index = self.index_of(uid)?;
        self.messages.get_mut(index)
    }

    /// Takes messages away.
    pub(crate) fn remove(&mut self, gone: impl Fn(&Message) -> bool) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| !gone(message));
        let changed = self.messages.len() != before;
        if changed {
            self.next_modseq();
        }
        changed
    }
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) address: String,
    pub(crate) password: String,
    /// Octets of all messages together.
    pub(crate) quota: Option<u64>,
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) subscribed: BTreeSet<String>,
    /// Wakes this account's idling sessions.
    pub(crate) changes: watch::Sender<u64>,
}

impl Account {
    pub(crate) fn used(&self) -> u64 {
        self.folders
            .values()
            .flat_map(|folder| &folder.messages)
            .map(|message| message.octets.len() as u64)
            .sum()
    }

    /// Whether so many octets more are within the quota.
    pub(crate) fn has_room(&self, octets: usize) -> bool {
        self.quota
            .is_none_or(|quota| self.used().saturating_add(octets as u64) <= quota)
    }

    pub(crate) fn folder_by_id(&mut self, id: u64) -> Option<&mut Folder> {
        self.folders.values_mut().find(|folder| folder.id == id)
    }
}

/// Folders with a special use (RFC 6154) and their attribute.
pub(crate) const SPECIAL: [(&str, &str); 5] = [
    ("Archive", "\\Archive"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
];

#[derive(Debug)]
pub(crate) struct World {
    now: Option<i64>,
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Mailing lists, by the keys of their addresses. All accounts are members.
    pub(crate) lists: BTreeSet<String>,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) held: Vec<Held>,
    pub(crate) reorder: Vec<Held>,
    next_folder: u64,
    next_id: u64,
    submitted: watch::Sender<usize>,
    changes: watch::Sender<u64>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: None,
            accounts: BTreeMap::new(),
            lists: BTreeSet::new(),
            submissions: Vec::new(),
            held: Vec::new(),
            reorder: Vec::new(),
            next_folder: 1,
            next_id: 1,
            submitted: watch::Sender::new(0),
            changes: watch::Sender::new(0),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })
        })
    }

    pub(crate) fn set_now(&mut self, now: Option<i64>) {
        self.now = now;
    }

    /// A number for queue ids and Message-IDs.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn add_account(
        &mut self,
        address: &str,
        password: &str,
        config: &Config,
    ) -> Result<(), TestbedError> {
        let key = address_key(address)?;
        if self.accounts.contains_key(&key) {
            return Err(TestbedError::AccountExists(address.to_owned()));
        }
        let mut account = Account {
            address: address.to_owned(),
            password: password.to_owned(),
            quota: None,
            folders: BTreeMap::new(),
            subscribed: BTreeSet::from([INBOX.to_owned()]),
            changes: watch::Sender::new(0),
        };
        account.folders.insert(INBOX.to_owned(), self.new_folder());
        if config.capabilities.imap.special_use {
            for (name, _) in SPECIAL {
                account.folders.insert(name.to_owned(), self.new_folder());
                account.subscribed.insert(name.to_owned());
            }
        }
        self.accounts.insert(key, account);
        Ok(())
    }

    pub(crate) fn new_folder(&mut self) -> Folder {
        let id = self.next_folder;
        self.next_folder += 1;
        Folder::new(id)
    }

    pub(crate) fn account(&self, address: &str) -> Result<&Account, TestbedError> {
        let key = address_key(address)?;
        let account = self.accounts.get(&key);
        account.ok_or_else(|| TestbedError::Account(address.to_owned()))
    }

    pub(crate) fn account_mut(&mut self, address: &str) -> Result<&mut Account, TestbedError> {
        let key = address_key(address)?;
        let account = self.accounts.get_mut(&key);
        account.ok_or_else(|| TestbedError::Account(address.to_owned()))
    }

    /// The key of the account that gets mail for an address, with or without `+detail`.
    pub(crate) fn recipient(&self, address: &str) -> Option<String> {
        let key = address_key(address).ok()?;
        if self.accounts.contains_key(&key) {
            return Some(key);
        }
        let base = without_detail(&key);
        self.accounts.contains_key(&base).then_some(base)
    }

    /// Whether a mailing list has this address.
    pub(crate) fn is_list(&self, address: &str) -> bool {
        address_key(address).is_ok_and(|key| self.lists.contains(&key))
    }

    /// The key of the account that a login names, if the password is right.
    pub(crate) fn login(&self, user: &str, password: &str) -> Option<String> {
        let key = address_key(user).ok()?;
        let account = self.accounts.get(&key)?;
        (account.password == password).then_some(key)
    }

    /// The folder of an account, made if it is not there.
    pub(crate) fn folder_or_new(&mut self, key: &str, path: &str) -> Option<&mut Folder> {
        if !self.accounts.get(key)?.folders.contains_key(path) {
            let folder = self.new_folder();
            let account = self.accounts.get_mut(key)?;
            account.folders.insert(path.to_owned(), folder);
        }
        self.accounts.get_mut(key)?.folders.get_mut(path)
    }

    /// Tells sessions and harness that something of this account has changed.
    pub(crate) fn changed(&self, key: &str) {
        if let Some(account) = self.accounts.get(key) {
            account.changes.send_modify(|count| *count += 1);
        }
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn submit(&mut self, submission: Submission) {
        self.submissions.push(submission);
        self.submitted.send_replace(self.submissions.len());
    }

    pub(crate) fn watch_submissions(&self) -> watch::Receiver<usize> {
        self.submitted.subscribe()
    }

    pub(crate) fn watch_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
