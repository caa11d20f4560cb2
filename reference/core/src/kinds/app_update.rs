//! `app-update`: what one copy of a program tells the others (specification, chapter "Apps").

use kith_schemas::types::{
    AppUpdate, AppUpdateApp, Audience, Base64, Line, Payload, Person, Sequence,
};
use kith_spec::{Rule, limit, req};

use super::app::{AUDIENCES, check_recipient};
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, Entry, merge_key};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Event, Failure, Id, Step};
use crate::store::{Read, Table};
use crate::wire;

/// What a program says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What happened, for people.
    pub info: Option<String>,
    /// What stands next to the instance's name from now on.
    pub summary: Option<String>,
    /// What the program says to its copies.
    pub data: Option<Vec<u8>>,
}

/// The id of an update (`app.update-id`).
#[must_use]
pub fn id(author: &Id, app: &[u8; 16], serial: u64) -> [u8; 16] {
    let target = [&b"app-update\0"[..], author, app, &serial.to_be_bytes()].concat();
    let mut id = [0; 16];
    id.copy_from_slice(&wire::sha256(&target)[..16]);
    id
}

/// The row of an update in [`Table::AppUpdate`]: instance, author, serial.
pub(crate) fn row(app: (Id, [u8; 16]), author: Id, serial: u64) -> Vec<u8> {
    [&prefix(app, author)[..], &serial.to_be_bytes()].concat()
}

pub(crate) fn prefix(app: (Id, [u8; 16]), author: Id) -> Vec<u8> {
    [&app.0[..], &app.1, &author].concat()
}

/// Adds an update to an instance.
pub(crate) fn write(
    step: &mut Step<'_>,
    app: (Id, [u8; 16]),
    said: Said,
) -> Result<[u8; 16], ActError> {
    let unfit = |error: &dyn std::fmt::Display| ActError::Text(error.to_string());
    let missing = || ActError::Unknown {
        what: "app",
        id: hex::encode(app.1),
        list: "app list",
    };
    let instance = step.entry(&merge_key(app.0, "app", app.1))?;
    let Some(Body::App { peer, name, .. }) = instance.map(|entry| entry.body) else {
        return Err(missing());
    };
    let peer = step.peer(peer)?.ok_or_else(missing)?;
    if !step.is_friend(peer.id)? {
        let reason = "you are not friends any more, so nothing can be sent";
        return Err(ActError::State {
            name: peer.shown(),
            reason,
        });
    }
    let serial = step.in_order(app, step.own.id)? + 1;
    let line = |text: &Option<String>| text.as_deref().map(Line::new).transpose();
    let data = said.data.map(Base64::new).transpose();
    let data = data.map_err(|error| unfit(&error))?;
    let update = AppUpdate {
        serial: Sequence::new(serial).map_err(|error| unfit(&error))?,
        to: Some(Person { id: peer.id.into() }),
        app: AppUpdateApp {
            author: app.0.into(),
            id: app.1.into(),
        },
        info: line(&said.info).map_err(|error| unfit(&error))?,
        summary: line(&said.summary).map_err(|error| unfit(&error))?,
        data: data.clone(),
    };
    let info = said.info.as_deref().unwrap_or("something happened");
    let stand = said.summary.as_deref();
    let stand = stand.map_or_else(String::new, |summary| format!(" ({summary})"));
    let id = id(&app.0, &app.1, serial);
    let hash = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{name}: {info}{stand}"),
        payload: Payload::AppUpdate(update),
    })?;
    let body = Body::AppUpdate {
        app_author: app.0,
        app: app.1,
        serial,
        info: said.info,
        summary: said.summary,
        data: data.as_ref().map(ToString::to_string),
    };
    let entry = step.own_entry("app-update", id, 1, hash, body, None);
    step.keep_own(&entry, None)?;
    step.advance(app, entry.author)?;
    let load = Load {
        objects: vec![hash],
        numbered: true,
        subject: Some(entry.key()),
        ..Load::default()
    };
    step.deliver_subject(&peer, load, 1)?;
    Ok(id)
}

impl Kind for AppUpdate {
    fn traits(&self) -> Traits {
        Traits::content("app-update", AUDIENCES, &req::APP_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        let to = self.to.as_ref()?;
        Some((to.id.0, &req::APP_ADDRESSED))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let (gate, object) = (step.gate, arrival.object);
        check_recipient(gate, object, self.to.as_ref())?;
        let author = object.author.0;
        let app = (self.app.author.0, self.app.id.0);
        let serial = self.serial.get();
        let derived = object.id.0 == id(&app.0, &app.1, serial);
        gate.check(&req::APP_UPDATE_ID, derived)?;
        gate.check(&req::APP_UPDATE_REVISION, object.rev.get() == 1)?;
        let instance = step.entry(&merge_key(app.0, "app", app.1))?;
        let ended = instance.as_ref().is_some_and(|entry| entry.retracted);
        gate.check(&req::APP_ENDED, !ended)?;
        let participant = match instance.as_ref().map(|entry| &entry.body) {
            Some(Body::App { peer, .. }) => author == app.0 || author == *peer,
            // Until the instance arrives, one of the two may be its author.
            _ => app.0 == author || app.0 == step.own.id,
        };
        gate.check(&req::APP_PARTICIPANTS, participant)?;
        let furthest = step.in_order(app, author)? + limit::APP_WINDOW;
        gate.check(&req::APP_WINDOW, serial <= furthest)?;
        if instance.is_none() && !gate.enforces(&req::APP_FIRST) {
            return Ok(());
        }
        let body = Body::AppUpdate {
            app_author: app.0,
            app: app.1,
            serial,
            info: self.info.as_ref().map(ToString::to_string),
            summary: self.summary.as_ref().map(ToString::to_string),
            data: self.data.as_ref().map(ToString::to_string),
        };
        if step.merge(arrival.part, object, body)? {
            step.advance(app, author)?;
            step.events.push(Event::AppUpdate {
                from: arrival.sender.peer.shown(),
                info: self.info.as_ref().map(ToString::to_string),
            });
        }
        Ok(())
    }
}

impl Step<'_> {
    /// Up to which serial the updates of an author are complete.
    fn in_order(&self, app: (Id, [u8; 16]), author: Id) -> Result<u64, AgentError> {
        let known = self.store.record(Table::AppOrder, &prefix(app, author))?;
        Ok(known.unwrap_or(0))
    }

    /// Counts the updates that are complete now.
    fn advance(&mut self, app: (Id, [u8; 16]), author: Id) -> Result<(), AgentError> {
        crate::implements!(req::APP_SERIAL);
        let mut last = self.in_order(app, author)?;
        while self
            .store
            .get(Table::AppUpdate, &row(app, author, last + 1))?
            .is_some()
        {
            last += 1;
        }
        Ok(self
            .store
            .set(Table::AppOrder, prefix(app, author), &last)?)
    }
}

/// The instance, author and serial of an update.
pub(crate) fn place(entry: &Entry) -> Option<((Id, [u8; 16]), Id, u64)> {
    match &entry.body {
        Body::AppUpdate {
            app_author,
            app,
            serial,
            ..
        } => Some(((*app_author, *app), entry.author, *serial)),
        _ => None,
    }
}
