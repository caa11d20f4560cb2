//! What people do about groups: the owner keeps the list, others join, leave and propose
//! (specification, sections "Membership", "What the owner's agent sends" and "Proposals" of chapter
//! "Groups").

use kith_schemas::types::{
    self, Audience, GroupAbout, GroupMember, GroupRevision, Join, Leave, Line, Payload, Person,
    Proposal, ProposedChange,
};
use kith_spec::{limit, req};

use super::{Group, GroupId, GroupState, List, Role};
use crate::agent::objects::{Body, merge_key};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Id, Step};
use crate::kinds::Draft;
use crate::wire::WireError;

/// How many people's credentials ride in one delivery, which holds 256 objects and 16 certificates.
const INTRODUCED: usize = 8;

/// A change of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    /// Invites a friend of the owner.
    Invite(Id),
    /// Takes somebody off the list.
    Remove(Id),
    /// Gives the group another name.
    Rename(String),
    /// Makes a member an admin, or no longer one. Only the owner does.
    Role(Id, bool),
}

fn refuse(group: &str, reason: &'static str) -> ActError {
    ActError::State {
        name: group.to_owned(),
        reason,
    }
}

impl Step<'_> {
    pub(crate) fn known_group(&self, id: GroupId) -> Result<Group, ActError> {
        self.group(id)?.ok_or_else(|| ActError::Unknown {
            what: "group",
            id: hex::encode(id.id),
            list: "group list",
        })
    }

    /// Makes a group with the person as its owner and only member.
    pub(crate) fn create_group(
        &mut self,
        name: &str,
        about: Option<&str>,
    ) -> Result<[u8; 16], ActError> {
        let id = GroupId {
            owner: self.own.id,
            id: self.random(),
        };
        let mut list = List::default();
        list.members.insert(hex::encode(self.own.id), Role::Owner);
        let text = |error: &dyn std::fmt::Display| ActError::Text(error.to_string());
        Line::new(name).map_err(|error| text(&error))?;
        about
            .map(GroupAbout::new)
            .transpose()
            .map_err(|error| text(&error))?;
        self.publish_list(id, name, about, &list)?;
        Ok(id.id)
    }

    /// Changes a group as its owner, or asks its owner to.
    pub(crate) fn change_group(
        &mut self,
        id: GroupId,
        change: GroupChange,
    ) -> Result<(), ActError> {
        let group = self.known_group(id)?;
        if group.state(self.own.id) != GroupState::Member {
            return Err(refuse(&group.name, "you are not a member"));
        }
        match group.list.role(self.own.id) {
            Some(Role::Owner) => {
                if let Some(reason) = self.change_fault(&group, &change, true)? {
                    return Err(refuse(&group.name, reason));
                }
                if let GroupChange::Rename(name) = &change {
                    Line::new(name.as_str()).map_err(|error| ActError::Text(error.to_string()))?;
                }
                Ok(self.apply_change(&group, change)?)
            }
            Some(Role::Admin) => self.propose(&group, change),
            _ => Err(refuse(&group.name, "only the owner and admins change it")),
        }
    }

    /// Why a change can't be made.
    pub(crate) fn change_fault(
        &self,
        group: &Group,
        change: &GroupChange,
        by_owner: bool,
    ) -> Result<Option<&'static str>, AgentError> {
        Ok(match change {
            GroupChange::Invite(id) if group.list.lists(*id) => {
                Some("this person is listed already")
            }
            GroupChange::Invite(id)
                if !self.is_friend(*id)? && self.gate.enforces(&req::GROUP_INVITE_FRIENDS) =>
            {
                Some("this person is not a friend of the owner")
            }
            GroupChange::Invite(_) if group.list.invited.len() as u64 >= limit::GROUP_INVITED => {
                Some("too many invitations are open; wait for answers or take some back")
            }
            GroupChange::Invite(_)
                if (group.list.members.len() + group.list.invited.len()) as u64
                    >= limit::GROUP_MEMBERS =>
            {
                Some("the group is full")
            }
            GroupChange::Remove(id) | GroupChange::Role(id, _) if !group.list.lists(*id) => {
                Some("this person is not in the group")
            }
            GroupChange::Remove(id) => match group.list.role(*id) {
                Some(Role::Owner) => Some("the owner can't be removed; end the group instead"),
                Some(Role::Admin) if !by_owner => Some("only the owner removes an admin"),
                _ => None,
            },
            GroupChange::Role(id, _) => match group.list.role(*id) {
                Some(Role::Member | Role::Admin) => None,
                _ => Some("this person is no member yet, or the owner"),
            },
            GroupChange::Invite(_) | GroupChange::Rename(_) => None,
        })
    }

    /// Makes a change that was checked, by a new revision.
    pub(crate) fn apply_change(
        &mut self,
        group: &Group,
        change: GroupChange,
    ) -> Result<(), AgentError> {
        let mut list = group.list.clone();
        let mut name = group.name.clone();
        match change {
            GroupChange::Invite(id) if self.gate.enforces(&req::GROUP_MEMBERS_JOINED) => {
                list.invited.push(hex::encode(id));
            }
            GroupChange::Invite(id) => {
                list.members.insert(hex::encode(id), Role::Member);
            }
            GroupChange::Remove(id) => list.drop(id),
            GroupChange::Rename(wanted) => name = wanted,
            GroupChange::Role(id, admin) => {
                let role = if admin { Role::Admin } else { Role::Member };
                list.members.insert(hex::encode(id), role);
            }
        }
        self.publish_list(group.id, &name, group.about.as_deref(), &list)
    }

    /// Signs and sends a revision of an own group.
    pub(crate) fn publish_list(
        &mut self,
        id: GroupId,
        name: &str,
        about: Option<&str>,
        list: &List,
    ) -> Result<(), AgentError> {
        let text = |error: &dyn std::fmt::Display| WireError::Xml(error.to_string());
        let before = self.group(id)?;
        let rev = before.as_ref().map_or(1, |group| group.rev + 1);
        let member = |(id, role): (&String, &Role)| {
            super::decode(id).map(|id| GroupMember {
                id: id.into(),
                role: (*role).into(),
            })
        };
        let invited = list.invited.iter().filter_map(|id| super::decode(id));
        let content = types::Group {
            name: Line::new(name).map_err(|error| text(&error))?,
            about: about
                .map(GroupAbout::new)
                .transpose()
                .map_err(|error| text(&error))?,
            member: list.members.iter().filter_map(member).collect(),
            invited: invited.map(|id| Person { id: id.into() }).collect(),
        };
        let hash = self.sign(Draft {
            id: id.id,
            rev,
            audience: Audience::Group,
            fallback: format!("{} tells who is in the group {name}.", self.own.shown()),
            payload: Payload::Group(content.clone()),
        })?;
        let key = merge_key(self.own.id, "group", id.id);
        let earlier = self.entry(&key)?;
        let entry = self.own_entry("group", id.id, rev, hash, Body::Group, earlier.as_ref());
        self.keep_own(&entry, earlier.as_ref())?;
        let mut group = self.take_revision(id, rev, hash, &content)?;
        group.joined.get_or_insert(rev);
        group
            .since
            .retain(|id, _| list.members.contains_key(id) || list.invited.contains(id));
        for listed in list.everybody() {
            group.since.entry(hex::encode(listed)).or_insert(rev);
        }
        self.set_group(&group)?;
        self.send_revision(
            &group,
            &before.map(|group| group.list).unwrap_or_default(),
            rev,
        )
    }

    /// Sends a revision to all whom it concerns, with the credentials that each lacks.
    fn send_revision(&mut self, group: &Group, before: &List, rev: u32) -> Result<(), AgentError> {
        let me = self.own.id;
        let mut concerned: Vec<Id> = group.list.everybody().chain(before.everybody()).collect();
        concerned.sort_unstable();
        concerned.dedup();
        let told = self.gate.enforces(&req::GROUP_REVISION_SENT);
        concerned.retain(|&id| id != me && (told || group.list.invites(id)));
        let new: Vec<Id> = group
            .list
            .member_ids()
            .filter(|id| before.role(*id).is_none() && *id != me)
            .collect();
        for id in concerned {
            let Some(peer) = self.peer(id)? else { continue };
            let others: Vec<Id> = match group.list.role(id) {
                _ if !self.gate.enforces(&req::GROUP_CREDENTIALS_SENT) => Vec::new(),
                Some(_) if new.contains(&id) => group.list.member_ids().collect(),
                Some(_) => new.clone(),
                None => Vec::new(),
            };
            let others: Vec<Id> = others
                .into_iter()
                .filter(|o| *o != me && *o != id)
                .collect();
            let (first, rest) = others.split_at(others.len().min(INTRODUCED));
            let load = Load {
                objects: vec![group.hash],
                numbered: true,
                subject: Some(merge_key(me, "group", group.id.id)),
                others: first.to_vec(),
                ..Load::default()
            };
            self.deliver_subject(&peer, load, rev)?;
            for batch in rest.chunks(INTRODUCED) {
                let load = Load {
                    objects: vec![group.hash],
                    numbered: true,
                    others: batch.to_vec(),
                    ..Load::default()
                };
                self.deliver(&peer, load)?;
            }
        }
        Ok(())
    }

    /// Ends an own group: its object is retracted.
    pub(crate) fn disband(&mut self, id: GroupId) -> Result<(), ActError> {
        let mut group = self.known_group(id)?;
        if group.list.role(self.own.id) != Some(Role::Owner) || group.ended {
            return Err(refuse(
                &group.name,
                "only its owner ends a group, and only once",
            ));
        }
        let concerned: Vec<Id> = group
            .list
            .everybody()
            .filter(|id| *id != self.own.id)
            .collect();
        let hash = crate::kinds::retract::of_group(self, &group)?;
        for id in concerned {
            if let Some(peer) = self.peer(id)? {
                let load = Load {
                    objects: vec![hash],
                    numbered: true,
                    ..Load::default()
                };
                self.deliver(&peer, load)?;
            }
        }
        group.ended = true;
        Ok(self.set_group(&group)?)
    }

    fn tell_owner(
        &mut self,
        group: &Group,
        payload: Payload,
        fallback: String,
    ) -> Result<(), ActError> {
        let owner = self.peer(group.id.owner)?;
        let owner = owner.ok_or_else(|| refuse(&group.name, "its owner is not known any more"))?;
        let id = self.random();
        let hash = self.sign(Draft {
            id,
            rev: 1,
            audience: Audience::Direct,
            fallback,
            payload,
        })?;
        let load = Load {
            objects: vec![hash],
            numbered: true,
            ..Load::default()
        };
        self.deliver(&owner, load)?;
        Ok(())
    }

    /// Accepts an invitation.
    pub(crate) fn join_group(&mut self, id: GroupId) -> Result<(), ActError> {
        let mut group = self.known_group(id)?;
        if group.state(self.own.id) != GroupState::Invited {
            return Err(refuse(&group.name, "no invitation waits for your answer"));
        }
        crate::implements!(req::GROUP_JOIN_ASKED);
        group.joined = Some(group.rev);
        self.set_group(&group)?;
        let join = Join {
            to: owner(&group),
            group: named(&group),
        };
        let fallback = format!("{} joins the group {}.", self.own.shown(), group.name);
        self.tell_owner(&group, Payload::Join(join), fallback)
    }

    /// Leaves a group, or declines an invitation.
    pub(crate) fn leave_group(&mut self, id: GroupId) -> Result<(), ActError> {
        let mut group = self.known_group(id)?;
        if id.owner == self.own.id {
            return Err(refuse(&group.name, "you own it; end the group instead"));
        }
        if !group.state(self.own.id).is_open() {
            return Err(refuse(&group.name, "you are neither a member nor invited"));
        }
        group.joined = None;
        group.left = Some(group.rev);
        self.set_group(&group)?;
        if !self.gate.enforces(&req::GROUP_LEAVE) {
            return Ok(());
        }
        let leave = Leave {
            to: owner(&group),
            group: named(&group),
        };
        let fallback = format!("{} leaves the group {}.", self.own.shown(), group.name);
        self.tell_owner(&group, Payload::Leave(leave), fallback)
    }

    fn propose(&mut self, group: &Group, change: GroupChange) -> Result<(), ActError> {
        let person = |id: Id| Person { id: id.into() };
        let change = match change {
            GroupChange::Invite(id) => ProposedChange::Invite(person(id)),
            GroupChange::Remove(id) => ProposedChange::Remove(person(id)),
            GroupChange::Rename(name) => {
                let name = Line::new(name).map_err(|error| ActError::Text(error.to_string()))?;
                ProposedChange::Rename(name)
            }
            GroupChange::Role(..) => {
                return Err(refuse(&group.name, "only the owner changes roles"));
            }
        };
        let proposal = Proposal {
            to: owner(group),
            group: named(group),
            proposed_change: change,
        };
        let name = self.own.shown();
        let fallback = format!("{name} proposes a change of the group {}.", group.name);
        self.tell_owner(group, Payload::Proposal(proposal), fallback)
    }
}

fn owner(group: &Group) -> Person {
    Person {
        id: group.id.owner.into(),
    }
}

fn named(group: &Group) -> GroupRevision {
    GroupRevision {
        id: group.id.id.into(),
        hash: group.hash.into(),
    }
}
