//! `post`: what a person tells friends (specification, chapter "Posts to friends").

use kith_schemas::types::{Audience, Line, Media, Mention, Payload, Post, Text};
use kith_spec::req;

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::circle::Readers;
use crate::agent::media::{self, Attachment};
use crate::agent::objects::{Body, Entry};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, Event, Failure, Id, Step};

/// What a person wants to tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewPost {
    /// The text; may be empty where there are media.
    pub text: String,
    /// Identities of whom the text speaks, with the names that it uses.
    pub mentions: Vec<(Id, String)>,
    /// Pictures, sound, video and files.
    pub media: Vec<Attachment>,
    /// For whom it is.
    pub to: Readers,
}

/// Writes a post to its readers.
pub(crate) fn write(step: &mut Step<'_>, new: &NewPost) -> Result<[u8; 16], ActError> {
    crate::implements!(req::POST_CHOSEN, req::CIRCLE_LOCAL, req::CIRCLE_LATER);
    let readers = step.readers(&new.to)?;
    let mention = |(id, name): &(Id, String)| {
        let name = Line::new(name.as_str()).map_err(|error| ActError::Text(error.to_string()))?;
        Ok::<_, ActError>(Mention {
            id: (*id).into(),
            name,
        })
    };
    let post = Post {
        text: checked(&new.text)?,
        mention: new.mentions.iter().map(mention).collect::<Result<_, _>>()?,
        media: step.attach(&new.media)?,
    };
    if post.text.is_none() && post.media.is_empty() {
        return Err(ActError::Text("a post needs a text or a medium".to_owned()));
    }
    let id = step.random();
    let needs = media::needs(&post.media);
    let entry = sign(step, id, post, None)?;
    spread(step, &entry, &readers, &needs)?;
    Ok(id)
}

/// Changes the text of an own post, for those who have it.
pub(crate) fn edit(step: &mut Step<'_>, earlier: &Entry, text: &str) -> Result<[u8; 16], ActError> {
    let mut post = match step.document(earlier.hash)?.map(|object| object.payload) {
        Some(Payload::Post(post)) => post,
        _ => Post {
            text: None,
            mention: Vec::new(),
            media: Vec::new(),
        },
    };
    post.text = checked(text)?;
    let entry = sign(step, earlier.id, post, Some(earlier))?;
    if step.gate.enforces(&req::POST_EDIT) {
        // They have its media.
        let readers = step.recipients(&entry.key())?;
        spread(step, &entry, &readers, &[])?;
    }
    Ok(entry.id)
}

/// Hands the newest revision of an own post to further friends.
pub(crate) fn widen(step: &mut Step<'_>, entry: &Entry, to: &[Id]) -> Result<(), ActError> {
    crate::implements!(req::POST_WIDEN);
    let readers = step.readers(&Readers::Chosen(to.to_vec()))?;
    let has = step.recipients(&entry.key())?;
    let new: Vec<Id> = readers.into_iter().filter(|id| !has.contains(id)).collect();
    let needs = media::needs(&step.media_of(entry)?);
    let mut entry = entry.clone();
    if step.was_withdrawn(&entry.key(), &new)? {
        // What was withdrawn stays hidden up to its revision.
        if let Some(Payload::Post(post)) = step.document(entry.hash)?.map(|object| object.payload) {
            entry = sign(step, entry.id, post, Some(&entry))?;
            spread(step, &entry, &has, &[])?;
        }
    }
    spread(step, &entry, &new, &needs)
}

/// Publishes a post of the own page, or its next revision.
pub(crate) fn publish(
    step: &mut Step<'_>,
    text: &str,
    earlier: Option<&Entry>,
) -> Result<[u8; 16], ActError> {
    let id = match earlier {
        Some(entry) => entry.id,
        None => step.random(),
    };
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let Some((_, page)) = super::page::own(step)? else {
        return Err(ActError::State {
            name: step.own.shown(),
            reason: "you have no page; make one with `kith page set`",
        });
    };
    let did = did(earlier);
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Public,
        fallback: format!("{} {did}: {text}", page.name),
        payload: Payload::Post(plain(text)?),
    })?;
    let body = Body::Post {
        text: text.to_owned(),
        rich: false,
    };
    let entry = step.own_entry("post", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    step.note_published(&entry.key(), hash);
    step.publish(&[hash])?;
    Ok(id)
}

