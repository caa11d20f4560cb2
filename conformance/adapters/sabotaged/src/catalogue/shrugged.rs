//! Agents that leave alone what one rule lets them refuse: for rules that are enforced by how a
//! mail is read, so that nothing could be left out.

use kith_spec::{Rule, req};

pub(super) static RULES: &[Rule] = &[
    &req::MAIL_OPEN_UNKNOWN,
    &req::IDENTITY_KEY_PACKET,
    &req::FRIENDS_ACCEPT_SEALED,
    &req::INTRODUCE_CREDENTIALS,
    &req::XML_WELL_FORMED,
    &req::XML_DEPTH,
    &req::PAGE_MAIL_WHOLE,
    &req::SELF_DOCUMENT,
];
