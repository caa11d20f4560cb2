//! Reading MIME with bounds (specification, chapter "Mail format").

use kith_spec::limit;
use mail_parser::{HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// Media type of a signed object.
pub const OBJECT: &str = "application/kith-object";
/// Media type of a delivery document.
pub const DELIVERY: &str = "application/kith+xml";
/// Media type of a certificate.
pub const CERTIFICATE: &str = "application/pgp-keys";

/// A leaf of the MIME tree, transfer encoding removed.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Type and subtype in lower case.
    pub media_type: String,
    /// The content.
    pub content: Vec<u8>,
}

/// A MIME entity as a flat list of leaves.
#[derive(Debug)]
pub struct Entity {
    /// Type and subtype of the root in lower case.
    pub root: String,
    /// The media types of the root's children, in order.
    pub children: Vec<String>,
    /// The `protocol` parameter of the root.
    pub protocol: Option<String>,
    /// The leaves within the bounds, in order.
    pub leaves: Vec<Leaf>,
    /// The media types of the inner nodes.
    pub containers: Vec<String>,
    /// Whether the tree is deeper or larger than its bounds.
    pub out_of_bounds: bool,
    fields: Vec<(String, String)>,
}

impl Entity {
    /// Parses octets. `None` if they are no Internet message at all.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let message = MessageParser::default().parse(octets)?;
        let root = message.parts.first()?;
        let mut entity = Self {
            root: media_type(root),
            children: Vec::new(),
            protocol: parameter(root, "protocol"),
            leaves: Vec::new(),
            containers: Vec::new(),
            out_of_bounds: false,
            fields: fields(&message),
        };
        if let PartType::Multipart(children) = &root.body {
            let children = children
                .iter()
                .filter_map(|&id| message.parts.get(id as usize));
            entity.children = children.map(media_type).collect();
        }
        let mut parts = 0;
        entity.walk(&message, &mut parts);
        Some(entity)
    }

    /// The leaves of a media type.
    pub fn of_type<'a>(&'a self, media_type: &'a str) -> impl Iterator<Item = &'a Leaf> + 'a {
        self.leaves
            .iter()
            .filter(move |leaf| leaf.media_type == media_type)
    }

    /// The leaves that are neither text nor a part that Kith names: media.
    pub fn media(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.iter().filter(|leaf| {
            !leaf.media_type.starts_with("text/")
                && ![OBJECT, DELIVERY, CERTIFICATE].contains(&leaf.media_type.as_str())
        })
    }

    /// The values of a header field of the root, topmost first.
    pub fn field<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let named = self
            .fields
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Whether it holds a part that makes it Kith mail.
    #[must_use]
    pub fn has_kith_part(&self) -> bool {
        self.leaves
            .iter()
            .any(|leaf| leaf.media_type == OBJECT || leaf.media_type == DELIVERY)
    }

    fn walk(&mut self, message: &Message<'_>, parts: &mut u64) {
        // Explicit stack: the tree comes from a stranger.
        let mut stack = vec![(message, 0_usize, 1_u64)];
        while let Some((message, id, level)) = stack.pop() {
            let Some(part) = message.parts.get(id) else {
                continue;
            };
            *parts += 1;
            if level > limit::MIME_DEPTH || *parts > limit::MIME_PARTS {
                self.out_of_bounds = true;
                continue;
            }
            match &part.body {
                PartType::Multipart(children) => {
                    self.containers.push(media_type(part));
                    let children = children.iter().rev();
                    stack.extend(children.map(|&id| (message, id as usize, level + 1)));
                }
                PartType::Message(inner) => {
                    self.containers.push(media_type(part));
                    stack.push((inner, 0, level + 1));
                }
                _ => self.leaves.push(Leaf {
                    media_type: media_type(part),
                    content: part.contents().to_vec(),
                }),
            }
        }
    }
}

fn media_type(part: &MessagePart<'_>) -> String {
    let Some(content_type) = part.content_type() else {
        return "text/plain".to_owned();
    };
    let subtype = content_type.subtype().unwrap_or_default();
    format!("{}/{subtype}", content_type.ctype()).to_ascii_lowercase()
}

fn parameter(part: &MessagePart<'_>, name: &str) -> Option<String> {
    let value = part.content_type()?.attribute(name)?;
    Some(value.to_ascii_lowercase())
}

fn fields(message: &Message<'_>) -> Vec<(String, String)> {
    let raw = message.headers_raw();
    let mut fields: Vec<_> = raw
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    // The parser gives a field it understands only in its parsed form when its octets are no text.
    if fields.is_empty() {
        let parsed = message
            .headers()
            .iter()
            .filter_map(|header| match &header.value {
                HeaderValue::Text(text) => Some((header.name().to_owned(), text.to_string())),
                _ => None,
            });
        fields = parsed.collect();
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_found_through_wrapping() {
        let mail = concat!(
            "From: a@a.test\r\nX-Two: 1\r\nX-Two: 2\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
            "--b\r\nContent-Type: message/rfc822\r\n\r\n",
            "Content-Type: application/KITH-object\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            "aGVsbG8=\r\n--b--\r\n"
        );
        let entity = Entity::parse(mail.as_bytes()).unwrap();
        assert_eq!(entity.root, "multipart/mixed");
        assert_eq!(entity.of_type(OBJECT).next().unwrap().content, b"hello");
        assert_eq!(entity.field("x-two").collect::<Vec<_>>(), ["1", "2"]);
        assert!(entity.has_kith_part() && !entity.out_of_bounds);
    }

    #[test]
    fn a_deep_tree_is_out_of_bounds() {
        let mut mail = String::new();
        for level in 0..20 {
            mail +=
                &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        }
        mail += "Content-Type: text/plain\r\n\r\nx\r\n";
        assert!(Entity::parse(mail.as_bytes()).unwrap().out_of_bounds);
    }

    proptest::proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = Entity::parse(&octets);
        }
    }
}
