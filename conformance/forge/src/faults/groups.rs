//! Faults of the chapter "Groups".

use kith_spec::req;

use super::{Base, Fault, Scene};
use crate::draft::{Draft, Item, ObjectDraft};
use crate::hash::{Hash, Id128};
use crate::instant::DAY;
use crate::kinds::RevisionRef;
use crate::kinds::group::{Change, address_to};
use crate::openpgp::KeyKind;
use crate::xml::Element;

pub(super) fn faults() -> Vec<Fault> {
    [lists(), owners(), recipients(), contents()].concat()
}

/// The lists of the author.
fn lists() -> Vec<Fault> {
    let owner = &req::GROUP_OWNER;
    vec![
        Fault::new(
            "groups/owner-missing",
            "a group whose author is only an admin",
            owner,
            Base::Group,
        )
        .object(|_, object| {
            if let Some(member) = object.payload.find("member") {
                member.set("role", "admin");
            }
        }),
        Fault::new(
            "groups/two-owners",
            "a group with a second owner",
            owner,
            Base::Group,
        )
        .object(|scene, object| add_member(object, scene.third.id, "owner")),
        Fault::new(
            "groups/owned-by-another",
            "a group whose list names somebody else as its owner",
            owner,
            Base::Group,
        )
        .flags(&["group-hijack"])
        .object(|scene, object| {
            let third = scene.third.id;
            if let Some(member) = object.payload.find("member") {
                member.set("id", third);
            }
        }),
        Fault::new(
            "groups/member-twice",
            "a group that lists a member twice",
            &req::GROUP_ONCE,
            Base::Group,
        )
        .object(|scene, object| {
            add_member(object, scene.third.id, "member");
            add_member(object, scene.third.id, "admin");
        }),
        Fault::new(
            "groups/invited-member",
            "a group that lists a member as invited, too",
            &req::GROUP_ONCE,
            Base::Group,
        )
        .object(|scene, object| add_member(object, scene.recipient.id, "member")),
        Fault::new(
            "groups/not-listed",
            "a new group that does not list its reader",
            &req::GROUP_UNASKED,
            Base::Group,
        )
        .object(|_, object| object.payload.remove("invited")),
        Fault::new(
            "groups/credentials-of-another",
            "the contact of somebody whom no group of the sender lists",
            &req::GROUP_CREDENTIALS,
            Base::Group,
        )
        .flags(&["key-substitution"])
        .in_object()
        .sealed(|scene, draft| draft.objects.push(scene.third.contact.clone().into())),
    ]
}

fn add_member(object: &mut ObjectDraft, id: crate::IdentityId, role: &str) {
    let member = Element::new("member")
        .attribute("id", id)
        .attribute("role", role);
    // After the owner, who follows the name.
    let place = 2.min(object.payload.content.len());
    object
        .payload
        .content
        .insert(place, crate::xml::Node::Element(member));
}

/// What reaches an owner.
fn owners() -> Vec<Fault> {
    let bounds = &req::GROUP_PROPOSAL_BOUNDS;
    vec![
        Fault::new(
            "groups/join-of-another-revision",
            "a join that names a revision that never was",
            &req::GROUP_JOIN_INVITED,
            Base::Join,
        )
        .object(other_revision),
        Fault::new(
            "groups/leave-of-another-revision",
            "a leave that names a revision that never was",
            &req::GROUP_LEAVE_LISTED,
            Base::Leave,
        )
        .object(other_revision),
        Fault::new(
            "groups/proposal-of-a-member",
            "a proposal of somebody who is no admin",
            &req::GROUP_PROPOSAL_ADMIN,
            Base::Proposal,
        )
        .flags(&["group-hijack"])
        .sealed(|scene, draft| {
            let Some(group) = scene.history.plain_group.clone() else {
                return;
            };
            let change = Change::Rename(scene.text.clone());
            let (to, now) = (scene.recipient.clone(), scene.now);
            scene.author.forget_channel(to.id);
            let proposal = scene.author.proposal(&to, &group, &change, now);
            if let Some(proposal) = scene.keep(proposal) {
                draft.objects = proposal.objects;
            }
        })
        .in_object(),
        Fault::new(
            "groups/proposal-against-the-owner",
            "a proposal to remove the owner",
            bounds,
            Base::Proposal,
        )
        .flags(&["group-hijack"])
        .object(|scene, object| {
            let owner = scene.recipient.id;
            propose(object, "remove", owner);
        }),
        Fault::new(
            "groups/proposal-of-a-stranger",
            "a proposal to invite somebody who is no friend of the owner",
            bounds,
            Base::Proposal,
        )
        .object(|scene, object| {
            let third = scene.third.id;
            propose(object, "invite", third);
        }),
    ]
}

fn other_revision(scene: &mut Scene, object: &mut ObjectDraft) {
    let hash = Hash::of(Id128::random(&mut scene.rng).0);
    if let Some(group) = object.payload.find("group") {
        group.set("hash", hash);
    }
}

fn propose(object: &mut ObjectDraft, change: &str, person: crate::IdentityId) {
    object.payload.remove("rename");
    let payload = object.payload.clone();
    object.payload = payload.child(Element::new(change).attribute("id", person));
}

/// A new revision of the third person's group reaches the recipient before the mail.
fn revise(scene: &mut Scene, change: fn(&mut Scene, &mut crate::kinds::Group)) {
    let Some(mut group) = scene.history.group.clone() else {
        return;
    };
    change(scene, &mut group);
    let (to, now) = (scene.recipient.clone(), scene.now);
    let revision = scene.third.group_revision(&mut group, &to, &[], now);
    if let Some(revision) = scene.keep(revision) {
        scene.before(revision);
    }
}

