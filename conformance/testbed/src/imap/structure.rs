//! BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2).

use super::envelope;
use crate::mime::{self, Parameterized, Part};

/// A string as IMAP writes it: quoted, or a literal where it must be.
pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    let quotable = |octet: &u8| matches!(octet, b' '..=b'~');
    if text.len() <= 1_000 && text.iter().all(quotable) {
        out.push(b'"');
        for octet in text {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*octet);
        }
        out.push(b'"');
    } else {
        // A NUL cannot stand in a literal (RFC 3501 section 4.3).
        let text: Vec<u8> = text.iter().copied().filter(|octet| *octet != 0).collect();
        out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
        out.extend_from_slice(&text);
    }
}

/// A string or NIL.
pub(super) fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

fn params(out: &mut Vec<u8>, params: &[(String, String)]) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, (name, value)) in params.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(out, name.as_bytes());
        out.push(b' ');
        string(out, value.as_bytes());
    }
    out.push(b')');
}

fn trimmed_field(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let value = mime::field(header, name)?;
    Some(value.trim_ascii().to_vec())
}

fn disposition(out: &mut Vec<u8>, found: Option<&Parameterized>) {
    match found {
        None => out.extend_from_slice(b"NIL"),
        Some(found) => {
            out.push(b'(');
            string(out, found.value.as_bytes());
            out.push(b' ');
            params(out, &found.params);
            out.push(b')');
        }
    }
}

fn extension(out: &mut Vec<u8>, header: &[u8]) {
    let found = mime::field(header, "content-disposition");
    let found = found.map(|value| mime::parameterized(&value));
    out.push(b' ');
    disposition(out, found.as_ref().filter(|found| !found.value.is_empty()));
    out.push(b' ');
    languages(out, header);
    out.push(b' ');
    nstring(out, trimmed_field(header, "content-location").as_deref());
}

fn languages(out: &mut Vec<u8>, header: &[u8]) {
    let field = trimmed_field(header, "content-language").unwrap_or_default();
    let field = mime::without_comments(&String::from_utf8_lossy(&field));
    let tags: Vec<&str> = field
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .collect();
    if tags.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, tag) in tags.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(out, tag.as_bytes());
    }
    out.push(b')');
}

/// Writes the structure of a part; with the extension data if asked.
pub(super) fn write(out: &mut Vec<u8>, octets: &[u8], part: &Part, extended: bool) {
    let header = octets.get(part.header.clone()).unwrap_or_default();
    out.push(b'(');
    if part.is_multipart() {
        for child in &part.children {
            write(out, octets, child, extended);
        }
        out.push(b' ');
        string(out, part.content_type.media().1.as_bytes());
        if extended {
            out.push(b' ');
            params(out, &part.content_type.params);
            extension(out, header);
        }
    } else {
        leaf(out, octets, part, extended);
        if extended {
            out.push(b' ');
            nstring(out, trimmed_field(header, "content-md5").as_deref());
            extension(out, header);
        }
    }
    out.push(b')');
}

fn leaf(out: &mut Vec<u8>, octets: &[u8], part: &Part, extended: bool) {
    let header = octets.get(part.header.clone()).unwrap_or_default();
    let body = octets.get(part.body.clone()).unwrap_or_default();
    let (kind, subtype) = match part.content_type.media() {
        // A multipart without parts is nothing that a client could open.
        ("multipart", _) => ("text", "plain"),
        media => media,
    };
    string(out, kind.as_bytes());
    out.push(b' ');
    string(out, subtype.as_bytes());
    out.push(b' ');
    if kind == "text" && part.content_type.param("charset").is_none() {
        let mut with_charset = part.content_type.params.clone();
        with_charset.push(("charset".to_owned(), "us-ascii".to_owned()));
        params(out, &with_charset);
    } else {
        params(out, &part.content_type.params);
    }
    out.push(b' ');
    nstring(out, trimmed_field(header, "content-id").as_deref());
    out.push(b' ');
    nstring(out, trimmed_field(header, "content-description").as_deref());
    out.push(b' ');
    let encoding = trimmed_field(header, "content-transfer-encoding");
    string(out, encoding.as_deref().unwrap_or(b"7bit"));
    out.extend_from_slice(format!(" {}", body.len()).as_bytes());
    let lines = body.iter().filter(|octet| **octet == b'\n').count();
    if let Some(embedded) = part.embedded() {
        out.push(b' ');
        envelope::write(out, octets.get(embedded.header.clone()).unwrap_or_default());
        out.push(b' ');
        write(out, octets, embedded, extended);
        out.extend_from_slice(format!(" {lines}").as_bytes());
    } else if kind == "text" {
        out.extend_from_slice(format!(" {lines}").as_bytes());
    } else if kind == "message" && matches!(subtype, "rfc822" | "global") {
        // Nested too deep to be looked at: an empty message keeps the form.
        out.push(b' ');
        envelope::write(out, b"");
        out.extend_from_slice(b" (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0");
        if extended {
            out.extend_from_slice(b" NIL NIL NIL NIL");
        }
        out.extend_from_slice(format!(") {lines}").as_bytes());
    }
}
