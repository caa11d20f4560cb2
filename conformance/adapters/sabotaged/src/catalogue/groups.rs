//! Faults in groups and events.

use kith_spec::req;

use super::{Fault, skip};

pub(super) static FAULTS: &[Fault] = &[
    skip(
        "group-owner-unchecked",
        "takes a group that somebody else owns",
        &req::GROUP_OWNER,
        &[&req::GROUP_OWNER],
    ),
    skip(
        "group-member-twice",
        "takes a list with somebody twice",
        &req::GROUP_ONCE,
        &[&req::GROUP_ONCE],
    ),
    skip(
        "group-scope-unchecked",
        "takes a post for friends that names a group",
        &req::GROUP_SCOPE,
        &[&req::GROUP_SCOPE],
    ),
    skip(
        "group-unasked",
        "shows groups that don't list the person",
        &req::GROUP_UNASKED,
        &[&req::GROUP_UNASKED],
    ),
    skip(
        "group-without-consent",
        "is a member of every group that lists it",
        &req::GROUP_CONSENT,
        &[&req::GROUP_CONSENT],
    ),
    skip(
        "group-join-unchecked",
        "lets everybody join",
        &req::GROUP_JOIN_INVITED,
        &[&req::GROUP_JOIN_INVITED],
    ),
    skip(
        "group-members-made",
        "lists friends as members who never joined",
        &req::GROUP_MEMBERS_JOINED,
        &[&req::GROUP_MEMBERS_JOINED],
    ),
    skip(
        "group-leave-unsent",
        "leaves without telling the owner",
        &req::GROUP_LEAVE,
        &[&req::GROUP_LEAVE],
    ),
    skip(
        "group-leave-ignored",
        "keeps members who left",
        &req::GROUP_LEAVE_TAKEN,
        &[&req::GROUP_LEAVE_TAKEN],
    ),
    skip(
        "group-never-ends",
        "goes on after the group has ended",
        &req::GROUP_END,
        &[&req::GROUP_END],
    ),
    skip(
        "group-revision-unsent",
        "sends new lists to those who are invited only",
        &req::GROUP_REVISION_SENT,
        &[&req::GROUP_REVISION_SENT],
    ),
    skip(
        "group-strangers-invited",
        "invites strangers",
        &req::GROUP_INVITE_FRIENDS,
        &[&req::GROUP_INVITE_FRIENDS],
    ),
    skip(
        "group-credentials-unsent",
        "sends no credentials of co-members",
        &req::GROUP_CREDENTIALS_SENT,
        &[&req::GROUP_CREDENTIALS_SENT],
    ),
    skip(
        "group-proposal-of-anybody",
        "takes proposals of members who are no admins",
        &req::GROUP_PROPOSAL_ADMIN,
        &[&req::GROUP_PROPOSAL_ADMIN],
    ),
    skip(
        "group-proposal-unbounded",
        "lets an admin remove the owner",
        &req::GROUP_PROPOSAL_BOUNDS,
        &[&req::GROUP_PROPOSAL_BOUNDS],
    ),
    skip(
        "group-proposal-ignored",
        "does nothing about proposals",
        &req::GROUP_PROPOSAL_APPLIED,
        &[&req::GROUP_PROPOSAL_APPLIED],
    ),
    skip(
        "group-to-disclosed",
        "names a member in the field To of a mail to a group",
        &req::GROUP_OUTER,
        &[&req::GROUP_OUTER],
    ),
    skip(
        "group-recipients-unchecked",
        "takes a post that not all members got",
        &req::GROUP_RECIPIENTS,
        &[&req::GROUP_RECIPIENTS],
    ),
    skip(
        "group-sender-unchecked",
        "takes posts of removed members",
        &req::GROUP_SENDER,
        &[&req::GROUP_SENDER],
    ),
    skip(
        "group-superseded-taken",
        "takes posts for old lists for ever",
        &req::GROUP_SUPERSEDED,
        &[&req::GROUP_SUPERSEDED],
    ),
    skip(
        "group-read-after-removal",
        "shows what is written after the person was removed",
        &req::GROUP_NOT_JOINED,
        &[&req::GROUP_NOT_JOINED],
    ),
    skip(
        "group-content-unchecked",
        "takes anything from a delivery to a group",
        &req::GROUP_CONTENT,
        &[&req::GROUP_CONTENT],
    ),
    skip(
        "group-channel-kept",
        "keeps its channel when the list changes",
        &req::GROUP_CHANNEL,
        &[&req::GROUP_CHANNEL],
    ),
    skip(
        "group-never-again",
        "sends nothing again to a member who lacks it",
        &req::GROUP_RESEND,
        &[&req::GROUP_RESEND],
    ),
    skip(
        "group-message-unchecked",
        "takes a message for a group and one person at once",
        &req::GROUP_MESSAGE,
        &[&req::GROUP_MESSAGE],
    ),
    skip(
        "event-audience-unchecked",
        "takes an event for one person",
        &req::EVENT_AUDIENCE,
        &[&req::EVENT_AUDIENCE],
    ),
    skip(
        "event-day-unchecked",
        "takes an event on a day that doesn't exist",
        &req::EVENT_DATES,
        &[&req::EVENT_DATES],
    ),
    skip(
        "event-end-unchecked",
        "takes an event that ends before it begins",
        &req::EVENT_END,
        &[&req::EVENT_END],
    ),
    skip(
        "event-change-unsent",
        "tells nobody that an event changed",
        &req::EVENT_CHANGED,
        &[&req::EVENT_CHANGED],
    ),
    skip(
        "rsvp-id-unchecked",
        "takes an answer with any id",
        &req::RSVP_ID,
        &[&req::RSVP_ID],
    ),
];
