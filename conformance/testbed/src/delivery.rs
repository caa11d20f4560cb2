//! From acceptance to the mailbox: faults on the way, and the fields that delivery puts on top.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::dsn;
use crate::faults::DeliveryAction;
use crate::mime;
use crate::names::{INBOX, address_key, domain_of};
use crate::server::Shared;
use crate::transforms::list_footer;
use crate::world::{NewMessage, Uid, World};

/// What the server's Authentication-Results say of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthResult {
    /// DMARC, DKIM and SPF pass.
    Pass,
    /// DMARC, DKIM and SPF fail.
    Fail,
    /// The server adds no Authentication-Results.
    #[default]
    None,
}

/// How a mail is delivered directly, without SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    /// The reverse-path; empty for `<>`.
    pub envelope_from: String,
    /// What Authentication-Results say.
    pub auth: AuthResult,
    /// The folder it goes to, made if it is not there.
    pub folder: String,
    /// Flags and keywords it has from the start.
    pub flags: Vec<String>,
    /// The server takes it for spam: it goes to `Junk`, with an X-Spam-Flag.
    pub spam: bool,
}

impl Default for Deliver {
    fn default() -> Self {
        Self {
            envelope_from: String::new(),
            auth: AuthResult::Pass,
            folder: INBOX.to_owned(),
            flags: Vec::new(),
            spam: false,
        }
    }
}

impl Deliver {
    /// From this sender, domain-authenticated, into the inbox.
    pub fn from(envelope_from: &str) -> Self {
        Self {
            envelope_from: envelope_from.to_owned(),
            ..Self::default()
        }
    }

    /// With other Authentication-Results.
    #[must_use]
    pub fn auth(mut self, auth: AuthResult) -> Self {
        self.auth = auth;
        self
    }
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It is in the mailbox. A duplicate's UID is not told.
    Stored(Uid),
    /// A fault keeps it; see [`crate::Server::release_held`].
    Held,
    /// A fault lost it.
    Dropped,
    /// A fault returned it, or the mailbox was full or gone.
    Bounced,
    /// It went to the members of a list.
    Distributed,
}

impl Delivered {
    /// The UID, if it is in the mailbox.
    pub fn uid(&self) -> Option<Uid> {
        match self {
            Self::Stored(uid) => Some(*uid),
            _ => None,
        }
    }
}

/// A mail on its way to one recipient.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) octets: Arc<[u8]>,
    pub(crate) how: Deliver,
    /// The clause of the Received field that says where it came from.
    pub(crate) received: String,
}

/// A mail that a fault keeps.
pub(crate) type Held = Letter;

/// Sends a mail that came for a list to its members.
fn distribute(shared: &Shared, world: &mut World, letter: &Letter) {
    let name = letter.to.split('@').next().unwrap_or_default();
    let footer = format!("To leave this list, write to {name}+unsubscribe.");
    let octets: Arc<[u8]> = list_footer(name, &footer)(&letter.octets).into();
    let author = address_key(&letter.how.envelope_from).ok();
    let members = world.accounts.iter();
    let members = members.filter(|(key, _)| Some(*key) != author.as_ref());
    let members: Vec<_> = members.map(|(_, one)| one.address.clone()).collect();
    for to in members {
        let member = Letter {
            to,
            octets: Arc::clone(&octets),
            // The list has changed what its author signed.
            how: Deliver::from(&letter.to).auth(AuthResult::Fail),
            received: letter.received.clone(),
        };
        route(shared, world, member);
    }
}

/// Brings a mail to one recipient, through the faults.
pub(crate) fn route(shared: &Shared, world: &mut World, mut letter: Letter) -> Delivered {
    if world.is_list(&letter.to) {
        distribute(shared, world, &letter);
        return Delivered::Distributed;
    }
    let mut copies = 1;
    let mut keep = None;
    for action in shared.faults.delivery(&letter.to) {
        match action {
            DeliveryAction::Duplicate(more) => copies += more,
            DeliveryAction::Transform(change) => letter.octets = change(&letter.octets).into(),
            DeliveryAction::Drop => return Delivered::Dropped,
            DeliveryAction::Bounce(status, text) => {
                bounce(shared, world, &letter, &status, &text);
                return Delivered::Bounced;
            }
            DeliveryAction::Hold => keep = Some(None),
            DeliveryAction::Reorder(size) => keep = Some(Some(size)),
        }
    }
    match keep {
        None => (),
        Some(None) => {
            world.held.extend((0..copies).map(|_| letter.clone()));
            return Delivered::Held;
        }
        Some(Some(size)) => {
            world.reorder.extend((0..copies).map(|_| letter.clone()));
            if world.reorder.len() >= size {
                for letter in std::mem::take(&mut world.reorder).into_iter().rev() {
                    store(shared, world, &letter);
                }
            }
            return Delivered::Held;
        }
    }
    let first = store(shared, world, &letter);
    for _ in 1..copies {
        store(shared, world, &letter);
    }
    first
}

