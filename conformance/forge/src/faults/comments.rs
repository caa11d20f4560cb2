//! Faults of the chapter "Comments".

use kith_spec::req;

use super::{Base, Fault, Scene};
use crate::draft::{Draft, Item, ObjectDraft};
use crate::hash::{Hash, Id128};
use crate::kinds::RevisionRef;
use crate::openpgp::SignSpec;

pub(super) fn faults() -> Vec<Fault> {
    [
        places(),
        reactions(),
        relays(),
        hides(),
        retracts(),
        shares(),
        valid(),
    ]
    .concat()
}

/// Changes an attribute of the element `root`.
fn set_root(object: &mut ObjectDraft, name: &str, value: impl ToString) {
    if let Some(root) = object.payload.find("root") {
        root.set(name, value);
    }
}

/// The recipient's post, or one that nobody knows.
fn root(scene: &mut Scene) -> RevisionRef {
    let unknown = RevisionRef {
        author: scene.recipient.id,
        id: Id128::random(&mut scene.rng),
        kind: "post".to_owned(),
        hash: Hash::of("unknown"),
    };
    scene.history.post.clone().unwrap_or(unknown)
}

fn places() -> Vec<Fault> {
    let comment = |id, title, rule| Fault::new(id, title, rule, Base::Comment);
    vec![
        comment(
            "comments/on-a-message",
            "a comment on a message",
            &req::COMMENT_ROOT,
        )
        .object(|_, object| set_root(object, "kind", "message")),
        comment(
            "comments/parent-is-a-post",
            "a comment that names a post as its parent",
            &req::COMMENT_PARENT,
        )
        .object(|scene, object| {
            let root = root(scene);
            let (text, now) = (scene.text.clone(), scene.now);
            let other = scene.author.comment_object(&root, Some(&root), &text, now);
            object.payload = other.payload;
        }),
        comment(
            "comments/audience-public",
            "a comment for everybody under a post for friends",
            &req::COMMENT_AUDIENCE,
        )
        .object(|_, object| "public".clone_into(&mut object.audience)),
        comment(
            "comments/name-direction",
            "a comment whose name changes the direction of text",
            &req::COMMENT_NAME,
        )
        .object(|_, object| {
            if let Some(name) = object.payload.find("name") {
                name.set_text("evil\u{202E}ecilA");
            }
        }),
        comment(
            "comments/misdirected",
            "a comment on somebody else's post",
            &req::COMMENT_TO_AUTHOR,
        )
        .object(|scene, object| set_root(object, "author", scene.third.id)),
        comment(
            "comments/unseen-revision",
            "a comment on a revision that its author was not sent",
            &req::COMMENT_DELIVERED,
        )
        .object(|_, object| set_root(object, "hash", Hash::of("another revision"))),
        comment(
            "comments/unknown-post",
            "a comment on a post that the recipient never wrote",
            &req::COMMENT_DELIVERED,
        )
        .object(|scene, object| {
            let id = Id128::random(&mut scene.rng);
            set_root(object, "id", id);
        }),
        comment(
            "comments/too-many",
            "one comment more than a person may write under one post",
            &req::COMMENT_LIMIT,
        )
        .sealed(|scene, draft| {
            let root = root(scene);
            let (text, now) = (scene.text.clone(), scene.now);
            let most = usize::try_from(kith_spec::limit::COMMENTS_PER_AUTHOR).unwrap_or(0);
            let author = &mut scene.author;
            let mut one = || author.comment_object(&root, None, &text, now).into();
            let mut objects: Vec<Item> = (0..most).map(|_| one()).collect();
            objects.append(&mut draft.objects);
            draft.objects = objects;
        })
        .in_object(),
    ]
}

