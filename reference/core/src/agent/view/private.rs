//! Messages (specification, chapter "Private messages").

use serde::Serialize;

use super::delivery::DeliveryState;
use super::{Medium, View};
use crate::agent::objects::{Body, Entry};
use crate::agent::{AgentError, Id};
use crate::store::{Read, Table, successor};

/// A private message.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// The object id, in hex.
    pub id: String,
    /// The object hash of its last revision, in hex.
    pub hash: String,
    /// Its author, in hex.
    pub author: String,
    /// Its recipient, in hex.
    pub to: String,
    /// The text.
    pub text: String,
    /// The object hash, in hex, of the message that it answers.
    pub parent: Option<String>,
    /// When it was created, unix seconds.
    pub created: i64,
    /// When it arrived, unix seconds.
    pub received: i64,
    /// Its revision.
    pub rev: u32,
    /// What goes along.
    pub media: Vec<Medium>,
    /// How far an own one got, if this device knows.
    pub delivery: Option<DeliveryState>,
    /// What the recipient told of an own one: `delivered` or `seen`.
    pub receipt: Option<&'static str>,
    /// Whether every mail that carried it was protected after quantum computers; none of what no
    /// sealed mail carried.
    pub protected: Option<bool>,
}

impl View<'_> {
    fn receipt(&self, hash: Id) -> Result<Option<&'static str>, AgentError> {
        let state = self.store.get(Table::Receipt, &hash)?;
        Ok(match state.and_then(|state| state.first().copied()) {
            Some(crate::kinds::receipt::SEEN) => Some("seen"),
            Some(_) => Some("delivered"),
            None => None,
        })
    }

    /// The messages with one identity, or with all, in display order.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn messages(&self, with: Option<Id>) -> Result<Vec<Message>, AgentError> {
        let prefix = with.map_or_else(Vec::new, |id| id.to_vec());
        let rows = self
            .store
            .range(Table::Thread, &prefix, &successor(&prefix), usize::MAX)?;
        let mut messages = Vec::new();
        for (_, key) in rows {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            let Body::Message {
                peer,
                parent,
                text,
                rich,
            } = &entry.body
            else {
                continue;
            };
            let own = entry.author == self.own;
            if self.is_blocked(*peer)? {
                continue;
            }
            messages.push(Message {
                id: hex::encode(entry.id),
                hash: hex::encode(entry.hash),
                author: hex::encode(entry.author),
                to: hex::encode(if own { *peer } else { self.own }),
                text: text.clone(),
                parent: parent.clone(),
                created: entry.created,
                received: entry.received,
                rev: entry.rev,
                media: if *rich {
                    self.media(&entry)?
                } else {
                    Vec::new()
                },
                receipt: self.receipt(entry.hash)?,
                protected: self.protected(entry.hash)?,
                delivery: if own {
                    self.delivery(&entry.key(), *peer)?
                } else {
                    None
                },
            });
        }
        Ok(messages)
    }
}
