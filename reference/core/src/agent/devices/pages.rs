//! Dividing what a device has to tell into documents within the limits.

use kith_schemas::types::{
    Person, SelfAnswered, SelfArrived, SelfAsked, SelfCopy, SelfInvite, SelfPerson, SelfProtected,
    SelfSeen, SelfSent, Sequence, Time,
};

use super::Device;
use crate::agent::{AgentError, Id};
use crate::wire::WireError;

/// What one document holds at most, in units of some hundred octets of XML.
pub(super) const FULL: usize = 400;
/// Octets of an object that weigh one.
pub(super) const OBJECT: usize = 1000;
/// Recipients in one element.
const RECIPIENTS: usize = 300;
/// The weight of a person with credentials.
const PERSON: usize = 20;

/// Something to tell.
pub(super) enum Entry {
    Invite(SelfInvite),
    Asked(SelfAsked),
    Answered(SelfAnswered),
    Person(Box<SelfPerson>),
    Seen(SelfSeen),
    Arrived(SelfArrived),
}

/// Documents under construction.
pub(super) struct Pages {
    blank: SelfCopy,
    pages: Vec<SelfCopy>,
    weight: usize,
}

impl Pages {
    pub(super) fn new(own: Id, device: &Device, created: Time) -> Result<Self, AgentError> {
        let unfit = |error: &dyn std::fmt::Display| WireError::Xml(error.to_string());
        let name = device.name.as_deref().map(kith_schemas::types::Line::new);
        let blank = SelfCopy {
            id: own.into(),
            device: device.id.into(),
            seq: Sequence::new(1).map_err(|error| unfit(&error))?,
            created,
            name: name.transpose().map_err(|error| unfit(&error))?,
            sent: Vec::new(),
            invite: Vec::new(),
            asked: Vec::new(),
            answered: Vec::new(),
            person: Vec::new(),
            circle: Vec::new(),
            seen: Vec::new(),
            arrived: Vec::new(),
        };
        Ok(Self {
            blank,
            pages: Vec::new(),
            weight: FULL,
        })
    }

    fn page(&mut self, weight: usize) -> &mut SelfCopy {
        if self.weight + weight > FULL {
            self.pages.push(self.blank.clone());
            self.weight = 0;
        }
        self.weight += weight;
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }

    /// Tells that an object was sent to these, and how. What comes along has a weight, too.
    pub(super) fn sent(
        &mut self,
        hash: Id,
        to: &[Id],
        protected: Option<SelfProtected>,
        weight: usize,
    ) {
        let sent = |part: &[Id]| SelfSent {
            hash: hash.into(),
            protected,
            to: part.iter().map(|id| Person { id: (*id).into() }).collect(),
        };
        if to.is_empty() {
            self.page(3 + weight).sent.push(sent(&[]));
        }
        for part in to.chunks(RECIPIENTS) {
            self.page(3 + part.len() + weight).sent.push(sent(part));
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        match entry {
            Entry::Invite(invite) => self.page(1).invite.push(invite),
            Entry::Asked(asked) => self.page(2).asked.push(asked),
            Entry::Answered(answered) => self.page(2).answered.push(answered),
            Entry::Person(person) => self.page(PERSON).person.push(*person),
            Entry::Seen(seen) => self.page(1).seen.push(seen),
            Entry::Arrived(arrived) => self.page(2).arrived.push(arrived),
        }
    }

    /// The documents, without their numbers.
    pub(super) fn finish(self) -> Vec<SelfCopy> {
        self.pages
    }
}
