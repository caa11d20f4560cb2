//! Pages and followers (specification, chapter "Pages").

use serde::Serialize;

use super::View;
use crate::agent::AgentError;
use crate::agent::Id;
use crate::agent::follow::{Follower as Record, Following, FollowingState};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::relation::Asked;
use crate::kinds::page::{self, Face};
use crate::store::Table;

/// A page that the person follows or asked to follow, or the own one.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The identity id, in hex, if it is known.
    pub identity: Option<String>,
    /// The address, if it is known.
    pub address: Option<String>,
    /// What it says about itself, if that is known.
    pub face: Option<Face>,
    /// The state in the table `following`; none for the own page.
    pub state: Option<FollowingState>,
}

/// Somebody who follows the own page.
#[derive(Debug, Clone, Serialize)]
pub struct Follower {
    /// The identity id, in hex.
    pub identity: String,
    /// The address.
    pub address: String,
    /// The claimed name.
    pub name: Option<String>,
    /// Since when, unix seconds; none before the confirm.
    pub since: Option<i64>,
}

impl View<'_> {
    fn face(&self, author: Id) -> Result<Option<Face>, AgentError> {
        let key = merge_key(author, "page", page::id());
        let entry = self.store.record::<Entry>(Table::Object, &key)?;
        Ok(entry.and_then(|entry| match entry.body {
            Body::Page(face) => Some(face),
            _ => None,
        }))
    }

    /// The own page first, then those that the person follows or asked to follow.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn pages(&self) -> Result<Vec<Page>, AgentError> {
        let mut pages = Vec::new();
        if let Some(face) = self.face(self.own)? {
            pages.push(Page {
                identity: Some(hex::encode(self.own)),
                address: None,
                face: Some(face),
                state: None,
            });
        }
        for (key, following) in self.store.records::<Following>(Table::Following, b"")? {
            let Ok(id) = Id::try_from(key) else { continue };
            if self.is_blocked(id)? {
                continue;
            }
            let address = self.peer(id)?.map(|peer| peer.address().to_owned());
            pages.push(Page {
                identity: Some(hex::encode(id)),
                address,
                face: self.face(id)?,
                state: Some(following.state()),
            });
        }
        let asked = self.store.records::<Asked>(Table::Asked, b"")?;
        let open = asked
            .into_iter()
            .filter(|(_, asked)| asked.follow && asked.until() >= self.now);
        pages.extend(open.map(|(_, asked)| Page {
            identity: None,
            address: Some(asked.address),
            face: None,
            state: Some(FollowingState::Asked),
        }));
        Ok(pages)
    }

    /// Who follows the own page, and who was accepted and did not confirm yet.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn followers(&self) -> Result<Vec<Follower>, AgentError> {
        let mut followers = Vec::new();
        for (key, follower) in self.store.records::<Record>(Table::Follower, b"")? {
            let Ok(id) = Id::try_from(key) else { continue };
            let waits = follower.since.is_some() || follower.until >= self.now;
            if self.is_blocked(id)? || !waits {
                continue;
            }
            followers.push(Follower {
                identity: hex::encode(id),
                address: follower.address,
                name: self.peer(id)?.and_then(|peer| peer.name),
                since: follower.since,
            });
        }
        Ok(followers)
    }
}
