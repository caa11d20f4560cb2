//! What a member writes to a group (specification, section "In a group" of chapter "Groups").

use kith_schemas::types::{Audience, HashRef, Message, Payload, Text};
use kith_spec::req;

use super::deliver::GroupLoad;
use super::{Group, GroupId, GroupState};
use crate::agent::objects::{Body, Entry};
use crate::agent::{ActError, Id, Step};
use crate::kinds::{self, Draft};

/// Something to write to a group.
pub(crate) struct Said {
    /// The name of its kind.
    pub(crate) kind: &'static str,
    /// What the author says.
    pub(crate) payload: Payload,
    /// What is kept of it.
    pub(crate) body: Body,
    /// The object as plain text.
    pub(crate) fallback: String,
}

impl Step<'_> {
    /// The group, if the person may write to it.
    pub(crate) fn writable_group(&self, id: GroupId) -> Result<Group, ActError> {
        let group = self.known_group(id)?;
        let member = group.state(self.own.id) == GroupState::Member;
        if !member && self.gate.enforces(&req::GROUP_CONSENT) {
            return Err(ActError::State {
                name: group.name,
                reason: "you are not a member, so nothing can be sent; join first",
            });
        }
        // A delivery without one of the members would be refused by all (`group.recipients`).
        let others = group.list.member_ids().filter(|id| *id != self.own.id);
        let complete = self.members(&group)?.len() == others.count();
        if !complete && self.gate.enforces(&req::GROUP_RECIPIENTS) {
            return Err(ActError::State {
                name: group.name,
                reason: "its owner's mail about a new member has not arrived yet; sync and try again",
            });
        }
        Ok(group)
    }

    /// Writes an object for a group, or its next revision, and sends it to all members.
    pub(crate) fn say_in_group(
        &mut self,
        id: GroupId,
        said: Said,
        earlier: Option<&Entry>,
    ) -> Result<[u8; 16], ActError> {
        let group = self.writable_group(id)?;
        let object = match earlier {
            Some(entry) => entry.id,
            None => self.random(),
        };
        let rev = earlier.map_or(1, |entry| entry.rev + 1);
        let hash = self.sign_for(
            Draft {
                id: object,
                rev,
                audience: Audience::Group,
                fallback: said.fallback,
                payload: said.payload,
            },
            Some(id),
        )?;
        let mut entry = self.own_entry(said.kind, object, rev, hash, said.body, earlier);
        entry.scope = Some(id);
        self.keep_own(&entry, earlier)?;
        let load = GroupLoad {
            objects: vec![hash],
            subject: Some((entry.key(), rev)),
        };
        self.deliver_to_group(&group, &load)?;
        Ok(object)
    }

    /// Sends an object without content of its own, like a retract, to a group.
    pub(crate) fn tell_group(&mut self, id: GroupId, object: Id) -> Result<(), ActError> {
        let group = self.writable_group(id)?;
        let load = GroupLoad {
            objects: vec![object],
            subject: None,
        };
        Ok(self.deliver_to_group(&group, &load)?)
    }

    /// What was said in a group, as plain text that can't be taken for a private one.
    fn said_in(&self, group: GroupId, did: &str, text: &str) -> Result<String, ActError> {
        let group = self.known_group(group)?.name;
        Ok(format!("{} {did} ({group}): {text}", self.own.shown()))
    }

    /// Posts to a group, or changes a post.
    pub(crate) fn post_to_group(
        &mut self,
        group: GroupId,
        text: &str,
        earlier: Option<&Entry>,
    ) -> Result<[u8; 16], ActError> {
        let fallback = self.said_in(group, kinds::post::did(earlier), text)?;
        let said = Said {
            kind: "post",
            payload: Payload::Post(kinds::post::plain(text)?),
            body: Body::Post {
                text: text.to_owned(),
                rich: false,
            },
            fallback,
        };
        self.say_in_group(group, said, earlier)
    }

    /// Writes a message to a group, or changes one.
    pub(crate) fn message_to_group(
        &mut self,
        group: GroupId,
        text: &str,
        parent: Option<Id>,
        earlier: Option<&Entry>,
    ) -> Result<[u8; 16], ActError> {
        let checked = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
        let message = Message {
            to: None,
            parent: parent.map(|hash| HashRef { hash: hash.into() }),
            text: checked,
            media: Vec::new(),
        };
        let fallback = self.said_in(group, kinds::message::did(earlier), text)?;
        let said = Said {
            kind: "message",
            payload: Payload::Message(message),
            body: Body::GroupMessage {
                parent: parent.map(hex::encode),
                text: text.to_owned(),
            },
            fallback,
        };
        self.say_in_group(group, said, earlier)
    }
}
