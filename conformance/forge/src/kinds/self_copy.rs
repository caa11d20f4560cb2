//! Self-copies: what a device of a person tells the person's other devices.

use crate::ForgeError;
use crate::draft::{Draft, SignedObject};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::openpgp::{SignSpec, Subpacket};
use crate::puppet::Puppet;
use crate::xml::{Element, NAMESPACE};

/// A device of a person, as its self-copies name it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: Id128,
    /// The number of its last self document.
    pub seq: i64,
    /// What the person calls it.
    pub name: String,
}

impl Device {
    /// A device that wrote nothing yet.
    pub fn new(id: Id128, name: &str) -> Self {
        Self {
            id,
            seq: 0,
            name: name.to_owned(),
        }
    }
}

/// That an object was accepted, and when it was first received.
pub fn seen(hash: Hash, at: Instant) -> Element {
    Element::new("seen")
        .attribute("hash", hash)
        .attribute("at", at.xml())
}

/// That an object was sent to somebody.
pub fn sent(hash: Hash, to: IdentityId) -> Element {
    let to = Element::new("to").attribute("id", to);
    Element::new("sent").attribute("hash", hash).child(to)
}

/// What the relation to somebody is from a time on: a friendship that came from a request, with
/// the own accept and the other's confirm, or the same and blocked.
pub fn person(id: IdentityId, at: Instant, request: Hash, blocked: bool) -> Element {
    let request = Element::new("request").attribute("hash", request);
    let friend = Element::new("friend")
        .attribute("since", at.xml())
        .child(request);
    Element::new("person")
        .attribute("id", id)
        .attribute("at", at.xml())
        .child(friend)
        .children(blocked.then(|| Element::new("blocked")))
}

impl Puppet {
    /// A self-copy of a device of this person with these entries, in the order of the schema,
    /// and own objects that come along.
    pub fn self_mail(
        &mut self,
        device: &mut Device,
        told: Vec<Element>,
        objects: Vec<SignedObject>,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        device.seq += 1;
        let me = self.peer();
        let mut draft = self.delivery(&me, now)?;
        let sign = SignSpec::new(&self.key, now).purpose("self");
        let primary = &me.recipient()?.primary;
        draft.envelope.signatures = vec![sign.hashed(Subpacket::intended(primary))];
        let document = Element::new("self")
            .attribute("xmlns", NAMESPACE)
            .attribute("id", self.id)
            .attribute("device", device.id)
            .attribute("seq", device.seq)
            .attribute("created", now.xml())
            .child(Element::new("name").text(&device.name))
            .children(told);
        draft.delivery.root.set(move |_| document.clone());
        draft.subject = match objects.first() {
            Some(object) => object.fallback.clone(),
            None => "Another device tells this one what happened.".to_owned(),
        };
        draft.objects = objects.into_iter().map(Into::into).collect();
        Ok(draft)
    }

    /// A self-copy of another device of this person, which sent an object to somebody and got
    /// another one a minute before.
    pub fn self_copy(
        &mut self,
        object: SignedObject,
        to: IdentityId,
        now: Instant,
    ) -> Result<Draft, ForgeError> {
        let accepted = Hash::of("an object that was accepted");
        let told = vec![sent(object.hash, to), seen(accepted, now - 60)];
        let mut device = Device::new(Id128::random(&mut self.rng), "laptop");
        self.self_mail(&mut device, told, vec![object], now)
    }
}
