//! `app`: an instance of a small program that people use together (specification, chapter "Apps").

use kith_schemas::types::{App, AppType, Audience, Line, Object, Payload, Person};
use kith_spec::{Rule, req};

use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::Body;
use crate::agent::outgoing::Load;
use crate::agent::peer::Peer;
use crate::agent::{ActError, Event, Failure, Id, Step};
use crate::gate::{Gate, Violation};

/// The audiences of apps and their updates.
pub(super) const AUDIENCES: &[Audience] = &[Audience::Direct, Audience::Group];

/// Begins an instance with a friend.
pub(crate) fn write(
    step: &mut Step<'_>,
    peer: &Peer,
    app_type: &str,
    name: &str,
) -> Result<[u8; 16], ActError> {
    let unfit = |error: &dyn std::fmt::Display| ActError::Text(error.to_string());
    let payload = App {
        r#type: AppType::new(app_type).map_err(|error| unfit(&error))?,
        to: Some(Person { id: peer.id.into() }),
        name: Line::new(name).map_err(|error| unfit(&error))?,
    };
    let id = step.random();
    let shown = step.own.shown();
    let hash = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: format!("{shown} shares {name} with you, an app of the type {app_type}."),
        payload: Payload::App(payload),
    })?;
    let body = Body::App {
        peer: peer.id,
        app_type: app_type.to_owned(),
        name: name.to_owned(),
        fallback: format!("{name} ({app_type})"),
    };
    let entry = step.own_entry("app", id, 1, hash, body, None);
    step.keep_own(&entry, None)?;
    let load = Load {
        objects: vec![hash],
        numbered: true,
        subject: Some(entry.key()),
        ..Load::default()
    };
    step.deliver_subject(peer, load, 1)?;
    Ok(id)
}

/// One recipient named with the audience `direct`, none with `group` (`app.audience`).
pub(super) fn check_recipient(
    gate: &dyn Gate,
    object: &Object,
    to: Option<&Person>,
) -> Result<(), Violation> {
    let direct = object.audience == Audience::Direct;
    gate.check(&req::APP_AUDIENCE, direct == to.is_some())
}

impl Kind for App {
    fn traits(&self) -> Traits {
        Traits::content("app", AUDIENCES, &req::APP_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        let to = self.to.as_ref()?;
        Some((to.id.0, &req::APP_ADDRESSED))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        crate::implements!(req::APP_NO_CODE, req::APP_UNKNOWN_TYPE);
        check_recipient(step.gate, arrival.object, self.to.as_ref())?;
        let body = Body::App {
            peer: arrival.sender.peer.id,
            app_type: self.r#type.to_string(),
            name: self.name.to_string(),
            fallback: arrival.object.fallback.to_string(),
        };
        if step.merge(arrival.part, arrival.object, body)? {
            step.events.push(Event::App {
                from: arrival.sender.peer.shown(),
                name: self.name.to_string(),
            });
        }
        Ok(())
    }
}
