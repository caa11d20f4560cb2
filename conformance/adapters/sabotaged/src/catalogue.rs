//! The faults. A skip leaves out every check of a rule; a rewrite changes what the agent says
//! before it is signed and sealed.

use kith_core::agent::outgoing::Outgoing;
use kith_spec::{Rule, req};

/// One way to be broken.
pub(crate) struct Fault {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// The requirement whose cases must notice.
    pub(crate) requirement: Rule,
    pub(crate) sabotage: Sabotage,
}

/// What is broken.
pub(crate) enum Sabotage {
    /// These rules are not enforced.
    Skip(&'static [Rule]),
    /// What leaves is changed.
    Rewrite(fn(&mut Outgoing)),
}

const fn skip(
    id: &'static str,
    title: &'static str,
    requirement: Rule,
    rules: &'static [Rule],
) -> Fault {
    Fault {
        id,
        title,
        requirement,
        sabotage: Sabotage::Skip(rules),
    }
}

const fn rewrite(
    id: &'static str,
    title: &'static str,
    requirement: Rule,
    change: fn(&mut Outgoing),
) -> Fault {
    Fault {
        id,
        title,
        requirement,
        sabotage: Sabotage::Rewrite(change),
    }
}

/// All faults.
pub(crate) static FAULTS: &[Fault] = &[
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
    rewrite(
        "fallback-lost",
        "sends mail whose text says nothing of the objects in it",
        &req::MAIL_FALLBACK,
        |outgoing| outgoing.fallback = "See the attachment.".to_owned(),
    ),
    rewrite(
        "recipient-wrong",
        "names itself as the recipient in the delivery document",
        &req::SEC_RECIPIENTS_AGREE,
        |outgoing| {
            if let Some(delivery) = &mut outgoing.delivery {
                let own = delivery.from.id;
                delivery.to.iter_mut().for_each(|party| party.id = own);
            }
        },
    ),
    skip(
        "post-empty-taken",
        "takes a post with nothing in it",
        &req::POST_CONTENT,
        &[&req::POST_CONTENT],
    ),
    skip(
        "mention-as-written",
        "shows a mention by the name in the post",
        &req::POST_MENTION,
        &[&req::POST_MENTION],
    ),
    skip(
        "media-too-large-taken",
        "takes a post with a medium that no mail may carry",
        &req::MEDIA_TOO_LARGE,
        &[&req::MEDIA_TOO_LARGE],
    ),
    skip(
        "thumbnail-unchecked",
        "takes any thumbnail",
        &req::MEDIA_THUMBNAIL,
        &[&req::MEDIA_THUMBNAIL],
    ),
    skip(
        "media-unmatched",
        "takes a part of another size or type for a medium",
        &req::MEDIA_MATCH,
        &[&req::MEDIA_MATCH],
    ),
    skip(
        "media-unlisted-kept",
        "keeps parts to which nothing refers",
        &req::MEDIA_UNLISTED,
        &[&req::MEDIA_UNLISTED],
    ),
    skip(
        "post-held-for-media",
        "shows a post only when all its media are there",
        &req::MEDIA_MISSING,
        &[&req::MEDIA_MISSING],
    ),
    skip(
        "media-forgotten",
        "asks for media that it has",
        &req::MEDIA_KEPT,
        &[&req::MEDIA_KEPT],
    ),
    skip(
        "active-content-shown",
        "shows drawings with scripts in place",
        &req::MEDIA_INLINE,
        &[&req::MEDIA_INLINE],
    ),
    skip(
        "link-unchecked",
        "takes whatever the server of a link holds",
        &req::LINK_CHECK,
        &[&req::LINK_CHECK],
    ),
    skip(
        "link-not-opened",
        "leaves a linked medium encrypted",
        &req::LINK_PASSWORD,
        &[&req::LINK_PASSWORD],
    ),
    skip(
        "retract-of-field-taken",
        "lets a retract take a field away for ever",
        &req::RETRACT_DERIVED,
        &[&req::RETRACT_DERIVED],
    ),
    skip(
        "withdraw-for-others-taken",
        "hides what was withdrawn from somebody else",
        &req::WITHDRAW_ADDRESSED,
        &[&req::WITHDRAW_ADDRESSED],
    ),
    skip(
        "withdraw-for-all-taken",
        "takes a withdraw for all friends",
        &req::WITHDRAW_AUDIENCE,
        &[&req::WITHDRAW_AUDIENCE],
    ),
    skip(
        "withdraw-of-others",
        "lets one author withdraw what another wrote",
        &req::WITHDRAW_AUTHOR,
        &[&req::WITHDRAW_AUTHOR],
    ),
    skip(
        "withdraw-of-anything",
        "takes a withdraw of a handshake or a field",
        &req::WITHDRAW_KINDS,
        &[&req::WITHDRAW_KINDS],
    ),
    skip(
        "withdraw-for-ever",
        "hides later revisions too",
        &req::WITHDRAW_UPTO,
        &[&req::WITHDRAW_UPTO],
    ),
    skip(
        "withdraw-first-lost",
        "forgets a withdraw that comes before its target",
        &req::WITHDRAW_FIRST,
        &[&req::WITHDRAW_FIRST],
    ),
    skip(
        "withdraw-unsent",
        "tells nobody that it withdrew something",
        &req::WITHDRAW_SENT,
        &[&req::WITHDRAW_SENT],
    ),
    skip(
        "field-id-unchecked",
        "takes a field with any id",
        &req::FIELD_ID,
        &[&req::FIELD_ID],
    ),
    skip(
        "field-audience-unchecked",
        "takes a field for any audience",
        &req::FIELD_AUDIENCE,
        &[&req::FIELD_AUDIENCE],
    ),
    skip(
        "field-photo-unchecked",
        "takes a photo of any type",
        &req::FIELD_PHOTO,
        &[&req::FIELD_PHOTO],
    ),
    skip(
        "field-text-turned",
        "shows text that turns its direction",
        &req::FIELD_CHARACTERS,
        &[&req::FIELD_CHARACTERS],
    ),
    skip(
        "field-never-emptied",
        "keeps the values of an emptied field",
        &req::FIELD_EMPTIED,
        &[&req::FIELD_EMPTIED],
    ),
    skip(
        "field-not-for-newcomers",
        "tells new friends nothing of the profile",
        &req::FIELD_NEW_FRIEND,
        &[&req::FIELD_NEW_FRIEND],
    ),
    skip(
        "field-not-narrowed",
        "leaves a field with those who shall not have it",
        &req::FIELD_NARROWED,
        &[&req::FIELD_NARROWED],
    ),
    skip(
        "any-uri-offered",
        "offers to open URIs of any scheme",
        &req::FIELD_SCHEMES,
        &[&req::FIELD_SCHEMES],
    ),
];
