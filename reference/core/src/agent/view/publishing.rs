//! What friends and the person published (specification, chapter "Posts to friends").

use kith_schemas::types::Payload;
use kith_spec::req;
use serde::Serialize;

use super::{Medium, Shared, View};
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
    /// Of whom the text speaks.
    pub mentions: Vec<Mention>,
    /// Pictures, sound, video and files.
    pub media: Vec<Medium>,
    /// The public post that it shares.
    pub shared: Option<Shared>,
    /// Whether every mail that carried it was protected after quantum computers; none of what no
    /// sealed mail carried.
    pub protected: Option<bool>,
}

/// Somebody of whom a text speaks.
#[derive(Debug, Clone, Serialize)]
pub struct Mention {
    /// The identity, in hex.
    pub identity: String,
    /// The name in the text.
    pub written: String,
    /// The name that the reader knows, else the one in the text.
    pub name: String,
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
            let mut shared = None;
            let (text, rich) = match &entry.body {
                Body::Post { text, rich } => (text.clone(), *rich),
                Body::Share { target, hash, text } => {
                    shared = Some(self.shared(target, hash)?);
                    (text.clone().unwrap_or_default(), false)
                }
                Body::Unknown { fallback } => (fallback.clone(), false),
                _ => continue,
            };
            let (mut mentions, mut media) = (Vec::new(), Vec::new());
            if rich {
                mentions = self.mentions(&entry)?;
                media = self.media(&entry)?;
            }
            let complete = media.iter().all(|medium| medium.available);
            if !complete && !self.gate.enforces(&req::MEDIA_MISSING) {
                continue;
            }
            posts.push(Post {
                id: hex::encode(entry.id),
                author: hex::encode(entry.author),
                name: self.name(entry.author)?,
                kind: entry.kind.clone(),
                text,
                created: entry.created,
                rev: entry.rev,
                mentions,
                media,
                shared,
                protected: self.protected(entry.hash)?,
            });
        }
        Ok(posts)
    }

    fn mentions(&self, entry: &Entry) -> Result<Vec<Mention>, AgentError> {
        let Some(Payload::Post(post)) = self.payload(entry)? else {
            return Ok(Vec::new());
        };
        let mut mentions = Vec::new();
        for mention in post.mention {
            let id = mention.id.0;
            let written = mention.name.to_string();
            let known = id == self.own || self.peer(id)?.is_some();
            mentions.push(Mention {
                identity: hex::encode(id),
                name: if known && self.gate.enforces(&req::POST_MENTION) {
                    self.name(id)?
                } else {
                    written.clone()
                },
                written,
            });
        }
        Ok(mentions)
    }
}
