//! `post`: what a person tells friends (specification, chapter "Posts to friends").

use kith_schemas::types::{Audience, Payload, Post, Text};
use kith_spec::req;

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, Event, Failure, Id, Step};

/// Writes a post to all friends, or with an earlier entry its next revision to those who got one.
pub(crate) fn write(
    step: &mut Step<'_>,
    text: &str,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let checked = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    let name = step.own.shown();
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Friends,
        fallback: format!("{name} posted: {text}"),
        payload: Payload::Post(Post { text: checked }),
    })?;
    let body = Body::Post {
        text: text.to_owned(),
    };
    let entry = step.own_entry("post", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    let recipients: Vec<Id> = match earlier {
        Some(entry) if step.gate.enforces(&req::POST_EDIT) => step.recipients(&entry.key())?,
        Some(_) => Vec::new(),
        None => step.friends()?,
    };
    crate::implements!(req::POST_COPIES, req::POST_SAME_OCTETS);
    for friend in recipients {
        let Some(peer) = step.peer(friend)? else {
            continue;
        };
        let load = Load {
            objects: vec![hash],
            numbered: true,
            subject: Some(entry.key()),
            ..Load::default()
        };
        step.deliver_subject(&peer, load, rev)?;
    }
    Ok(id)
}

/// Publishes a post of the own page, or its next revision.
pub(crate) fn publish(
    step: &mut Step<'_>,
    text: &str,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let Some((_, page)) = super::page::own(step)? else {
        return Err(ActError::State {
            name: step.own.shown(),
            reason: "you have no page; make one with `kith page set`",
        });
    };
    let checked = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Public,
        fallback: format!("{} posted: {text}", page.name),
        payload: Payload::Post(Post { text: checked }),
    })?;
    let body = Body::Post {
        text: text.to_owned(),
    };
    let entry = step.own_entry("post", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    step.publish(&[hash])?;
    Ok(id)
}

impl Kind for Post {
    fn traits(&self) -> Traits {
        Traits::content(
            "post",
            &[Audience::Friends, Audience::Public],
            &req::POST_AUDIENCE,
        )
        .in_group()
    }

    /// Takes a post.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let Arrival {
            part,
            object,
            sender,
            ..
        } = *arrival;
        let body = Body::Post {
            text: self.text.to_string(),
        };
        if step.merge(part, object, body)? {
            step.events.push(Event::Post {
                from: sender.peer.shown(),
            });
        }
        Ok(())
    }
}
