//! SEARCH.
//!
//! Texts are compared without regard to ASCII case, in the octets as they stand and, where that
//! finds nothing, in the decoded header field or text part.

use imap_codec::imap_types::core::{AString, Charset};
use imap_codec::imap_types::datetime::NaiveDate;
use imap_codec::imap_types::search::SearchKey;
use time::{Date, Month, OffsetDateTime};

use super::view::{Entry, Selected};
use super::{Answer, Answered, Session, folder_by_id};
use crate::mime::{self, Part};
use crate::world::Message;

/// A message that may match.
struct Candidate<'a> {
    selected: &'a Selected,
    index: usize,
    entry: &'a Entry,
    message: &'a Message,
}

impl Session {
    pub(super) fn search(
        &mut self,
        charset: Option<&Charset<'_>>,
        criteria: &[SearchKey<'_>],
        uid: bool,
        out: &mut Vec<u8>,
    ) -> Answered {
        let known = ["US-ASCII", "UTF-8"];
        let charset = charset.map(AsRef::as_ref);
        if charset.is_some_and(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))) {
            return Err(Answer::no(
                "[BADCHARSET (US-ASCII UTF-8)] This charset is not known",
            ));
        }
        let modseq = criteria.iter().any(uses_modseq);
        if modseq {
            if !self.shared.config.capabilities.imap.condstore {
                return Err(Answer::bad("Not offered here"));
            }
            self.condstore = true;
        }
        let gone = || Answer::no("The mailbox has gone");
        let (Some(selected), Some(account)) = (&self.selected, &self.account) else {
            return Err(gone());
        };
        let mut world = self.shared.world();
        let folder = folder_by_id(&mut world, account, selected.folder).ok_or_else(gone)?;
        let mut line = "* SEARCH".to_owned();
        let mut highest = 0;
        for (index, entry) in selected.entries.iter().enumerate() {
            let Some(message) = folder.message(entry.uid) else {
                continue;
            };
            let candidate = Candidate {
                selected,
                index,
                entry,
                message,
            };
            let mut matches = true;
            for key in criteria {
                matches = matches && candidate.matches(key)?;
            }
            if matches {
                let number = if uid { entry.uid as usize } else { index + 1 };
                line.push_str(&format!(" {number}"));
                highest = highest.max(message.modseq);
            }
        }
        if modseq && highest > 0 {
            line.push_str(&format!(" (MODSEQ {highest})"));
        }
        line.push_str("\r\n");
        out.extend_from_slice(line.as_bytes());
        Ok(Answer::ok("Search completed"))
    }
}

fn uses_modseq(key: &SearchKey<'_>) -> bool {
    match key {
        SearchKey::ModSequence { .. } => true,
        SearchKey::Not(key) => uses_modseq(key),
        SearchKey::Or(one, other) => uses_modseq(one) || uses_modseq(other),
        SearchKey::And(keys) => keys.as_ref().iter().any(uses_modseq),
        _ => false,
    }
}

