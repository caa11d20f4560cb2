//! What is done isn't what the person asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kith_spec::req;
use sequoia_openpgp::PacketPile;
use sequoia_openpgp::crypto::{Password, S2K};
use sequoia_openpgp::packet::{Packet, SKESK, skesk::SKESK4};
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::serialize::Serialize as _;
use sequoia_openpgp::types::{HashAlgorithm, SymmetricAlgorithm};
use serde_json::{Value, json};

use super::Sabotage::{Idle, Instead, Meddle, Open, Plain, Quiet, Return};
use super::{Fault, deaf, fault};
use crate::broken::Surroundings;
use crate::mail::field;

fn is(action: &Value, name: &str) -> bool {
    action["do"] == json!(name)
}

/// An action with another value in a field.
fn with(mut action: Value, name: &str, value: Value) -> Value {
    action[name] = value;
    action
}

/// A post to each friend by itself, each an object of its own.
fn each_its_own(action: Value, around: &Surroundings) -> Vec<Value> {
    if !is(&action, "post") {
        return vec![action];
    }
    let one = |friend: &Value| {
        with(
            action.clone(),
            "to",
            json!({"chosen": [friend["identity"]]}),
        )
    };
    around.friends.iter().map(one).collect()
}

/// A post for all friends goes to one of them.
fn to_the_first(action: Value, around: &Surroundings) -> Vec<Value> {
    match around.friends.first() {
        Some(friend) if is(&action, "post") && action["to"] == json!("friends") => {
            vec![with(action, "to", json!({"chosen": [friend["identity"]]}))]
        }
        _ => vec![action],
    }
}

/// What is meant for some goes to all friends.
fn to_all_friends(action: Value, _: &Surroundings) -> Vec<Value> {
    let to = action.get("to").is_some_and(Value::is_object);
    match to && (is(&action, "post") || is(&action, "profile-set")) {
        true => vec![with(action, "to", json!("friends"))],
        false => vec![action],
    }
}

/// An export for the same passphrase, which is hashed quickly.
fn quickly_hashed(export: &[u8], passphrase: &str) -> Option<Vec<u8>> {
    let password = Password::from(passphrase);
    let mut changed = Vec::new();
    for packet in PacketPile::from_bytes(export).ok()?.into_children() {
        let packet = match packet {
            Packet::SKESK(slow) => {
                let (cipher, key) = slow.decrypt(&password).ok()?;
                let (cipher, own) = (cipher?, SymmetricAlgorithm::AES256);
                let quick = S2K::new_iterated(HashAlgorithm::SHA256, 65_536).ok()?;
                let quick = SKESK4::with_password(cipher, own, quick, &key, &password);
                Packet::from(SKESK::from(quick.ok()?))
            }
            other => other,
        };
        packet.serialize(&mut changed).ok()?;
    }
    Some(changed)
}

/// Keys with which a person starts, but of another kind.
fn classical(open: Value) -> Value {
    match open["keys"] == json!({"generate": "pq"}) {
        true => with(open, "keys", json!({"generate": "v6"})),
        false => open,
    }
}