/// Delivers what faults have kept, and returns how many were.
pub(crate) fn release(shared: &Shared, world: &mut World) -> usize {
    let mut kept = std::mem::take(&mut world.held);
    kept.append(&mut world.reorder);
    for letter in &kept {
        store(shared, world, letter);
    }
    kept.len()
}

/// Puts a mail into the mailbox.
fn store(shared: &Shared, world: &mut World, letter: &Letter) -> Delivered {
    let Some(key) = world.recipient(&letter.to) else {
        bounce(shared, world, letter, "5.1.1", "No such user here");
        return Delivered::Bounced;
    };
    let octets: Arc<[u8]> = stamp(shared, world, letter).into();
    let room = world
        .accounts
        .get(&key)
        .is_none_or(|account| account.has_room(octets.len()));
    if !room {
        bounce(shared, world, letter, "5.2.2", "The mailbox is full");
        return Delivered::Bounced;
    }
    let internal_date = world.now();
    let folder = if letter.how.spam {
        "Junk"
    } else {
        &letter.how.folder
    };
    let Some(folder) = world.folder_or_new(&key, folder) else {
        return Delivered::Bounced;
    };
    let uid = folder.add(NewMessage {
        flags: letter.how.flags.iter().cloned().collect::<BTreeSet<_>>(),
        internal_date,
        octets,
        envelope_from: Some(letter.how.envelope_from.clone()),
    });
    world.changed(&key);
    Delivered::Stored(uid)
}

/// Sends a delivery status notification, but never in answer to one.
fn bounce(shared: &Shared, world: &mut World, letter: &Letter, status: &str, text: &str) {
    let sender = letter.how.envelope_from.clone();
    if sender.is_empty() || world.recipient(&sender).is_none() {
        return;
    }
    let id = world.next_id();
    let report = dsn::Report {
        reporting_mta: &shared.config.server_name,
        to: &sender,
        recipient: &letter.to,
        status,
        text,
        date: &rfc2822(world.now()),
        id,
    };
    let octets = report.build(&letter.octets).into();
    let notification = Letter {
        to: sender,
        octets,
        how: Deliver {
            auth: AuthResult::None,
            ..Deliver::default()
        },
        received: String::new(),
    };
    store(shared, world, &notification);
}

/// The message with Return-Path, Authentication-Results and Received on top, and without fields
/// that only this server may set.
fn stamp(shared: &Shared, world: &mut World, letter: &Letter) -> Vec<u8> {
    let config = &shared.config;
    let from = &letter.how.envelope_from;
    let mut out = format!("Return-Path: <{from}>\r\n").into_bytes();
    let results = authentication_results(&config.authserv_id, letter);
    out.extend_from_slice(results.as_bytes());
    if letter.how.spam {
        out.extend_from_slice(b"X-Spam-Flag: YES\r\n");
    }
    let id = world.next_id();
    let received = format!(
        "Received: {}by {}\r\n\tid {id:08x} for <{}>;\r\n\t{}\r\n",
        letter.received,
        config.server_name,
        letter.to,
        rfc2822(world.now())
    );
    out.extend_from_slice(received.as_bytes());
    let (header, _) = mime::split_header(&letter.octets);
    let mut fields = 0;
    for field in mime::fields(header) {
        fields += field.whole.len();
        let ours = field.name.eq_ignore_ascii_case(b"return-path")
            || field.name.eq_ignore_ascii_case(b"authentication-results")
                && names_authserv(field.value, &config.authserv_id);
        if !ours {
            out.extend_from_slice(field.whole);
        }
    }
    out.extend_from_slice(letter.octets.get(fields..).unwrap_or_default());
    out
}

fn authentication_results(authserv_id: &str, letter: &Letter) -> String {
    let result = match letter.how.auth {
        AuthResult::Pass => "pass",
        AuthResult::Fail => "fail",
        AuthResult::None => return String::new(),
    };
    let sender = &letter.how.envelope_from;
    let mail_domain = domain_of(sender).unwrap_or_else(|| "unknown.invalid".to_owned());
    let from_domain = mime::from_domain(&letter.octets).unwrap_or_else(|| mail_domain.clone());
    format!(
        "Authentication-Results: {authserv_id};\r\n\tdmarc={result} header.from={from_domain};\r\n\t\
         dkim={result} header.d={from_domain};\r\n\tspf={result} smtp.mailfrom={mail_domain}\r\n"
    )
}

/// Whether an Authentication-Results value begins with this authserv-id, comments aside.
fn names_authserv(value: &[u8], authserv_id: &str) -> bool {
    let value = mime::without_comments(&String::from_utf8_lossy(value));
    let first = value
        .split(|character: char| character == ';' || character.is_whitespace())
        .find(|word| !word.is_empty());
    first.is_some_and(|first| first.trim_matches('"').eq_ignore_ascii_case(authserv_id))
}

/// A date as in the Date field.
pub(crate) fn rfc2822(now: i64) -> String {
    OffsetDateTime::from_unix_timestamp(now)
        .ok()
        .and_then(|date| date.format(&Rfc2822).ok())
        .unwrap_or_else(|| "Thu, 01 Jan 1970 00:00:00 +0000".to_owned())
}
