//! Mail that must be taken, and isn't.

use kith_spec::req;

use super::Sabotage::{Lose, LoseSealed};
use super::{Fault, fault};
use crate::mail::{field, header, is_sealed, readable};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "unmarked-unseen",
        "takes for Kith mail only what says so in the header",
        &req::MAIL_RECOGNISE,
        Lose(|mail| field(mail, "kith-version").is_none()),
    ),
    fault(
        "unknown-fields-refused",
        "takes no mail with header fields that it doesn't know",
        &req::MAIL_OUTSIDE_IGNORED,
        Lose(|mail| field(mail, "x-spam-score").is_some()),
    ),
    fault(
        "reply-to-believed",
        "takes no mail whose answers are to go to somebody else than its sender",
        &req::MAIL_ADDRESSES_FROM_DOCUMENT,
        Lose(|mail| {
            let reply = field(mail, "reply-to");
            reply.is_some_and(|reply| field(mail, "from").is_none_or(|from| from != reply))
        }),
    ),
    fault(
        "autocrypt-believed",
        "checks a mail under the key in its field Autocrypt",
        &req::MAIL_AUTOCRYPT,
        Lose(|mail| field(mail, "autocrypt").is_some()),
    ),
    fault(
        "version-six-refused",
        "takes nothing that comes with a certificate of version 6",
        &req::SEC_KEY_VERSIONS,
        Lose(|mail| !is_sealed(mail) && readable(mail.as_bytes()).contains("\nxioG")),
    ),
    fault(
        "composite-refused",
        "takes no request with a certificate of ML-DSA-65+Ed25519",
        &req::PQ_ACCEPT_KEYS,
        Lose(|mail| !is_sealed(mail) && readable(mail.as_bytes()).contains("\nxscKB")),
    ),
    fault(
        "footer-refused",
        "takes no request to which a list has added text",
        &req::MAIL_OPEN_PARTS,
        Lose(|mail| !is_sealed(mail) && mail.matches("text/plain").count() > 1),
    ),
    fault(
        "message-id-needed",
        "takes no mail without Message-ID",
        &req::MERGE_KEY,
        Lose(|mail| field(mail, "message-id").is_none()),
    ),
    fault(
        "names-by-case",
        "compares the names of header fields with case",
        &req::RECEIVE_ORDER,
        Lose(|mail| {
            let end = header(mail).len();
            mail.get(..end)
                .is_some_and(|header| header.contains("CONTENT-TYPE"))
        }),
    ),
    fault(
        "extension-refused",
        "takes no document with an extension",
        &req::XML_EXTENSION,
        LoseSealed(|mail| mail.contains("<ext>") || mail.contains("<ext ")),
    ),
    fault(
        "text-part-believed",
        "takes a mail for what its text part says",
        &req::MAIL_FALLBACK_NOT_INPUT,
        LoseSealed(|mail| mail.contains("ends the friendship")),
    ),
    fault(
        "self-copies-unread",
        "reads no self-copies",
        &req::DEVICES_REBUILD,
        LoseSealed(|mail| mail.contains("<self ")),
    ),
];
