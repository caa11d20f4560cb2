//! What the generated encoders call: documents in UTF-8 with an XML
//! declaration, without indentation, the same octets for the same value.

use std::borrow::Cow;
use std::fmt::Display;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use crate::NAMESPACE;
use crate::error::{EncodeError, EncodeReason};
use crate::limits::XML_OCTETS;

/// A value that one element holds.
pub trait Encode {
    /// Writes the value as the element `name`.
    fn write(&self, name: &'static str, out: &mut Encoder) -> Result<(), EncodeError>;
}

/// Encodes a document whose root is the element `name`.
pub fn document<T: Encode>(value: &T, name: &'static str) -> Result<Vec<u8>, EncodeError> {
    let mut out = Encoder {
        writer: Writer::new(Vec::new()),
        path: Vec::new(),
    };
    out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    value.write(name, &mut out)?;
    let document = out.writer.into_inner();
    if document.len() > XML_OCTETS {
        let octets = document.len();
        return Err(EncodeError {
            path: "/".to_owned(),
            reason: EncodeReason::TooLarge { octets },
        });
    }
    Ok(document)
}

/// Writes elements.
pub struct Encoder {
    writer: Writer<Vec<u8>>,
    path: Vec<&'static str>,
}

/// A start tag in the making.
pub struct Start(BytesStart<'static>);

impl Start {
    /// Adds an attribute.
    pub fn with(mut self, name: &'static str, value: &impl Display) -> Self {
        self.push(name, &value.to_string());
        self
    }

    /// Adds an attribute if there is a value.
    pub fn with_optional(self, name: &'static str, value: Option<&impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn push(&mut self, name: &'static str, value: &str) {
        let value = Cow::Owned(escape(value, true).into_owned());
        self.0.push_attribute(Attribute {
            key: QName(name),
            value,
        });
    }
}

impl Encoder {
    /// Begins the start tag of an element.
    pub fn start(&self, name: &'static str) -> Start {
        let mut start = Start(BytesStart::new(name));
        if self.path.is_empty() {
            start.push("xmlns", NAMESPACE);
        }
        start
    }

    /// Writes an element without content.
    pub fn empty(&mut self, start: Start) {
        self.event(Event::Empty(start.0));
    }

    /// Writes a start tag.
    pub fn open(&mut self, name: &'static str, start: Start) {
        self.path.push(name);
        self.event(Event::Start(start.0));
    }

    /// Writes text.
    pub fn text(&mut self, text: &impl Display) {
        let text = text.to_string();
        self.event(Event::Text(BytesText::from_escaped(escape(&text, false))));
    }

    /// Writes an end tag.
    pub fn close(&mut self, name: &'static str) {
        self.path.pop();
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes elements of one name, between `min` and `max` of them.
    pub fn repeated<T: Encode>(
        &mut self,
        name: &'static str,
        values: &[T],
        min: usize,
        max: usize,
    ) -> Result<(), EncodeError> {
        let found = values.len();
        if found < min || found > max {
            return Err(self.error(EncodeReason::Occurrence {
                name,
                found,
                min,
                max,
            }));
        }
        values.iter().try_for_each(|value| value.write(name, self))
    }

    /// An error in the element that is open.
    pub fn error(&self, reason: EncodeReason) -> EncodeError {
        EncodeError {
            path: format!("/{}", self.path.join("/")),
            reason,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        self.writer
            .write_event(event)
            .expect("writing to memory because a Vec takes any octets");
    }
}

/// Escapes markup, and the white space that a parser would change.
fn escape(text: &str, attribute: bool) -> Cow<'_, str> {
    let special = |c: char| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        '"' if attribute => Some("&quot;"),
        '\t' if attribute => Some("&#9;"),
        '\n' if attribute => Some("&#10;"),
        _ => None,
    };
    if !text.contains(|c| special(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match special(c) {
            Some(entity) => escaped.push_str(entity),
            None => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}
