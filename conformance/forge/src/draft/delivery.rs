//! The delivery document.

use super::Hook;
use crate::hash::{Hash, Id128, IdentityId};
use crate::xml::{Element, NAMESPACE};

/// Sender or recipient: an identity at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The identity.
    pub id: IdentityId,
    /// The address.
    pub address: String,
}

/// The place of a delivery in its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// The channel.
    pub id: Id128,
    /// The number of this delivery, from 1.
    pub seq: i64,
    /// The lowest number that is still to be expected.
    pub base: i64,
}

/// What arrived of one channel of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The channel.
    pub channel: Id128,
    /// Every number up to this one arrived.
    pub upto: i64,
    /// The highest number that arrived.
    pub highest: i64,
    /// What is missing between.
    pub missing: Vec<i64>,
}

/// A delivery document before it is written.
#[derive(Debug, Clone)]
pub struct DeliveryDraft {
    /// The sender.
    pub from: Party,
    /// The recipients.
    pub to: Vec<Party>,
    /// The revision of the group to whose members it goes.
    pub group: Option<Hash>,
    /// The place in the channel.
    pub channel: Option<Channel>,
    /// What arrived from the recipient.
    pub acks: Vec<Ack>,
    /// A nonce to be echoed.
    pub path: Option<Id128>,
    /// Nonces echoed.
    pub echoes: Vec<Id128>,
    /// The hashes of the objects listed, instead of those in the mail.
    pub objects: Option<Vec<Hash>>,
    /// The hashes of the certificates listed, instead of those in the mail.
    pub certificates: Option<Vec<Hash>>,
    /// The element `ext`.
    pub ext: Option<Element>,
    /// Changes the root element before it is written.
    pub root: Hook<Element>,
    /// Changes the octets of the XML.
    pub xml: Hook<Vec<u8>>,
}

impl DeliveryDraft {
    pub(crate) fn new(from: Party, to: Party) -> Self {
        Self {
            from,
            to: vec![to],
            group: None,
            channel: None,
            acks: Vec::new(),
            path: None,
            echoes: Vec::new(),
            objects: None,
            certificates: None,
            ext: None,
            root: Hook::default(),
            xml: Hook::default(),
        }
    }

    /// The XML of a delivery with these objects and certificates.
    pub(crate) fn document(&self, objects: &[Hash], certificates: &[Hash]) -> Vec<u8> {
        let party = |name: &str, party: &Party| {
            Element::new(name)
                .attribute("id", party.id)
                .attribute("address", &party.address)
        };
        let hash = |name: &str, hash: &Hash| Element::new(name).attribute("hash", hash);
        let nonce = |name: &str, nonce: &Id128| Element::new(name).attribute("nonce", nonce);
        let objects = self.objects.as_deref().unwrap_or(objects).iter();
        let certificates = self.certificates.as_deref().unwrap_or(certificates).iter();
        let root = Element::new("delivery")
            .attribute("xmlns", NAMESPACE)
            .child(party("from", &self.from))
            .children(self.to.iter().map(|to| party("to", to)))
            .children(self.group.iter().map(|group| hash("group", group)))
            .children(self.channel.iter().map(channel))
            .children(self.acks.iter().map(ack))
            .children(self.path.iter().map(|path| nonce("path", path)))
            .children(self.echoes.iter().map(|echo| nonce("echo", echo)))
            .children(objects.map(|object| hash("object", object)))
            .children(certificates.map(|certificate| hash("certificate", certificate)))
            .children(self.ext.clone());
        let text = self.root.apply(root).document();
        self.xml.apply(text.into_bytes())
    }
}

fn channel(channel: &Channel) -> Element {
    Element::new("channel")
        .attribute("id", channel.id)
        .attribute("seq", channel.seq)
        .attribute("base", channel.base)
}

fn ack(ack: &Ack) -> Element {
    let missing = ack.missing.iter();
    Element::new("ack")
        .attribute("channel", ack.channel)
        .attribute("upto", ack.upto)
        .attribute("highest", ack.highest)
        .children(missing.map(|number| Element::new("missing").text(number.to_string())))
}
