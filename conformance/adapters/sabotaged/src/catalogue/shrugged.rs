//! Agents that leave alone what one rule lets them refuse: for rules without which a mail can't be
//! read at all, so that leaving out the check alone changes nothing.

use kith_spec::{Rule, req};

pub(super) static RULES: &[Rule] = &[
    &req::MAIL_OPEN_UNKNOWN,
    &req::IDENTITY_KEY_PACKET,
    &req::FRIENDS_ACCEPT_SEALED,
    &req::FRIENDS_ACCEPT_CREDENTIALS,
    &req::INTRODUCE_CREDENTIALS,
    &req::XML_WELL_FORMED,
    &req::XML_DEPTH,
    &req::GROUP_CREDENTIALS,
    &req::PAGE_MAIL_WHOLE,
    &req::SELF_DOCUMENT,
];
