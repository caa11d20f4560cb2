//! What stands under posts and shares (specification, chapter "Comments").

use kith_schemas::types::{Object, Payload};
use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::objects::{Body, Entry};
use crate::agent::thread::{Key, replies};
use crate::agent::{AgentError, Id};
use crate::gate::Strict;
use crate::store::{Read, Table, successor};
use crate::wire::signed::Signed;

/// What stands under one post or share.
#[derive(Debug, Clone, Serialize)]
pub struct Thread {
    /// The author of the root, in hex.
    pub author: String,
    /// The object id of the root, in hex.
    pub id: String,
    /// The kind of the root.
    pub kind: String,
    /// The comments in display order.
    pub comments: Vec<Comment>,
    /// The reactions in display order.
    pub reactions: Vec<Reaction>,
}

/// Who says something under a root.
#[derive(Debug, Clone, Serialize)]
pub struct Speaker {
    /// The identity, in hex.
    pub author: String,
    /// The name as it is shown.
    pub name: String,
    /// The name that is only a claim, of somebody who is no friend.
    pub claim: Option<String>,
    /// Through whom it came, in hex, where that is not its author.
    pub through: Option<String>,
}

/// A comment.
#[derive(Debug, Clone, Serialize)]
pub struct Comment {
    /// The object id, in hex.
    pub id: String,
    /// Its author.
    #[serde(flatten)]
    pub speaker: Speaker,
    /// The comment in the same thread that it answers: author and id, in hex.
    pub parent: Option<(String, String)>,
    /// The text.
    pub text: String,
    /// When it was created, unix seconds.
    pub created: i64,
    /// Its revision.
    pub rev: u32,
    /// Whether only the root's author and its own author know it.
    pub private: bool,
    /// Whether every mail that carried it was protected after quantum computers; none of what no
    /// sealed mail carried.
    pub protected: Option<bool>,
}

/// A reaction.
#[derive(Debug, Clone, Serialize)]
pub struct Reaction {
    /// Its author.
    #[serde(flatten)]
    pub speaker: Speaker,
    /// What it is about.
    pub target: Key,
    /// The symbols.
    pub symbols: Vec<String>,
    /// Whether only the root's author and its own author know it.
    pub private: bool,
    /// Whether every mail that carried it was protected after quantum computers; none of what no
    /// sealed mail carried.
    pub protected: Option<bool>,
}

/// A public post as a share hands it on.
#[derive(Debug, Clone, Serialize)]
pub struct Shared {
    /// Its author, in hex.
    pub author: String,
    /// The author's name as it is shown.
    pub name: String,
    /// Its object id, in hex.
    pub id: String,
    /// Its text; none where the octets didn't come along or its author took it back.
    pub text: Option<String>,
}

