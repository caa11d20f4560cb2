//! People whom friends introduced (specification, section "Introductions" of chapter "Friends").

use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::peer::Peer;
use super::tick::Due;
use super::{ActError, AgentError, DAY, Id, Step};
use crate::kinds;
use crate::store::Table;

/// Somebody who was introduced.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Introduction {
    /// The friend who did so.
    #[serde(with = "hex::serde")]
    pub by: Id,
    /// When.
    pub at: i64,
    /// What the friend handed over.
    pub peer: Peer,
}

impl Introduction {
    /// Until when it lasts.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.at + limit::INTRODUCE_DAYS as i64 * DAY
    }
}

impl Step<'_> {
    pub(crate) fn keep_introduction(
        &mut self,
        introduced: &Introduction,
    ) -> Result<(), AgentError> {
        let id = introduced.peer.id;
        self.store.set(Table::Introduction, id, introduced)?;
        self.due(introduced.until() + 1, &Due::Introduction { id })
    }

    pub(crate) fn introduction(&self, id: Id) -> Result<Option<Introduction>, AgentError> {
        let introduced: Option<Introduction> = self.store.record(Table::Introduction, &id)?;
        Ok(introduced.filter(|introduced| introduced.until() >= self.now))
    }

    /// The one person who was introduced with this address.
    pub(crate) fn introduced_at(&self, wanted: &str) -> Result<Option<Introduction>, AgentError> {
        let rows = self
            .store
            .records::<Introduction>(Table::Introduction, b"")?;
        let lasts = |one: &Introduction| one.until() >= self.now;
        let mut found = rows.into_iter().map(|(_, introduced)| introduced);
        Ok(found.find(|one| lasts(one) && one.peer.has_address(wanted)))
    }

    /// Introduces two friends to each other.
    pub(crate) fn introduce(&mut self, one: Id, other: Id) -> Result<(), ActError> {
        crate::implements!(req::INTRODUCE_ASKED);
        let mut both = Vec::new();
        for id in [one, other] {
            let unknown = || super::act::unknown("friend", &id, "friends");
            let friend = self.is_friend(id)?;
            let peer = self.peer(id)?.filter(|_| friend).ok_or_else(unknown)?;
            if !peer.introducible && self.gate.enforces(&req::INTRODUCE_CONSENT) {
                return Err(ActError::State {
                    name: peer.shown(),
                    reason: "this friend has not agreed to be introduced",
                });
            }
            both.push(peer);
        }
        let [one, other] = both.as_slice() else {
            return Ok(());
        };
        if one.id == other.id {
            return Err(ActError::State {
                name: one.shown(),
                reason: "an introduction needs two friends",
            });
        }
        kinds::introduce::send(self, one, other)?;
        Ok(kinds::introduce::send(self, other, one)?)
    }
}
