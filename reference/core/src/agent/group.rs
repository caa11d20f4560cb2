//! Groups as this agent knows them (specification, chapter "Groups").
//!
//! What is stored are facts: the newest list, which revision the person joined or left. The state
//! of the table `group` follows from them, whatever the order in which revisions arrived.

use std::collections::BTreeMap;

use kith_schemas::types::{self, GroupRole, Random128};
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::{AgentError, DAY, Id, Step};
use crate::store::{Table, successor};

mod adopt;
mod arrive;
pub(crate) mod deliver;
mod manage;
mod say;

pub(crate) use arrive::is_introduced;
pub use deliver::MemberChannel;
pub use manage::GroupChange;
pub(crate) use say::Said;

/// A group whatever its revision: whoever owns it, and its id (`group.identity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId {
    /// The owner.
    #[serde(with = "hex::serde")]
    pub owner: Id,
    /// The object id.
    #[serde(with = "hex::serde")]
    pub id: [u8; 16],
}

impl GroupId {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        [&self.owner[..], &self.id].concat()
    }

    pub(crate) fn scope(&self) -> types::Scope {
        types::Scope {
            owner: self.owner.into(),
            id: Random128::from(self.id),
        }
    }
}

impl From<&types::Scope> for GroupId {
    fn from(scope: &types::Scope) -> Self {
        Self {
            owner: scope.owner.0,
            id: scope.id.0,
        }
    }
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Keeps the list.
    Owner,
    /// Proposes changes.
    Admin,
    /// Writes and reads.
    Member,
}

impl From<GroupRole> for Role {
    fn from(role: GroupRole) -> Self {
        match role {
            GroupRole::Owner => Self::Owner,
            GroupRole::Admin => Self::Admin,
            GroupRole::Member => Self::Member,
        }
    }
}

impl From<Role> for GroupRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
        }
    }
}

/// The states of the table `group`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// The owner lists me, and I have not answered.
    Invited,
    /// I joined and wait for the owner's list.
    Joining,
    /// I am a member.
    Member,
    /// I left.
    Left,
    /// The newest list is without me.
    Removed,
    /// The owner retracted the group.
    Ended,
}

impl GroupState {
    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Joining => "joining",
            Self::Member => "member",
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Ended => "ended",
        }
    }
}

/// Who is on a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The members and their roles, by identity in hex.
    pub members: BTreeMap<String, Role>,
    /// Who is invited, in hex.
    pub invited: Vec<String>,
}

impl List {
    /// The role of a member.
    #[must_use]
    pub fn role(&self, id: Id) -> Option<Role> {
        self.members.get(&hex::encode(id)).copied()
    }

    /// Whether somebody is invited.
    #[must_use]
    pub fn invites(&self, id: Id) -> bool {
        self.invited.contains(&hex::encode(id))
    }

    /// Whether somebody is listed at all.
    #[must_use]
    pub fn lists(&self, id: Id) -> bool {
        self.role(id).is_some() || self.invites(id)
    }

    /// The members.
    pub fn member_ids(&self) -> impl Iterator<Item = Id> + '_ {
        self.members.keys().filter_map(|id| decode(id))
    }

    /// Members and invited people.
    pub fn everybody(&self) -> impl Iterator<Item = Id> + '_ {
        let invited = self.invited.iter().filter_map(|id| decode(id));
        self.member_ids().chain(invited)
    }

    fn drop(&mut self, id: Id) {
        self.members.remove(&hex::encode(id));
        self.invited.retain(|invited| decode(invited) != Some(id));
    }
}

impl From<&types::Group> for List {
    fn from(group: &types::Group) -> Self {
        let member = |member: &types::GroupMember| (hex::encode(member.id.0), member.role.into());
        Self {
            members: group.member.iter().map(member).collect(),
            invited: group.invited.iter().map(|p| hex::encode(p.id.0)).collect(),
        }
    }
}

fn decode(id: &str) -> Option<Id> {
    hex::FromHex::from_hex(id).ok()
}

/// What is known of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Which one.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// The newest list.
    pub list: List,
    /// The newest revision.
    pub rev: u32,
    /// Its object hash.
    #[serde(with = "hex::serde")]
    pub hash: Id,
    /// The revision that was the newest when the person joined.
    pub joined: Option<u32>,
    /// The revision that was the newest when the person left.
    pub left: Option<u32>,
    /// Whether the owner retracted it.
    pub ended: bool,
    /// Since which revision the owner lists somebody, by identity in hex. For the owner only.
    pub since: BTreeMap<String, u32>,
}

impl Group {
    /// The state that follows from the facts, for the person with this identity.
    #[must_use]
    pub fn state(&self, me: Id) -> GroupState {
        match (self.joined, self.list.role(me)) {
            _ if self.ended => GroupState::Ended,
            _ if self.left.is_some() => GroupState::Left,
            (_, None) if !self.list.invites(me) => GroupState::Removed,
            (Some(_), Some(_)) => GroupState::Member,
            (Some(_), None) => GroupState::Joining,
            (None, _) => GroupState::Invited,
        }
    }

    /// A revision without somebody ends what that person said about the revisions before.
    fn unlisted(&mut self, rev: u32) {
        self.joined = self.joined.filter(|&joined| joined > rev);
        self.left = self.left.filter(|&left| left > rev);
    }
}

/// A revision of a group, by its object hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Revision {
    /// Of which group.
    pub group: GroupId,
    /// Its number.
    pub rev: u32,
    /// Its members.
    pub list: List,
    /// Since when there is a newer one, unix seconds.
    pub superseded: Option<i64>,
}

