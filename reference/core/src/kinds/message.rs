//! `message`: what one person writes to one other (specification, chapter "Private messages").

use kith_schemas::types::{Audience, HashRef, Message, Object, Payload, Person, Text};
use kith_spec::req;

use super::Draft;
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::peer::{Part, Peer};
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};

/// Writes a message, or with an earlier entry its next revision.
pub(crate) fn write(
    step: &mut Step<'_>,
    peer: &Peer,
    text: &str,
    parent: Option<Id>,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    crate::implements!(req::MESSAGE_EDIT, req::MERGE_REVISION);
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let checked = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    let message = Message {
        to: Person { id: peer.id.into() },
        parent: parent.map(|hash| HashRef { hash: hash.into() }),
        text: checked,
    };
    let name = step
        .own
        .name
        .clone()
        .unwrap_or_else(|| step.own.address.clone());
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Direct,
        fallback: format!("{name} writes: {text}"),
        payload: Payload::Message(message),
    })?;
    let body = Body::Message {
        peer: peer.id,
        parent: parent.map(hex::encode),
        text: text.to_owned(),
    };
    let entry = step.own_entry("message", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    let load = Load {
        objects: vec![hash],
        numbered: true,
        subject: Some(entry.key()),
        ..Load::default()
    };
    step.deliver_subject(peer, load, rev)?;
    Ok(id)
}

/// Takes a message.
pub(crate) fn take(
    step: &mut Step<'_>,
    part: &Part,
    object: &Object,
    message: &Message,
) -> Result<(), Failure> {
    let threaded = step.gate.enforces(&req::MESSAGE_THREAD);
    let parent = message.parent.as_ref().filter(|_| threaded);
    let body = Body::Message {
        peer: object.author.0,
        parent: parent.map(|parent| parent.hash.to_string()),
        text: message.text.to_string(),
    };
    if step.merge(part, object, body)? {
        let from = step.shown_name(object.author.0)?;
        step.events.push(Event::Message { from });
    }
    Ok(())
}

impl Step<'_> {
    pub(crate) fn shown_name(&self, id: Id) -> Result<String, AgentError> {
        Ok(self
            .peer(id)?
            .map_or_else(|| hex::encode(&id[..8]), |peer| peer.shown()))
    }
}
