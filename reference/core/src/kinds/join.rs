//! `join`: the answer yes to an invitation into a group (specification, section "Membership" of
//! chapter "Groups").

use kith_schemas::types::{Audience, Join};
use kith_spec::{Rule, req};

use super::{Arrival, Kind, Traits};
use crate::agent::group::{Group, GroupId, Role};
use crate::agent::objects::Body;
use crate::agent::{Event, Failure, Id, Step};
use crate::gate::Violation;

impl Kind for Join {
    fn traits(&self) -> Traits {
        Traits::content("join", &[Audience::Direct], &req::KIND_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Makes somebody who is invited a member, by a new revision.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let from = arrival.object.author.0;
        let rule = &req::GROUP_JOIN_INVITED;
        let group = own_group(step, self.group.id.0, rule)?;
        let since = listed_since(step, &group, from, self.group.hash.0)?;
        let invited = group.list.invites(from) && since;
        step.gate.check(rule, invited && !group.ended)?;
        let fresh = step.merge(arrival.part, arrival.object, Body::Nothing)?;
        if !fresh || group.list.role(from).is_some() {
            return Ok(());
        }
        let mut list = group.list.clone();
        list.invited.retain(|id| *id != hex::encode(from));
        list.members.insert(hex::encode(from), Role::Member);
        step.publish_list(group.id, &group.name, group.about.as_deref(), &list)?;
        let name = arrival.sender.peer.shown();
        step.events.push(Event::GroupJoined {
            name,
            group: group.name,
        });
        Ok(())
    }
}

/// The own group with an id.
pub(super) fn own_group(step: &Step<'_>, id: [u8; 16], rule: Rule) -> Result<Group, Failure> {
    let owner = step.own.id;
    let group = step.group(GroupId { owner, id })?;
    Ok(group.ok_or(Violation(rule))?)
}

/// Whether somebody is listed since the revision with this hash, or longer.
pub(super) fn listed_since(
    step: &Step<'_>,
    group: &Group,
    person: Id,
    hash: Id,
) -> Result<bool, Failure> {
    let revision = step.revision(hash)?;
    let since = group.since.get(&hex::encode(person));
    Ok(match (revision, since) {
        (Some(revision), Some(&since)) => revision.group == group.id && revision.rev >= since,
        _ => false,
    })
}
