//! The harness judged by its own measure: what the forge makes is checked like what an
//! agent sends. A valid mail must be clean; a faulty one may show its fault and no other.

use kith_forge::Mail as Forged;
use kith_spec::{Rule, req};

use super::read::Mail;
use super::{Keyring, Seen, Verdict};

/// A forged mail with what it breaks; `None` if it can't be opened because the agent
/// makes its own keys.
fn broken(forged: &Forged, keyring: &Keyring, now: i64) -> Option<(Mail, Vec<(Rule, String)>)> {
    let mail = Mail::read(&forged.octets, &keyring.keys).ok()?;
    let keyring = keyring.with(&mail).ok()?;
    let seen = Seen {
        octets: &forged.octets,
        outer: &mail.root,
        mail: Some(&mail),
        submission: None,
        agent: None,
        now,
        keyring: &keyring,
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

/// Whether a mail that should be valid is. Returns what was read.
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
    Ok(Some(mail))
}

/// Whether a faulty mail shows its fault and no other, as far as the judge can see it:
/// what it breaks besides must be a consequence.
///
/// # Errors
/// What else it breaks.
pub fn faulty(forged: &Forged, fault: Rule, keyring: &Keyring, now: i64) -> Result<(), String> {
    let Some((_, broken)) = broken(forged, keyring, now) else {
        return Ok(());
    };
    let expected = |rule: Rule| rule == fault || consequences(fault).contains(&rule);
    match broken.iter().find(|(rule, _)| !expected(rule)) {
        Some((rule, message)) => Err(format!(
            "a forged mail that should break only {fault} breaks {rule}: {message}"
        )),
        None => Ok(()),
    }
}

/// The requirements that a mail which breaks this one may break too: the same fault seen
/// by another check, or something that can't be made right once it is there.
fn consequences(fault: Rule) -> &'static [Rule] {
    let found = CONSEQUENCES.iter().find(|(rule, _)| *rule == fault);
    found.map_or(&[], |(_, consequences)| consequences)
}

/// What can't be read has neither padding nor fallback nor fields of its own.
static UNREADABLE: &[Rule] = &[
    &req::MAIL_FALLBACK,
    &req::MAIL_HEADER_PROTECTION,
    &req::MAIL_KITH_VERSION,
    &req::MAIL_MESSAGE_ID,
    &req::MAIL_NEVER_CLEAR,
    &req::MAIL_NO_COMPRESSION,
    &req::MAIL_PADDING,
    &req::MAIL_PAYLOAD,
    &req::SEC_DELIVERY_SIGNED,
    &req::SEC_ENVELOPE_TYPE,
];

/// An object that is no document is nothing that a delivery can list.
static NO_DOCUMENT: &[Rule] = &[&req::MAIL_LISTED_PRESENT, &req::XML_SCHEMA];

/// Somebody else's key, or the right one for something else.
static OTHER_KEY: &[Rule] = &[
    &req::CONTACT_AUTHOR,
    &req::DELIVERY_AUTHOR,
    &req::IDENTITY_ID,
    &req::MAIL_OUTER_ADDRESSES,
    &req::SEC_DELIVERY_SIGNATURE,
    &req::SEC_OBJECT_SIGNATURE,
];

/// The document names others than the envelope or the outer mail.
static OTHER_RECIPIENT: &[Rule] = &[
    &req::FRIENDS_ACCEPT_TO,
    &req::MAIL_OUTER_ADDRESSES,
    &req::SEC_ONE_RECIPIENT,
    &req::SEC_RECIPIENTS_AGREE,
    &req::SEC_RECIPIENT_KEY,
];

