//! XML as plain values.

use std::str::FromStr;

use super::{DeliveryFacts, ReadError};
use crate::draft::{Ack, Channel, Party};
use crate::hash::Hash;
use crate::xml::NAMESPACE;

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlNode {
    /// The name, with a namespace other than Kith's in braces before it.
    pub name: String,
    /// The attributes.
    pub attributes: Vec<(String, String)>,
    /// The text directly in it.
    pub text: String,
    /// The elements in it.
    pub children: Vec<XmlNode>,
}

impl XmlNode {
    pub(crate) fn parse(what: &'static str, xml: &[u8]) -> Result<Self, ReadError> {
        let text = String::from_utf8_lossy(xml);
        let document = roxmltree::Document::parse(&text);
        let document = document.map_err(|error| ReadError::Xml { what, error })?;
        Ok(Self::new(document.root_element(), 64))
    }

    fn new(node: roxmltree::Node<'_, '_>, depth: usize) -> Self {
        let name = node.tag_name();
        let local = name.name();
        let children = node.children().filter(roxmltree::Node::is_element);
        Self {
            name: match name.namespace() {
                Some(namespace) if namespace != NAMESPACE => format!("{{{namespace}}}{local}"),
                _ => local.to_owned(),
            },
            attributes: node
                .attributes()
                .map(|a| (a.name().to_owned(), a.value().to_owned()))
                .collect(),
            text: node.children().filter_map(|child| child.text()).collect(),
            children: match depth {
                0 => Vec::new(),
                _ => children.map(|child| Self::new(child, depth - 1)).collect(),
            },
        }
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first element of this name in it.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of this name in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn value<T: FromStr>(
        &self,
        what: &'static str,
        field: &'static str,
    ) -> Result<T, ReadError> {
        let value = self.attribute(field).and_then(|value| value.parse().ok());
        value.ok_or(ReadError::Field { what, field })
    }
}

const WHAT: &str = "delivery document";

impl DeliveryFacts {
    /// `None` if the document is what a device tells the others.
    pub(super) fn parse(xml: &[u8]) -> Result<Option<Self>, ReadError> {
        let root = XmlNode::parse(WHAT, xml)?;
        if root.name == "self" {
            return Ok(None);
        }
        let from = root.child("from").ok_or(ReadError::Field {
            what: WHAT,
            field: "from",
        })?;
        let hashes = |name: &'static str| -> Result<Vec<Hash>, ReadError> {
            root.all(name)
                .map(|node| node.value(WHAT, "hash"))
                .collect()
        };
        let nonces = |name: &'static str| root.all(name).map(|node| node.value(WHAT, "nonce"));
        Ok(Some(Self {
            from: party(from)?,
            to: root.all("to").map(party).collect::<Result<_, _>>()?,
            channel: root.child("channel").map(channel).transpose()?,
            acks: root.all("ack").map(ack).collect::<Result<_, _>>()?,
            path: nonces("path").next().transpose()?,
            echoes: nonces("echo").collect::<Result<_, _>>()?,
            objects: hashes("object")?,
            certificates: hashes("certificate")?,
            xml: xml.to_vec(),
            root: root.clone(),
        }))
    }
}

fn party(node: &XmlNode) -> Result<Party, ReadError> {
    Ok(Party {
        id: node.value(WHAT, "id")?,
        address: node.value(WHAT, "address")?,
    })
}

fn channel(node: &XmlNode) -> Result<Channel, ReadError> {
    Ok(Channel {
        id: node.value(WHAT, "id")?,
        seq: node.value(WHAT, "seq")?,
        base: node.value(WHAT, "base")?,
    })
}

fn ack(node: &XmlNode) -> Result<Ack, ReadError> {
    let missing = node.all("missing").map(|node| node.text.trim().parse());
    Ok(Ack {
        channel: node.value(WHAT, "channel")?,
        upto: node.value(WHAT, "upto")?,
        highest: node.value(WHAT, "highest")?,
        missing: missing
            .collect::<Result<_, _>>()
            .map_err(|_| ReadError::Field {
                what: WHAT,
                field: "missing",
            })?,
    })
}
