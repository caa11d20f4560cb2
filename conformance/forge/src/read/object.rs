//! Objects as facts.

use super::signature::SignatureFacts;
use super::{Knowledge, ObjectFacts, ReadError, XmlNode};
use crate::hash::Hash;
use crate::instant::Instant;
use crate::openpgp::{dearmor, split, tag};

const WHAT: &str = "object";

impl ObjectFacts {
    pub(super) fn parse(octets: &[u8], knowledge: &Knowledge) -> Result<Self, ReadError> {
        let packets = split(&dearmor(octets)?)?;
        let mut literals = packets.iter().filter(|packet| packet.tag == tag::LITERAL);
        let literal = literals
            .next()
            .ok_or(ReadError::Missing("literal packet"))?;
        let xml = literal.literal_content().to_vec();
        let mut signatures = packets.iter().filter(|packet| packet.tag == tag::SIGNATURE);
        let signature = signatures.next();
        let root = XmlNode::parse(WHAT, &xml)?;
        let field = |field| ReadError::Field { what: WHAT, field };
        let known = ["requires", "scope", "fallback", "ext"];
        let mut payloads = root.children.iter();
        let payload = payloads.find(|child| !known.contains(&child.name.as_str()));
        let payload = payload.ok_or(field("payload"))?.clone();
        let created = root.attribute("created").and_then(Instant::from_xml);
        Ok(Self {
            hash: Hash::of(&xml),
            octets: octets.to_vec(),
            packets: packets.iter().map(|packet| packet.tag).collect(),
            literal_mode: literal.body.first().copied().unwrap_or(0),
            author: root.value(WHAT, "author")?,
            id: root.value(WHAT, "id")?,
            kind: payload.name.clone(),
            rev: root.value(WHAT, "rev")?,
            created: created.ok_or(field("created"))?,
            audience: root.value(WHAT, "audience")?,
            fallback: root
                .child("fallback")
                .map(|f| f.text.clone())
                .unwrap_or_default(),
            requires: root.all("requires").map(|node| node.text.clone()).collect(),
            payload,
            signature: signature.map(|packet| SignatureFacts::read(packet, &xml, knowledge)),
            xml,
        })
    }
}
