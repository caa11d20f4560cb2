//! The MIME tree, outside and inside.

use mailparse::{MailHeaderMap, ParsedMail};

use super::envelope;
use super::{DeliveryFacts, Knowledge, ObjectFacts, ReadError, Reading};
use crate::openpgp::{Certificate, DecryptionKey, dearmor};

/// A part and the parts in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MimeNode {
    /// The media type.
    pub kind: String,
    /// The parameters of the Content-Type.
    pub parameters: Vec<(String, String)>,
    /// The header fields, unfolded and decoded, in order.
    pub fields: Vec<(String, String)>,
    /// The decoded content; empty for multiparts.
    pub content: Vec<u8>,
    /// The parts.
    pub parts: Vec<MimeNode>,
}

/// Deeper parts are left out.
const DEPTH: usize = 16;

/// How often a mail may name a multipart.
pub const MULTIPARTS: usize = 256;

/// Whether a mail names more than [`MULTIPARTS`]: mailparse goes down one level with each, and so
/// does what reads its answer, on the stack. Asked before it parses.
pub fn too_many_multiparts(octets: &[u8]) -> bool {
    let multipart = |slash: &usize| {
        let word = slash
            .checked_sub(9)
            .and_then(|from| octets.get(from..*slash));
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"multipart"))
    };
    let mut named = memchr::memchr_iter(b'/', octets).filter(multipart);
    named.nth(MULTIPARTS).is_some()
}

fn parse(octets: &[u8]) -> Result<ParsedMail<'_>, ReadError> {
    if too_many_multiparts(octets) {
        return Err(ReadError::Multiparts);
    }
    Ok(mailparse::parse_mail(octets)?)
}

impl MimeNode {
    fn new(mail: &ParsedMail<'_>, depth: usize) -> Self {
        let kind = &mail.ctype;
        let mut parameters: Vec<_> = kind.params.clone().into_iter().collect();
        parameters.sort();
        let parts = mail.subparts.iter();
        Self {
            kind: kind.mimetype.clone(),
            parameters,
            fields: fields(mail),
            content: match mail.subparts.is_empty() {
                true => mail.get_body_raw().unwrap_or_default(),
                false => Vec::new(),
            },
            parts: match depth {
                0 => Vec::new(),
                _ => parts.map(|part| Self::new(part, depth - 1)).collect(),
            },
        }
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter of the Content-Type.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// This part and all below it, in order.
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for part in &self.parts {
            all.extend(part.walk());
        }
        all
    }
}

fn fields(mail: &ParsedMail<'_>) -> Vec<(String, String)> {
    let fields = mail.headers.iter();
    fields
        .map(|field| (field.get_key(), field.get_value()))
        .collect()
}

pub(super) fn read(
    octets: &[u8],
    keys: &[DecryptionKey],
    knowledge: &Knowledge,
) -> Result<Reading, ReadError> {
    let mail = parse(octets)?;
    let outside = MimeNode::new(&mail, DEPTH);
    let mut reading = Reading {
        fields: fields(&mail),
        outside,
        envelope: None,
        inside: None,
        hp_outer: Vec::new(),
        delivery: None,
        self_document: None,
        objects: Vec::new(),
        certificates: Vec::new(),
        text: None,
    };
    let mut knowledge = knowledge.clone();
    if reading.outside.kind != "multipart/encrypted" {
        let node = reading.outside.clone();
        reading.parts(&node, &mut knowledge)?;
        return Ok(reading);
    }
    let armored = reading.outside.parts.get(1);
    let armored = &armored.ok_or(ReadError::Missing("encrypted part"))?.content;
    let opened = envelope::open(armored, keys)?;
    let payload = parse(&opened.payload)?;
    let inside = MimeNode::new(&payload, DEPTH);
    reading.hp_outer = payload.headers.get_all_values("HP-Outer");
    let documents = inside.walk().into_iter();
    let mut documents = documents.filter(|part| part.kind == "application/kith+xml");
    if let Some(document) = documents.next() {
        match DeliveryFacts::parse(&document.content)? {
            Some(delivery) => reading.delivery = Some(delivery),
            None => reading.self_document = Some(document.content.clone()),
        }
    }
    reading.parts(&inside, &mut knowledge)?;
    reading.envelope = Some(opened.facts(&knowledge));
    reading.inside = Some(inside);
    Ok(reading)
}

impl Reading {
    /// Takes the parts that matter, those that bring keys first.
    fn parts(&mut self, node: &MimeNode, knowledge: &mut Knowledge) -> Result<(), ReadError> {
        let parts = node.walk();
        for part in &parts {
            match part.kind.as_str() {
                "application/pgp-keys" => {
                    let certificate = Certificate::from_binary(dearmor(&part.content)?);
                    knowledge.certificate(&certificate);
                    self.certificates.push(certificate);
                }
                "application/kith-object" => {
                    if let Ok(object) = ObjectFacts::parse(&part.content, knowledge) {
                        knowledge.identity(&object.xml);
                    }
                }
                "text/plain" if self.text.is_none() => {
                    self.text = Some(String::from_utf8_lossy(&part.content).into_owned());
                }
                _ => {}
            }
        }
        let objects = parts
            .iter()
            .filter(|part| part.kind == "application/kith-object");
        for part in objects {
            self.objects
                .push(ObjectFacts::parse(&part.content, knowledge)?);
        }
        Ok(())
    }
}
