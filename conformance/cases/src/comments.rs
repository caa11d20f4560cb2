//! Chapter “Comments”.

mod grouped;
mod moderating;
mod relaying;
mod saying;
mod taking;

use kith_adapter::act::publishing::Post;
use kith_adapter::protocol::ObjectRef;
use kith_adapter::view::thread::{Comment, Threads};
use kith_forge::draft::SignedObject;
use kith_forge::kinds::RevisionRef;
use kith_forge::{Peer, Puppet};
use kith_runner::case::{Case, Stop};
use kith_runner::scene::{Agent, Scene, Sent, Who};
use kith_spec::{Rule, req};

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut all = saying::cases();
    all.extend(relaying::cases());
    all.extend(moderating::cases());
    all.extend(taking::cases());
    all.extend(grouped::cases());
    all
}

/// Lets the agent post, and reads the copy of this friend.
pub(crate) async fn posted(
    scene: &Scene,
    agent: &Agent,
    friend: &Puppet,
) -> Result<RevisionRef, Stop> {
    let text = scene.token();
    let post = Post {
        text,
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::POST_COPIES, friend, "post")?;
    revision(&sent, "post")
}

/// The revision of the first object of a kind in a mail of the agent.
pub(crate) fn revision(sent: &Sent, kind: &str) -> Result<RevisionRef, Stop> {
    let none = || Stop::Harness(format!("the mail holds no {kind}"));
    let object = sent.object(kind).ok_or_else(none)?;
    Ok(RevisionRef {
        author: object.author.parse().map_err(Stop::harness)?,
        id: object.id.parse().map_err(Stop::harness)?,
        kind: kind.to_owned(),
        hash: object.hash.parse().map_err(Stop::harness)?,
    })
}

/// An object as actions and views name it.
pub(crate) fn named(object: &RevisionRef) -> Result<ObjectRef, Stop> {
    Ok(ObjectRef {
        author: object.author.to_string().parse().map_err(Stop::harness)?,
        id: object.id.to_string().parse().map_err(Stop::harness)?,
    })
}

/// A puppet that is the agent's friend, and the agent as it knows it.
async fn friend(scene: &Scene, name: &str) -> Result<(Puppet, Peer), Stop> {
    let mut puppet = scene.puppet(name)?;
    let friendship = scene.befriend(&mut puppet, Who::Puppet).await?;
    Ok((puppet, friendship.peer))
}

/// Sends a signed object of the puppet itself.
pub(crate) async fn send(
    scene: &Scene,
    puppet: &mut Puppet,
    to: &Peer,
    object: &SignedObject,
) -> Result<(), Stop> {
    let mut draft = puppet
        .carry(to, Vec::new(), scene.now())
        .map_err(Stop::harness)?;
    draft.objects.push(object.clone().into());
    scene.send(puppet, draft).await?;
    Ok(())
}

/// Lets a puppet post to the agent.
async fn post(
    scene: &Scene,
    puppet: &mut Puppet,
    to: &Peer,
    text: &str,
) -> Result<RevisionRef, Stop> {
    let post = puppet.post_object(text, scene.now());
    let post = post.sign(&mut scene.rng(text));
    send(scene, puppet, to, &post).await?;
    Ok(RevisionRef::of(&post, "post"))
}

/// A comment, signed.
fn comment(scene: &Scene, author: &mut Puppet, root: &RevisionRef, text: &str) -> SignedObject {
    let comment = author.comment_object(root, None, text, scene.now());
    comment.sign(&mut scene.rng(text))
}

/// Lets a puppet relay what somebody else said under its post.
async fn relay(
    scene: &Scene,
    puppet: &mut Puppet,
    to: &Peer,
    author: &Puppet,
    said: &SignedObject,
) -> Result<(), Stop> {
    let draft = puppet.relay(to, author, said.clone(), scene.now());
    scene.send(puppet, draft.map_err(Stop::harness)?).await?;
    Ok(())
}

/// The comment with this text that the person sees.
async fn shown(agent: &Agent, text: &str) -> Result<Option<Comment>, Stop> {
    let threads = agent.view(Threads {}).await?;
    let mut comments = threads.into_iter().flat_map(|thread| thread.comments);
    Ok(comments.find(|comment| comment.text.contains(text)))
}

/// Expects that the person sees a comment with this text, or doesn't.
pub(crate) async fn expect_shown(
    scene: &Scene,
    agent: &Agent,
    rule: Rule,
    (text, expected): (&str, bool),
    when: &str,
) -> Result<(), Stop> {
    let seen = shown(agent, text).await?;
    scene.expect(rule, seen.is_some() == expected, || {
        let wanted = if expected { "a comment" } else { "no comment" };
        format!("expected {wanted} `{text}` to be shown {when}, seen {seen:?}")
    });
    Ok(())
}

/// How many of the agent's new mails to a puppet hold an object with this hash.
fn copies(
    scene: &Scene,
    puppet: &Puppet,
    object: &SignedObject,
) -> Result<Vec<std::sync::Arc<Sent>>, Stop> {
    let hash = object.hash.to_string();
    let holds = |sent: &std::sync::Arc<Sent>| {
        let mail = sent.mail.as_ref().ok();
        mail.is_some_and(|mail| mail.readable().any(|object| object.hash == hash))
    };
    let mut mails = scene.mail_to(puppet)?;
    mails.retain(holds);
    Ok(mails)
}

/// Expects this many copies of an object in the agent's new mails to a puppet.
fn expect_copies(
    scene: &Scene,
    rule: Rule,
    puppet: &Puppet,
    object: &SignedObject,
    expected: usize,
) -> Result<Vec<std::sync::Arc<Sent>>, Stop> {
    let found = copies(scene, puppet, object)?;
    scene.expect(rule, found.len() == expected, || {
        let (to, seen) = (&puppet.address, found.len());
        format!("expected {expected} mails with the object to {to}, seen {seen}")
    });
    Ok(found)
}
