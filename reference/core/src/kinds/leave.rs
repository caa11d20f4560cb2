//! `leave`: the end of a membership, or the answer no to an invitation (specification, section
//! "Membership" of chapter "Groups").

use kith_schemas::types::{Audience, Leave};
use kith_spec::{Rule, req};

use super::join::{listed_since, own_group};
use super::{Arrival, Kind, Traits};
use crate::agent::group::GroupChange;
use crate::agent::objects::Body;
use crate::agent::{Event, Failure, Id, Step};

impl Kind for Leave {
    fn traits(&self) -> Traits {
        Traits::content("leave", &[Audience::Direct], &req::KIND_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::FRIENDS_ACCEPT_TO))
    }

    /// Takes somebody off the list, by a new revision.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let from = arrival.object.author.0;
        let rule = &req::GROUP_LEAVE_LISTED;
        let group = own_group(step, self.group.id.0, rule)?;
        let listed = group.list.lists(from) && from != step.own.id;
        let since = listed_since(step, &group, from, self.group.hash.0)?;
        step.gate.check(rule, listed && since)?;
        let fresh = step.merge(arrival.part, arrival.object, Body::Nothing)?;
        if !fresh || group.ended || !listed || !step.gate.enforces(&req::GROUP_LEAVE_TAKEN) {
            return Ok(());
        }
        step.apply_change(&group, GroupChange::Remove(from))?;
        let name = arrival.sender.peer.shown();
        step.events.push(Event::GroupLeft {
            name,
            group: group.name,
        });
        Ok(())
    }
}
