//! `comment`: what a person says about a post or share, or about a comment under it
//! (specification, chapter "Comments").

use kith_schemas::types::{
    Audience, Comment, CommentText, Hash, Kind as KindName, Line, Payload, RevisionRef,
};
use kith_spec::req;

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::group::deliver::GroupLoad;
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::thread::{Key, Place};
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};

/// Everybody for whom something under a root can be.
pub(super) const AUDIENCES: &[Audience] = &[
    Audience::Direct,
    Audience::Friends,
    Audience::Group,
    Audience::Public,
];

/// What a comment or reaction is written under.
pub(crate) struct Under<'a> {
    /// The post or share.
    pub(crate) root: &'a Entry,
    /// The comment that is answered.
    pub(crate) parent: Option<&'a Entry>,
    /// Whether it is for the root's author alone.
    pub(crate) private: bool,
}

/// Writes a comment, or with an earlier entry its next revision.
pub(crate) fn write(
    step: &mut Step<'_>,
    under: &Under<'_>,
    text: &str,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let checked = CommentText::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    let (root, parent, name) = step.references(under)?;
    let comment = Comment {
        root,
        parent,
        name,
        text: checked,
    };
    let body = Body::Comment {
        root: Key::from(&comment.root),
        parent: comment.parent.as_ref().map(Key::from),
        name: comment.name.as_ref().map(ToString::to_string),
        text: text.to_owned(),
        private: under.private,
    };
    let mut fallback = format!("{} commented: {text}", step.own.shown());
    if let Body::Post { text, .. } = &under.root.body
        && !step.gate.enforces(&req::COMMENT_NO_QUOTE)
    {
        fallback = format!("{fallback}\n> {text}");
    }
    let draft = Draft {
        id,
        rev,
        audience: step.reply_audience(under)?,
        fallback,
        payload: Payload::Comment(comment),
    };
    step.say_under(under, "comment", draft, body, earlier)?;
    Ok(id)
}

impl Kind for Comment {
    fn traits(&self) -> Traits {
        Traits::content("comment", AUDIENCES, &req::KIND_AUDIENCE).in_group()
    }

    fn root(&self) -> Option<Key> {
        Some(Key::from(&self.root))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let place = Place {
            root: &self.root,
            parent: self.parent.as_ref(),
            name: self.name.as_ref(),
        };
        step.check_place(arrival, place)?;
        let body = Body::Comment {
            root: Key::from(&self.root),
            parent: self.parent.as_ref().map(Key::from),
            name: self.name.as_ref().map(ToString::to_string),
            text: self.text.to_string(),
            private: arrival.object.audience == Audience::Direct,
        };
        if step.take_reply(arrival, place, body)? {
            let from = step.claimed_name(arrival, self.name.as_ref())?;
            step.events.push(Event::Comment { from });
        }
        Ok(())
    }
}

