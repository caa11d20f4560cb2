//! A tree of parts, and how it is written.

use super::encode::{base64_lines, fold, quoted_printable};

/// A Content-Transfer-Encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
    /// 7bit: the octets as they stand.
    SevenBit,
}

/// A MIME part, or a whole mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Header fields in order, unfolded, ASCII.
    pub fields: Vec<(String, String)>,
    /// What follows the header.
    pub body: Body,
}

/// The body of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Content, encoded when written; the field for it is written too.
    Content(Vec<u8>, TransferEncoding),
    /// Parts between boundaries.
    Multipart {
        /// The boundary; the field Content-Type names it.
        boundary: String,
        /// The parts.
        parts: Vec<Part>,
        /// Text before the first boundary.
        preamble: String,
        /// Text after the last boundary.
        epilogue: String,
    },
    /// Octets as they stand.
    Raw(Vec<u8>),
}

impl Part {
    /// A part with content.
    pub fn content(kind: &str, content: impl Into<Vec<u8>>, encoding: TransferEncoding) -> Self {
        Self {
            fields: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: Body::Content(content.into(), encoding),
        }
    }

    /// A text in UTF-8; its lines end in LF and are written with CRLF.
    pub fn text(text: &str) -> Self {
        let encoding = match text.is_ascii() && text.lines().all(|line| line.len() <= 76) {
            true => TransferEncoding::SevenBit,
            false => TransferEncoding::QuotedPrintable,
        };
        let text = text.replace('\n', "\r\n");
        Self::content("text/plain; charset=utf-8", text, encoding)
    }

    /// Parts together. `kind` has all parameters but the boundary.
    pub fn multipart(kind: &str, boundary: &str, parts: Vec<Self>) -> Self {
        Self {
            fields: vec![(
                "Content-Type".to_owned(),
                format!("{kind}; boundary=\"{boundary}\""),
            )],
            body: Body::Multipart {
                boundary: boundary.to_owned(),
                parts,
                preamble: String::new(),
                epilogue: String::new(),
            },
        }
    }

    /// With one more header field, at the end.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With these header fields before its own.
    #[must_use]
    pub fn fields_first(mut self, mut fields: Vec<(String, String)>) -> Self {
        fields.append(&mut self.fields);
        self.fields = fields;
        self
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Sets or adds a field.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut fields = self.fields.iter_mut();
        match fields.find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(field) => field.1 = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The media type without parameters.
    pub fn kind(&self) -> &str {
        let value = self.get("Content-Type").unwrap_or("text/plain");
        value.split(';').next().unwrap_or_default().trim()
    }

    /// The parts of a multipart.
    pub fn parts(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::Multipart { parts, .. } => Some(parts),
            _ => None,
        }
    }

    /// The first part below this one with that media type.
    pub fn find(&mut self, kind: &str) -> Option<&mut Self> {
        self.parts()?.iter_mut().find(|part| part.kind() == kind)
    }

    /// The octets of the part, its lines ending in CRLF.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.fields {
            out.extend(fold(name, value).into_bytes());
        }
        match &self.body {
            Body::Content(content, encoding) => write_content(out, content, *encoding),
            Body::Raw(octets) => {
                out.extend(b"\r\n");
                out.extend(octets);
            }
            Body::Multipart {
                boundary,
                parts,
                preamble,
                epilogue,
            } => {
                out.extend(format!("\r\n{preamble}").into_bytes());
                for part in parts {
                    out.extend(format!("\r\n--{boundary}\r\n").into_bytes());
                    part.write(out);
                }
                out.extend(format!("\r\n--{boundary}--\r\n{epilogue}").into_bytes());
            }
        }
    }
}

fn write_content(out: &mut Vec<u8>, content: &[u8], encoding: TransferEncoding) {
    let (name, text) = match encoding {
        TransferEncoding::SevenBit => ("7bit", content.to_vec()),
        TransferEncoding::Base64 => ("base64", base64_lines(content).into_bytes()),
        TransferEncoding::QuotedPrintable => {
            ("quoted-printable", quoted_printable(content).into_bytes())
        }
    };
    out.extend(format!("Content-Transfer-Encoding: {name}\r\n\r\n").into_bytes());
    out.extend(text);
}
