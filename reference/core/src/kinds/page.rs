//! `page`: the public face of an identity that publishes openly (specification, section "Page" of
//! chapter "Pages").

use kith_schemas::types::{
    Address, Audience, CommentPolicy, Description, HttpsAddress, Line, Object, Page, PageLink,
    PageList, Payload,
};
use kith_spec::req;

use super::{Arrival, Draft, Kind, Traits, contact};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};
use crate::store::Table;
use crate::wire;

/// What a page says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Face {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// What it is, in a word or two.
    pub category: Option<String>,
    /// Places elsewhere: address and label.
    pub links: Vec<(String, String)>,
    /// Whether followers may comment.
    pub comments: bool,
    /// The address of its mailing list.
    pub list: Option<String>,
}

/// The id of every page (`page.id`).
#[must_use]
pub fn id() -> [u8; 16] {
    let hash = wire::sha256(b"page\0");
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

fn key(author: Id) -> Vec<u8> {
    merge_key(author, "page", id())
}

impl Face {
    fn payload(&self, step: &Step<'_>) -> Result<Page, ActError> {
        let unfit = |error: &dyn std::fmt::Display| ActError::Text(error.to_string());
        let line = |text: &str| Line::new(text).map_err(|error| unfit(&error));
        let links = self.links.iter().map(|(href, label)| {
            Ok(PageLink {
                href: HttpsAddress::new(href.as_str()).map_err(|error| unfit(&error))?,
                label: line(label)?,
            })
        });
        let list = self.list.as_ref().map(|list| {
            let address = Address::new(list.as_str());
            address
                .map(|address| PageList { address })
                .map_err(|_| ActError::Address(list.clone()))
        });
        let description = self.description.as_deref().map(Description::new);
        Ok(Page {
            comments: if self.comments {
                CommentPolicy::Followers
            } else {
                CommentPolicy::Nobody
            },
            name: line(&self.name)?,
            description: description.transpose().map_err(|error| unfit(&error))?,
            category: self.category.as_deref().map(line).transpose()?,
            link: links.collect::<Result<_, ActError>>()?,
            picture: None,
            list: list.transpose()?,
            credentials: step.own.credentials(),
        })
    }

    fn of(page: &Page) -> Self {
        let links = page.link.iter();
        Self {
            name: page.name.to_string(),
            description: page.description.as_ref().map(ToString::to_string),
            category: page.category.as_ref().map(ToString::to_string),
            links: links
                .map(|link| (link.href.to_string(), link.label.to_string()))
                .collect(),
            comments: page.comments == CommentPolicy::Followers,
            list: page.list.as_ref().map(|list| list.address.to_string()),
        }
    }

    /// No control characters, and nothing that turns the direction of text around.
    fn is_clean(&self) -> bool {
        let labels = self.links.iter().map(|(_, label)| label);
        std::iter::once(&self.name)
            .chain(&self.category)
            .chain(labels)
            .all(|line| contact::is_clean(line))
    }
}

/// The own page, if there is one.
pub(crate) fn own(step: &Step<'_>) -> Result<Option<(Entry, Face)>, AgentError> {
    let entry = step.entry(&key(step.own.id))?;
    Ok(entry.and_then(|entry| match entry.body.clone() {
        Body::Page(face) => Some((entry, face)),
        _ => None,
    }))
}

/// Takes over the own page from another device.
pub(crate) fn adopt(
    step: &mut Step<'_>,
    object: &Object,
    page: &Page,
    hash: Id,
) -> Result<(), AgentError> {
    let earlier = own(step)?.map(|(entry, _)| entry);
    let rev = object.rev.get();
    if earlier.as_ref().is_some_and(|entry| entry.rev >= rev) {
        return Ok(());
    }
    let body = Body::Page(Face::of(page));
    let entry = step.own_entry("page", id(), rev, hash, body, earlier.as_ref());
    step.keep_own(&entry, earlier.as_ref())
}

/// Makes the own page or its next revision. Returns its object hash.
pub(crate) fn write(step: &mut Step<'_>, face: &Face) -> Result<Id, ActError> {
    if !face.is_clean() {
        let reason = "a name, category or label holds control characters";
        return Err(ActError::Text(reason.to_owned()));
    }
    let payload = face.payload(step)?;
    let earlier = own(step)?.map(|(entry, _)| entry);
    let rev = earlier.as_ref().map_or(1, |entry| entry.rev + 1);
    let about = face.description.as_deref().unwrap_or("a page on Kith");
    let hash = step.sign(Draft {
        id: id(),
        rev,
        audience: Audience::Public,
        fallback: format!("{}: {about}", face.name),
        payload: Payload::Page(payload),
    })?;
    let body = Body::Page(face.clone());
    let entry = step.own_entry("page", id(), rev, hash, body, earlier.as_ref());
    step.keep_own(&entry, earlier.as_ref())?;
    Ok(hash)
}

/// The object hash of the own page, which names the credentials that are current; none without a
/// page.
pub(crate) fn current(step: &mut Step<'_>) -> Result<Option<Id>, ActError> {
    let Some((entry, face)) = own(step)? else {
        return Ok(None);
    };
    let credentials = step.own.credentials();
    let named = step.stored_object(entry.hash)?;
    let named = named.is_some_and(|object| match &object.payload {
        Payload::Page(page) => page.credentials == credentials,
        _ => false,
    });
    if named {
        return Ok(Some(entry.hash));
    }
    write(step, &face).map(Some)
}

impl Kind for Page {
    fn traits(&self) -> Traits {
        Traits::content("page", &[Audience::Public], &req::PAGE_AUDIENCE)
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let gate = step.gate;
        gate.check(&req::PAGE_ID, arrival.object.id.0 == id())?;
        let face = Face::of(self);
        gate.check(&req::PAGE_CHARACTERS, face.is_clean())?;
        if step.merge(arrival.part, arrival.object, Body::Page(face))? {
            step.events.push(Event::Page {
                name: self.name.to_string(),
            });
        }
        Ok(())
    }
}

impl Step<'_> {
    /// The page of an identity, as far as it is known.
    pub(crate) fn page_of(&self, author: Id) -> Result<Option<Face>, AgentError> {
        let entry = self.store.record::<Entry>(Table::Object, &key(author))?;
        Ok(entry.and_then(|entry| match entry.body {
            Body::Page(face) => Some(face),
            _ => None,
        }))
    }
}
