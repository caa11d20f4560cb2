//! Writing mail: the payload of a delivery, the sealed mail around it, and open mail
//! (specification, chapter "Mail format").

use kith_spec::{limit, req};
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::agent::media::Carried;

use super::mime::{CERTIFICATE, DELIVERY, OBJECT};
use crate::gate::Gate;

/// What Kith is, in the one line that stands below every fallback.
pub const ABOUT: &str = "This is Kith: a private social network over ordinary mail.";
/// Lines are this long at most, where they can be (`mail.lines`).
const COLUMNS: usize = 76;
const HIDDEN_SUBJECT: &str = "[...]";
const DESCRIPTION: &str = "Private Kith mail, readable with Kith or with the key.";

/// The header fields that exist outside and, protected, inside.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The sender's address.
    pub from: String,
    /// The recipient's address.
    pub to: String,
    /// The time of sending, unix seconds.
    pub date: i64,
    /// Without angle brackets.
    pub message_id: String,
    /// The subject for the reader; outside of a sealed mail only a placeholder shows.
    pub subject: String,
    /// The subject outside.
    pub outer_subject: String,
    /// Whether no person's action caused this mail directly.
    pub automatic: bool,
}

impl Fields {
    /// Fields of a sealed mail, whose subject is hidden.
    #[must_use]
    pub fn hidden(mut self, gate: &dyn Gate) -> Self {
        let hidden = gate.enforces(&req::MAIL_SUBJECT);
        let shown = if hidden {
            HIDDEN_SUBJECT
        } else {
            &self.subject
        };
        self.outer_subject = shown.to_owned();
        self
    }

    fn outer(&self) -> Vec<(&'static str, String)> {
        let date =
            OffsetDateTime::from_unix_timestamp(self.date).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        vec![
            ("From", self.from.clone()),
            ("To", self.to.clone()),
            ("Date", date.format(&Rfc2822).unwrap_or_default()),
            ("Message-ID", format!("<{}>", self.message_id)),
            ("Subject", self.outer_subject.clone()),
        ]
    }

    /// The header section up to the fields of MIME.
    fn header(&self, gate: &dyn Gate) -> Vec<u8> {
        let mut header = Vec::new();
        for (name, value) in self.outer() {
            header.extend(field(name, &value));
        }
        if !gate.enforces(&req::MAIL_OUTER_ADDRESSES) {
            header.extend(field("Reply-To", &format!("Somebody <{}>", self.from)));
        }
        if self.automatic && gate.enforces(&req::MAIL_AUTO_SUBMITTED) {
            header.extend(b"Auto-Submitted: auto-generated\r\n");
        }
        if gate.enforces(&req::MAIL_KITH_VERSION) {
            header.extend(b"Kith-Version: 1.0\r\n");
        }
        header.extend(b"MIME-Version: 1.0\r\n");
        header
    }
}

/// The parts of a mail.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Plain text for people.
    pub fallback: String,
    /// The delivery document, in sealed mail.
    pub delivery: Option<Vec<u8>>,
    /// Signed object messages.
    pub objects: Vec<Vec<u8>>,
    /// Armored certificates.
    pub certificates: Vec<Vec<u8>>,
    /// Media.
    pub media: Vec<Carried>,
}

impl Parts {
    fn into_mime(self, gate: &dyn Gate) -> Vec<MimePart<'static>> {
        if !gate.enforces(&req::MAIL_FALLBACK) {
            let bare = Self {
                fallback: String::new(),
                ..self
            };
            return bare.into_mime(&crate::gate::Strict).split_off(1);
        }
        let fallback = format!("{}\n\n-- \n{ABOUT}\n", self.fallback.trim_end());
        let mut parts = vec![MimePart::new(
            ContentType::new("text/plain").attribute("charset", "utf-8"),
            fallback.replace("\r\n", "\n").replace('\n', "\r\n"),
        )];
        let binary = |media_type: &'static str, content: Vec<u8>| {
            MimePart::new(
                ContentType::new(media_type),
                BodyPart::Binary(content.into()),
            )
        };
        parts.extend(self.delivery.map(|document| binary(DELIVERY, document)));
        parts.extend(
            self.objects
                .into_iter()
                .map(|object| binary(OBJECT, object)),
        );
        parts.extend(
            self.certificates
                .into_iter()
                .map(|armor| binary(CERTIFICATE, armor)),
        );
        parts.extend(self.media.into_iter().map(medium));
        parts
    }
}

/// A medium as ordinary mail programs show it: a picture in place, everything else to save.
fn medium(carried: Carried) -> MimePart<'static> {
    let part = MimePart::new(
        ContentType::new(carried.media_type.clone()),
        BodyPart::Binary(carried.octets.into()),
    );
    match carried.name {
        Some(name) => part.attachment(name),
        None => part.inline(),
    }
}

/// The entity to be signed and encrypted, padded.
#[must_use]
pub fn payload(gate: &dyn Gate, fields: &Fields, parts: Parts, boundary: &str) -> Vec<u8> {
    let content_type = ContentType::new("multipart/mixed")
        .attribute("hp", "cipher")
        // What mail programs read that are older than RFC 9788, Thunderbird among them.
        .attribute("protected-headers", "v1")
        .attribute("boundary", boundary.to_owned());
    let mut payload = Vec::new();
    for (name, value) in fields.outer() {
        let value = if name == "Subject" {
            &fields.subject
        } else {
            &value
        };
        payload.extend(field(name, value));
    }
    if gate.enforces(&req::MAIL_HEADER_PROTECTION) {
        for (name, value) in fields.outer() {
            payload.extend(field("HP-Outer", &format!("{name}: {value}")));
        }
    }
    let root = MimePart::new(content_type, parts.into_mime(gate));
    payload.extend(b"MIME-Version: 1.0\r\n");
    write(root, &mut payload);
    if gate.enforces(&req::MAIL_PADDING) {
        pad(&mut payload);
    }
    payload
}

