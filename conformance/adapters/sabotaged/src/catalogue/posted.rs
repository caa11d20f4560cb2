//! Mail whose octets are wrong, or that goes where it shouldn't, or too often.

use kith_core::agent::outbox::Posted;
use kith_spec::req;

use super::Sabotage::{Leak, Post};
use super::{Fault, Hears, Sabotage, deaf, fault};
use crate::broken::SENT_TO;
use crate::mail::{elements, is_sealed, with_field};

const fn post(posts: fn(Posted, &[String]) -> Vec<Posted>) -> Sabotage {
    Post { hears: deaf, posts }
}

const fn post_hearing(hears: Hears, posts: fn(Posted, &[String]) -> Vec<Posted>) -> Sabotage {
    Post { hears, posts }
}

fn changed(posted: Posted, field: &str) -> Vec<Posted> {
    let mail = with_field(&posted.mail, field);
    vec![Posted { mail, ..posted }]
}

/// The values of fields of profiles in a mail.
fn values(mail: &str) -> Vec<String> {
    elements(mail, "value")
}

/// Everybody to whom mail went before, besides those to whom this one goes.
fn others(posted: &Posted, heard: &[String]) -> Vec<String> {
    let before = heard.iter().filter_map(|heard| heard.strip_prefix(SENT_TO));
    let mut others: Vec<String> = before
        .map(str::to_owned)
        .filter(|address| !posted.to.contains(address))
        .collect();
    others.sort();
    others.dedup();
    others
}

/// A copy to everybody to whom mail went before.
fn to_all(posted: Posted, heard: &[String]) -> Vec<Posted> {
    let others = others(&posted, heard).into_iter().map(|other| Posted {
        to: vec![other],
        mail: posted.mail.clone(),
    });
    let others: Vec<_> = others.collect();
    std::iter::once(posted).chain(others).collect()
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "lines-too-long",
        "writes a header field of two hundred columns",
        &req::MAIL_LINES,
        post(|posted, _| {
            changed(
                posted,
                &format!("Comments: {}", "long ".repeat(40).trim_end()),
            )
        }),
    ),
    fault(
        "eight-bit",
        "writes UTF-8 in a header field",
        &req::MAIL_SEVEN_BIT,
        post(|posted, _| changed(posted, "Comments: Grüße")),
    ),
    fault(
        "copy-in-the-clear",
        "sends a notice in the clear beside each sealed mail",
        &req::MAIL_NEVER_CLEAR,
        post(|posted, _| {
            let text = String::from_utf8_lossy(&posted.mail).into_owned();
            if !is_sealed(&text) {
                return vec![posted];
            }
            let field = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(name));
                line.unwrap_or_default().to_owned()
            };
            let from = field("From:");
            let mail = format!(
                "{from}\r\nSubject: Kith\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain\r\n\r\nThere is something new for you.\r\n"
            );
            let notice = Posted {
                to: posted.to.clone(),
                mail: mail.into_bytes(),
            };
            vec![posted, notice]
        }),
    ),
    fault(
        "one-transaction-for-two",
        "sends a copy to its own person too, in one transaction",
        &req::SEND_ONE_TRANSACTION,
        post(|mut posted, _| {
            let text = String::from_utf8_lossy(&posted.mail).into_owned();
            let own = text.lines().find_map(|line| line.strip_prefix("From: "));
            posted.to.extend(own.map(str::to_owned));
            vec![posted]
        }),
    ),
    fault(
        "all-twice",
        "sends every mail twice",
        &req::SEND_DURABLE,
        post(|posted, _| vec![posted.clone(), posted]),
    ),
    fault(
        "follow-accepted-twice",
        "sends what answers a follower twice",
        &req::FOLLOW_ANSWER_ONCE,
        post_hearing(
            |mail| match mail.contains("\"follow\"") {
                true => vec!["follow".to_owned()],
                false => Vec::new(),
            },
            |posted, heard| match heard.iter().any(|heard| heard == "follow") {
                true => vec![posted.clone(), posted],
                false => vec![posted],
            },
        ),
    ),
    fault(
        "rsvp-to-all",
        "sends every answer to all to whom it wrote before",
        &req::RSVP_ORGANISER,
        post(to_all),
    ),
    fault(
        "group-handed-on",
        "hands on to all others what it sends to a group",
        &req::GROUP_DIRECT,
        post(to_all),
    ),
    fault(
        "old-address-kept",
        "goes on writing to each address that it ever wrote to",
        &req::PATH_RENEWED,
        post(to_all),
    ),
    fault(
        "profile-address-used",
        "writes to the address in a friend's profile",
        &req::FIELD_NOT_CONTACT,
        post_hearing(values, |mut posted, heard| {
            let named = heard.iter().filter(|heard| !heard.starts_with(SENT_TO));
            let address = named.rev().find(|value| value.contains('@'));
            posted.to.extend(address.cloned());
            vec![posted]
        }),
    ),
    fault(
        "follower-address-believed",
        "sends what its page publishes to the address in a follower's contact too",
        &req::FOLLOW_ADDRESS,
        post_hearing(
            |mail| elements(mail, "address"),
            |mut posted, heard| {
                if !is_sealed(&String::from_utf8_lossy(&posted.mail)) {
                    let mut named = heard.iter().filter(|heard| !heard.starts_with(SENT_TO));
                    posted.to.extend(named.next_back().cloned());
                    posted.to.dedup();
                }
                vec![posted]
            },
        ),
    ),
    fault(
        "profile-key-used",
        "seals to the key in a friend's profile",
        &req::FIELD_NO_KEYS,
        post_hearing(values, |mut posted, heard| {
            if heard.iter().any(|value| value.starts_with("openpgp4fpr")) {
                let text = String::from_utf8_lossy(&posted.mail);
                posted.mail = text.replacen("\r\n\r\nw", "\r\n\r\nx", 1).into_bytes();
            }
            vec![posted]
        }),
    ),
    fault(
        "petname-told",
        "tells friends the name that its person gave to one",
        &req::CONTACT_PETNAME_LOCAL,
        Leak(|action| match action["do"].as_str()? {
            "petname" => Some(action["name"].as_str()?.to_owned()),
            _ => None,
        }),
    ),
    fault(
        "circle-told",
        "tells friends the name of a circle",
        &req::CIRCLE_LOCAL,
        Leak(|action| match action["do"].as_str()? {
            "circle" => Some(action["name"].as_str()?.to_owned()),
            _ => None,
        }),
    ),
];
