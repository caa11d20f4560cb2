//! The XML of objects and delivery documents as plain values.

use roxmltree::{Document, Node};
use sha2::{Digest, Sha256};

/// The namespace of Kith 1.0.
const NS: &str = "urn:kith:1.0";

/// XML that isn't what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the XML of the {what} cannot be read: {reason}")]
pub struct XmlError {
    what: &'static str,
    reason: String,
}

/// An object document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// The object hash, in hexadecimal.
    pub hash: String,
    /// The object octets.
    pub octets: Vec<u8>,
    /// Who wrote it.
    pub author: String,
    /// Its id.
    pub id: String,
    /// Its revision.
    pub rev: u64,
    /// When it was written, as it says.
    pub created: String,
    /// For whom it is.
    pub audience: String,
    /// The group it is for: owner and id.
    pub scope: Option<(String, String)>,
    /// Its kind: the payload's local name, with the namespace in braces if it is foreign.
    pub kind: String,
    /// The fallback.
    pub fallback: String,
    /// The payload.
    pub payload: Element,
}

/// An element with its attributes, text and children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its local name.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// Its own text.
    pub text: String,
    /// Its child elements.
    pub children: Vec<Element>,
}

impl Element {
    fn own(node: Node<'_, '_>) -> Self {
        let attributes = node.attributes();
        Self {
            name: node.tag_name().name().to_owned(),
            attributes: attributes
                .map(|a| (a.name().to_owned(), a.value().to_owned()))
                .collect(),
            text: node.text().unwrap_or_default().to_owned(),
            children: node
                .children()
                .filter(Node::is_element)
                .map(Self::own)
                .collect(),
        }
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Sender or recipient in a delivery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The identity id.
    pub id: String,
    /// The address.
    pub address: String,
}

/// A place in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The channel's id.
    pub id: String,
    /// The delivery's number.
    pub seq: u64,
    /// The lowest number that is still to be expected.
    pub base: u64,
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The channel it is about.
    pub channel: String,
    /// Everything up to this number arrived.
    pub upto: u64,
    /// The highest number that arrived.
    pub highest: u64,
    /// What is missing between the two.
    pub missing: Vec<u64>,
}

/// A delivery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFacts {
    /// The document's octets.
    pub octets: Vec<u8>,
    /// Who hands over.
    pub from: Party,
    /// To whom.
    pub to: Vec<Party>,
    /// The hash of the revision of the group to whose members it goes.
    pub group: Option<String>,
    /// Its place in a channel, if it has one.
    pub channel: Option<Channel>,
    /// What it acknowledges.
    pub acks: Vec<Ack>,
    /// The nonce that the recipient is to echo.
    pub path: Option<String>,
    /// The nonces that it echoes.
    pub echoes: Vec<String>,
    /// The hashes of the objects it hands over.
    pub objects: Vec<String>,
    /// The hashes of the certificates it hands over.
    pub certificates: Vec<String>,
}

fn parse<'a>(octets: &'a [u8], what: &'static str, root: &str) -> Result<Document<'a>, XmlError> {
    let bad = |reason: String| XmlError { what, reason };
    let text = std::str::from_utf8(octets).map_err(|error| bad(error.to_string()))?;
    let document = Document::parse(text).map_err(|error| bad(error.to_string()))?;
    if !document.root_element().has_tag_name((NS, root)) {
        return Err(bad(format!("the root is not {{{NS}}}{root}")));
    }
    Ok(document)
}

fn attribute(node: Node<'_, '_>, name: &str, what: &'static str) -> Result<String, XmlError> {
    let missing = || XmlError {
        what,
        reason: format!("<{}> lacks `{name}`", node.tag_name().name()),
    };
    node.attribute(name).map(str::to_owned).ok_or_else(missing)
}

fn number(node: Node<'_, '_>, name: &str, what: &'static str) -> Result<u64, XmlError> {
    let value = attribute(node, name, what)?;
    value.parse().map_err(|_| XmlError {
        what,
        reason: format!("`{name}` is not a number: {value}"),
    })
}

