//! Brings agent and puppets into groups, for cases of chapter “Groups” and for the catalogue.

use std::sync::Arc;

use kith_adapter::act::group::{GroupAdmin, GroupCreate, GroupInvite, GroupJoin};
use kith_adapter::protocol::{Identity, ObjectId, ObjectRef};
use kith_adapter::view::group::{Groups, Role};
use kith_forge::kinds::Group;
use kith_forge::{Hash, Id128, IdentityId, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, Scene, Sent};
use kith_spec::req;

/// An identity in the words of the adapter protocol.
pub(crate) fn identity(id: IdentityId) -> Result<Identity, Stop> {
    id.to_string().parse().map_err(Stop::harness)
}

/// A group in the words of the adapter protocol.
pub(crate) fn named(group: &Group) -> Result<ObjectRef, Stop> {
    Ok(ObjectRef {
        author: identity(group.owner)?,
        id: group.id.to_string().parse().map_err(Stop::harness)?,
    })
}

/// The group as the agent shows it.
pub(crate) async fn shown(
    agent: &Agent,
    group: &Group,
) -> Result<Option<kith_adapter::view::group::Group>, Stop> {
    let wanted = named(group)?;
    let groups = agent.view(Groups {}).await?;
    Ok(groups.into_iter().find(|shown| shown.group == wanted))
}

/// A puppet's group, in which the agent becomes a member besides these others. All of them must
/// know each other's certificates; the agent gets them from the owner.
pub(crate) async fn joined(
    scene: &Scene,
    agent: &Agent,
    owner: &mut Puppet,
    others: &[&Puppet],
) -> Result<Group, Stop> {
    let peer = agent.peer()?;
    let mut group = owner.group(&scene.token());
    for other in others {
        group.admit(&other.peer(), "member");
    }
    group.invited.push(peer.clone());
    let invitation = owner.group_revision(&mut group, &peer, &[], scene.now());
    scene
        .send(owner, invitation.map_err(Stop::harness)?)
        .await?;
    let name = named(&group)?;
    agent.act(GroupJoin { group: name }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::GROUP_JOIN_ASKED, owner, "join")?;
    group.admit(&peer, "member");
    let revision = owner.group_revision(&mut group, &peer, others, scene.now());
    scene.send(owner, revision.map_err(Stop::harness)?).await?;
    Ok(group)
}

/// A group that the agent owns, with its newest revision as a puppet got it.
pub(crate) async fn created(scene: &Scene, agent: &Agent, name: &str) -> Result<Group, Stop> {
    let made = agent
        .act(GroupCreate {
            name: name.to_owned(),
            about: None,
        })
        .await?;
    agent.sync().await?;
    let _ = scene;
    let owner: IdentityId = agent.identity().as_str().parse().map_err(Stop::harness)?;
    Ok(Group::known(owner, id(&made.id)?, Hash([0; 32])))
}

fn id(id: &ObjectId) -> Result<Id128, Stop> {
    id.as_str().parse().map_err(Stop::harness)
}

/// Takes over the newest revision that a puppet got.
pub(crate) fn learn(scene: &Scene, group: &mut Group, reader: &Puppet) -> Result<Arc<Sent>, Stop> {
    let mails = scene.mail_to(reader)?;
    let newest = mails.into_iter().rfind(|sent| {
        let object = sent.object("group");
        object.is_some_and(|object| object.id == group.id.to_string())
    });
    let newest = scene.require_some(&req::GROUP_REVISION_SENT, newest, || {
        let address = &reader.address;
        format!("expected a revision of the group to be sent to {address}, seen none")
    })?;
    if let Some(object) = newest.object("group") {
        group.hash = object.hash.parse().map_err(Stop::harness)?;
    }
    Ok(newest)
}

/// Invites a friend into a group that the agent owns.
pub(crate) async fn invited(
    scene: &Scene,
    agent: &Agent,
    group: &mut Group,
    guest: &Puppet,
) -> Result<(), Stop> {
    let action = GroupInvite {
        group: named(group)?,
        identity: identity(guest.id)?,
    };
    agent.act(action).await?;
    agent.sync().await?;
    learn(scene, group, guest)?;
    Ok(())
}

/// Invites a friend into a group that the agent owns; the friend joins.
pub(crate) async fn admitted(
    scene: &Scene,
    agent: &Agent,
    group: &mut Group,
    guest: &mut Puppet,
    role: Role,
) -> Result<(), Stop> {
    invited(scene, agent, group, guest).await?;
    let join = guest.join(&agent.peer()?, group, scene.now());
    scene.send(guest, join.map_err(Stop::harness)?).await?;
    learn(scene, group, guest)?;
    if role == Role::Admin {
        let action = GroupAdmin {
            group: named(group)?,
            identity: identity(guest.id)?,
            admin: true,
        };
        agent.act(action).await?;
        agent.sync().await?;
        learn(scene, group, guest)?;
    }
    Ok(())
}