impl Step<'_> {
    /// The references of what is written under a root, and the own name.
    pub(super) fn references(
        &self,
        under: &Under<'_>,
    ) -> Result<(RevisionRef, Option<RevisionRef>, Option<Line>), ActError> {
        let root = revision(under.root)?;
        let mine = under.root.author == self.own.id;
        if mine && under.private && self.gate.enforces(&req::RELAY_CONSENT) {
            return Err(ActError::State {
                name: self.own.shown(),
                reason: "you wrote this yourself, so there is nobody to answer in private; write a message instead",
            });
        }
        let private = under
            .parent
            .is_some_and(|parent| matches!(parent.body, Body::Comment { private: true, .. }));
        if private && self.gate.enforces(&req::COMMENT_PARENT_PRIVATE) {
            return Err(ActError::State {
                name: self.shown_name(under.root.author)?,
                reason: "this comment is for you alone, and an answer to it would show that it exists; write a message instead",
            });
        }
        let parent = under.parent.map(revision).transpose()?;
        let name = self.own.name.as_deref().map(Line::new).transpose();
        Ok((root, parent, name.map_err(unfit).map_err(AgentError::Wire)?))
    }

    /// The audience of what is written under a root: the root's, which lets it be relayed.
    pub(super) fn reply_audience(&self, under: &Under<'_>) -> Result<Audience, AgentError> {
        if under.private && self.gate.enforces(&req::COMMENT_CONSENT) {
            return Ok(Audience::Direct);
        }
        Ok(self.audience(under.root)?.unwrap_or(Audience::Friends))
    }

    /// Signs what is said under a root and sends it to the root's author, or from that author to
    /// everybody who received the root.
    pub(super) fn say_under(
        &mut self,
        under: &Under<'_>,
        kind: &str,
        draft: Draft,
        body: Body,
        earlier: Option<&Entry>,
    ) -> Result<(), ActError> {
        let (id, rev) = (draft.id, draft.rev);
        let to_group = !under.private && self.gate.enforces(&req::COMMENT_GROUP);
        if let Some(group) = under.root.scope.filter(|_| to_group) {
            let members = self.writable_group(group)?;
            let hash = self.sign_for(draft, Some(group))?;
            let mut entry = self.own_entry(kind, id, rev, hash, body, earlier);
            entry.scope = Some(group);
            self.keep_own(&entry, earlier)?;
            let load = GroupLoad {
                objects: vec![hash],
                subject: Some((entry.key(), rev)),
            };
            return Ok(self.deliver_to_group(&members, &load)?);
        }
        let mine = under.root.author == self.own.id;
        let public = mine && draft.audience == Audience::Public;
        let readers = self.readers_under(under.root)?;
        let hash = self.sign(draft)?;
        let entry = self.own_entry(kind, id, rev, hash, body, earlier);
        self.keep_own(&entry, earlier)?;
        if public {
            return self.publish(&[hash]);
        }
        if earlier.is_some() && !self.gate.enforces(&req::COMMENT_EDIT) {
            return Ok(());
        }
        for peer in readers {
            let load = Load {
                objects: vec![hash],
                numbered: true,
                subject: Some(entry.key()),
                ..Load::default()
            };
            self.deliver_subject(&peer, load, rev)?;
        }
        Ok(())
    }

    /// To whom goes what this person writes under a root.
    fn readers_under(&self, root: &Entry) -> Result<Vec<Peer>, ActError> {
        let mut readers = Vec::new();
        let all = if root.author == self.own.id {
            self.recipients(&root.key())?
        } else if self.gate.enforces(&req::COMMENT_TO_AUTHOR) {
            vec![root.author]
        } else {
            self.friends()?
        };
        for reader in all {
            readers.extend(self.peer(reader)?);
        }
        let page = root.author != self.own.id && self.is_public(root.hash)?;
        if page {
            self.check_page(root.author)?;
        } else if root.author != self.own.id && !self.is_friend(root.author)? {
            return Err(ActError::State {
                name: self.shown_name(root.author)?,
                reason: "you are not friends any more, so nothing can be sent",
            });
        }
        Ok(readers)
    }

    /// Whether a page takes what this person says under its posts.
    fn check_page(&self, page: Id) -> Result<(), ActError> {
        let refuse = |reason| {
            Err(ActError::State {
                name: self.shown_name(page)?,
                reason,
            })
        };
        let following = self.following(page)?;
        let known = following.is_some_and(|following| following.handshake.is_some());
        if !known && !self.is_friend(page)? {
            return refuse(
                "this page doesn't know you, so it takes nothing from you; follow it by its address",
            );
        }
        if self.page_of(page)?.is_some_and(|face| !face.comments) {
            return refuse("this page takes no comments");
        }
        Ok(())
    }

    /// How the author of something under a root is shown: a friend as ever, anybody else by the
    /// claim that came with it.
    fn claimed_name(
        &self,
        arrival: &Arrival<'_>,
        claim: Option<&Line>,
    ) -> Result<String, AgentError> {
        let author = arrival.object.author.0;
        match claim {
            Some(claim) if self.peer(author)?.is_none() => {
                let through = arrival.sender.peer.shown();
                Ok(format!("{claim} (through {through})"))
            }
            _ => self.shown_name(author),
        }
    }
}

/// The reference to the revision of an object that is kept.
pub(super) fn revision(entry: &Entry) -> Result<RevisionRef, AgentError> {
    Ok(RevisionRef {
        author: entry.author.into(),
        id: entry.id.into(),
        kind: KindName::new(entry.kind.as_str())
            .map_err(unfit)
            .map_err(AgentError::Wire)?,
        hash: Hash::from(entry.hash),
    })
}
