//! The harness judged by its own measure: what the forge makes is checked like what an
//! agent sends. A valid mail must be clean; a faulty one may show its fault and no other.

use kith_forge::Mail as Forged;
use kith_spec::{Rule, req};

use super::read::Mail;
use super::{Keyring, Seen, Verdict, second};

/// A forged mail with what it breaks; `None` if it can't be opened because the agent
/// makes its own keys.
fn broken(forged: &Forged, keyring: &Keyring, now: i64) -> Option<(Mail, Vec<(Rule, String)>)> {
    let mail = Mail::read(&forged.octets, &keyring.keys).ok()?;
    let seen = Seen {
        octets: &forged.octets,
        outer: &mail.root,
        mail: Some(&mail),
        submission: None,
        agent: None,
        now,
        keyring,
        memory: None,
    };
    let verdicts = super::run(&seen).into_iter();
    let broken = verdicts.filter_map(|(rule, verdict)| match verdict {
        Verdict::Broken(message) => Some((rule, message)),
        _ => None,
    });
    let broken = broken.collect();
    Some((mail, broken))
}

/// Whether a mail that should be valid is, by both readers. Returns what was read.
///
/// # Errors
/// What is wrong with it.
pub fn valid(forged: &Forged, keyring: &Keyring, now: i64) -> Result<Option<Mail>, String> {
    let Some((mail, broken)) = broken(forged, keyring, now) else {
        return Ok(None);
    };
    if let Some((rule, message)) = broken.first() {
        return Err(format!(
            "a forged mail that should be valid breaks {rule}: {message}"
        ));
    }
    second::compare_forged(&mail, forged, keyring)?;
    Ok(Some(mail))
}

/// Under which other requirements a fault shows to a reader who doesn't know what its
/// recipient knows, or who meets it at another layer.
static SEEN_AS: &[(Rule, &[Rule])] = &[
    (&req::CONTACT_AUTHOR, &[&req::SEC_OBJECT_SIGNATURE]),
    (
        &req::DELIVERY_SENDER,
        &[
            &req::DELIVERY_AUTHOR,
            &req::MAIL_OUTER_ADDRESSES,
            &req::SEC_DELIVERY_SIGNATURE,
        ],
    ),
    (&req::FRIENDS_REQUEST_CONTACT, &[&req::SEC_OBJECT_SIGNATURE]),
    (&req::IDENTITY_COMMITTED, &[&req::SEC_OBJECT_SIGNATURE]),
    (&req::IDENTITY_NOT_MERGED, &[&req::RETRACT_KINDS]),
    (
        &req::IDENTITY_SELF_SIGNED,
        &[&req::IDENTITY_ID, &req::SEC_OBJECT_SIGNATURE],
    ),
    (
        &req::LOOP_NO_REACTION,
        &[
            &req::MAIL_KITH_VERSION,
            &req::MAIL_MESSAGE_ID,
            &req::MAIL_NEVER_CLEAR,
        ],
    ),
    (&req::MAIL_DELIVERY_SEALED, &[&req::MAIL_NEVER_CLEAR]),
    (
        &req::MAIL_KITH_VERSION_UNTRUSTED,
        &[
            &req::MAIL_HEADER_PROTECTION,
            &req::MAIL_KITH_VERSION,
            &req::MAIL_NEVER_CLEAR,
            &req::MAIL_PADDING,
            &req::MAIL_PAYLOAD,
            &req::SEC_PURPOSE,
            &req::MAIL_FALLBACK,
        ],
    ),
    (&req::MAIL_ONE_ENVELOPE, &[&req::MAIL_PADDING]),
    (&req::MAIL_OPEN_PRIVATE, &[&req::MAIL_NEVER_CLEAR]),
    (&req::MAIL_OPEN_UNKNOWN, &[&req::MAIL_NEVER_CLEAR]),
    (&req::MESSAGE_ADDRESSED, &[&req::FRIENDS_ACCEPT_TO]),
    (&req::SEC_CERT_EXPIRED, &[&req::SEC_CERT_ENCRYPTION]),
    (
        &req::SEC_COMPRESSION_DEPTH,
        &[
            &req::MAIL_FALLBACK,
            &req::MAIL_HEADER_PROTECTION,
            &req::MAIL_NO_COMPRESSION,
            &req::MAIL_PADDING,
            &req::MAIL_PAYLOAD,
            &req::SEC_DELIVERY_SIGNED,
            &req::SEC_ENVELOPE_TYPE,
        ],
    ),
    (&req::SEC_COMPRESSION_OUTPUT, &[&req::MAIL_NO_COMPRESSION]),
    (
        &req::SEC_FOR_ME,
        &[
            &req::MAIL_OUTER_ADDRESSES,
            &req::SEC_RECIPIENT_KEY,
            &req::SEC_RECIPIENTS_AGREE,
            &req::FRIENDS_ACCEPT_TO,
        ],
    ),
    (
        &req::SEC_HASHED_ONLY,
        &[&req::SEC_PURPOSE, &req::SEC_RECIPIENTS_AGREE],
    ),
    (&req::SEC_PURPOSE_MATCHES, &[&req::SEC_PURPOSE]),
    (&req::XML_DEPTH, &[&req::XML_SCHEMA]),
    (
        &req::XML_NO_DOCTYPE,
        &[&req::MAIL_LISTED_PRESENT, &req::XML_SCHEMA],
    ),
    (
        &req::XML_WELL_FORMED,
        &[&req::MAIL_LISTED_PRESENT, &req::XML_SCHEMA],
    ),
];

/// Whether a faulty mail shows its fault and no other, as far as the judge can see it.
///
/// # Errors
/// What else it breaks, or that it doesn't show its fault although a check bears it.
pub fn faulty(forged: &Forged, fault: Rule, keyring: &Keyring, now: i64) -> Result<(), String> {
    let Some((_, broken)) = broken(forged, keyring, now) else {
        return Ok(());
    };
    let aliases = SEEN_AS.iter().find(|(rule, _)| *rule == fault);
    let aliases = aliases.map_or(&[][..], |(_, aliases)| aliases);
    if std::env::var_os("KITH_DUMP").is_some() {
        eprintln!(
            "DUMP {} {}",
            fault.id,
            broken
                .iter()
                .map(|(r, _)| r.id)
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
    let other = broken
        .iter()
        .find(|(rule, _)| *rule != fault && !aliases.contains(rule));
    match other {
        Some((rule, message)) if !broken.iter().any(|(rule, _)| *rule == fault) => Err(format!(
            "a forged mail that should break {fault} breaks {rule} instead: {message}"
        )),
        _ => Ok(()),
    }
}
