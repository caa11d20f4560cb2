//! Apps and their updates (specification, chapter "Apps").

use std::collections::BTreeMap;

use kith_spec::{limit, req};
use serde::Serialize;

use super::View;
use crate::agent::objects::{Body, Entry};
use crate::agent::{AgentError, DAY, Id};
use crate::kinds::app_update;
use crate::store::{Read, Table, successor};

/// An instance of an app.
#[derive(Debug, Clone, Serialize)]
pub struct App {
    /// Its author, in hex.
    pub author: String,
    /// The object id, in hex.
    pub id: String,
    /// The other participant, in hex.
    pub with: String,
    /// The URI of its type.
    pub app_type: String,
    /// Its name.
    pub name: String,
    /// What is shown of an instance whose program is not there.
    pub fallback: String,
    /// What its updates last said stands next to the name.
    pub summary: Option<String>,
    /// The updates, as the program is handed them.
    pub updates: Vec<AppUpdate>,
    /// The serials that are missing, by author in hex.
    pub missing: BTreeMap<String, Vec<u64>>,
}

/// An update of an app.
#[derive(Debug, Clone, Serialize)]
pub struct AppUpdate {
    /// Its author, in hex.
    pub author: String,
    /// Its number among those of its author.
    pub serial: u64,
    /// What happened, for people.
    pub info: Option<String>,
    /// What the program says, in base64.
    pub data: Option<String>,
    #[serde(skip)]
    summary: Option<String>,
    #[serde(skip)]
    at: i64,
}

impl View<'_> {
    /// The instances that were not taken back, with their updates.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn apps(&self) -> Result<Vec<App>, AgentError> {
        let mut apps = Vec::new();
        for (_, key) in self
            .store
            .range(Table::Apps, &[], &[u8::MAX; 9], usize::MAX)?
        {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            if let Some(app) = self.app(&entry)? {
                apps.push(app);
            }
        }
        Ok(apps)
    }

    fn app(&self, entry: &Entry) -> Result<Option<App>, AgentError> {
        let Body::App {
            peer,
            app_type,
            name,
            fallback,
        } = &entry.body
        else {
            return Ok(None);
        };
        if self.is_blocked(*peer)? {
            return Ok(None);
        }
        let mut updates = Vec::new();
        let mut missing = BTreeMap::new();
        for participant in [self.own, *peer] {
            let (mut in_order, gaps) = self.updates((entry.author, entry.id), participant)?;
            updates.append(&mut in_order);
            if !gaps.is_empty() {
                missing.insert(hex::encode(participant), gaps);
            }
        }
        updates.sort_by_key(|one| (one.at, one.serial));
        let summary = updates.iter().rev().find_map(|u| u.summary.clone());
        Ok(Some(App {
            author: hex::encode(entry.author),
            id: hex::encode(entry.id),
            with: hex::encode(peer),
            app_type: app_type.clone(),
            name: name.clone(),
            fallback: fallback.clone(),
            summary,
            updates,
            missing,
        }))
    }

    /// The updates of one author that the program may have, in order, and the serials before the
    /// others.
    fn updates(
        &self,
        app: (Id, [u8; 16]),
        author: Id,
    ) -> Result<(Vec<AppUpdate>, Vec<u64>), AgentError> {
        crate::implements!(req::APP_ORDER, req::APP_GAP_SHOWN);
        let prefix = app_update::prefix(app, author);
        let (mut updates, mut missing) = (Vec::new(), Vec::new());
        let (mut next, mut at, mut waits) = (1, i64::MIN, false);
        let rows = self
            .store
            .range(Table::AppUpdate, &prefix, &successor(&prefix), usize::MAX)?;
        for (_, key) in rows {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            let Body::AppUpdate {
                serial,
                info,
                summary,
                data,
                ..
            } = entry.body
            else {
                continue;
            };
            missing.extend(next..serial);
            let patient = entry.received + limit::APP_GAP_DAYS as i64 * DAY > self.now;
            waits |= serial > next && patient;
            next = serial + 1;
            if waits {
                continue;
            }
            at = at.max(entry.shown);
            updates.push(AppUpdate {
                author: hex::encode(entry.author),
                serial,
                info,
                data,
                summary,
                at,
            });
        }
        Ok((updates, missing))
    }
}
