//! Finding and reading new mail without leaving a trace on it (`file.peek`).

use std::collections::BTreeMap;

use async_imap::imap_proto::{AttributeValue, Response};
use kith_core::implements;
use kith_spec::req;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Mailbox, MailboxError, uid_of};

/// UIDs in one command, so that its line stays short.
const SET: usize = 200;

/// What is known of a mail before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Its UID.
    pub uid: u32,
    /// Its size in octets.
    pub octets: u64,
    /// INTERNALDATE, unix seconds: only for looking at clocks (`receive.time`).
    pub internal_date: Option<i64>,
}

impl Mailbox {
    /// The mails of the selected folder from a UID on, in order of UIDs.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn list_from(&mut self, from: u32) -> Result<Vec<Summary>, MailboxError> {
        let mut found: BTreeMap<u32, Summary> = BTreeMap::new();
        let command = format!("UID FETCH {}:* (UID RFC822.SIZE INTERNALDATE)", from.max(1));
        self.command(&command, |answer| {
            let Response::Fetch(_, attributes) = answer else {
                return;
            };
            let Some(uid) = uid_of(attributes) else {
                return;
            };
            let summary = found.entry(uid).or_insert(Summary {
                uid,
                ..Summary::default()
            });
            for attribute in attributes {
                match attribute {
                    AttributeValue::Rfc822Size(octets) => summary.octets = u64::from(*octets),
                    AttributeValue::InternalDate(date) => summary.internal_date = unix(date),
                    _ => {}
                }
            }
        })
        .await?;
        // `n:*` names the last mail even if its UID is lower than n.
        Ok(found
            .into_values()
            .filter(|summary| summary.uid >= from)
            .collect())
    }

    /// The UID of the mail with a sequence number in the selected folder.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn uid_at(&mut self, number: u32) -> Result<Option<u32>, MailboxError> {
        let mut uid = None;
        self.command(&format!("FETCH {number} (UID)"), |answer| match answer {
            Response::Fetch(at, attributes) if *at == number => uid = uid_of(attributes).or(uid),
            _ => {}
        })
        .await?;
        Ok(uid)
    }

    /// Reads mails of the selected folder into `mails`. Mail that is gone is missing there, and what
    /// had come before a failure stands there.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn fetch(
        &mut self,
        uids: &[u32],
        mails: &mut BTreeMap<u32, Vec<u8>>,
    ) -> Result<(), MailboxError> {
        implements!(req::FILE_PEEK);
        let peeks = self.gate.enforces(&req::FILE_PEEK);
        let body = if peeks { "BODY.PEEK[]" } else { "BODY[]" };
        for set in sets(uids) {
            self.command(&format!("UID FETCH {set} (UID {body})"), |answer| {
                let Response::Fetch(_, attributes) = answer else {
                    return;
                };
                let Some(uid) = uid_of(attributes) else {
                    return;
                };
                for attribute in attributes {
                    if let AttributeValue::BodySection {
                        section: None,
                        index: None,
                        data,
                    } = attribute
                    {
                        mails.insert(uid, data.as_deref().unwrap_or_default().to_vec());
                    }
                }
            })
            .await?;
        }
        Ok(())
    }
}

/// UID sets, with ranges where UIDs follow each other.
pub(super) fn sets(uids: &[u32]) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let text = |&(first, last): &(u32, u32)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        }
    };
    ranges
        .chunks(SET)
        .map(|set| set.iter().map(text).collect::<Vec<_>>().join(","))
        .collect()
}

fn unix(date: &str) -> Option<i64> {
    let format = format_description!(
        "[day padding:none]-[month repr:short]-[year] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
    );
    OffsetDateTime::parse(date.trim(), format)
        .ok()
        .map(OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_in_a_row_are_one_range() {
        assert_eq!(sets(&[1, 2, 3, 5, 8, 9]), ["1:3,5,8:9"]);
        assert_eq!(sets(&[u32::MAX]), ["4294967295"]);
        assert_eq!(sets(&(1..=1000).step_by(2).collect::<Vec<_>>()).len(), 3);
        assert!(sets(&[]).is_empty());
    }

    #[test]
    fn internal_dates_have_padded_days() {
        assert_eq!(unix("21-Nov-2026 22:10:00 +0000"), Some(1_795_299_000));
        assert_eq!(unix(" 1-Jan-1970 01:00:00 +0100"), Some(0));
        assert_eq!(unix("yesterday"), None);
    }
}
