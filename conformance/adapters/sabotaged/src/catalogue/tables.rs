//! A cell of each state table that goes wrong, and rules that take another one's being left out.

use kith_spec::req;

use super::Sabotage::Idle;
use super::{Fault, fault, skip};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "end-idle",
        "stays a friend of whoever its person is through with",
        &req::FRIENDS_TABLE,
        Idle(&["end"]),
    ),
    skip(
        "invite-for-many",
        "takes an invite as often as it comes",
        &req::FRIENDS_INVITE_TABLE,
        &[&req::FRIENDS_INVITE_USED],
    ),
    skip(
        "chain-by-the-last",
        "lets the last of two rival entries win",
        &req::IDENTITY_TABLE,
        &[&req::IDENTITY_FIRST_SEEN],
    ),
    skip(
        "channel-unbounded",
        "takes any number in a channel",
        &req::CHANNEL_TABLE,
        &[&req::CHANNEL_WINDOW],
    ),
    skip(
        "retract-undone",
        "shows again what was taken back, when a later revision comes",
        &req::MERGE_TABLE,
        &[&req::RETRACT_FINAL],
    ),
    skip(
        "last-revision-wins",
        "shows the revision that came last",
        &req::MERGE_ANY_ORDER,
        &[&req::MERGE_ORDER],
    ),
    skip(
        "group-joined-unasked",
        "is in every group that lists it, whatever its person wants",
        &req::GROUP_TABLE,
        &[&req::GROUP_CONSENT],
    ),
    fault(
        "unfollow-idle",
        "goes on following",
        &req::FOLLOW_TABLE,
        Idle(&["unfollow"]),
    ),
    skip(
        "plus-tag-own",
        "takes an address with a plus-tag for its own",
        &req::MAIL_ADDRESS_COMPARE,
        &[&req::FRIENDS_REQUEST_ADDRESS],
    ),
    skip(
        "page-for-friends",
        "takes a page that isn't public",
        &req::PAGE_AUDIENCE,
        &[&req::PAGE_AUDIENCE, &req::MAIL_OPEN_PRIVATE],
    ),
    skip(
        "follower-as-friend",
        "takes from followers and pages what only friends may send",
        &req::FOLLOW_NOT_FRIENDS,
        &[&req::FRIENDS_ONLY_FRIENDS],
    ),
];