/// A store from an export is an empty one with new keys.
fn begins_anew(open: Value) -> Value {
    match open["store"].get("export") {
        Some(_) => with(
            with(open, "store", json!("empty")),
            "keys",
            json!({"generate": "v4"}),
        ),
        None => open,
    }
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "message-edit-idle",
        "edits nothing",
        &req::MESSAGE_EDIT,
        Idle(&["edit"]),
    ),
    fault(
        "page-edit-idle",
        "tells followers nothing of an edit",
        &req::PAGE_EDIT,
        Idle(&["edit", "retract"]),
    ),
    fault(
        "consent-idle",
        "sends no receipts, whatever its person agreed to",
        &req::RECEIPT_RIDES,
        Idle(&["consent"]),
    ),
    fault(
        "rotation-idle",
        "goes on signing with the key that its person wants to replace",
        &req::IDENTITY_DEVICE,
        Idle(&["rotate"]),
    ),
    fault(
        "restore-idle",
        "leaves the mailbox as it is",
        &req::FILE_RESTORE,
        Idle(&["restore-mailbox"]),
    ),
    fault(
        "calendar-idle",
        "makes no events from a calendar",
        &req::EVENT_ICALENDAR,
        Idle(&["calendar-import"]),
    ),
    fault(
        "calendar-with-guests",
        "writes into a calendar who is invited",
        &req::EVENT_ICALENDAR,
        Return(|_, result| {
            if let Some(calendar) = result["calendar"].as_str() {
                let guest = "ATTENDEE:mailto:bob@b.test\r\nEND:VEVENT";
                result["calendar"] = json!(calendar.replace("END:VEVENT", guest));
            }
        }),
    ),
    fault(
        "follow-id-idle",
        "follows nobody by the identity id alone",
        &req::FOLLOW_BY_ID,
        Idle(&["follow-id"]),
    ),
    fault(
        "chosen-for-all",
        "sends to all friends what is for some of them",
        &req::POST_CHOSEN,
        Instead(to_all_friends),
    ),
    fault(
        "field-for-all",
        "sends a field to all friends that is for some of them",
        &req::FIELD_CHOSEN,
        Instead(to_all_friends),
    ),
    fault(
        "one-copy-for-all",
        "sends a post to one friend only",
        &req::POST_COPIES,
        Instead(to_the_first),
    ),
    fault(
        "copies-differ",
        "makes an object of its own for each copy of a post",
        &req::POST_SAME_OCTETS,
        Instead(each_its_own),
    ),
    fault(
        "page-signs-twice",
        "signs what its page publishes twice",
        &req::PAGE_SIGNED_ONCE,
        Instead(|action, _| match is(&action, "page-post") {
            true => vec![action.clone(), action],
            false => vec![action],
        }),
    ),
    fault(
        "circle-gets-earlier",
        "hands earlier posts to who joins a circle",
        &req::CIRCLE_LATER,
        Instead(|action, around| {
            let joins = is(&action, "circle") && action["add"].is_array();
            let earlier = around.timeline.iter().filter(|_| joins);
            let widen =
                |post: &Value| json!({"do": "widen", "id": post["id"], "to": action["add"]});
            let widened: Vec<_> = earlier.map(widen).collect();
            std::iter::once(action.clone()).chain(widened).collect()
        }),
    ),
    fault(
        "pictures-as-files",
        "takes pictures for files of another type, and leaves everything in them",
        &req::MEDIA_METADATA,
        Instead(|mut action, _| {
            for medium in action["media"].as_array_mut().into_iter().flatten() {
                medium["media_type"] = json!("image/webp");
            }
            vec![action]
        }),
    ),
    fault(
        "introduces-unasked",
        "introduces its friends to each other by itself",
        &req::INTRODUCE_ASKED,
        Meddle {
            hears: deaf,
            does: |around| match around.friends.as_slice() {
                [one, other, ..] => vec![json!({
                    "do": "introduce", "one": one["identity"], "other": other["identity"],
                })],
                _ => Vec::new(),
            },
        },
    ),
    fault(
        "introducible-by-default",
        "lets friends introduce its person unasked",
        &req::INTRODUCE_DEFAULT,
        Meddle {
            hears: deaf,
            does: |_| {
                vec![json!({
                    "do": "consent", "delivered": false, "seen": false, "introduce": true,
                })]
            },
        },
    ),
    fault(
        "introduced-asked",
        "asks everybody who is introduced to it for friendship",
        &req::INTRODUCE_NOTHING_ELSE,
        Meddle {
            hears: deaf,
            does: |around| {
                let ask = |one: &Value| json!({"do": "befriend", "address": one["address"]});
                around.introductions.iter().map(ask).collect()
            },
        },
    ),
    fault(
        "group-joins-unasked",
        "joins each group to which it is invited",
        &req::GROUP_JOIN_ASKED,
        Meddle {
            hears: deaf,
            does: |around| {
                let invited = around.groups.iter();
                let invited = invited.filter(|group| group["state"] == json!("invited"));
                let join = |group: &Value| json!({"do": "group-join", "group": group["group"]});
                invited.map(join).collect()
            },
        },
    ),
    fault(
        "mail-answered",
        "tells all friends when mail has come, refused or not",
        &req::LOOP_REFUSED_SILENT,
        Meddle {
            hears: |_| vec!["mail".to_owned()],
            does: |around| {
                let count = around.heard.len();
                let tell = |friend: &Value| {
                    json!({
                        "do": "message", "to": friend["identity"],
                        "text": format!("Mail number {count} has come"),
                    })
                };
                let friends = around.friends.iter().filter(|_| count > 0);
                friends.map(tell).collect()
            },
        },
    ),
    fault(
        "page-answered",
        "asks whoever publishes something for friendship",
        &req::PAGE_NO_ANSWER,
        Meddle {
            hears: |mail| {
                if !mail.contains("audience=\"public\"") {
                    return Vec::new();
                }
                let from = field(mail, "from").unwrap_or_default();
                let address = from.rsplit('<').next().unwrap_or_default();
                vec![address.trim_end_matches('>').to_owned()]
            },
            does: |around| {
                let ask = |address: &String| json!({"do": "befriend", "address": address});
                around.heard.iter().map(ask).collect()
            },
        },
    ),
    fault(
        "profile-contacted",
        "asks whoever is named in a profile for friendship",
        &req::FIELD_NO_CONTACT,
        Meddle {
            hears: |mail| {
                let values = crate::mail::elements(mail, "value").into_iter();
                let address = |value: String| Some(value.strip_prefix("mailto:")?.to_owned());
                values.filter_map(address).collect()
            },
            does: |around| {
                let ask = |address: &String| json!({"do": "befriend", "address": address});
                around.heard.iter().map(ask).collect()
            },
        },
    ),
    fault(
        "app-acts",
        "does what an app asks for",
        &req::APP_NO_CODE,
        Meddle {
            hears: |mail| match mail.contains("<app ") || mail.contains("<app-update ") {
                true => vec!["app".to_owned()],
                false => Vec::new(),
            },
            does: |around| {
                let tell = |friend: &Value| json!({"do": "message", "to": friend["identity"], "text": "Come and play"});
                let friends = around.friends.iter();
                friends
                    .filter(|_| !around.heard.is_empty())
                    .map(tell)
                    .collect()
            },
        },
    ),
    fault(
        "device-with-own-keys",
        "makes new keys for a further device",
        &req::DEVICES_SAME_KEYS,
        Open(begins_anew),
    ),
    fault(
        "any-export-opened",
        "begins anew where an export is damaged",
        &req::EXPORT_FORM,
        Open(begins_anew),
    ),
    fault(
        "any-passphrase-taken",
        "begins anew where a passphrase is wrong",
        &req::EXPORT_WHOLE,
        Open(begins_anew),
    ),
    fault(
        "passphrase-quickly-hashed",
        "writes exports whose passphrase is quickly guessed",
        &req::EXPORT_PASSPHRASE,
        Return(|action, result| {
            let passphrase = action["passphrase"].as_str().unwrap_or_default();
            let archive = result["archive"].as_str();
            let archive = archive.and_then(|archive| STANDARD.decode(archive).ok());
            let changed = archive.and_then(|archive| quickly_hashed(&archive, passphrase));
            if let Some(changed) = changed {
                result["archive"] = json!(STANDARD.encode(changed));
            }
        }),
    ),
    fault(
        "classical-keys-made",
        "makes keys without protection after quantum computers for who asks for it",
        &req::PQ_GENERATE,
        Open(classical),
    ),
    fault(
        "bad-server-untold",
        "tells nobody that a server can't be trusted",
        &req::MAIL_CERTIFICATE_CHECK,
        Quiet,
    ),
    fault(
        "login-in-the-clear",
        "logs in where there is no TLS",
        &req::MAIL_TLS,
        Plain,
    ),
];
