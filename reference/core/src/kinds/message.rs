//! `message`: what one person writes to one other (specification, chapter "Private messages").

use kith_schemas::types::{Audience, HashRef, Message, Payload, Person, Text};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::media::{self, Attachment};
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::protection::WITHHELD;
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};

/// What the author does, for the plain text.
pub(crate) fn did(earlier: Option<&Entry>) -> &'static str {
    match earlier {
        None => "writes",
        Some(_) => "changed a message",
    }
}

/// Writes a message, or with an earlier entry its next revision.
pub(crate) fn write(
    step: &mut Step<'_>,
    peer: &Peer,
    text: &str,
    parent: Option<Id>,
    attachments: &[Attachment],
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    if step.is_withheld(std::slice::from_ref(peer))? {
        return Err(ActError::State {
            name: peer.shown(),
            reason: WITHHELD,
        });
    }
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    crate::implements!(req::MESSAGE_EDIT, req::MERGE_REVISION);
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let checked = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    let message = Message {
        to: Some(Person { id: peer.id.into() }),
        parent: parent.map(|hash| HashRef { hash: hash.into() }),
        text: checked,
        media: match earlier {
            Some(entry) => step.media_of(entry)?,
            None => step.attach(attachments)?,
        },
    };
    let rich = !message.media.is_empty();
    // Who gets an edit has what was attached before.
    let needs = match earlier {
        Some(_) => Vec::new(),
        None => media::needs(&message.media),
    };
    let listed = super::post::listed(&message.media);
    let name = step.own.shown();
    let did = did(earlier);
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Direct,
        fallback: format!("{name} {did}: {text}{listed}"),
        payload: Payload::Message(message),
    })?;
    let body = Body::Message {
        peer: peer.id,
        parent: parent.map(hex::encode),
        text: text.to_owned(),
        rich,
    };
    let entry = step.own_entry("message", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    for media in step.loads(&needs) {
        let load = Load {
            objects: vec![hash],
            media,
            numbered: true,
            subject: Some(entry.key()),
            ..Load::default()
        };
        step.deliver_subject(peer, load, rev)?;
    }
    Ok(id)
}

impl Kind for Message {
    fn traits(&self) -> Traits {
        Traits::content("message", &[Audience::Direct], &req::MESSAGE_AUDIENCE).in_group()
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        let to = self.to.as_ref()?;
        Some((to.id.0, &req::MESSAGE_ADDRESSED))
    }

    /// Takes a message.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let Arrival { part, object, .. } = *arrival;
        let grouped = object.scope.is_some();
        let named = self.to.is_some();
        step.gate.check(&req::GROUP_MESSAGE, named != grouped)?;
        media::check(step.gate, &self.media)?;
        let threaded = step.gate.enforces(&req::MESSAGE_THREAD);
        let parent = self.parent.as_ref().filter(|_| threaded);
        let parent = parent.map(|parent| parent.hash.to_string());
        let text = self.text.to_string();
        // An own message that another device sent stands with those of its recipient.
        let own = object.author.0 == step.own.id;
        let other = self.to.as_ref().filter(|_| own);
        let body = match grouped {
            true => Body::GroupMessage { parent, text },
            false => Body::Message {
                peer: other.map_or(object.author.0, |to| to.id.0),
                parent,
                text,
                rich: !self.media.is_empty(),
            },
        };
        if step.merge(part, object, body)? {
            if self.to.is_some() {
                step.owe_receipt(object.author.0, part.signed.hash, false)?;
            }
            let from = step.shown_name(object.author.0)?;
            step.events.push(Event::Message { from });
        }
        Ok(())
    }
}

impl Step<'_> {
    pub(crate) fn shown_name(&self, id: Id) -> Result<String, AgentError> {
        if let Some(petname) = self.standing(id)?.petname {
            return Ok(petname);
        }
        Ok(self
            .peer(id)?
            .map_or_else(|| hex::encode(&id[..8]), |peer| peer.shown()))
    }
}
