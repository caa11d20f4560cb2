//! `retract`: takes an object back for everybody (specification, section "Retraction" of chapter
//! "Posts to friends").

use kith_schemas::types::{self, Audience, ObjectRef, Payload, Retract};
use kith_spec::req;

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::group::{Group, GroupId};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::outgoing::Load;
use crate::agent::thread::Key;
use crate::agent::{ActError, AgentError, Failure, Id, Step};
use crate::store::Table;

/// Takes back an own object.
pub(crate) fn write(step: &mut Step<'_>, target: &Entry) -> Result<(), ActError> {
    let root = match &target.body {
        Body::Comment { root, .. } => Some(reference(root)?),
        _ => None,
    };
    // What stands under a page's post goes to the page, whom alone it was sent to.
    let elsewhere = root
        .as_ref()
        .is_some_and(|root| root.author.0 != step.own.id);
    let public = !elsewhere && step.is_public(target.hash)?;
    let retract = Retract {
        target: reference(&Key::from(target))?,
        root,
    };
    let audience = step.audience(target)?.unwrap_or(Audience::Friends);
    let name = step.own.shown();
    let id = step.random();
    let draft = Draft {
        id,
        rev: 1,
        audience,
        fallback: format!("{name} took back a {}.", target.kind),
        payload: Payload::Retract(retract),
    };
    let hash = step.sign_for(draft, target.scope)?;
    bury(step, target.clone())?;
    if let Some(group) = target.scope {
        return step.tell_group(group, hash);
    }
    if !step.gate.enforces(&req::RETRACT_SENT) {
        return Ok(());
    }
    if public {
        return step.publish(&[hash]);
    }
    for peer in step.everybody(&target.key())? {
        step.deliver(
            &peer,
            Load {
                objects: vec![hash],
                numbered: true,
                ..Load::default()
            },
        )?;
    }
    Ok(())
}

/// The retract of an own group. Returns its hash.
pub(crate) fn of_group(step: &mut Step<'_>, group: &Group) -> Result<Id, ActError> {
    let retract = Retract {
        target: reference(&Key {
            author: group.id.owner,
            id: group.id.id,
            kind: "group".to_owned(),
        })?,
        root: None,
    };
    let draft = Draft {
        id: step.random(),
        rev: 1,
        audience: Audience::Group,
        fallback: format!("{} ended the group {}.", step.own.shown(), group.name),
        payload: Payload::Retract(retract),
    };
    let hash = step.sign_for(draft, Some(group.id))?;
    if let Some(entry) = step.entry(&merge_key(group.id.owner, "group", group.id.id))? {
        bury(step, entry)?;
    }
    Ok(hash)
}

fn reference(key: &Key) -> Result<ObjectRef, AgentError> {
    Ok(ObjectRef {
        author: key.author.into(),
        id: key.id.into(),
        kind: types::Kind::new(key.kind.as_str())
            .map_err(unfit)
            .map_err(AgentError::Wire)?,
    })
}

impl Kind for Retract {
    fn traits(&self) -> Traits {
        const PRIVATE: &[Audience] = &[Audience::Direct, Audience::Friends, Audience::Public];
        const GROUP: &[Audience] = &[Audience::Group];
        let group = self.target.kind.as_str() == "group";
        let audiences = if group { GROUP } else { PRIVATE };
        Traits::content("retract", audiences, &req::KIND_AUDIENCE).in_group()
    }

    fn root(&self) -> Option<Key> {
        self.root.as_ref().map(Key::from)
    }

    /// Takes a retract: it wins for ever, even when it comes first.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let object = arrival.object;
        let gate = step.gate;
        let target = &self.target;
        let author = target.author == object.author;
        gate.check(&req::RETRACT_AUTHOR, author)?;
        let kind = target.kind.as_str();
        let identity = matches!(kind, "identity" | "contact");
        if identity {
            gate.check(&req::IDENTITY_NOT_MERGED, kind != "identity")?;
        }
        gate.check(&req::PAGE_FINAL, kind != "page")?;
        gate.check(&req::APP_UPDATE_FINAL, kind != "app-update")?;
        gate.check(&req::RETRACT_KINDS, !super::FINAL.contains(&kind))?;
        gate.check(&req::RSVP_KEPT, kind != "rsvp")?;
        if kind == "group" {
            step.end_group(GroupId {
                owner: target.author.0,
                id: target.id.0,
            })?;
        }
        gate.check(&req::RETRACT_DERIVED, !super::DERIVED.contains(&kind))?;
        let rooted = (kind == "comment") == self.root.is_some();
        gate.check(&req::RETRACT_ROOT, rooted)?;
        let key = merge_key(target.author.0, kind, target.id.0);
        let author = step.peer(object.author.0)?;
        let epoch = author.map_or(0, |author| author.epoch_of(&arrival.part.signed));
        let epoch = u16::try_from(epoch).unwrap_or(u16::MAX);
        match step.entry(&key)? {
            Some(mut entry) => {
                step.relay_retract(arrival, &entry)?;
                entry.epoch = epoch;
                bury(step, entry)?;
            }
            None if gate.enforces(&req::RETRACT_FIRST) => {
                let entry = Entry {
                    author: target.author.0,
                    id: target.id.0,
                    kind: kind.to_owned(),
                    rev: 0,
                    hash: [0; 32],
                    created: step.now,
                    received: step.now,
                    shown: step.now,
                    retracted: true,
                    epoch,
                    body: Body::Nothing,
                    scope: None,
                };
                step.store.set(Table::Object, key, &entry)?;
            }
            None => {}
        }
        Ok(())
    }
}

/// Leaves of an object only that it was retracted.
fn bury(step: &mut Step<'_>, mut entry: Entry) -> Result<(), AgentError> {
    entry.retracted = true;
    step.hide(entry)
}
