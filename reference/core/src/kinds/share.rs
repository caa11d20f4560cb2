//! `share`: a public post of somebody else, with words of one's own (specification, section
//! "Share" of chapter "Comments").

use kith_schemas::types::{Audience, Kind as KindName, Payload, RevisionRef, Share, Text};
use kith_spec::req;

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::outgoing::Load;
use crate::agent::peer::{Part, Parts};
use crate::agent::thread::Key;
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};
use crate::store::{Read, Table};
use crate::wire::signed::Signed;

/// Shares a public post with all friends, or with an earlier entry changes the words with it.
pub(crate) fn write(
    step: &mut Step<'_>,
    post: &Shareable,
    text: Option<&str>,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    if !post.public && step.gate.enforces(&req::SHARE_PUBLIC) {
        return Err(ActError::State {
            name: step.shown_name(post.target.author.0)?,
            reason: "this post is not public, so it can't be shared",
        });
    }
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let words = text.map(Text::new).transpose();
    let (author, shared) = (post.target.author.0, post.target.hash.0);
    let body = Body::Share {
        target: Key::from(&post.target),
        hash: hex::encode(shared),
        text: text.map(str::to_owned),
    };
    let share = Share {
        target: post.target.clone(),
        text: words.map_err(|error| ActError::Text(error.to_string()))?,
    };
    // Kept apart from the post itself, which its author may change.
    step.store.put(Table::Quoted, shared, post.message.clone());
    step.store.put(Table::Octets, shared, post.message.clone());
    let name = step.own.shown();
    let fallback = match text {
        Some(text) => format!("{name} shared a post: {text}"),
        None => format!("{name} shared a post."),
    };
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Friends,
        fallback,
        payload: Payload::Share(share),
    })?;
    let entry = step.own_entry("share", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    let readers: Vec<Id> = match earlier {
        Some(entry) => step.recipients(&entry.key())?,
        None if step.gate.enforces(&req::SHARE_COPIES) => step.friends()?,
        None => Vec::new(),
    };
    let mut objects = step.chain_hashes(author)?;
    objects.extend([shared, hash]);
    for reader in readers {
        let Some(peer) = step.peer(reader)? else {
            continue;
        };
        let load = Load {
            objects: objects.clone(),
            numbered: true,
            subject: Some(entry.key()),
            ..Load::default()
        };
        step.deliver_subject(&peer, load, rev)?;
    }
    Ok(id)
}

/// A post that may be shared if it is public.
pub(crate) struct Shareable {
    target: RevisionRef,
    message: Vec<u8>,
    public: bool,
}

impl Step<'_> {
    /// A post that the person sees: of a friend or page, or with a share.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn shareable(
        &self,
        author: Id,
        id: [u8; 16],
    ) -> Result<Option<Shareable>, AgentError> {
        let own = self.entry(&merge_key(author, "post", id))?;
        let mut hash = own.filter(|post| !post.retracted).map(|post| post.hash);
        if hash.is_none() {
            let rows = self
                .store
                .range(Table::Timeline, &[], &[u8::MAX; 9], usize::MAX)?;
            for (_, key) in rows {
                let body = self.entry(&key)?.map(|entry| entry.body);
                if let Some(Body::Share {
                    target, hash: h, ..
                }) = body
                    && (target.author, target.id) == (author, id)
                {
                    hash = hex::FromHex::from_hex(h).ok();
                }
            }
        }
        let Some(hash) = hash else { return Ok(None) };
        let message = match self.store.get(Table::Quoted, &hash)? {
            Some(message) => Some(message),
            None => self.store.get(Table::Octets, &hash)?,
        };
        let Some(message) = message else {
            return Ok(None);
        };
        let signed = Signed::parse(&crate::gate::Strict, &message).ok();
        let object = signed.and_then(|signed| super::decode(self.gate, &signed.octets).ok());
        let Some(object) = object else {
            return Ok(None);
        };
        let target = RevisionRef {
            author: author.into(),
            id: id.into(),
            kind: KindName::new("post")
                .map_err(unfit)
                .map_err(AgentError::Wire)?,
            hash: hash.into(),
        };
        Ok(Some(Shareable {
            target,
            message,
            public: object.audience == Audience::Public,
        }))
    }
}

impl Kind for Share {
    fn traits(&self) -> Traits {
        Traits::content("share", &[Audience::Friends], &req::KIND_AUDIENCE)
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let target = Key::from(&self.target);
        let brought = handed_on(self.target.hash.0, arrival.parts);
        let public = brought.is_none_or(|(_, audience)| audience == Audience::Public);
        let allowed = public && target.kind == "post";
        step.gate.check(&req::SHARE_PUBLIC, allowed)?;
        let body = Body::Share {
            target,
            hash: self.target.hash.to_string(),
            text: self.text.as_ref().map(ToString::to_string),
        };
        if step.merge(arrival.part, arrival.object, body)? {
            step.events.push(Event::Post {
                from: arrival.sender.peer.shown(),
            });
        }
        Ok(())
    }
}

/// The part with this object hash, and its audience.
fn handed_on(hash: Id, parts: &Parts) -> Option<(&Part, Audience)> {
    let parts = parts.objects.iter().flatten();
    parts
        .filter_map(|part| Some((part, part.object.as_ref().ok()?.audience)))
        .find(|(part, _)| part.signed.hash == hash)
}

/// Whether a share of the sender in the same mail hands on this public object.
pub(crate) fn is_handed_on(part: &Part, parts: &Parts, sender: Id) -> bool {
    let Ok(object) = &part.object else {
        return false;
    };
    let shares = parts.objects.iter().flatten();
    let names = |share: &Part| {
        share.object.as_ref().is_ok_and(|object| {
            let Payload::Share(share) = &object.payload else {
                return false;
            };
            object.author.0 == sender && share.target.hash.0 == part.signed.hash
        })
    };
    object.audience == Audience::Public
        && matches!(object.payload, Payload::Post(_))
        && shares.into_iter().any(names)
}

impl Step<'_> {
    /// Keeps a public post that a share hands on. It is shown with that share only.
    pub(crate) fn keep_handed_on(&mut self, part: &Part) {
        let message = part.signed.message.clone();
        self.store.put(Table::Quoted, part.signed.hash, message);
    }
}
