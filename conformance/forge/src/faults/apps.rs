//! Faults of the chapter "Apps".

use kith_spec::req;

use super::{Base, Fault};
use crate::draft::{Item, ObjectDraft};
use crate::hash::{Hash, Id128};
use crate::kinds::app_update_id;

pub(super) fn faults() -> Vec<Fault> {
    [instances(), updates(), participants()].concat()
}

fn instances() -> Vec<Fault> {
    let audience = &req::APP_AUDIENCE;
    vec![
        Fault::new(
            "apps/audience-friends",
            "an app for all friends",
            audience,
            Base::App,
        )
        .object(|_, object| "friends".clone_into(&mut object.audience)),
        Fault::new(
            "apps/direct-without-recipient",
            "an app for one person that names nobody",
            audience,
            Base::App,
        )
        .object(|_, object| object.payload.remove("to")),
        Fault::new(
            "apps/for-another",
            "an app that names another participant, passed on to this one",
            &req::APP_ADDRESSED,
            Base::App,
        )
        .flags(&["surreptitious-forwarding"])
        .object(address_third),
        Fault::new(
            "apps/update-for-another",
            "an update that names another participant, passed on to this one",
            &req::APP_ADDRESSED,
            Base::AppUpdate,
        )
        .flags(&["surreptitious-forwarding"])
        .object(address_third),
    ]
}

fn address_third(scene: &mut super::Scene, object: &mut ObjectDraft) {
    let third = scene.third.id;
    if let Some(to) = object.payload.find("to") {
        to.set("id", third);
    }
}

fn updates() -> Vec<Fault> {
    vec![
        Fault::new(
            "apps/update-with-random-id",
            "an update whose id is not that of its serial",
            &req::APP_UPDATE_ID,
            Base::AppUpdate,
        )
        .object(|scene, object| object.id = Id128::random(&mut scene.rng)),
        Fault::new(
            "apps/update-changed",
            "a second revision of an update",
            &req::APP_UPDATE_REVISION,
            Base::AppUpdate,
        )
        .object(|_, object| object.rev = 2),
        Fault::new(
            "apps/update-retracted",
            "a retract of an update",
            &req::APP_UPDATE_FINAL,
            Base::AppUpdate,
        )
        .any(|scene, draft| {
            let now = scene.now;
            let last = draft.objects().pop();
            let Some(Item::Draft(update)) = last else {
                return;
            };
            let key = (update.author, update.id);
            let retract = scene
                .author
                .retract_object(key, "app-update", "direct", now);
            draft.objects().push(retract.into());
        })
        .in_object(),
        Fault::new(
            "apps/update-far-ahead",
            "an update whose serial is 1001 above the last one in order",
            &req::APP_WINDOW,
            Base::AppUpdate,
        )
        .flags(&["flood"])
        .object(|_, object| number(object, 1001)),
    ]
}

/// Gives an update of the author's own instance another serial.
fn number(object: &mut ObjectDraft, serial: u64) {
    object.payload.set("serial", serial);
    let app = object.payload.find("app").cloned();
    let value = |name| {
        let app = app.as_ref()?;
        app.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let author = value("author").and_then(|text| text.parse::<Hash>().ok());
    let id = value("id").and_then(|text| text.parse::<Id128>().ok());
    if let (Some(author), Some(id)) = (author, id) {
        object.id = app_update_id((author, id), serial);
    }
}

fn participants() -> Vec<Fault> {
    vec![
        Fault::new(
            "apps/update-of-an-outsider",
            "a friend's update of an app that the recipient shares with somebody else",
            &req::APP_PARTICIPANTS,
            Base::AppUpdate,
        )
        .third_is_friend()
        .any(|scene, draft| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let app = scene.third.app_object(&to, "Chess", now);
            let key = (app.author, app.id);
            let carried = scene.third.carry(&to, vec![app], now);
            if let Some(carried) = scene.keep(carried) {
                scene.before(carried);
            }
            let update = scene.author.app_update_object(&to, key, 1, &text, now);
            draft.objects().clear();
            draft.objects().push(update.into());
        })
        .in_object(),
        Fault::new(
            "apps/update-after-end",
            "an update of an app that its author has retracted",
            &req::APP_ENDED,
            Base::AppUpdate,
        )
        .any(|scene, draft| {
            let now = scene.now;
            let to = scene.recipient.clone();
            let app = draft.objects().first_mut().and_then(|item| item.draft());
            let Some(app) = app.map(|app| app.clone()) else {
                return;
            };
            let retract = scene.author.retract(&to, &app, now);
            if let Some(retract) = scene.keep(retract) {
                scene.before(retract);
            }
            draft.objects().remove(0);
        })
        .in_object(),
        Fault::new(
            "apps/update-first",
            "an update and then its app: the order of the parts plays no role",
            &req::APP_FIRST,
            Base::AppUpdate,
        )
        .any(|_, draft| draft.objects().reverse())
        .accepted(),
    ]
}
