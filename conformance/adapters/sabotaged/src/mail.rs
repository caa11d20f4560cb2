//! What the faults look at in a mail. They need not be right about every mail, only about those
//! that show the fault.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header section, in lower case.
pub(crate) fn header(mail: &str) -> String {
    let end = mail.find("\r\n\r\n").or_else(|| mail.find("\n\n"));
    mail[..end.unwrap_or(mail.len())].to_ascii_lowercase()
}

/// Whether a mail is sealed.
pub(crate) fn is_sealed(mail: &str) -> bool {
    header(mail).contains("multipart/encrypted")
}

/// A field of the header section, in lower case.
pub(crate) fn field(mail: &str, name: &str) -> Option<String> {
    let header = header(mail).replace("\r\n ", " ").replace("\r\n\t", " ");
    let start = format!("{name}:");
    let line = header.lines().find_map(|line| line.strip_prefix(&start));
    line.map(|value| value.trim().to_owned())
}

/// A mail or payload with its base64 parts decoded, so that the documents in them can be read.
pub(crate) fn readable(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let parts = text
        .split("\n--")
        .map(|part| match part.split_once("\n\n") {
            Some((header, body)) if header.to_ascii_lowercase().contains("base64") => {
                let body: String = body.split_whitespace().collect();
                let octets = STANDARD.decode(body).unwrap_or_default();
                format!("{header}\n\n{}", String::from_utf8_lossy(&octets))
            }
            _ => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join("\n--")
}

/// A mail with more in front of its header section.
pub(crate) fn with_field(mail: &[u8], field: &str) -> Vec<u8> {
    [field.as_bytes(), b"\r\n", mail].concat()
}

/// The contents of all elements of a name, without the markup in them.
pub(crate) fn elements(text: &str, name: &str) -> Vec<String> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let found = text.split(&start).skip(1);
    let found = found.filter_map(|after| Some(after.split_once(&end)?.0.to_owned()));
    found.collect()
}