fn reactions() -> Vec<Fault> {
    vec![
        Fault::new(
            "comments/reaction-id",
            "a reaction with a random id",
            &req::REACTION_ID,
            Base::Reaction,
        )
        .object(|scene, object| object.id = Id128::random(&mut scene.rng)),
        Fault::new(
            "comments/reaction-symbol-twice",
            "a reaction with the same symbol twice",
            &req::REACTION_SYMBOL_ONCE,
            Base::Reaction,
        )
        .object(|scene, object| {
            let (root, now) = (root(scene), scene.now);
            let twice = scene.author.reaction_object(&root, None, &["❤", "❤"], now);
            object.payload = twice.payload;
        }),
        Fault::new(
            "comments/retract-of-reaction",
            "a retract of a reaction",
            &req::RETRACT_DERIVED,
            Base::Retract,
        )
        .object(|_, object| {
            if let Some(target) = object.payload.find("target") {
                target.set("kind", "reaction");
            }
        }),
    ]
}

fn relays() -> Vec<Fault> {
    let relay = |id, title, rule| Fault::new(id, title, rule, Base::RelayedComment);
    vec![
        relay(
            "comments/relayed-root-unknown",
            "a relayed comment under a post that did not arrive yet",
            &req::COMMENT_ROOT_UNKNOWN,
        )
        .object(|scene, object| {
            let id = Id128::random(&mut scene.rng);
            set_root(object, "id", id);
        }),
        relay(
            "comments/relayed-audience-public",
            "a relayed comment for everybody under a post for friends",
            &req::COMMENT_AUDIENCE,
        )
        .object(|_, object| "public".clone_into(&mut object.audience)),
        relay(
            "comments/relayed-without-consent",
            "a relayed comment that was for the post's author alone",
            &req::RELAY_CONSENT,
        )
        .object(|_, object| "direct".clone_into(&mut object.audience)),
        relay(
            "comments/relayed-without-chain",
            "a relayed comment without the chain of its author",
            &req::RELAY_CHAIN,
        )
        .sealed(|_, draft| {
            let comment = draft.objects.pop();
            draft.objects = comment.into_iter().collect();
        })
        .in_object(),
        relay(
            "comments/relayed-by-a-reader",
            "a comment under somebody else's post, passed on by a reader",
            &req::DELIVERY_AUTHOR,
        )
        .flags(&["surreptitious-forwarding"])
        .object(|scene, object| set_root(object, "author", scene.third.id)),
        relay(
            "comments/relayed-with-contact",
            "the contact of somebody whose comment is relayed",
            &req::DELIVERY_AUTHOR,
        )
        .also(&req::RELAY_BARE)
        .sealed(|scene, draft| draft.objects.push(scene.third.contact.clone().into()))
        .in_object(),
        relay(
            "comments/relayed-signed-by-relayer",
            "a comment in somebody's name that the relaying friend wrote",
            &req::SEC_OBJECT_SIGNATURE,
        )
        .object(|scene, object| {
            object.sign = SignSpec::new(&scene.author.key, scene.now).purpose("object");
        }),
    ]
}

fn hides() -> Vec<Fault> {
    vec![
        Fault::new(
            "comments/hide-elsewhere",
            "a hide under somebody else's post",
            &req::HIDE_AUTHOR,
            Base::Hide,
        )
        .object(|scene, object| set_root(object, "author", scene.third.id)),
        Fault::new(
            "comments/hide-of-a-post",
            "a hide of a post",
            &req::HIDE_TARGET,
            Base::Hide,
        )
        .object(|_, object| {
            if let Some(target) = object.payload.find("target") {
                target.set("kind", "post");
            }
        }),
    ]
}

/// Lets the author of the scene post, and end the friendship afterwards.
fn post_and_end(scene: &mut Scene, posted: Option<ObjectDraft>) {
    let (to, now) = (scene.recipient.clone(), scene.now);
    let request = scene.history.request.as_ref();
    let named: Vec<Hash> = request.iter().map(|request| request.hash).collect();
    if let Some(post) = posted {
        let carried = scene.author.carry(&to, vec![post], now);
        if let Some(carried) = scene.keep(carried) {
            scene.before(carried);
        }
    }
    let end = scene.author.end(&to, &named, now);
    if let Some(end) = scene.keep(end) {
        scene.before(end);
    }
}

