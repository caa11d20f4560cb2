//! What friends and the person published (specification, chapter "Posts to friends").

use serde::Serialize;

use super::View;
use crate::agent::AgentError;
use crate::agent::objects::{Body, Entry};
use crate::store::{Read, Table};

/// A post, or an object of a kind that this agent doesn't know.
#[derive(Debug, Clone, Serialize)]
pub struct Post {
    /// The object id, in hex.
    pub id: String,
    /// Its author, in hex.
    pub author: String,
    /// The author's name as it is shown.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The text, or the signed fallback.
    pub text: String,
    /// When it was created, unix seconds.
    pub created: i64,
    /// Its revision.
    pub rev: u32,
}

impl View<'_> {
    /// The posts of friends and the own ones, in display order, `limit` at most, the newest ones.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn timeline(&self, limit: usize) -> Result<Vec<Post>, AgentError> {
        let rows = self
            .store
            .range(Table::Timeline, &[], &[u8::MAX; 9], usize::MAX)?;
        let skip = rows.len().saturating_sub(limit);
        let mut posts = Vec::new();
        for (_, key) in rows.into_iter().skip(skip) {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            if self.is_blocked(entry.author)? {
                continue;
            }
            let text = match &entry.body {
                Body::Post { text } => text.clone(),
                Body::Unknown { fallback } => fallback.clone(),
                _ => continue,
            };
            posts.push(Post {
                id: hex::encode(entry.id),
                author: hex::encode(entry.author),
                name: self.name(entry.author)?,
                kind: entry.kind.clone(),
                text,
                created: entry.created,
                rev: entry.rev,
            });
        }
        Ok(posts)
    }
}
