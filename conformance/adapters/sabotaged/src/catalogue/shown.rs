//! What the person sees is wrong.

use kith_spec::req;
use serde_json::{Value, json};

use super::Sabotage::{Believe, Show, ShowImported};
use super::{Fault, fault};
use crate::mail::elements;

/// Changes a field of each item of a view.
fn each(items: &mut [Value], field: &str, change: impl Fn(&Value) -> Value) {
    for item in items {
        let changed = change(item);
        item[field] = changed;
    }
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "gaps-hidden",
        "shows no gaps",
        &req::ACK_GAP_SHOWN,
        Show(|what, items, _| {
            if what == "gaps" {
                items.clear();
            }
        }),
    ),
    fault(
        "petname-ignored",
        "shows everybody by the name that they claim alone",
        &req::CONTACT_PETNAME,
        Show(|what, items, _| {
            if what == "friends" {
                each(items, "name", |_| json!("Bob"));
            }
        }),
    ),
    fault(
        "code-wrong",
        "shows a safety code of its own making",
        &req::CONTACT_SAFETY_CODE,
        Show(|what, items, _| {
            if what == "contacts" {
                each(items, "code", |_| json!(["00000"; 12].join(" ")));
            }
        }),
    ),
    fault(
        "every-address-proved",
        "takes the address that a friend names first for proved",
        &req::PATH_PROVED,
        Show(|what, items, _| {
            if what == "contacts" {
                each(items, "proved", |contact| contact["addresses"][0].clone());
            }
        }),
    ),
    fault(
        "rivals-hidden",
        "shows rival requests as if there were one",
        &req::FRIENDS_REQUEST_RIVALS,
        Show(|what, items, _| {
            if what == "requests" {
                each(items, "rivals", |_| json!([]));
            }
        }),
    ),
    fault(
        "sealed-stranger-hidden",
        "shows no request of somebody who asks in a sealed mail",
        &req::INTRODUCE_STRANGER,
        Believe {
            hears: |mail| {
                mail.contains("<request ")
                    .then(String::new)
                    .into_iter()
                    .collect()
            },
            shows: |what, items, heard| {
                if what == "requests" && !heard.is_empty() {
                    items.clear();
                }
            },
        },
    ),
    fault(
        "received-when-created",
        "takes the time that a mail names for the time of receiving",
        &req::RECEIVE_TIME,
        Show(|what, items, _| {
            if what == "messages" {
                each(items, "received", |message| message["created"].clone());
            }
        }),
    ),
    fault(
        "profile-name-shown",
        "shows a friend by the name in the profile",
        &req::FIELD_NAME_CLAIM,
        Believe {
            hears: |mail| elements(mail, "value"),
            shows: |what, items, heard| {
                if let Some(name) = heard.last().filter(|_| what == "friends") {
                    each(items, "name", |_| json!(name));
                }
            },
        },
    ),
    fault(
        "reactions-added",
        "adds what a reaction says to what it said before",
        &req::REACTION_REPLACE,
        Believe {
            hears: |mail| elements(mail, "symbol"),
            shows: |what, items, heard| {
                if what == "threads" {
                    each(items, "reactions", |thread| {
                        let mut reactions = thread["reactions"].clone();
                        for reaction in reactions.as_array_mut().into_iter().flatten() {
                            reaction["symbols"] = json!(heard);
                        }
                        reactions
                    });
                }
            },
        },
    ),
    fault(
        "groups-by-id",
        "takes groups with the same id for one",
        &req::GROUP_IDENTITY,
        Show(|what, items, _| {
            if what == "groups" {
                items.dedup_by_key(|item| item["group"]["id"].clone());
            }
        }),
    ),
    fault(
        "cancelled-hidden",
        "shows a cancelled event no more",
        &req::EVENT_CANCELLED,
        Show(|what, items, _| {
            if what == "events" {
                items.retain(|event| event["content"]["status"] != json!("cancelled"));
            }
        }),
    ),
    fault(
        "answers-uncounted",
        "counts no answers to an event",
        &req::RSVP_COUNTS,
        Show(|what, items, _| {
            if what == "events" {
                each(items, "yes", |_| json!(0));
            }
        }),
    ),
    fault(
        "unknown-app-hidden",
        "shows no app for which it has no program",
        &req::APP_UNKNOWN_TYPE,
        Show(|what, items, _| {
            if what == "apps" {
                items.clear();
            }
        }),
    ),
    fault(
        "updates-backwards",
        "hands updates to the program with the last first",
        &req::APP_ORDER,
        Show(|what, items, _| {
            if what == "apps" {
                each(items, "updates", |app| {
                    let mut updates = app["updates"].as_array().cloned().unwrap_or_default();
                    updates.reverse();
                    json!(updates)
                });
            }
        }),
    ),
    fault(
        "app-gaps-hidden",
        "doesn't tell that updates of an app are missing",
        &req::APP_GAP_SHOWN,
        Show(|what, items, _| {
            if what == "apps" {
                each(items, "gaps", |_| json!(false));
            }
        }),
    ),
    fault(
        "devices-hidden",
        "shows no other devices",
        &req::DEVICES_LISTED,
        Show(|what, items, _| {
            if what == "devices" {
                items.retain(|device| device["current"] == json!(true));
            }
        }),
    ),
    fault(
        "export-without-messages",
        "shows no messages on a device that started from an export",
        &req::EXPORT_COMPLETE,
        ShowImported(|what, items, _| {
            if what == "messages" {
                items.clear();
            }
        }),
    ),
    fault(
        "group-among-friends",
        "shows what is written to a group among what friends publish",
        &req::GROUP_SHOWN_APART,
        Believe {
            hears: |mail| match mail.contains("<group ") {
                true => elements(mail, "text"),
                false => Vec::new(),
            },
            shows: |what, items, heard| {
                if what == "timeline" {
                    items.extend(heard.iter().map(|text| {
                        json!({
                            "author": "0".repeat(64), "id": "0".repeat(32), "kind": "post",
                            "text": text, "created": "2026-11-21T09:00:00Z", "rev": 1,
                        })
                    }));
                }
            },
        },
    ),
    fault(
        "contact-lost",
        "knows no address of somebody who has a new key",
        &req::CONTACT_STAYS,
        Show(|what, items, _| {
            if what == "contacts" {
                each(items, "addresses", |contact| {
                    match contact["epoch"] == json!(0) {
                        true => contact["addresses"].clone(),
                        false => json!([]),
                    }
                });
            }
        }),
    ),
];
