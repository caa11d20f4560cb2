//! Ready-made changes to mail in transit, for [`crate::DeliveryAction::Transform`].
//!
//! Each does what some real server or list does to mail that passes through it. All take any
//! octets and never fail; what they don't understand they leave alone.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mime::{self, Part};

/// A change to a whole message.
pub type Transform = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// Folds every header field anew at white space, so that lines stay below `width` where they can.
pub fn refold_headers(width: usize) -> Transform {
    Arc::new(move |message| {
        let (header, body) = mime::split_header(message);
        let mut out = Vec::with_capacity(message.len() + 64);
        for field in mime::fields(header) {
            let unfolded = mime::unfold(field.whole);
            let mut column = 0;
            for (index, word) in unfolded.split(|octet| *octet == b' ').enumerate() {
                if index > 0 && column + word.len() + 1 > width && !word.is_empty() {
                    out.extend_from_slice(b"\r\n ");
                    column = 1;
                } else if index > 0 {
                    out.push(b' ');
                    column += 1;
                }
                out.extend_from_slice(word);
                column += word.len();
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(body_with_separator(message, header, body));
        out
    })
}

/// Header fields that [`strip_unknown_headers`] keeps.
const KNOWN: [&str; 22] = [
    "authentication-results",
    "auto-submitted",
    "bcc",
    "cc",
    "content-description",
    "content-disposition",
    "content-id",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
    "user-agent",
];

/// Takes away all header fields of the message that are not common ones.
pub fn strip_unknown_headers() -> Transform {
    Arc::new(|message| {
        let (header, body) = mime::split_header(message);
        let mut out = Vec::with_capacity(message.len());
        for field in mime::fields(header) {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            if KNOWN.contains(&name.as_str()) {
                out.extend_from_slice(field.whole);
            }
        }
        out.extend_from_slice(body_with_separator(message, header, body));
        out
    })
}

/// What a mailing list does: adds List-Id and a tag in the subject, wraps the body into a
/// multipart/mixed, and adds a text/plain footer.
pub fn list_footer(list: &str, footer: &str) -> Transform {
    let (list, footer) = (list.to_owned(), footer.to_owned());
    Arc::new(move |message| {
        let (header, body) = mime::split_header(message);
        let boundary = "=_list_footer_boundary";
        let (mut outer, mut inner) = (Vec::new(), Vec::new());
        for field in mime::fields(header) {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            if name == "subject" {
                let subject = String::from_utf8_lossy(field.value).trim_start().to_owned();
                outer.extend_from_slice(format!("Subject: [{list}] {subject}\r\n").as_bytes());
            } else if name.starts_with("content-") {
                inner.extend_from_slice(field.whole);
            } else if name != "mime-version" {
                outer.extend_from_slice(field.whole);
            }
        }
        let mut out = outer;
        let head = format!(
            "List-Id: <{list}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&inner);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        let tail = format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 8bit\r\n\r\n{footer}\r\n--{boundary}--\r\n"
        );
        out.extend_from_slice(tail.as_bytes());
        out
    })
}

/// Puts a text after the message's last octet, as careless gateways do.
pub fn append_text(text: &str) -> Transform {
    let text = text.to_owned();
    Arc::new(move |message| {
        let mut out = message.to_vec();
        out.extend_from_slice(text.as_bytes());
        out
    })
}

/// Encodes every base64 part anew as quoted-printable.
pub fn base64_to_quoted_printable() -> Transform {
    Arc::new(|message| {
        reencode(message, "base64", "quoted-printable", |body| {
            let tight: Vec<u8> = body
                .iter()
                .copied()
                .filter(|octet| !octet.is_ascii_whitespace())
                .collect();
            STANDARD
                .decode(tight)
                .ok()
                .map(|octets| quoted_printable(&octets))
        })
    })
}

/// Breaks the lines of every base64 part anew at `width` characters.
pub fn rewrap_base64(width: usize) -> Transform {
    let width = width.max(4);
    Arc::new(move |message| {
        reencode(message, "base64", "base64", |body| {
            let mut out = Vec::with_capacity(body.len() + body.len() / width * 2);
            let tight = body.iter().filter(|octet| !octet.is_ascii_whitespace());
            for (index, octet) in tight.enumerate() {
                if index > 0 && index % width == 0 {
                    out.extend_from_slice(b"\r\n");
                }
                out.push(*octet);
            }
            out.extend_from_slice(b"\r\n");
            Some(out)
        })
    })
}

/// Makes every CRLF a bare LF, as a mailbox on a Unix file system does.
pub fn bare_line_feeds() -> Transform {
    Arc::new(|message| {
        let mut out = Vec::with_capacity(message.len());
        let mut octets = message.iter().peekable();
        while let Some(octet) = octets.next() {
            if *octet != b'\r' || octets.peek() != Some(&&b'\n') {
                out.push(*octet);
            }
        }
        out
    })
}

fn body_with_separator<'a>(message: &'a [u8], header: &[u8], body: &'a [u8]) -> &'a [u8] {
    let fields: usize = mime::fields(header)
        .iter()
        .map(|field| field.whole.len())
        .sum();
    message.get(fields..).unwrap_or(body)
}

/// Replaces the bodies of all leaves with one transfer encoding.
fn reencode(
    message: &[u8],
    from: &str,
    to: &str,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let root = mime::parse(message);
    let mut leaves = Vec::new();
    collect_leaves(&root, &mut leaves);
    let mut out = Vec::with_capacity(message.len() * 2);
    let mut done = 0;
    for leaf in leaves {
        let header = message.get(leaf.header.clone()).unwrap_or_default();
        let body = message.get(leaf.body.clone()).unwrap_or_default();
        let encoding = mime::field(header, "content-transfer-encoding");
        let encoding = encoding.map(|value| String::from_utf8_lossy(&value).trim().to_owned());
        let Some(changed) = encoding
            .filter(|encoding| encoding.eq_ignore_ascii_case(from))
            .and_then(|_| change(body))
        else {
            continue;
        };
        out.extend_from_slice(message.get(done..leaf.header.start).unwrap_or_default());
        for field in mime::fields(header) {
            if field
                .name
                .eq_ignore_ascii_case(b"content-transfer-encoding")
            {
                out.extend_from_slice(format!("Content-Transfer-Encoding: {to}\r\n").as_bytes());
            } else {
                out.extend_from_slice(field.whole);
            }
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&changed);
        done = leaf.body.end;
    }
    out.extend_from_slice(message.get(done..).unwrap_or_default());
    out
}

fn collect_leaves<'a>(part: &'a Part, leaves: &mut Vec<&'a Part>) {
    if part.children.is_empty() {
        leaves.push(part);
    }
    for child in &part.children {
        collect_leaves(child, leaves);
    }
}

/// Without a line end after it: that would be one more octet of the content.
fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() * 2);
    let mut column = 0;
    for octet in octets {
        if column > 72 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if matches!(octet, b'!'..=b'<' | b'>'..=b'~') {
            out.push(*octet);
            column += 1;
        } else {
            out.extend_from_slice(format!("={octet:02X}").as_bytes());
            column += 3;
        }
    }
    out
}
