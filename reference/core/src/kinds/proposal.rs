//! `proposal`: a change that an admin wants (specification, section "Proposals" of chapter "Groups").

use kith_schemas::types::{Audience, Proposal, ProposedChange};
use kith_spec::{Rule, req};

use super::join::own_group;
use super::{Arrival, Kind, Traits};
use crate::agent::group::{GroupChange, Role};
use crate::agent::objects::Body;
use crate::agent::{Event, Failure, Id, Step};

impl Kind for Proposal {
    fn traits(&self) -> Traits {
        Traits::content("proposal", &[Audience::Direct], &req::KIND_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Makes the change, by a new revision, if its author is an admin now.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let from = arrival.object.author.0;
        let rule = &req::GROUP_PROPOSAL_ADMIN;
        let group = own_group(step, self.group.id.0, rule)?;
        let admin = group.list.role(from).is_some_and(Role::proposes);
        step.gate.check(rule, admin && !group.ended)?;
        let change = match &self.proposed_change {
            ProposedChange::Invite(person) => GroupChange::Invite(person.id.0),
            ProposedChange::Remove(person) => GroupChange::Remove(person.id.0),
            ProposedChange::Rename(name) => GroupChange::Rename(name.to_string()),
        };
        let fault = step.change_fault(&group, &change, false)?;
        step.gate
            .check(&req::GROUP_PROPOSAL_BOUNDS, fault.is_none())?;
        let fresh = step.merge(arrival.part, arrival.object, Body::Nothing)?;
        if !fresh || !step.gate.enforces(&req::GROUP_PROPOSAL_APPLIED) {
            return Ok(());
        }
        step.apply_change(&group, change)?;
        step.events.push(Event::Group { name: group.name });
        Ok(())
    }
}
