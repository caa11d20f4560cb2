//! Faults in what every agent does.

use kith_spec::req;

use super::{Fault, skip};

pub(super) static FAULTS: &[Fault] = &[
    skip(
        "delivery-signature-unchecked",
        "takes a delivery whose signature doesn't verify",
        &req::SEC_DELIVERY_SIGNATURE,
        &[&req::SEC_DELIVERY_SIGNATURE],
    ),
    skip(
        "object-signature-unchecked",
        "takes an object whose signature doesn't verify",
        &req::SEC_OBJECT_SIGNATURE,
        &[&req::SEC_OBJECT_SIGNATURE],
    ),
    skip(
        "recipient-unchecked",
        "takes a delivery that was sealed for somebody else and forwarded",
        &req::SEC_FOR_ME,
        &[&req::SEC_FOR_ME],
    ),
    skip(
        "purpose-unchecked",
        "takes a signature that was made for something else",
        &req::SEC_PURPOSE_MATCHES,
        &[&req::SEC_PURPOSE_MATCHES],
    ),
    skip(
        "weak-hash-taken",
        "takes a signature over SHA-1",
        &req::SEC_HASH,
        &[&req::SEC_HASH],
    ),
    skip(
        "author-unchecked",
        "takes an object of another author than the sender",
        &req::DELIVERY_AUTHOR,
        &[&req::DELIVERY_AUTHOR],
    ),
    skip(
        "addressee-unchecked",
        "shows a message that was written to somebody else",
        &req::MESSAGE_ADDRESSED,
        &[&req::MESSAGE_ADDRESSED],
    ),
    skip(
        "revoked-key-taken",
        "takes a delivery under a revoked key",
        &req::SEC_CERT_REVOKED,
        &[&req::SEC_CERT_REVOKED],
    ),
    skip(
        "request-accepted-unasked",
        "accepts every request by itself",
        &req::FRIENDS_NO_AUTOMATIC,
        &[&req::FRIENDS_NO_AUTOMATIC],
    ),
    skip(
        "request-taken-twice",
        "takes a replayed request again",
        &req::FRIENDS_REQUEST_REPLAY,
        &[&req::FRIENDS_REQUEST_REPLAY],
    ),
    skip(
        "invite-unproved",
        "takes any proof of an invite",
        &req::FRIENDS_INVITE_WRONG,
        &[&req::FRIENDS_INVITE_WRONG],
    ),
    skip(
        "authentication-from-anybody",
        "believes Authentication-Results of any server",
        &req::FRIENDS_AUTH_RESULTS,
        &[&req::FRIENDS_AUTH_RESULTS],
    ),
    skip(
        "confirm-not-riding",
        "sends a confirm once and then forgets it",
        &req::FRIENDS_CONFIRM_RIDES,
        &[&req::FRIENDS_CONFIRM_RIDES],
    ),
    skip(
        "accept-not-repeated",
        "sends an accept only once",
        &req::FRIENDS_ACCEPT_AGAIN,
        &[&req::FRIENDS_ACCEPT_AGAIN],
    ),
    skip(
        "doctype-taken",
        "takes a document with a document type declaration",
        &req::XML_NO_DOCTYPE,
        &[&req::XML_NO_DOCTYPE],
    ),
    skip(
        "retract-of-others",
        "lets one author take back what another wrote",
        &req::RETRACT_AUTHOR,
        &[&req::RETRACT_AUTHOR],
    ),
    skip(
        "retract-not-first",
        "forgets a retract that comes before its target",
        &req::RETRACT_FIRST,
        &[&req::RETRACT_FIRST],
    ),
    skip(
        "missing-not-resent",
        "never sends again what an ack lists as missing",
        &req::ACK_RESEND,
        &[&req::ACK_RESEND],
    ),
    skip(
        "bare-ack-absent",
        "never acknowledges by itself",
        &req::ACK_BARE,
        &[&req::ACK_BARE],
    ),
    skip(
        "subject-leaked",
        "writes the subject outside of the envelope",
        &req::MAIL_SUBJECT,
        &[&req::MAIL_SUBJECT],
    ),
    skip(
        "length-leaked",
        "doesn't pad",
        &req::MAIL_PADDING,
        &[&req::MAIL_PADDING],
    ),
    skip(
        "headers-unprotected",
        "leaves out HP-Outer",
        &req::MAIL_HEADER_PROTECTION,
        &[&req::MAIL_HEADER_PROTECTION],
    ),
    skip(
        "expired-key-taken",
        "takes a delivery under an expired key",
        &req::SEC_CERT_EXPIRED,
        &[&req::SEC_CERT_EXPIRED, &req::SEC_CERT_ENCRYPTION],
    ),
    skip(
        "entry-retracted",
        "lets a person take back an entry of the chain",
        &req::IDENTITY_NOT_MERGED,
        &[&req::IDENTITY_NOT_MERGED, &req::RETRACT_KINDS],
    ),
    skip(
        "own-compromised-key-read",
        "reads what is sealed to an own key that is compromised",
        &req::IDENTITY_OWN_EARLIER,
        &[&req::IDENTITY_OWN_EARLIER, &req::SEC_FOR_ME],
    ),
    skip(
        "message-after-end-taken",
        "takes messages after the end of a friendship",
        &req::FRIENDS_END_FINAL,
        &[&req::FRIENDS_END_FINAL, &req::FRIENDS_ONLY_FRIENDS],
    ),
    skip(
        "blocked-shown",
        "shows what a blocked person writes",
        &req::FRIENDS_BLOCK_SILENT,
        &[&req::FRIENDS_BLOCK_SILENT, &req::FRIENDS_ONLY_FRIENDS],
    ),
    skip(
        "rsvp-retracted",
        "lets an answer be taken back for ever",
        &req::RSVP_KEPT,
        &[&req::RSVP_KEPT, &req::RETRACT_KINDS, &req::RETRACT_DERIVED],
    ),
    skip(
        "comment-on-anything",
        "takes a comment on a message",
        &req::COMMENT_ROOT,
        &[
            &req::COMMENT_ROOT,
            &req::COMMENT_DELIVERED,
            &req::COMMENT_ROOT_UNKNOWN,
        ],
    ),
    skip(
        "self-copy-of-others",
        "takes what somebody else wrote for the person's own, if a self-copy says so",
        &req::SELF_AUTHOR,
        &[&req::SELF_AUTHOR, &req::SEC_OBJECT_SIGNATURE],
    ),
];
