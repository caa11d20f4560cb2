//! Events and answers to them (specification, chapter "Events").

use kith_spec::req;
use serde::Serialize;

use super::View;
use crate::agent::group::GroupId;
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::{AgentError, Id};
use crate::kinds::event::Happening;
use crate::kinds::rsvp::{self, Answer, Response};
use crate::store::{Read, Table, successor};

/// An event.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// The organiser, in hex.
    pub organiser: String,
    /// The organiser as shown.
    pub name: String,
    /// The object id, in hex.
    pub id: String,
    /// The object hash of the newest revision, in hex.
    pub hash: String,
    /// Its revision.
    pub rev: u32,
    /// The group that it is for.
    pub group: Option<GroupId>,
    /// What takes place.
    #[serde(flatten)]
    pub content: Happening,
    /// The own answer.
    pub answer: Option<Answer>,
    /// Of an own event: who answered.
    pub answers: Vec<Answered>,
    /// Of an own event: how many come, guests included.
    pub yes: u32,
    /// How many do not come.
    pub no: u32,
    /// How many perhaps come.
    pub maybe: u32,
}

/// The answer of one person.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// The identity, in hex.
    pub identity: String,
    /// How it is shown.
    pub name: String,
    /// The answer.
    pub answer: Answer,
    /// How many others come along.
    pub guests: u32,
    /// A few words.
    pub note: Option<String>,
    /// Whether it was given to the newest revision.
    pub current: bool,
}

impl View<'_> {
    /// The events, in the order of their creation.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn events(&self) -> Result<Vec<Event>, AgentError> {
        crate::implements!(req::EVENT_CANCELLED);
        let rows = self
            .store
            .range(Table::Events, &[], &successor(&[]), usize::MAX)?;
        let mut events = Vec::new();
        for (_, key) in rows {
            let Some(entry) = self.store.record::<Entry>(Table::Object, &key)? else {
                continue;
            };
            let Body::Event(content) = &entry.body else {
                continue;
            };
            if self.is_blocked(entry.author)? {
                continue;
            }
            events.push(self.event(&entry, content.clone())?);
        }
        Ok(events)
    }

    fn event(&self, entry: &Entry, content: Happening) -> Result<Event, AgentError> {
        let own = self.response(self.own, entry)?;
        let answers = match entry.author == self.own {
            true => self.answers(entry)?,
            false => Vec::new(),
        };
        let count = |wanted: Answer| {
            let mine = answers.iter().filter(|answered| answered.answer == wanted);
            mine.map(|answered| 1 + answered.guests).sum()
        };
        Ok(Event {
            organiser: hex::encode(entry.author),
            name: self.name(entry.author)?,
            id: hex::encode(entry.id),
            hash: hex::encode(entry.hash),
            rev: entry.rev,
            group: entry.scope,
            content,
            answer: own.and_then(|response| response.answer),
            yes: count(Answer::Yes),
            no: count(Answer::No),
            maybe: count(Answer::Maybe),
            answers,
        })
    }

    fn response(&self, author: Id, event: &Entry) -> Result<Option<Response>, AgentError> {
        let key = merge_key(author, "rsvp", rsvp::id(event.author, event.id));
        let entry: Option<Entry> = self.store.record(Table::Object, &key)?;
        Ok(entry.and_then(|entry| match entry.body {
            Body::Rsvp(response) => Some(response),
            _ => None,
        }))
    }

    fn answers(&self, event: &Entry) -> Result<Vec<Answered>, AgentError> {
        crate::implements!(req::RSVP_COUNTS);
        let key = event.key();
        let rows = self
            .store
            .range(Table::Audience, &key, &successor(&key), usize::MAX)?;
        let mut answers = Vec::new();
        for (row, _) in rows {
            let Ok(id) = Id::try_from(&row[key.len()..]) else {
                continue;
            };
            let Some(response) = self.response(id, event)? else {
                continue;
            };
            let Some(answer) = response
                .answer
                .filter(|_| !self.is_blocked(id).unwrap_or(false))
            else {
                continue;
            };
            answers.push(Answered {
                identity: hex::encode(id),
                name: self.name(id)?,
                answer,
                guests: response.guests,
                note: response.note,
                current: response.revision == event.hash,
            });
        }
        Ok(answers)
    }
}
