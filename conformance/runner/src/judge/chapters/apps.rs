//! Chapter “Apps”, as far as a sent mail shows it.

use kith_spec::req;

use crate::judge::read::document::ObjectFacts;
use crate::judge::read::sha256;
use crate::judge::{Check, Seen, Verdict};

/// Apps and their updates.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::APP_AUDIENCE,
        look: audience,
    },
    Check {
        rule: &req::APP_ADDRESSED,
        look: addressed,
    },
    Check {
        rule: &req::APP_UPDATE_ID,
        look: update_id,
    },
    Check {
        rule: &req::APP_UPDATE_REVISION,
        look: update_revision,
    },
];

const KINDS: [&str; 2] = ["app", "app-update"];

fn recipient(object: &ObjectFacts) -> Option<&str> {
    object.payload.child("to").and_then(|to| to.attribute("id"))
}

fn audience(seen: &Seen<'_>) -> Verdict {
    Verdict::all(KINDS.into_iter().map(|kind| {
        seen.each(kind, |_, object| {
            let named = recipient(object).is_some();
            let right = match object.audience.as_str() {
                "direct" => named,
                "group" => !named,
                _ => false,
            };
            Verdict::of(right, || {
                let audience = &object.audience;
                format!("expected one recipient of a `{kind}`, seen the audience `{audience}`")
            })
        })
    }))
}

fn addressed(seen: &Seen<'_>) -> Verdict {
    Verdict::all(KINDS.into_iter().map(|kind| {
        seen.each(kind, |mail, object| {
            let to = mail.delivery().and_then(|delivery| delivery.to.first());
            let (Some(to), Some(named)) = (to, recipient(object)) else {
                return Verdict::DoesNotApply;
            };
            Verdict::of(named == to.id, || {
                format!(
                    "expected the `{kind}` to name its recipient {}, seen {named}",
                    to.id
                )
            })
        })
    }))
}

fn update_id(seen: &Seen<'_>) -> Verdict {
    seen.each("app-update", |_, update| {
        let derived = derived(update);
        Verdict::of(derived.as_deref() == Some(update.id.as_str()), || {
            format!("expected the id {derived:?}, seen {}", update.id)
        })
    })
}

/// The id that follows from instance and serial.
fn derived(update: &ObjectFacts) -> Option<String> {
    let app = update.payload.child("app")?;
    let serial: u64 = update.payload.attribute("serial")?.parse().ok()?;
    let author = hex::decode(app.attribute("author")?).ok()?;
    let id = hex::decode(app.attribute("id")?).ok()?;
    let target = [&b"app-update\0"[..], &author, &id, &serial.to_be_bytes()].concat();
    Some(sha256(&target)[..32].to_owned())
}

fn update_revision(seen: &Seen<'_>) -> Verdict {
    seen.each("app-update", |_, update| {
        Verdict::of(update.rev == 1, || {
            format!("expected the revision 1, seen {}", update.rev)
        })
    })
}