impl Revision {
    /// Whether deliveries that name it are still taken.
    fn is_current(&self, now: i64) -> bool {
        let days = limit::GROUP_SUPERSEDED_DAYS as i64 * DAY;
        self.superseded.is_none_or(|since| now <= since + days)
    }
}

impl Step<'_> {
    pub(crate) fn group(&self, id: GroupId) -> Result<Option<Group>, AgentError> {
        Ok(self.store.record(Table::Group, &id.key())?)
    }

    pub(crate) fn set_group(&mut self, group: &Group) -> Result<(), AgentError> {
        Ok(self.store.set(Table::Group, group.id.key(), group)?)
    }

    pub(crate) fn revision(&self, hash: Id) -> Result<Option<Revision>, AgentError> {
        Ok(self.store.record(Table::GroupRevision, &hash)?)
    }

    /// The groups of an owner.
    pub(crate) fn groups_of(&self, owner: Id) -> Result<Vec<Group>, AgentError> {
        let rows = self.store.records::<Group>(Table::Group, &owner)?;
        Ok(rows.into_iter().map(|(_, group)| group).collect())
    }

    /// Whether the two are on the list of a group that the person has not left.
    pub(crate) fn is_co_member(&self, id: Id) -> Result<bool, AgentError> {
        let me = self.own.id;
        let rows = self.store.records::<Group>(Table::Group, b"")?;
        let together = |group: &Group| {
            group.list.lists(id)
                && (group.id.owner == me || group.id.owner == id || group.state(me).is_open())
        };
        Ok(rows.iter().any(|(_, group)| together(group)))
    }

    /// Takes a list as a revision of its group. Revisions may come in any order.
    pub(crate) fn take_revision(
        &mut self,
        id: GroupId,
        rev: u32,
        hash: Id,
        content: &types::Group,
    ) -> Result<Group, AgentError> {
        let list = List::from(content);
        let known = self.group(id)?;
        let newest = known.as_ref().is_none_or(|known| {
            (rev, std::cmp::Reverse(hash)) > (known.rev, std::cmp::Reverse(known.hash))
        });
        let mut revision = Revision {
            group: id,
            rev,
            list: list.clone(),
            superseded: (!newest).then_some(self.now),
        };
        if let Some(before) = self.revision(hash)? {
            revision.superseded = before.superseded;
        }
        self.store.set(Table::GroupRevision, hash, &revision)?;
        let mut group = match known {
            Some(group) if !newest => group,
            known => {
                if let Some(known) = &known {
                    self.supersede(known.hash)?;
                }
                Group {
                    id,
                    name: content.name.to_string(),
                    about: content.about.as_ref().map(ToString::to_string),
                    list: list.clone(),
                    rev,
                    hash,
                    joined: known.as_ref().and_then(|known| known.joined),
                    left: known.as_ref().and_then(|known| known.left),
                    ended: known.as_ref().is_some_and(|known| known.ended),
                    since: known.map(|known| known.since).unwrap_or_default(),
                }
            }
        };
        if !list.lists(self.own.id) {
            group.unlisted(rev);
        }
        self.set_group(&group)?;
        Ok(group)
    }

    fn supersede(&mut self, hash: Id) -> Result<(), AgentError> {
        if let Some(mut revision) = self.revision(hash)? {
            revision.superseded.get_or_insert(self.now);
            self.store.set(Table::GroupRevision, hash, &revision)?;
        }
        Ok(())
    }

    /// Ends a group that its owner retracted.
    pub(crate) fn end_group(&mut self, id: GroupId) -> Result<(), AgentError> {
        if let Some(mut group) = self.group(id)?
            && self.gate.enforces(&req::GROUP_END)
        {
            group.ended = true;
            self.set_group(&group)?;
        }
        Ok(())
    }
}

impl GroupState {
    /// Whether the person takes part or is asked to.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Invited | Self::Joining | Self::Member)
    }
}

/// The rows of a group's timeline.
pub(crate) fn timeline(id: GroupId) -> (Vec<u8>, Vec<u8>) {
    let prefix = id.key();
    let end = successor(&prefix);
    (prefix, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Id = [1; 32];
    const OWNER: Id = [2; 32];

    fn group(member: bool, invited: bool) -> Group {
        let mut list = List::default();
        list.members.insert(hex::encode(OWNER), Role::Owner);
        if member {
            list.members.insert(hex::encode(ME), Role::Member);
        }
        if invited {
            list.invited.push(hex::encode(ME));
        }
        Group {
            id: GroupId {
                owner: OWNER,
                id: [3; 16],
            },
            name: "Choir".to_owned(),
            about: None,
            list,
            rev: 2,
            hash: [4; 32],
            joined: None,
            left: None,
            ended: false,
            since: BTreeMap::new(),
        }
    }

    #[test]
    fn nobody_is_a_member_without_joining() {
        assert_eq!(group(true, false).state(ME), GroupState::Invited);
        assert_eq!(group(false, false).state(ME), GroupState::Removed);
        let mut joined = group(true, false);
        joined.joined = Some(1);
        assert_eq!(joined.state(ME), GroupState::Member);
    }

    #[test]
    fn a_revision_without_me_clears_what_i_said_before() {
        let mut left = group(false, true);
        left.left = Some(2);
        assert_eq!(left.state(ME), GroupState::Left);
        left.unlisted(1);
        assert_eq!(left.state(ME), GroupState::Left);
        left.unlisted(3);
        assert_eq!(left.state(ME), GroupState::Invited);
    }
}
