//! Messages as a mailbox file (RFC 4155) that mail programs open: private ones with what came
//! along, and those written to groups.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use kith_core::agent::AgentError;
use kith_core::agent::group::GroupId;
use kith_core::agent::view::{Medium, Message, View};
use lettre::Address;
use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, Message as Mail, MultiPart, SinglePart};
use time::macros::format_description;

use super::{ending, medium, moment, octets};

/// Where there is no mail address: a domain that never exists (RFC 2606).
const NOWHERE: &str = "kith.invalid";
/// Characters of a text that stand in the subject.
const SUBJECT: usize = 60;

/// One message on its way into the file.
struct Letter<'a> {
    hash: &'a str,
    parent: Option<&'a str>,
    from: Mailbox,
    to: Mailbox,
    text: &'a str,
    created: i64,
}

/// All messages, in order of time.
pub(super) fn write(view: &View<'_>) -> Result<Vec<u8>, AgentError> {
    let people = people(view)?;
    let mut mails = Vec::new();
    for message in view.messages(None)? {
        let letter = Letter {
            hash: &message.hash,
            parent: message.parent.as_deref(),
            from: person(&people, &message.author, ""),
            to: person(&people, &message.to, ""),
            text: &message.text,
            created: message.created,
        };
        let attached = attachments(view, &message)?;
        mails.push((letter.created, entry(&letter, attached)));
    }
    for group in view.groups()? {
        let (Some(owner), Some(id)) = (octets(&group.owner), octets(&group.id)) else {
            continue;
        };
        let to = mailbox(&group.name, &format!("{}@group.{NOWHERE}", group.id));
        for said in view.group_timeline(GroupId { owner, id }, usize::MAX)? {
            if said.kind != "message" {
                continue;
            }
            let letter = Letter {
                hash: &said.hash,
                parent: said.parent.as_deref(),
                from: person(&people, &said.author, &said.name),
                to: to.clone(),
                text: &said.text,
                created: said.created,
            };
            mails.push((letter.created, entry(&letter, Vec::new())));
        }
    }
    mails.sort_by_key(|(created, _)| *created);
    Ok(mails.into_iter().flat_map(|(_, entry)| entry).collect())
}

/// Names and addresses by identity.
fn people(view: &View<'_>) -> Result<BTreeMap<String, Mailbox>, AgentError> {
    let own = view.identity()?;
    let name = own.name.unwrap_or_default();
    let mut people = BTreeMap::from([(own.identity, mailbox(&name, &own.address))]);
    for contact in view.contacts()? {
        let name = contact.petname.or(contact.name).unwrap_or_default();
        let address = contact.addresses.into_iter().next().unwrap_or_default();
        people.insert(contact.identity, mailbox(&name, &address));
    }
    Ok(people)
}

/// Somebody who wrote or was written to; who is known no more has no address.
fn person(people: &BTreeMap<String, Mailbox>, identity: &str, name: &str) -> Mailbox {
    let unknown = || mailbox(name, &format!("{}@{NOWHERE}", &identity[..16]));
    people.get(identity).cloned().unwrap_or_else(unknown)
}

fn mailbox(name: &str, address: &str) -> Mailbox {
    let nowhere = || Address::new("unknown", NOWHERE).ok();
    let address = address.parse().ok().or_else(nowhere);
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    Mailbox::new(
        (!name.is_empty()).then_some(name),
        address.expect("the address because it is one as it stands here"),
    )
}

fn attachments(view: &View<'_>, message: &Message) -> Result<Vec<SinglePart>, AgentError> {
    let mut parts = Vec::new();
    for (position, one) in message.media.iter().enumerate() {
        if let Some(octets) = medium(view, (&message.author, &message.id), position)? {
            parts.push(part(one, octets));
        }
    }
    Ok(parts)
}

fn part(medium: &Medium, octets: Vec<u8>) -> SinglePart {
    let unnamed = || format!("file.{}", ending(&medium.media_type).unwrap_or("bin"));
    let name = medium.name.clone().unwrap_or_else(unnamed);
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let unknown = || ContentType::parse("application/octet-stream").ok();
    let media_type = ContentType::parse(&medium.media_type).ok().or_else(unknown);
    let builder = SinglePart::builder()
        .header(media_type.expect("a media type because this one is one"))
        .header(ContentDisposition::attachment(&name));
    let body = Body::new_with_encoding(octets, ContentTransferEncoding::Base64);
    builder.body(body.expect("a body because base64 takes any octets"))
}

fn message_id(hash: &str) -> String {
    format!("<{hash}@{NOWHERE}>")
}

fn subject(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(SUBJECT)
        .collect()
}

/// A message with the line that separates it from the one before.
fn entry(letter: &Letter<'_>, attached: Vec<SinglePart>) -> Vec<u8> {
    let at = moment(letter.created);
    let since = Duration::from_secs(u64::try_from(letter.created).unwrap_or_default());
    let mut builder = Mail::builder()
        .from(letter.from.clone())
        .to(letter.to.clone())
        .date(SystemTime::UNIX_EPOCH + since)
        .message_id(Some(message_id(letter.hash)))
        .subject(subject(letter.text));
    if let Some(parent) = letter.parent {
        builder = builder.in_reply_to(message_id(parent));
    }
    let text = SinglePart::plain(letter.text.to_owned());
    let made = if attached.is_empty() {
        builder.singlepart(text)
    } else {
        let mixed = MultiPart::mixed().singlepart(text);
        builder.multipart(attached.into_iter().fold(mixed, MultiPart::singlepart))
    };
    let mail = made.map(|mail| mail.formatted()).unwrap_or_default();
    let format = format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
    );
    let date = at.format(format).unwrap_or_default();
    let mut entry = format!("From {} {date}\n", letter.from.email).into_bytes();
    for line in mail.split_inclusive(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        // A line that looks like a separator is quoted, and so is one that was quoted before.
        let unquoted = &line[line.iter().take_while(|&&octet| octet == b'>').count()..];
        if unquoted.starts_with(b"From ") {
            entry.push(b'>');
        }
        entry.extend(line);
        entry.push(b'\n');
    }
    entry.push(b'\n');
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_mail_and_its_lines_separate_nothing() {
        let letter = Letter {
            hash: "ab",
            parent: Some("cd"),
            from: mailbox("Alice", "alice@a.test"),
            to: mailbox("Bob \"B\"", "bob@b.test"),
            text: "Grüße\nFrom Monday on",
            created: 1_795_299_000,
        };
        let text = String::from_utf8(entry(&letter, Vec::new())).unwrap();
        assert!(text.starts_with("From alice@a.test Sat Nov 21 "), "{text}");
        for line in [
            "From: Alice <alice@a.test>\n",
            "Message-ID: <ab@kith.invalid>\n",
            "In-Reply-To: <cd@kith.invalid>\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert_eq!(text.matches("\nFrom ").count(), 0, "{text}");
        assert!(!text.contains('\r') && text.ends_with("\n\n"), "{text}");
    }

    #[test]
    fn what_is_no_address_is_replaced() {
        assert_eq!(
            mailbox("", "nobody").email.to_string(),
            "unknown@kith.invalid"
        );
    }
}