/// Who sends to whom, by which list.
fn recipients() -> Vec<Fault> {
    let all = &req::GROUP_RECIPIENTS;
    let superseded = &req::GROUP_SUPERSEDED;
    vec![
        Fault::new(
            "groups/revision-unknown",
            "a post for a revision that has not come",
            &req::GROUP_REVISION_UNKNOWN,
            Base::GroupPost,
        )
        .sealed(|scene, draft| {
            draft.delivery.group = Some(Hash::of(Id128::random(&mut scene.rng).0));
        }),
        Fault::new(
            "groups/recipient-missing",
            "a post that one of the members does not get",
            all,
            Base::GroupPost,
        )
        .sealed(|scene, draft| {
            let only = vec![scene.recipient.clone()];
            readdress(scene, draft, &only);
        }),
        Fault::new(
            "groups/recipient-added",
            "a post that somebody gets who is not in the group",
            all,
            Base::GroupPost,
        )
        .sealed(|scene, draft| {
            let dora = stranger(scene);
            let to = vec![scene.recipient.clone(), scene.third.peer(), dora];
            readdress(scene, draft, &to);
        }),
        Fault::new(
            "groups/sender-removed",
            "a post of a member who was removed, for the revision before",
            &req::GROUP_SENDER,
            Base::GroupPost,
        )
        .flags(&["group-hijack"])
        .prepare(|scene| revise(scene, |scene, group| group.drop(scene.author.id))),
        Fault::new(
            "groups/superseded",
            "a post for a revision that was superseded eight days ago",
            superseded,
            Base::GroupPost,
        )
        .flags(&["clock"])
        .prepare(|scene| {
            revise(scene, |_, group| "Another name".clone_into(&mut group.name));
            scene.now = scene.now + 8 * DAY;
        }),
        Fault::new(
            "groups/superseded-lately",
            "a post for a revision that was superseded six days ago",
            superseded,
            Base::GroupPost,
        )
        .flags(&["clock"])
        .accepted()
        .prepare(|scene| {
            revise(scene, |_, group| "Another name".clone_into(&mut group.name));
            scene.now = scene.now + 6 * DAY;
        }),
        Fault::new(
            "groups/reader-removed",
            "a post to somebody who was removed",
            &req::GROUP_NOT_JOINED,
            Base::GroupPost,
        )
        .prepare(|scene| revise(scene, |scene, group| group.drop(scene.recipient.id))),
    ]
}

fn stranger(scene: &mut Scene) -> crate::Peer {
    let seed = crate::Seed::new("a stranger");
    let born = scene.now - DAY;
    crate::Puppet::new(&seed, "Dora", "dora@d.test", KeyKind::V4, born).peer()
}

fn readdress(scene: &mut Scene, draft: &mut Draft, to: &[crate::Peer]) {
    let addressed = address_to(draft, to);
    scene.keep(addressed);
}

/// What members write.
fn contents() -> Vec<Fault> {
    let scope = &req::GROUP_SCOPE;
    let content = &req::GROUP_CONTENT;
    let message = &req::GROUP_MESSAGE;
    vec![
        Fault::new(
            "groups/scope-missing",
            "a post for a group that it does not name",
            scope,
            Base::GroupPost,
        )
        .object(|_, object| object.scope = None),
        Fault::new(
            "groups/scope-for-friends",
            "a post for friends that names a group",
            scope,
            Base::Post,
        )
        .object(|scene, object| {
            let id = Id128::random(&mut scene.rng);
            let scope = Element::new("scope").attribute("owner", scene.author.id);
            object.scope = Some(scope.attribute("id", id));
        }),
        Fault::new(
            "groups/post-for-friends",
            "a post for friends in a delivery to a group",
            content,
            Base::GroupPost,
        )
        .object(|_, object| {
            "friends".clone_into(&mut object.audience);
            object.scope = None;
        }),
        Fault::new(
            "groups/post-for-another-group",
            "a post for another group",
            content,
            Base::GroupPost,
        )
        .object(|scene, object| {
            let id = Id128::random(&mut scene.rng);
            if let Some(scope) = &mut object.scope {
                scope.set("id", id);
            }
        }),
        Fault::new(
            "groups/message-to-one",
            "a message to a group that names a recipient",
            message,
            Base::GroupPost,
        )
        .object(|scene, object| {
            object.payload = Element::new("message")
                .child(Element::new("to").attribute("id", scene.recipient.id))
                .child(Element::new("text").text(scene.text.clone()));
        }),
        Fault::new(
            "groups/message-to-nobody",
            "a private message without a recipient",
            message,
            Base::Message,
        )
        .object(|_, object| object.payload.remove("to")),
        Fault::new(
            "groups/comment",
            "a comment in a group, to all members",
            &req::COMMENT_GROUP,
            Base::GroupPost,
        )
        .accepted()
        .sealed(|scene, draft| {
            let Some(group) = scene.history.group.clone() else {
                return;
            };
            let posts = draft.sign(&mut scene.rng);
            let Some(post) = posts.first() else { return };
            let root = RevisionRef::of(post, "post");
            let author = &mut scene.author;
            let comment = author.group_comment_object(&group, &root, &scene.text, scene.now);
            draft.objects = vec![post.clone().into(), comment.into()];
        }),
        Fault::new(
            "groups/message",
            "a message to a group",
            message,
            Base::GroupPost,
        )
        .accepted()
        .sealed(|scene, draft| {
            let Some(group) = scene.history.group.clone() else {
                return;
            };
            let (text, now) = (scene.text.clone(), scene.now);
            let message = scene.author.group_message_object(&group, &text, now);
            draft.objects = vec![Item::from(message)];
        }),
    ]
}