impl Candidate<'_> {
    fn matches(&self, key: &SearchKey<'_>) -> Result<bool, Answer> {
        let octets = &self.message.octets;
        Ok(match key {
            SearchKey::And(keys) => {
                for key in keys.as_ref() {
                    if !self.matches(key)? {
                        return Ok(false);
                    }
                }
                true
            }
            SearchKey::Or(one, other) => self.matches(one)? || self.matches(other)?,
            SearchKey::Not(key) => !self.matches(key)?,
            SearchKey::All => true,
            SearchKey::SequenceSet(set) => self.in_set(&self.selected.resolve(set, false)?),
            SearchKey::Uid(set) => self.in_set(&self.selected.resolve(set, true)?),
            SearchKey::Larger(limit) => octets.len() > *limit as usize,
            SearchKey::Smaller(limit) => octets.len() < *limit as usize,
            SearchKey::ModSequence { modseq, .. } => self.message.modseq >= *modseq,
            SearchKey::Text(text) => {
                contains(octets, text.as_ref()) || self.in_headers(text) || self.in_texts(text)
            }
            SearchKey::Body(text) => {
                let (_, body) = mime::split_header(octets);
                contains(body, text.as_ref()) || self.in_texts(text)
            }
            SearchKey::Bcc(text) => self.in_field(b"bcc", text),
            SearchKey::Cc(text) => self.in_field(b"cc", text),
            SearchKey::From(text) => self.in_field(b"from", text),
            SearchKey::Subject(text) => self.in_field(b"subject", text),
            SearchKey::To(text) => self.in_field(b"to", text),
            SearchKey::Header(name, text) => self.in_field(name.as_ref(), text),
            _ => self
                .flag_matches(key)
                .unwrap_or_else(|| self.date_matches(key)),
        })
    }

    fn in_set(&self, indices: &[usize]) -> bool {
        indices.binary_search(&self.index).is_ok()
    }

    fn has(&self, flag: &str) -> bool {
        let mut flags = self.message.flags.iter();
        flags.any(|known| known.eq_ignore_ascii_case(flag))
    }

    fn flag_matches(&self, key: &SearchKey<'_>) -> Option<bool> {
        let recent = self.entry.recent;
        Some(match key {
            SearchKey::Answered => self.has("\\Answered"),
            SearchKey::Deleted => self.has("\\Deleted"),
            SearchKey::Draft => self.has("\\Draft"),
            SearchKey::Flagged => self.has("\\Flagged"),
            SearchKey::Seen => self.has("\\Seen"),
            SearchKey::Unanswered => !self.has("\\Answered"),
            SearchKey::Undeleted => !self.has("\\Deleted"),
            SearchKey::Undraft => !self.has("\\Draft"),
            SearchKey::Unflagged => !self.has("\\Flagged"),
            SearchKey::Unseen => !self.has("\\Seen"),
            SearchKey::Keyword(keyword) => self.has(keyword.inner()),
            SearchKey::Unkeyword(keyword) => !self.has(keyword.inner()),
            SearchKey::New => recent && !self.has("\\Seen"),
            SearchKey::Old => !recent,
            SearchKey::Recent => recent,
            _ => return None,
        })
    }

    fn date_matches(&self, key: &SearchKey<'_>) -> bool {
        let received = OffsetDateTime::from_unix_timestamp(self.message.internal_date)
            .ok()
            .map(|date| iso(date.date()));
        let sent = sent_date(&self.message.octets).map(iso);
        let asked = |date: &NaiveDate| date.as_ref().to_string();
        match key {
            SearchKey::Before(date) => received.is_some_and(|at| at < asked(date)),
            SearchKey::On(date) => received.is_some_and(|at| at == asked(date)),
            SearchKey::Since(date) => received.is_some_and(|at| at >= asked(date)),
            SearchKey::SentBefore(date) => sent.is_some_and(|at| at < asked(date)),
            SearchKey::SentOn(date) => sent.is_some_and(|at| at == asked(date)),
            SearchKey::SentSince(date) => sent.is_some_and(|at| at >= asked(date)),
            _ => false,
        }
    }

    fn in_field(&self, name: &[u8], text: &AString<'_>) -> bool {
        let (header, _) = mime::split_header(&self.message.octets);
        let mut fields = mime::fields(header).into_iter();
        fields.any(|field| field.name.eq_ignore_ascii_case(name) && field_has(&field, text))
    }

    fn in_headers(&self, text: &AString<'_>) -> bool {
        let (header, _) = mime::split_header(&self.message.octets);
        mime::fields(header)
            .iter()
            .any(|field| field_has(field, text))
    }

    fn in_texts(&self, text: &AString<'_>) -> bool {
        part_has(
            &self.message.octets,
            &mime::parse(&self.message.octets),
            text,
        )
    }
}

fn iso(date: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// The day in the Date field, whatever its time and zone (RFC 3501 section 6.4.4).
fn sent_date(message: &[u8]) -> Option<Date> {
    let (header, _) = mime::split_header(message);
    let value = String::from_utf8_lossy(&mime::field(header, "date")?).into_owned();
    let value = value
        .rsplit_once(',')
        .map_or(value.as_str(), |(_, rest)| rest);
    let mut words = value.split_ascii_whitespace();
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let year = words.next()?.parse().ok()?;
    let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let index = months
        .iter()
        .position(|name| month.to_ascii_lowercase().starts_with(name))?;
    let month = Month::try_from(u8::try_from(index + 1).ok()?).ok()?;
    Date::from_calendar_date(year, month, day).ok()
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    needle.is_empty()
        || hay
            .windows(needle.len())
            .any(|window| window.eq_ignore_ascii_case(needle))
}

fn field_has(field: &mime::Field<'_>, text: &AString<'_>) -> bool {
    let unfolded = mime::unfold(field.value);
    if contains(&unfolded, text.as_ref()) {
        return true;
    }
    let decoded = mailparse::parse_header(field.whole);
    decoded.is_ok_and(|(header, _)| contains(header.get_value().as_bytes(), text.as_ref()))
}

fn part_has(message: &[u8], part: &Part, text: &AString<'_>) -> bool {
    if !part.children.is_empty() {
        return part
            .children
            .iter()
            .any(|child| part_has(message, child, text));
    }
    if !part.content_type.value.starts_with("text/") {
        return false;
    }
    let octets = message
        .get(part.header.start..part.body.end)
        .unwrap_or_default();
    let body = mailparse::parse_mail(octets).and_then(|leaf| leaf.get_body());
    body.is_ok_and(|body| contains(body.as_bytes(), text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_date_fields() {
        for (value, expected) in [
            ("Sat, 21 Nov 2026 23:59:00 -0800", Some("2026-11-21")),
            ("1 Jan 2027 00:00 +0000", Some("2027-01-01")),
            ("yesterday", None),
        ] {
            let message = format!("Date: {value}\r\n\r\n");
            assert_eq!(sent_date(message.as_bytes()).map(iso).as_deref(), expected);
        }
    }
}