/// Reads an object document.
///
/// # Errors
/// If it is none.
pub fn object(octets: &[u8]) -> Result<ObjectFacts, XmlError> {
    const WHAT: &str = "object";
    let document = parse(octets, WHAT, "object")?;
    let root = document.root_element();
    let elements: Vec<_> = root.children().filter(Node::is_element).collect();
    let fallback = elements
        .iter()
        .position(|node| node.has_tag_name((NS, "fallback")));
    let payload = fallback.and_then(|at| elements.get(at + 1));
    let payload = payload.ok_or_else(|| XmlError {
        what: WHAT,
        reason: "there is no fallback followed by a payload".to_owned(),
    })?;
    let name = payload.tag_name();
    let kind = match name.namespace() {
        Some(NS) => name.name().to_owned(),
        other => format!("{{{}}}{}", other.unwrap_or_default(), name.name()),
    };
    let fallback = fallback.and_then(|at| elements.get(at));
    let scope = elements
        .iter()
        .find(|node| node.has_tag_name((NS, "scope")));
    let scoped = |node: &Node<'_, '_>| -> Result<_, XmlError> {
        Ok((
            attribute(*node, "owner", WHAT)?,
            attribute(*node, "id", WHAT)?,
        ))
    };
    Ok(ObjectFacts {
        hash: hex::encode(Sha256::digest(octets)),
        octets: octets.to_vec(),
        author: attribute(root, "author", WHAT)?,
        id: attribute(root, "id", WHAT)?,
        rev: number(root, "rev", WHAT)?,
        created: attribute(root, "created", WHAT)?,
        audience: attribute(root, "audience", WHAT)?,
        scope: scope.map(scoped).transpose()?,
        kind,
        fallback: fallback.and_then(Node::text).unwrap_or_default().to_owned(),
        payload: Element::own(*payload),
    })
}

/// Reads a delivery document.
///
/// # Errors
/// If it is none.
pub fn delivery(octets: &[u8]) -> Result<DeliveryFacts, XmlError> {
    const WHAT: &str = "delivery document";
    let document = parse(octets, WHAT, "delivery")?;
    let root = document.root_element();
    let all = |name| {
        root.children()
            .filter(move |node| node.has_tag_name((NS, name)))
    };
    let party = |node| -> Result<Party, XmlError> {
        Ok(Party {
            id: attribute(node, "id", WHAT)?,
            address: attribute(node, "address", WHAT)?,
        })
    };
    let channel = |node| -> Result<Channel, XmlError> {
        Ok(Channel {
            id: attribute(node, "id", WHAT)?,
            seq: number(node, "seq", WHAT)?,
            base: number(node, "base", WHAT)?,
        })
    };
    let from = all("from").next().ok_or_else(|| XmlError {
        what: WHAT,
        reason: "there is no <from>".to_owned(),
    })?;
    let hashes = |name| {
        all(name)
            .map(|node| attribute(node, "hash", WHAT))
            .collect()
    };
    let nonces = |name| all(name).map(|node| attribute(node, "nonce", WHAT));
    let to: Result<_, _> = all("to").map(party).collect();
    let acks: Result<_, _> = all("ack").map(ack).collect();
    let objects: Result<_, _> = hashes("object");
    let certificates: Result<_, _> = hashes("certificate");
    Ok(DeliveryFacts {
        octets: octets.to_vec(),
        from: party(from)?,
        to: to?,
        group: all("group")
            .next()
            .map(|node| attribute(node, "hash", WHAT))
            .transpose()?,
        channel: all("channel").next().map(channel).transpose()?,
        acks: acks?,
        path: nonces("path").next().transpose()?,
        echoes: nonces("echo").collect::<Result<_, _>>()?,
        objects: objects?,
        certificates: certificates?,
    })
}

fn ack(node: Node<'_, '_>) -> Result<Ack, XmlError> {
    const WHAT: &str = "delivery document";
    let missing = node
        .children()
        .filter(|child| child.has_tag_name((NS, "missing")));
    let text = missing.filter_map(|child| child.text());
    Ok(Ack {
        channel: attribute(node, "channel", WHAT)?,
        upto: number(node, "upto", WHAT)?,
        highest: number(node, "highest", WHAT)?,
        missing: text.filter_map(|text| text.trim().parse().ok()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read() {
        let xml = br#"<object xmlns="urn:kith:1.0" author="aa" id="bb" rev="2" created="c" audience="direct">
            <requires>x</requires><fallback>F</fallback><message><to id="cc"/><text>T</text></message></object>"#;
        let object = object(xml).unwrap();
        assert_eq!((object.kind.as_str(), object.rev), ("message", 2));
        assert_eq!(object.fallback, "F");
        let to = object.payload.child("to").unwrap();
        assert_eq!(to.attribute("id"), Some("cc"));
    }

    #[test]
    fn a_delivery_is_read() {
        let xml = br#"<delivery xmlns="urn:kith:1.0"><from id="a" address="b"/><to id="c" address="d"/>
            <channel id="e" seq="3" base="1"/><ack channel="f" upto="4" highest="7"><missing>5</missing></ack>
            <object hash="h"/></delivery>"#;
        let delivery = delivery(xml).unwrap();
        assert_eq!(delivery.channel.unwrap().seq, 3);
        assert_eq!(delivery.acks[0].missing, [5]);
        assert_eq!(delivery.objects, ["h"]);
        assert!(super::delivery(b"<delivery/>").is_err());
    }
}
