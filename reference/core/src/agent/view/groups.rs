//! Groups and what is written in them (specification, chapter "Groups").

use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::group::{self, GroupId, GroupState, Role};
use crate::agent::objects::{Body, Entry};
use crate::agent::{AgentError, Id};
use crate::store::{Read, Table};

/// Somebody on the list of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// The identity, in hex.
    pub identity: String,
    /// How it is shown.
    pub name: String,
    /// What it may do; none for somebody who is only invited.
    pub role: Option<Role>,
}

/// A group.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// The owner, in hex.
    pub owner: String,
    /// The object id, in hex.
    pub id: String,
    /// The object hash of the newest revision, in hex.
    pub hash: String,
    /// The newest revision.
    pub rev: u32,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// The state in the table `group`; of an own group `member`.
    pub state: GroupState,
    /// What the person may do in it.
    pub role: Option<Role>,
    /// Members and invited people.
    pub list: Vec<Listed>,
}

/// Something written to a group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupEntry {
    /// The object id, in hex.
    pub id: String,
    /// The object hash of its last revision, in hex.
    pub hash: String,
    /// Its author, in hex.
    pub author: String,
    /// The author's name as it is shown.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The text, or the signed fallback.
    pub text: String,
    /// The object hash, in hex, of the message that it answers.
    pub parent: Option<String>,
    /// When it was created, unix seconds.
    pub created: i64,
    /// Its revision.
    pub rev: u32,
    /// Whether every mail that carried it was protected after quantum computers; none of what no
    /// sealed mail carried.
    pub protected: Option<bool>,
}

impl View<'_> {
    /// The groups.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn groups(&self) -> Result<Vec<Group>, AgentError> {
        let rows = self.store.records::<group::Group>(Table::Group, b"")?;
        let mut groups = Vec::new();
        for (_, group) in rows {
            let mut list = Vec::new();
            for id in group.list.everybody() {
                list.push(Listed {
                    identity: hex::encode(id),
                    name: self.name(id)?,
                    role: group.list.role(id),
                });
            }
            groups.push(Group {
                owner: hex::encode(group.id.owner),
                id: hex::encode(group.id.id),
                hash: hex::encode(group.hash),
                rev: group.rev,
                state: group.state(self.own),
                role: group.list.role(self.own),
                name: group.name,
                about: group.about,
                list,
            });
        }
        Ok(groups)
    }

    /// The groups with an object id or a unique beginning of it, or a name.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn find_group(&self, wanted: &str) -> Result<Vec<Group>, AgentError> {
        let mut groups = self.groups()?;
        let prefix = wanted.to_ascii_lowercase();
        groups.retain(|group| {
            wanted.len() >= 8 && group.id.starts_with(&prefix) || group.name == wanted
        });
        Ok(groups)
    }

    /// What was written to a group, in display order, `limit` at most, the newest.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn group_timeline(&self, id: GroupId, limit: usize) -> Result<Vec<GroupEntry>, AgentError> {
        crate::implements!(req::GROUP_SHOWN_APART);
        let (from, to) = group::timeline(id);
        let rows = self
            .store
            .range(Table::GroupTimeline, &from, &to, usize::MAX)?;
        let skip = rows.len().saturating_sub(limit);
        let mut entries = Vec::new();
        for (_, key) in rows.into_iter().skip(skip) {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            if self.is_blocked(entry.author)? {
                continue;
            }
            let (text, parent) = match &entry.body {
                Body::Post { text, .. } => (text, None),
                Body::GroupMessage { text, parent } => (text, parent.clone()),
                Body::Unknown { fallback } => (fallback, None),
                _ => continue,
            };
            entries.push(GroupEntry {
                id: hex::encode(entry.id),
                hash: hex::encode(entry.hash),
                author: hex::encode(entry.author),
                name: self.name(entry.author)?,
                kind: entry.kind.clone(),
                text: text.clone(),
                parent,
                created: entry.created,
                rev: entry.rev,
                protected: self.protected(entry.hash)?,
            });
        }
        Ok(entries)
    }

    /// The identity of a friend or co-member, given its id, address or name.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn find_listed(&self, group: &Group, wanted: &str) -> Result<Vec<Id>, AgentError> {
        let mut found = Vec::new();
        for listed in &group.list {
            let Ok(id) = <Id as hex::FromHex>::from_hex(&listed.identity) else {
                continue;
            };
            let named = self.peer(id)?.is_some_and(|peer| {
                peer.has_address(wanted) || peer.name.as_deref() == Some(wanted)
            });
            let prefix = wanted.to_ascii_lowercase();
            if named || wanted.len() >= 8 && listed.identity.starts_with(&prefix) {
                found.push(id);
            }
        }
        Ok(found)
    }
}
