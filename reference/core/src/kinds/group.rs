//! `group`: the list of a group's members, kept by its owner (specification, chapter "Groups").

use std::collections::BTreeSet;

use kith_schemas::types::{Audience, Group, GroupRole};
use kith_spec::req;

use super::{Arrival, Kind, Traits};
use crate::agent::group::{GroupId, GroupState};
use crate::agent::objects::{Body, merge_key};
use crate::agent::{Event, Failure, Step};

impl Kind for Group {
    fn traits(&self) -> Traits {
        Traits::content("group", &[Audience::Group], &req::KIND_AUDIENCE)
    }

    /// Takes a list, which may be newer or older than the one known.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        crate::implements!(req::GROUP_IDENTITY, req::GROUP_TABLE, req::GROUP_CONSENT);
        let Arrival { part, object, .. } = *arrival;
        let owner = object.author.0;
        let owners: Vec<_> = self
            .member
            .iter()
            .filter(|member| member.role == GroupRole::Owner)
            .collect();
        let gate = step.gate;
        let alone = matches!(owners[..], [only] if only.id.0 == owner);
        gate.check(&req::GROUP_OWNER, alone)?;
        let members = self.member.iter().map(|member| member.id.0);
        let listed: Vec<_> = members.chain(self.invited.iter().map(|p| p.id.0)).collect();
        let distinct: BTreeSet<_> = listed.iter().collect();
        gate.check(&req::GROUP_ONCE, distinct.len() == listed.len())?;
        let id = GroupId {
            owner,
            id: object.id.0,
        };
        let me = step.own.id;
        let known = step.group(id)?;
        let asked = known.is_some() || listed.contains(&me);
        gate.check(&req::GROUP_UNASKED, asked)?;
        let buried = step.entry(&merge_key(owner, "group", object.id.0))?;
        if buried.is_some_and(|entry| entry.retracted) && gate.enforces(&req::RETRACT_FINAL) {
            return Ok(());
        }
        step.merge(part, object, Body::Group)?;
        let before = known.map(|group| group.state(me));
        let mut group = step.take_revision(id, object.rev.get(), part.signed.hash, self)?;
        if !gate.enforces(&req::GROUP_CONSENT) && group.list.role(me).is_some() {
            group.joined = Some(group.rev);
            step.set_group(&group)?;
        }
        let now = group.state(me);
        if before != Some(now) {
            step.events.push(match now {
                GroupState::Invited => Event::GroupInvite { name: group.name },
                _ => Event::Group { name: group.name },
            });
        }
        Ok(())
    }
}
