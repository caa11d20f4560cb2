//! A cell of each state table that goes wrong.

use kith_spec::req;

use super::Sabotage::Idle;
use super::{Fault, fault, skip};

pub(super) static FAULTS: &[Fault] = &[
    skip(
        "friends-unconfirmed",
        "is a friend of whoever it accepted, confirmed or not",
        &req::FRIENDS_TABLE,
        &[&req::FRIENDS_CONFIRM_NEEDED],
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
        "follower-as-friend",
        "takes from followers and pages what only friends may send",
        &req::FOLLOW_NOT_FRIENDS,
        &[&req::FRIENDS_ONLY_FRIENDS],
    ),
];