impl View<'_> {
    /// All threads in which something was said, in display order of their roots.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn threads(&self) -> Result<Vec<Thread>, AgentError> {
        let all = |table| self.store.range(table, &[], &successor(&[]), usize::MAX);
        let rows = all(Table::Timeline)?.into_iter();
        let mut threads = Vec::new();
        for (_, key) in rows.chain(all(Table::GroupTimeline)?) {
            if let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? {
                threads.extend(self.thread(&Key::from(&entry))?);
            }
        }
        threads.retain(|thread| !(thread.comments.is_empty() && thread.reactions.is_empty()));
        Ok(threads)
    }

    /// What stands under a root; none where there is no such root.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn thread(&self, root: &Key) -> Result<Option<Thread>, AgentError> {
        let entry = self
            .store
            .record::<Entry>(Table::Object, &root.merge_key())?;
        let gone = self.gate.enforces(&req::COMMENT_ROOT_RETRACTED);
        let kept = |entry: &Entry| !entry.retracted && entry.body != Body::Nothing;
        let there = entry.is_some_and(|entry| kept(&entry) || !gone);
        if !there || self.is_blocked(root.author)? {
            return Ok(None);
        }
        let entries = self.shown_under(root)?;
        let mut thread = Thread {
            author: hex::encode(root.author),
            id: hex::encode(root.id),
            kind: root.kind.clone(),
            comments: Vec::new(),
            reactions: Vec::new(),
        };
        for entry in &entries {
            match &entry.body {
                Body::Comment {
                    parent,
                    name,
                    text,
                    private,
                    ..
                } => thread.comments.push(Comment {
                    id: hex::encode(entry.id),
                    speaker: self.speaker(entry, root.author, name.as_deref())?,
                    parent: self.parent(parent.as_ref(), &entries),
                    text: text.clone(),
                    created: entry.created,
                    rev: entry.rev,
                    private: *private,
                    protected: self.protected(entry.hash)?,
                }),
                Body::Reaction {
                    target,
                    name,
                    symbols,
                    private,
                    ..
                } if !symbols.is_empty() => thread.reactions.push(Reaction {
                    speaker: self.speaker(entry, root.author, name.as_deref())?,
                    target: target.clone(),
                    symbols: symbols.clone(),
                    private: *private,
                    protected: self.protected(entry.hash)?,
                }),
                _ => {}
            }
        }
        Ok(Some(thread))
    }

    /// The comments and reactions under a root that are neither hidden nor of somebody blocked.
    fn shown_under(&self, root: &Key) -> Result<Vec<Entry>, AgentError> {
        let all = replies(&self.store, root)?;
        let hidden = |entry: &Entry| {
            let hides = all.iter().filter_map(|hide| match &hide.body {
                Body::Hide { target, .. } if hide.author == root.author => Some(target),
                _ => None,
            });
            let key = Key::from(entry);
            hides.into_iter().any(|target| *target == key)
        };
        let mut shown = Vec::new();
        for entry in &all {
            let blocked = self.is_blocked(entry.author)? && self.gate.enforces(&req::RELAY_BLOCKED);
            if !(blocked || hidden(entry) && self.gate.enforces(&req::HIDE_EFFECT)) {
                shown.push(entry.clone());
            }
        }
        Ok(shown)
    }

    /// The parent, if it is shown in the same thread.
    fn parent(&self, parent: Option<&Key>, shown: &[Entry]) -> Option<(String, String)> {
        let parent = parent?;
        let there = shown.iter().any(|entry| Key::from(entry) == *parent)
            || !self.gate.enforces(&req::COMMENT_PARENT_ELSEWHERE);
        there.then(|| (hex::encode(parent.author), hex::encode(parent.id)))
    }

    fn speaker(&self, entry: &Entry, root: Id, claim: Option<&str>) -> Result<Speaker, AgentError> {
        let known = entry.author == self.own || self.peer(entry.author)?.is_some();
        let through = entry.author != root && root != self.own && entry.author != self.own;
        let claim = claim.filter(|_| !known).map(str::to_owned);
        let name = match &claim {
            Some(claim) if self.gate.enforces(&req::COMMENT_NAME_CLAIM) => {
                format!("{claim} (through {})", self.name(root)?)
            }
            Some(claim) => claim.clone(),
            None => self.name(entry.author)?,
        };
        let told = through && self.gate.enforces(&req::COMMENT_NAME_CLAIM);
        Ok(Speaker {
            author: hex::encode(entry.author),
            name,
            claim,
            through: told.then(|| hex::encode(root)),
        })
    }

    /// The public post that a share hands on.
    pub(super) fn shared(&self, target: &Key, hash: &str) -> Result<Shared, AgentError> {
        let entry = self
            .store
            .record::<Entry>(Table::Object, &target.merge_key())?;
        let retracted = entry.is_some_and(|entry| entry.retracted);
        let octets = match <Id as hex::FromHex>::from_hex(hash) {
            Ok(hash) if self.gate.enforces(&req::SHARE_SHOWN) => {
                self.store.get(Table::Quoted, &hash)?
            }
            _ => None,
        };
        Ok(Shared {
            author: hex::encode(target.author),
            name: self.name(target.author)?,
            id: hex::encode(target.id),
            text: octets.filter(|_| !retracted).and_then(|o| post_text(&o)),
        })
    }
}

fn post_text(message: &[u8]) -> Option<String> {
    let signed = Signed::parse(&Strict, message).ok()?;
    match Object::decode(&signed.octets).ok()?.payload {
        Payload::Post(post) => post.text.map(|text| text.to_string()),
        _ => None,
    }
}