/// By the requirement that is broken.
static CONSEQUENCES: &[(Rule, &[Rule])] = &[
    (&req::CONTACT_AUTHOR, OTHER_KEY),
    (&req::DELIVERY_SENDER, OTHER_KEY),
    (&req::FRIENDS_ACCEPT_CREDENTIALS, &[&req::MAIL_PADDING]),
    (&req::FRIENDS_ACCEPT_SEALED, &[&req::MAIL_NEVER_CLEAR]),
    (&req::FRIENDS_REQUEST_CONTACT, OTHER_KEY),
    (
        &req::FRIENDS_REQUEST_CREDENTIALS,
        &[&req::FRIENDS_REQUEST_CONTACT],
    ),
    (
        &req::GROUP_CONTENT,
        &[
            &req::GROUP_DELIVERY,
            &req::GROUP_SCOPE,
            &req::KIND_AUDIENCE,
            &req::POST_AUDIENCE,
        ],
    ),
    (&req::GROUP_CREDENTIALS, &[&req::DELIVERY_AUTHOR]),
    (
        &req::GROUP_MESSAGE,
        &[
            &req::FRIENDS_ACCEPT_TO,
            &req::KIND_AUDIENCE,
            &req::MESSAGE_ADDRESSED,
        ],
    ),
    (&req::GROUP_ONCE, &[&req::GROUP_OWNER]),
    (
        &req::GROUP_SCOPE,
        &[
            &req::GROUP_CONTENT,
            &req::GROUP_DELIVERY,
            &req::KIND_AUDIENCE,
            &req::POST_AUDIENCE,
        ],
    ),
    (&req::IDENTITY_COMMITTED, OTHER_KEY),
    (
        &req::IDENTITY_COMPROMISED_DELIVERY,
        &[&req::IDENTITY_COMPROMISED_OBJECT],
    ),
    (&req::IDENTITY_COMPROMISED_EARLIER, OTHER_KEY),
    (&req::IDENTITY_ROTATION_CERTIFICATE, OTHER_KEY),
    (&req::IDENTITY_COMPLETE, OTHER_KEY),
    (&req::IDENTITY_ID, OTHER_KEY),
    (&req::IDENTITY_KEY_PACKET, &[&req::IDENTITY_ID]),
    (&req::IDENTITY_NOT_MERGED, &[&req::RETRACT_KINDS]),
    (&req::IDENTITY_SELF_SIGNED, OTHER_KEY),
    (&req::KIND_AUDIENCE, &[&req::FRIENDS_REQUEST_OPEN]),
    (&req::LOOP_NO_REACTION, UNREADABLE),
    (&req::MAIL_DELIVERY_SEALED, &[&req::MAIL_NEVER_CLEAR]),
    (&req::MAIL_KITH_VERSION_UNTRUSTED, UNREADABLE),
    (
        &req::MAIL_LISTED_PRESENT,
        &[
            &req::FRIENDS_ACCEPT_CREDENTIALS,
            &req::MAIL_FALLBACK,
            &req::MAIL_LISTED_PARTS,
            &req::MAIL_PADDING,
        ],
    ),
    (&req::MAIL_MIME_BOUNDS, &[&req::MAIL_PADDING]),
    (&req::MAIL_ONE_ENVELOPE, &[&req::MAIL_PADDING]),
    (
        &req::MAIL_OPEN_PRIVATE,
        &[&req::MAIL_NEVER_CLEAR, &req::POST_AUDIENCE],
    ),
    (
        &req::MAIL_OPEN_UNKNOWN,
        &[&req::MAIL_NEVER_CLEAR, &req::PAGE_MAIL_WHOLE],
    ),
    (&req::PAGE_AUDIENCE, &[&req::MAIL_NEVER_CLEAR]),
    (&req::MAIL_PART_ONCE, &[&req::MAIL_PADDING]),
    (&req::MAIL_PAYLOAD, &[&req::MAIL_PADDING]),
    (
        &req::MAIL_SIZE,
        &[&req::FRIENDS_REQUEST_MAIL_SIZE, &req::MAIL_LINES],
    ),
    (
        &req::MAIL_STRUCTURE,
        &[&req::MAIL_CONTENT_DESCRIPTION, &req::MAIL_NEVER_CLEAR],
    ),
    (&req::MESSAGE_ADDRESSED, &[&req::FRIENDS_ACCEPT_TO]),
    (&req::MESSAGE_AUDIENCE, &[&req::KIND_AUDIENCE]),
    (
        &req::POST_AUDIENCE,
        &[&req::GROUP_DELIVERY, &req::GROUP_SCOPE, &req::KIND_AUDIENCE],
    ),
    (
        &req::SEC_CERT_EXPIRED,
        &[&req::SEC_CERT_ENCRYPTION, &req::SEC_CERT_FLAGS],
    ),
    (&req::SEC_CERT_FLAGS, &[&req::SEC_CERT_ENCRYPTION]),
    (&req::PQ_ROTATION, OTHER_KEY),
    (&req::SEC_CERT_PRIMARY, OTHER_KEY),
    (&req::SEC_COMPRESSION_DEPTH, UNREADABLE),
    (&req::SEC_COMPRESSION_OUTPUT, UNREADABLE),
    (&req::SEC_DELIVERY_SIGNED, &[&req::SEC_DELIVERY_SIGNATURE]),
    (&req::SEC_FOR_ME, OTHER_RECIPIENT),
    (
        &req::SEC_HASHED_ONLY,
        &[&req::SEC_PURPOSE, &req::SEC_RECIPIENTS_AGREE],
    ),
    (&req::SEC_INTEGRITY, UNREADABLE),
    (
        &req::SEC_OBJECT_FORM,
        &[
            &req::MAIL_LISTED_PRESENT,
            &req::MAIL_NO_COMPRESSION,
            &req::SEC_OBJECT_SIGNATURE,
            &req::XML_SCHEMA,
        ],
    ),
    (&req::SEC_ONE_RECIPIENT, OTHER_RECIPIENT),
    (&req::SEC_PURPOSE_MATCHES, &[&req::SEC_PURPOSE]),
    (&req::SEC_RECIPIENTS_AGREE, OTHER_RECIPIENT),
    (&req::XML_DEPTH, NO_DOCUMENT),
    (&req::XML_NO_DOCTYPE, NO_DOCUMENT),
    (
        &req::XML_SCHEMA,
        &[
            &req::ACK_MISSING,
            &req::CHANNEL_BASE,
            &req::KIND_AUDIENCE,
            &req::MAIL_LISTED_PRESENT,
            &req::MAIL_OUTER_ADDRESSES,
            &req::MESSAGE_AUDIENCE,
        ],
    ),
    (&req::XML_SIZE, NO_DOCUMENT),
    (&req::XML_WELL_FORMED, NO_DOCUMENT),
];
