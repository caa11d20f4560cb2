//! Rules whose absence makes no difference that could be seen from outside.

use kith_spec::{Rule, req};

/// The rules, with the reason.
pub(crate) static RULES: &[(Rule, &str)] = &[
    (
        &req::SEC_INTEGRITY,
        "The OpenPGP library of the reference releases nothing that fails its own check.",
    ),
    (
        &req::FRIENDS_REQUEST_CONTACT,
        "A contact of somebody else does not verify under the requester's key, and one without address breaks the schema: both are refused for that.",
    ),
    (
        &req::CHANNEL_DUPLICATE,
        "Objects are merged by their key, so that the same ones have no second effect.",
    ),
    (
        &req::MAIL_AUTHENTICATE,
        "A server takes nothing from who doesn't log in, so such an agent would do nothing at all.",
    ),
    (
        &req::SEC_OWN_PRIMARY,
        "The reference has no other key that could sign.",
    ),
    (
        &req::POST_WIDEN,
        "It is a MAY: who doesn't do it breaks nothing.",
    ),
    (
        &req::LINK_ON_REQUEST,
        "The core fetches nothing: what a link names is handed to it when the person asked for it.",
    ),
    (
        &req::RECEIVE_NO_EFFECT,
        "The reference checks before it writes; dropping what was written is a second net.",
    ),
];
