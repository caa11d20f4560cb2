//! What XML the protocol takes, checked before a parser builds anything.
//!
//! One pass over the octets: size, UTF-8, the XML declaration, no document
//! type declaration, the limits, and the rules of XML 1.0
//! and Namespaces in XML 1.0 that the tree parser does not check (targets of
//! processing instructions, character references to surrogates, colons,
//! `xmlns` twice or undeclared prefixes). Everything else is the parser's.

use std::borrow::Cow;

use crate::error::{DecodeError, DecodeReason};
use crate::limits::{XML_ATTRIBUTES, XML_DEPTH, XML_NODES, XML_OCTETS, XML_PREFIXES};

/// Checks `octets` and returns the text, without byte order mark and with
/// line ends normalised (XML 1.0, section 2.11).
pub(crate) fn check(octets: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    if octets.len() > XML_OCTETS {
        let octets = octets.len();
        return Err(error_at("", 0, DecodeReason::TooLarge { octets }));
    }
    let text = std::str::from_utf8(octets).map_err(|error| {
        let valid = std::str::from_utf8(&octets[..error.valid_up_to()]).unwrap_or_default();
        error_at(valid, valid.len(), DecodeReason::Utf8)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with('\u{feff}') {
        return Err(error_at(
            "",
            0,
            malformed("text in front of the root element"),
        ));
    }
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let mut scan = Scan {
        text: &text,
        at: 0,
        nodes: 0,
        open: Vec::new(),
        prefixes: 0,
    };
    scan.document()
        .map_err(|reason| error_at(&text, scan.at, reason))?;
    Ok(text)
}

/// An error at an offset of `text`, where no element is known yet.
pub(crate) fn error_at(text: &str, offset: usize, reason: DecodeReason) -> DecodeError {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    DecodeError {
        path: "/".to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        reason,
    }
}

fn malformed(message: &str) -> DecodeReason {
    DecodeReason::NotWellFormed(message.to_owned())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    /// How many prefixes each open element declares.
    open: Vec<usize>,
    /// How many they declare together.
    prefixes: usize,
}

/// What is known of a start tag so far.
#[derive(Default)]
struct Tag {
    attributes: usize,
    default_namespaces: usize,
    prefixes: usize,
}

impl<'a> Scan<'a> {
    fn document(&mut self) -> Result<(), DecodeReason> {
        self.declaration()?;
        let bytes = self.text.as_bytes();
        while let Some(found) = bytes[self.at..]
            .iter()
            .position(|b| matches!(b, b'<' | b'&'))
        {
            self.at += found;
            let rest = &bytes[self.at..];
            if rest[0] == b'<' && !rest.starts_with(b"</") {
                self.nodes += 1;
            }
            if rest[0] == b'&' {
                self.reference(self.at)?;
                self.at += 1;
            } else if rest.starts_with(b"<!--") {
                self.skip(4, "-->");
            } else if rest.starts_with(b"<![CDATA[") {
                self.skip(9, "]]>");
            } else if rest.starts_with(b"<!") {
                return Err(DecodeReason::Doctype);
            } else if rest.starts_with(b"<?") {
                self.instruction()?;
            } else if rest.starts_with(b"</") {
                self.prefixes -= self.open.pop().unwrap_or(0);
                self.skip(2, ">");
            } else {
                self.start_tag()?;
            }
            if self.nodes > XML_NODES {
                return Err(DecodeReason::TooManyNodes);
            }
        }
        Ok(())
    }

    /// Goes on behind the next `end`; without one, to the end, where the parser will complain.
    fn skip(&mut self, opening: usize, end: &str) {
        let from = self.at + opening;
        self.at = match self.text[from..].find(end) {
            Some(found) => from + found + end.len(),
            None => self.text.len(),
        };
    }

    fn declaration(&mut self) -> Result<(), DecodeReason> {
        let Some(rest) = self.text.strip_prefix("<?xml") else {
            return Ok(());
        };
        if !rest.as_bytes().first().copied().is_some_and(is_space) {
            return Ok(());
        }
        let (content, _) = rest.split_once("?>").ok_or(DecodeReason::Declaration)?;
        if !is_declaration(content) {
            return Err(DecodeReason::Declaration);
        }
        self.at = "<?xml".len() + content.len() + "?>".len();
        Ok(())
    }

    fn instruction(&mut self) -> Result<(), DecodeReason> {
        let from = self.at + 2;
        let Some(length) = self.text[from..].find("?>") else {
            self.at = self.text.len();
            return Ok(());
        };
        let content = &self.text[from..from + length];
        let target = content
            .split(|c: char| c.is_ascii() && is_space(c as u8))
            .next();
        let target = target.unwrap_or_default();
        if target.eq_ignore_ascii_case("xml") {
            return Err(malformed(
                "the target of a processing instruction cannot be xml",
            ));
        }
        if !target.chars().all(is_name_char) {
            return Err(malformed(
                "the target of a processing instruction is not a name",
            ));
        }
        self.at = from + length + 2;
        Ok(())
    }

    /// Checks the character reference at `at`, if it is one.
    fn reference(&self, at: usize) -> Result<(), DecodeReason> {
        let Some(rest) = self.text[at..].strip_prefix("&#") else {
            return Ok(());
        };
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let digits = &rest[..length];
        let code = match digits.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        let scalar = code.ok().and_then(char::from_u32);
        if scalar.is_some_and(is_xml_char) {
            Ok(())
        } else {
            Err(malformed(
                "a character reference to what is not an XML character",
            ))
        }
    }

    fn start_tag(&mut self) -> Result<(), DecodeReason> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut tag = Tag::default();
        if bytes.get(start + 1) == Some(&b':') {
            return Err(malformed("a name cannot begin with a colon"));
        }
        self.at += 1;
        loop {
            let Some(found) = bytes[self.at..]
                .iter()
                .position(|b| matches!(b, b'>' | b'"' | b'\'' | b'<'))
            else {
                self.at = bytes.len();
                return Ok(());
            };
            let mark = self.at + found;
            match bytes[mark] {
                b'>' => {
                    self.at = start;
                    self.count(&tag, bytes[mark - 1] == b'/')?;
                    self.at = mark + 1;
                    return Ok(());
                }
                b'<' => return Err(malformed("< inside of a tag")),
                quote => {
                    tag.attributes += 1;
                    if tag.attributes > XML_ATTRIBUTES {
                        self.at = start;
                        return Err(DecodeReason::TooManyAttributes);
                    }
                    let name = attribute_name(&self.text[self.at..mark]);
                    let Some(length) = bytes[mark + 1..].iter().position(|b| *b == quote) else {
                        self.at = bytes.len();
                        return Ok(());
                    };
                    self.attribute(name, mark + 1, length, &mut tag)?;
                    self.at = mark + 1 + length + 1;
                }
            }
        }
    }

    /// Holds a whole start tag against the limits.
    fn count(&mut self, tag: &Tag, is_empty: bool) -> Result<(), DecodeReason> {
        if self.open.len() == XML_DEPTH {
            return Err(DecodeReason::TooDeep);
        }
        if self.prefixes + tag.prefixes > XML_PREFIXES {
            return Err(DecodeReason::TooManyPrefixes);
        }
        if !is_empty {
            self.open.push(tag.prefixes);
            self.prefixes += tag.prefixes;
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        name: &'a str,
        from: usize,
        length: usize,
        tag: &mut Tag,
    ) -> Result<(), DecodeReason> {
        let value = &self.text[from..from + length];
        if name.starts_with(':') {
            return Err(malformed("a name cannot begin with a colon"));
        }
        if name == "xmlns" {
            tag.default_namespaces += 1;
            if tag.default_namespaces > 1 {
                return Err(malformed("the attribute xmlns stands twice"));
            }
        } else if let Some(prefix) = name.strip_prefix("xmlns:") {
            tag.prefixes += 1;
            if value.is_empty() {
                return Err(malformed("a prefix cannot be bound to no namespace"));
            }
            if prefix == "xmlns" {
                return Err(malformed("the prefix xmlns cannot be declared"));
            }
        }
        for (found, _) in value.match_indices('&') {
            self.reference(from + found)
                .inspect_err(|_| self.at = from + found)?;
        }
        Ok(())
    }
}

/// The name in ` name = `, the text between two values of a tag.
fn attribute_name(between: &str) -> &str {
    let before = between.trim_end_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let before = before.strip_suffix('=').unwrap_or(before);
    before
        .split(|c: char| c.is_ascii() && is_space(c as u8))
        .rfind(|s| !s.is_empty())
        .unwrap_or("")
}

/// Whether `content`, what stands between `<?xml` and `?>`, says version 1.0
/// and no other encoding than UTF-8 (XML 1.0, production 23).
fn is_declaration(content: &str) -> bool {
    let mut rest = content;
    let mut names = Vec::new();
    loop {
        let trimmed = rest.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
        if trimmed.is_empty() {
            break;
        }
        let spaced = trimmed.len() < rest.len();
        let Some((name, value, behind)) = pseudo_attribute(trimmed) else {
            return false;
        };
        let good = match name {
            "version" => value == "1.0",
            "encoding" => value.eq_ignore_ascii_case("UTF-8"),
            "standalone" => matches!(value, "yes" | "no"),
            _ => false,
        };
        if !spaced || !good {
            return false;
        }
        names.push(name);
        rest = behind;
    }
    matches!(
        names.as_slice(),
        ["version"]
            | ["version", "encoding" | "standalone"]
            | ["version", "encoding", "standalone"]
    )
}

/// Splits `name="value"rest`.
fn pseudo_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let space = |c: char| c.is_ascii() && is_space(c as u8);
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start_matches(space);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, behind) = rest[1..].split_once(quote)?;
    Some((name.trim_end_matches(space), value, behind))
}

/// XML 1.0, production 2.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// XML 1.0, production 4a, without the colon (Namespaces in XML, production 4).
fn is_name_char(c: char) -> bool {
    matches!(c,
        '-' | '.' | '0'..='9' | 'A'..='Z' | '_' | 'a'..='z' | '\u{b7}' | '\u{c0}'..='\u{d6}'
        | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{203f}'..='\u{2040}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}