/// Pads to the next bucket, by lines in the epilogue.
fn pad(payload: &mut Vec<u8>) {
    let buckets = (12..).map(|bits| 1_usize << bits);
    let mut buckets = buckets.take_while(|&size| size as u64 <= limit::PADDING_LARGEST);
    // Room for the line end before the padding and the one after it.
    let Some(size) = buckets.find(|&size| size >= payload.len() + 4) else {
        return;
    };
    payload.extend(b"\r\n");
    while payload.len() < size {
        let line = (size - payload.len()).min(74);
        // Never leave an odd octet that can't hold a line end.
        let line = if size - payload.len() - line == 1 {
            line - 1
        } else {
            line
        };
        payload.extend(std::iter::repeat_n(b'=', line.saturating_sub(2)));
        payload.extend(b"\r\n");
    }
}

/// A sealed mail around an armored OpenPGP message.
#[must_use]
pub fn sealed(gate: &dyn Gate, fields: &Fields, armored: &[u8], boundary: &str) -> Vec<u8> {
    let content_type = ContentType::new("multipart/encrypted")
        .attribute("protocol", "application/pgp-encrypted")
        .attribute("boundary", boundary.to_owned());
    let control = MimePart::new(
        ContentType::new("application/pgp-encrypted"),
        "Version: 1\r\n",
    )
    .transfer_encoding("7bit");
    let armored = String::from_utf8_lossy(armored)
        .replace("\r\n", "\n")
        .replace('\n', "\r\n");
    let message = MimePart::new(
        ContentType::new("application/octet-stream").attribute("name", "encrypted.asc"),
        armored,
    )
    .inline()
    .transfer_encoding("7bit");
    let message = if gate.enforces(&req::MAIL_CONTENT_DESCRIPTION) {
        message.header("Content-Description", Raw::new(DESCRIPTION))
    } else {
        message
    };
    let mut mail = fields.header(gate);
    write(
        MimePart::new(content_type, vec![control, message]),
        &mut mail,
    );
    mail
}

/// An open mail.
#[must_use]
pub fn open(gate: &dyn Gate, fields: &Fields, parts: Parts, boundary: &str) -> Vec<u8> {
    let content_type =
        ContentType::new("multipart/mixed").attribute("boundary", boundary.to_owned());
    let mut mail = fields.header(gate);
    write(
        MimePart::new(content_type, parts.into_mime(gate)),
        &mut mail,
    );
    mail
}

fn write(part: MimePart<'_>, output: &mut Vec<u8>) {
    // Writing into memory doesn't fail.
    let written = part.write_part(&mut *output);
    debug_assert!(written.is_ok());
}

/// One header field, encoded and folded at 76 columns where it can be.
fn field(name: &str, value: &str) -> Vec<u8> {
    crate::implements!(req::MAIL_LINES, req::MAIL_SEVEN_BIT);
    use mail_builder::headers::Header;
    if name.ends_with("Subject") && !value.is_ascii() {
        let mut field = format!("{name}: ").into_bytes();
        let start = field.len();
        // Writing into memory doesn't fail.
        let written = Text::new(value).write_header(&mut field, start);
        debug_assert!(written.is_ok());
        return field;
    }
    // An address that needs SMTPUTF8 goes as UTF-8 (RFC 6532).
    let mut field = format!("{name}:");
    let mut column = field.len();
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if column + 1 + word.len() > COLUMNS && column > 1 {
            field.push_str("\r\n");
            column = 0;
        }
        field.push(' ');
        field.push_str(word);
        column += 1 + word.len();
    }
    field.push_str("\r\n");
    field.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::mime::Entity;
    use super::*;
    use crate::gate::Strict;

    fn fields() -> Fields {
        Fields {
            from: "alice@a.test".to_owned(),
            to: "bob@b.test".to_owned(),
            date: 1_800_000_000,
            message_id: "x@a.test".to_owned(),
            subject: "Žofie wrote: a long and private subject that has to be folded somewhere"
                .to_owned(),
            outer_subject: String::new(),
            automatic: false,
        }
        .hidden(&Strict)
    }

    #[test]
    fn payloads_have_the_size_of_a_bucket() {
        for length in [0, 10, 1000, 3000, 5000, 40_000] {
            let parts = Parts {
                fallback: "x".repeat(length),
                ..Parts::default()
            };
            let payload = payload(&Strict, &fields(), parts, "b");
            assert!(
                payload.len().is_power_of_two() && payload.len() >= 4096,
                "{}",
                payload.len()
            );
            assert!(payload.ends_with(b"\r\n"));
        }
    }

    #[test]
    fn a_sealed_mail_is_short_lined_ascii() {
        let mail = sealed(
            &Strict,
            &fields(),
            b"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n",
            "b",
        );
        for line in mail.split(|&octet| octet == b'\n') {
            assert!(line.len() <= 77, "{}", String::from_utf8_lossy(line));
        }
        let entity = Entity::parse(&mail).unwrap();
        assert_eq!(
            entity.children,
            ["application/pgp-encrypted", "application/octet-stream"]
        );
        assert_eq!(entity.field("subject").collect::<Vec<_>>(), ["[...]"]);
    }
}