/// What the author did, for the plain text.
pub(crate) fn did(earlier: Option<&Entry>) -> &'static str {
    match earlier {
        None => "posted",
        Some(_) => "changed a post",
    }
}

/// A post of nothing but text.
pub(crate) fn plain(text: &str) -> Result<Post, ActError> {
    let text = Text::new(text).map_err(|error| ActError::Text(error.to_string()))?;
    Ok(Post {
        text: Some(text),
        mention: Vec::new(),
        media: Vec::new(),
    })
}

fn checked(text: &str) -> Result<Option<Text>, ActError> {
    let text = (!text.is_empty()).then(|| Text::new(text)).transpose();
    text.map_err(|error| ActError::Text(error.to_string()))
}

fn sign(
    step: &mut Step<'_>,
    id: [u8; 16],
    post: Post,
    earlier: Option<&Entry>,
) -> Result<Entry, ActError> {
    let rev = earlier.map_or(1, |entry| entry.rev + 1);
    let text = post.text.as_ref().map(ToString::to_string);
    let body = body(&post);
    let did = did(earlier);
    let fallback = format!(
        "{} {did}: {}{}",
        step.own.shown(),
        text.unwrap_or_default(),
        listed(&post.media)
    );
    let hash = step.sign(Draft {
        id,
        rev,
        audience: Audience::Friends,
        fallback,
        payload: Payload::Post(post),
    })?;
    let entry = step.own_entry("post", id, rev, hash, body, earlier);
    step.keep_own(&entry, earlier)?;
    Ok(entry)
}

/// Media as lines of plain text. What is open to everybody is named by its address.
pub(super) fn listed(media: &[Media]) -> String {
    let mut lines = String::new();
    for medium in media {
        let alt = medium.alt.as_ref().map(ToString::to_string);
        let name = medium.name.as_ref().map(ToString::to_string);
        let about = alt.or(name).unwrap_or_default();
        let caption = medium.caption.as_ref();
        let caption = caption.map_or_else(String::new, |caption| format!(" {caption}"));
        let open = medium
            .source
            .as_ref()
            .filter(|source| source.password.is_none());
        let place = open.map_or_else(String::new, |source| format!(" {}", source.href));
        lines.push_str(&format!("\n[{}: {about}]{caption}{place}", medium.r#type));
    }
    lines
}

pub(crate) fn body(post: &Post) -> Body {
    Body::Post {
        text: post
            .text
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        rich: !post.media.is_empty() || !post.mention.is_empty(),
    }
}

/// Sends a copy to each reader.
fn spread(
    step: &mut Step<'_>,
    entry: &Entry,
    readers: &[Id],
    needs: &[media::Need],
) -> Result<(), ActError> {
    crate::implements!(req::POST_COPIES, req::POST_SAME_OCTETS, req::MEDIA_PART);
    let loads = step.loads(needs);
    for friend in readers {
        let Some(peer) = step.peer(*friend)? else {
            continue;
        };
        for media in &loads {
            let load = Load {
                objects: vec![entry.hash],
                media: media.clone(),
                numbered: true,
                subject: Some(entry.key()),
                ..Load::default()
            };
            step.deliver_subject(&peer, load, entry.rev)?;
        }
    }
    Ok(())
}

impl Kind for Post {
    fn traits(&self) -> Traits {
        Traits::content(
            "post",
            &[Audience::Friends, Audience::Public],
            &req::POST_AUDIENCE,
        )
        .in_group()
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        media::check(step.gate, &self.media)?;
        let content = self.text.is_some() || !self.media.is_empty();
        step.gate.check(&req::POST_CONTENT, content)?;
        if step.merge(arrival.part, arrival.object, body(self))? {
            step.events.push(Event::Post {
                from: arrival.sender.peer.shown(),
            });
        }
        Ok(())
    }
}
