//! MIME as mailparse reads it (RFC 5322, RFC 2045), in owned form.

use std::collections::BTreeMap;

use kith_forge::read::{MULTIPARTS, too_many_multiparts};
use mailparse::{MailHeader, ParsedMail};

/// A mail or part that is no MIME.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mailparse cannot read the {what}: {reason}")]
pub struct MimeError {
    what: String,
    reason: String,
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name as written.
    pub name: String,
    /// Its value, unfolded, encoded words as they are.
    pub value: String,
}

/// A MIME entity with its header, and its parts if it is a multipart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// The header fields, in order.
    pub fields: Vec<Field>,
    /// The media type in lower case.
    pub media_type: String,
    /// The parameters of Content-Type, names in lower case.
    pub parameters: BTreeMap<String, String>,
    /// The parts of a multipart.
    pub parts: Vec<Entity>,
    /// The decoded body; of a multipart, the raw one.
    pub body: Vec<u8>,
}

impl Entity {
    /// Reads an entity.
    ///
    /// # Errors
    /// If header or structure can't be made out, a part can't be decoded, or the mail names more
    /// than [`MULTIPARTS`].
    pub fn read(octets: &[u8], what: &str) -> Result<Self, MimeError> {
        if too_many_multiparts(octets) {
            return Err(MimeError {
                what: what.to_owned(),
                reason: format!("it names more than {MULTIPARTS} multiparts"),
            });
        }
        let parsed = mailparse::parse_mail(octets).map_err(|error| MimeError {
            what: what.to_owned(),
            reason: error.to_string(),
        })?;
        Self::own(&parsed, what)
    }

    fn own(parsed: &ParsedMail<'_>, what: &str) -> Result<Self, MimeError> {
        let body = if parsed.subparts.is_empty() {
            parsed.get_body_raw().map_err(|error| MimeError {
                what: what.to_owned(),
                reason: error.to_string(),
            })?
        } else {
            Vec::new()
        };
        let own = |part: &ParsedMail<'_>| Self::own(part, what);
        let parts: Result<_, _> = parsed.subparts.iter().map(own).collect();
        Ok(Self {
            fields: parsed.headers.iter().map(field).collect(),
            media_type: parsed.ctype.mimetype.to_ascii_lowercase(),
            parameters: parsed.ctype.params.clone(),
            parts: parts?,
            body,
        })
    }

    /// The values of all fields of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |field: &&Field| field.name.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .filter(named)
            .map(|field| field.value.as_str())
    }

    /// The value of the only field of this name; `None` if there are none or several.
    pub fn only(&self, name: &str) -> Option<&str> {
        let named = |field: &&Field| field.name.eq_ignore_ascii_case(name);
        let mut fields = self.fields.iter().filter(named);
        match (fields.next(), fields.next()) {
            (Some(field), None) => Some(&field.value),
            _ => None,
        }
    }

    /// This entity and all below it, depth first.
    pub fn walk(&self) -> Vec<&Self> {
        let mut found = vec![self];
        for part in &self.parts {
            found.extend(part.walk());
        }
        found
    }

    /// How deep the parts are nested, this one being level 1.
    pub fn depth(&self) -> usize {
        1 + self.parts.iter().map(Self::depth).max().unwrap_or(0)
    }

    /// The tree for people, one line a part.
    pub fn tree(&self) -> String {
        let mut text = String::new();
        self.draw(0, &mut text);
        text
    }

    fn draw(&self, level: usize, text: &mut String) {
        let indent = "  ".repeat(level);
        text.push_str(&format!("{indent}{}", self.media_type));
        for (name, value) in &self.parameters {
            if name != "boundary" {
                text.push_str(&format!("; {name}={value}"));
            }
        }
        match self.parts.is_empty() {
            true => text.push_str(&format!("  {} octets\n", self.body.len())),
            false => text.push('\n'),
        }
        for part in &self.parts {
            part.draw(level + 1, text);
        }
    }
}

fn field(header: &MailHeader<'_>) -> Field {
    let raw = String::from_utf8_lossy(header.get_value_raw());
    let unfolded: String = raw.replace("\r\n", "").replace('\n', "");
    Field {
        name: header.get_key(),
        value: unfolded.trim().to_owned(),
    }
}

/// The addresses in a field's value, and whether one has a display name.
pub fn addresses(value: &str) -> Option<(Vec<String>, bool)> {
    let list = mailparse::addrparse(value).ok()?;
    let mut named = false;
    let mut addresses = Vec::new();
    for item in list.iter() {
        match item {
            mailparse::MailAddr::Single(single) => {
                named |= single.display_name.is_some();
                addresses.push(single.addr.clone());
            }
            mailparse::MailAddr::Group(_) => named = true,
        }
    }
    Some((addresses, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_parts_decoded() {
        let mail = b"Subject: a\r\n b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
            Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\naGk=\r\n--x--\r\n";
        let entity = Entity::read(mail, "mail").unwrap();
        assert_eq!(entity.only("subject"), Some("a b"));
        assert_eq!(entity.parts[0].body, b"hi");
        assert_eq!(entity.depth(), 2);
        assert_eq!(entity.tree(), "multipart/mixed\n  text/plain  2 octets\n");
    }

    #[test]
    fn parts_in_parts_without_end_are_no_mail() {
        let deeper = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n";
        let mail = |levels| deeper.repeat(levels) + "Content-Type: text/plain\r\n\r\nhi\r\n";
        assert!(Entity::read(mail(MULTIPARTS).as_bytes(), "mail").is_ok());
        let error = Entity::read(mail(100_000).as_bytes(), "mail").unwrap_err();
        assert!(error.to_string().contains("more than 256 multiparts"));
    }

    #[test]
    fn display_names_are_seen() {
        let (list, named) = addresses("Bob <bob@b.test>").unwrap();
        assert_eq!((list, named), (vec!["bob@b.test".to_owned()], true));
        assert_eq!(
            addresses("bob@b.test"),
            Some((vec!["bob@b.test".to_owned()], false))
        );
    }
}
