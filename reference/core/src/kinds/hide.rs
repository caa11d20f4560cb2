//! `hide`: the author of a post or share no longer shows something that stands under it
//! (specification, section "Hiding" of chapter "Comments").

use kith_schemas::types::{Audience, Hide, ObjectRef, Payload};
use kith_spec::req;

use super::comment::revision;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::thread::{Key, REPLIES};
use crate::agent::{ActError, AgentError, Failure, Step};

/// Hides something under an own post or share.
pub(crate) fn write(
    step: &mut Step<'_>,
    root: &Entry,
    target: &Entry,
) -> Result<[u8; 16], ActError> {
    let id = step.random();
    let hide = Hide {
        root: reference(root)?,
        target: reference(target)?,
    };
    let body = Body::Hide {
        root: Key::from(&hide.root),
        target: Key::from(&hide.target),
    };
    let draft = Draft {
        id,
        rev: 1,
        audience: step.audience(root)?.unwrap_or(Audience::Friends),
        fallback: format!("{} hides a {}.", step.own.shown(), target.kind),
        payload: Payload::Hide(hide),
    };
    let hash = step.sign_for(draft, root.scope)?;
    let mut entry = step.own_entry("hide", id, 1, hash, body, None);
    entry.scope = root.scope;
    step.keep_own(&entry, None)?;
    if let Some(group) = root.scope {
        step.tell_group(group, hash)?;
        return Ok(id);
    }
    if !step.gate.enforces(&req::HIDE_SENT) {
        return Ok(id);
    }
    if step.is_public(hash)? {
        step.publish(&[hash])?;
        return Ok(id);
    }
    for reader in step.recipients(&root.key())? {
        let Some(peer) = step.peer(reader)? else {
            continue;
        };
        let load = Load {
            objects: vec![hash],
            numbered: true,
            subject: Some(entry.key()),
            ..Load::default()
        };
        step.deliver_subject(&peer, load, 1)?;
    }
    Ok(id)
}

fn reference(entry: &Entry) -> Result<ObjectRef, AgentError> {
    let revision = revision(entry)?;
    Ok(ObjectRef {
        author: revision.author,
        id: revision.id,
        kind: revision.kind,
    })
}

impl Kind for Hide {
    fn traits(&self) -> Traits {
        const AUDIENCES: &[Audience] = &[Audience::Friends, Audience::Group, Audience::Public];
        Traits::content("hide", AUDIENCES, &req::KIND_AUDIENCE).in_group()
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let own = self.root.author == arrival.object.author;
        step.gate.check(&req::HIDE_AUTHOR, own)?;
        let kind = self.target.kind.as_str();
        step.gate
            .check(&req::HIDE_TARGET, REPLIES.contains(&kind))?;
        let body = Body::Hide {
            root: Key::from(&self.root),
            target: Key::from(&self.target),
        };
        step.merge(arrival.part, arrival.object, body)?;
        Ok(())
    }
}
