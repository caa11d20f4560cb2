//! `BODY[section]` (RFC 3501 section 6.4.5): which octets a section names.
//!
//! Part numbers count the parts of a multipart; a message that is no multipart has the one part 1;
//! inside a message/rfc822 part the counting starts anew with the message it holds.

use std::borrow::Cow;

use imap_codec::imap_types::core::AString;
use imap_codec::imap_types::fetch::{Part as PartNumber, Section};

use crate::mime::{self, Part};

/// The section as it stands in the response.
pub(super) fn name(section: &Section<'_>) -> String {
    let part = |part: &PartNumber| {
        let numbers: Vec<String> = part.0.as_ref().iter().map(ToString::to_string).collect();
        numbers.join(".")
    };
    let within = |outer: &Option<PartNumber>, text: &str| match outer {
        Some(outer) => format!("{}.{text}", part(outer)),
        None => text.to_owned(),
    };
    let list = |names: &[AString<'_>]| {
        let names: Vec<_> = names.iter().map(|name| field_name(name)).collect();
        names.join(" ")
    };
    match section {
        Section::Part(number) => part(number),
        Section::Header(outer) => within(outer, "HEADER"),
        Section::HeaderFields(outer, names) => {
            let names = list(names.as_ref());
            within(outer, &format!("HEADER.FIELDS ({names})"))
        }
        Section::HeaderFieldsNot(outer, names) => {
            let names = list(names.as_ref());
            within(outer, &format!("HEADER.FIELDS.NOT ({names})"))
        }
        Section::Text(outer) => within(outer, "TEXT"),
        Section::Mime(outer) => format!("{}.MIME", part(outer)),
    }
}

fn field_name(name: &AString<'_>) -> String {
    let text = String::from_utf8_lossy(name.as_ref()).into_owned();
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    if !text.is_empty() && text.bytes().all(plain) {
        return text;
    }
    super::list::quoted(&text)
}

fn find<'a>(root: &'a Part, number: &PartNumber) -> Option<&'a Part> {
    let mut found = root;
    // The message in which the next number counts, if the part is one.
    let mut message = Some(root);
    for number in number.0.as_ref() {
        let index = usize::try_from(number.get()).ok()?.checked_sub(1)?;
        let holder = message.unwrap_or(found);
        found = if holder.is_multipart() {
            holder.children.get(index)?
        } else if message.is_some() && index == 0 {
            holder
        } else {
            return None;
        };
        message = found.embedded();
    }
    Some(found)
}

/// The message whose header and text a section within a part names.
fn message_of<'a>(root: &'a Part, outer: Option<&PartNumber>) -> Option<&'a Part> {
    match outer {
        None => Some(root),
        Some(number) => find(root, number)?.embedded(),
    }
}

/// The octets of a section, or nothing if there is no such part.
pub(super) fn content<'a>(
    octets: &'a [u8],
    root: &Part,
    section: &Section<'_>,
) -> Option<Cow<'a, [u8]>> {
    let slice = |range: std::ops::Range<usize>| octets.get(range).map(Cow::Borrowed);
    match section {
        Section::Part(number) => slice(find(root, number)?.body.clone()),
        Section::Mime(number) => slice(find(root, number)?.header.clone()),
        Section::Header(outer) => slice(message_of(root, outer.as_ref())?.header.clone()),
        Section::Text(outer) => slice(message_of(root, outer.as_ref())?.body.clone()),
        Section::HeaderFields(outer, names) => {
            let header = message_of(root, outer.as_ref())?.header.clone();
            Some(chosen(octets.get(header)?, names.as_ref(), true))
        }
        Section::HeaderFieldsNot(outer, names) => {
            let header = message_of(root, outer.as_ref())?.header.clone();
            Some(chosen(octets.get(header)?, names.as_ref(), false))
        }
    }
}

/// The fields of these names, or all others, and the empty line.
fn chosen<'a>(header: &[u8], names: &[AString<'_>], wanted: bool) -> Cow<'a, [u8]> {
    let mut out = Vec::new();
    for field in mime::fields(header) {
        let named = names
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name.as_ref()));
        if named == wanted {
            out.extend_from_slice(field.whole);
        }
    }
    out.extend_from_slice(b"\r\n");
    Cow::Owned(out)
}
