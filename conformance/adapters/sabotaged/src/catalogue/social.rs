//! Faults in posts, media and profiles.

use kith_spec::req;

use super::{Fault, skip};

pub(super) static FAULTS: &[Fault] = &[
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