/// Replaces the target of the only object, a retract.
fn retarget(draft: &mut Draft, post: &ObjectDraft) {
    for item in &mut draft.objects {
        if let Some(target) = item
            .draft()
            .and_then(|object| object.payload.find("target"))
        {
            target.set("author", post.author);
            target.set("id", post.id);
        }
    }
}

fn retracts() -> Vec<Fault> {
    vec![
        Fault::new(
            "comments/retract-without-root",
            "a retract of a comment that does not name its root",
            &req::RETRACT_ROOT,
            Base::Retract,
        )
        .object(|_, object| {
            if let Some(target) = object.payload.find("target") {
                target.set("kind", "comment");
            }
        }),
        Fault::new(
            "comments/retract-with-root",
            "a retract of a post that names a root",
            &req::RETRACT_ROOT,
            Base::Retract,
        )
        .object(|scene, object| {
            let root = root(scene).key("root");
            object.payload = object.payload.clone().child(root);
        }),
        Fault::new(
            "comments/retract-of-a-stranger",
            "a retract of something unknown, after the friendship",
            &req::FRIENDS_ONLY_FRIENDS,
            Base::Retract,
        )
        .sealed(|scene, _| post_and_end(scene, None)),
        Fault::new(
            "accepted/retract-after-end",
            "a retract of a post, after the friendship",
            &req::RETRACT_AFTER_END,
            Base::Retract,
        )
        .sealed(|scene, draft| {
            let post = scene.author.post_object("taken back later", scene.now);
            retarget(draft, &post);
            post_and_end(scene, Some(post));
        })
        .accepted(),
    ]
}

fn shares() -> Vec<Fault> {
    vec![
        Fault::new(
            "comments/share-of-a-comment",
            "a share of something that is no post",
            &req::SHARE_PUBLIC,
            Base::Share,
        )
        .object(|_, object| {
            if let Some(target) = object.payload.find("target") {
                target.set("kind", "comment");
            }
        }),
        Fault::new(
            "comments/share-of-a-private-post",
            "a share of the sharer's own post for friends",
            &req::SHARE_PUBLIC,
            Base::Share,
        )
        .sealed(|scene, draft| {
            let post = scene.author.post_object("for friends", scene.now);
            let post = post.sign(&mut scene.rng);
            let target = RevisionRef::of(&post, "post");
            let share = scene.author.share_object(&target, &scene.text, scene.now);
            draft.objects = vec![post.into(), share.into()];
        })
        .in_object(),
        Fault::new(
            "comments/share-with-another-post",
            "a public post of somebody else that the share does not name",
            &req::DELIVERY_AUTHOR,
            Base::Share,
        )
        .sealed(|scene, draft| {
            let post = scene.third.public_post_object("besides", scene.now);
            draft.objects.push(post.into());
        })
        .in_object(),
    ]
}

/// What is unusual and valid.
fn valid() -> Vec<Fault> {
    vec![
        Fault::new(
            "accepted/comment-for-the-author",
            "a comment that must not be relayed",
            &req::COMMENT_CONSENT,
            Base::Comment,
        )
        .object(|_, object| "direct".clone_into(&mut object.audience))
        .accepted(),
        Fault::new(
            "accepted/comment-on-an-unknown-comment",
            "a comment whose parent is not there",
            &req::COMMENT_PARENT_ELSEWHERE,
            Base::Comment,
        )
        .object(|scene, object| {
            let root = root(scene);
            let parent = RevisionRef {
                author: scene.third.id,
                id: Id128::random(&mut scene.rng),
                kind: "comment".to_owned(),
                hash: Hash::of("parent"),
            };
            let (text, now) = (scene.text.clone(), scene.now);
            let other = scene
                .author
                .comment_object(&root, Some(&parent), &text, now);
            object.payload = other.payload;
        })
        .accepted(),
    ]
}
