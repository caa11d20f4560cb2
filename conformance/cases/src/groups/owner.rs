//! The agent as the owner of a group.

use kith_adapter::act::group::{GroupEnd, GroupInvite};
use kith_adapter::protocol::Failure;
use kith_adapter::view::group::Role;
use kith_forge::Puppet;
use kith_forge::kinds::Group;
use kith_forge::kinds::group::Change;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::req;

use crate::gather::{admitted, created, identity, invited, learn, named, shown};

pub(super) fn cases() -> Vec<Case> {
    let needs = ["groups/owned"];
    vec![
        Case::new(
            "groups/owned",
            "who is invited becomes a member by joining, and everybody gets each revision",
            Rung::Rest,
            &[
                &req::GROUP_MEMBERS_JOINED,
                &req::GROUP_REVISION_SENT,
                &req::GROUP_CREDENTIALS_SENT,
            ],
            owned,
        )
        .needs(&["post/received"]),
        Case::new(
            "groups/invite-a-stranger",
            "only friends are invited",
            Rung::Rest,
            &[&req::GROUP_INVITE_FRIENDS],
            stranger,
        )
        .needs(&needs),
        Case::new(
            "groups/left",
            "who leaves is off the list at once, and all are told",
            Rung::Rest,
            &[&req::GROUP_LEAVE_TAKEN, &req::GROUP_REVISION_SENT],
            left,
        )
        .needs(&needs),
        Case::new(
            "groups/proposed",
            "what an admin proposes is done without asking",
            Rung::Rest,
            &[&req::GROUP_PROPOSAL_APPLIED],
            proposed,
        )
        .needs(&needs),
        Case::new(
            "groups/ended",
            "the end of a group goes to all members",
            Rung::Rest,
            &[&req::GROUP_END],
            ended,
        )
        .needs(&needs),
    ]
}

/// The agent's group with two friends who don't know each other.
async fn group_of_three(scene: &Scene) -> Result<(Agent, Puppet, Puppet, Group), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let mut group = created(scene, &agent, "Choir").await?;
    admitted(scene, &agent, &mut group, &mut bob, Role::Admin).await?;
    admitted(scene, &agent, &mut group, &mut carol, Role::Member).await?;
    learn(scene, &mut group, &bob)?;
    Ok((agent, bob, carol, group))
}

async fn has_member(agent: &Agent, group: &Group, who: &Puppet) -> Result<bool, Stop> {
    let id = who.id.to_string();
    let group = shown(agent, group).await?;
    let mut members = group.iter().flat_map(|group| &group.members);
    Ok(members.any(|member| member.identity.as_str() == id))
}

async fn owned(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let mut group = created(&scene, &agent, "Choir").await?;
    invited(&scene, &agent, &mut group, &bob).await?;
    let rule = &req::GROUP_MEMBERS_JOINED;
    let early = has_member(&agent, &group, &bob).await?;
    scene.expect(rule, !early, || {
        "expected an invited friend to be no member yet, seen one".to_owned()
    });
    let join = bob.join(&agent.peer()?, &group, scene.now());
    scene.send(&mut bob, join.map_err(Stop::harness)?).await?;
    let member = has_member(&agent, &group, &bob).await?;
    scene.require(rule, member, || {
        "expected who joined among the members, seen none".to_owned()
    })?;
    learn(&scene, &mut group, &bob)?;
    admitted(&scene, &agent, &mut group, &mut carol, Role::Member).await?;
    let told = learn(&scene, &mut group, &bob)?;
    let brings = |sent: &kith_runner::scene::Sent, who: &Puppet| {
        let id = who.id.to_string();
        let mail = sent.mail.as_ref().ok();
        let objects = mail
            .into_iter()
            .flat_map(kith_runner::judge::Mail::readable);
        let kinds: Vec<_> = objects
            .filter(|object| object.author == id)
            .map(|object| object.kind.clone())
            .collect();
        kinds.iter().any(|kind| kind == "identity") && kinds.iter().any(|kind| kind == "contact")
    };
    let rule = &req::GROUP_CREDENTIALS_SENT;
    scene.expect(rule, brings(&told, &carol), || {
        "expected the new member's credentials for the others, seen none".to_owned()
    });
    let mine = scene.all_sent()?;
    let to_carol = mine.iter().rfind(|sent| {
        sent.submission.recipients.contains(&carol.address) && sent.object("group").is_some()
    });
    let brought = to_carol.is_some_and(|sent| brings(sent, &bob));
    scene.expect(rule, brought, || {
        "expected the others' credentials for the new member, seen none".to_owned()
    });
    let listed = told.object("group").map(|object| {
        let members = object.payload.all("member");
        members.filter_map(|m| m.attribute("id")).count()
    });
    scene.expect(&req::GROUP_REVISION_SENT, listed == Some(3), || {
        format!("expected a list of three members at each, seen {listed:?}")
    });
    Ok(())
}

async fn stranger(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let dora = scene.puppet("Dora")?;
    let group = created(&scene, &agent, "Choir").await?;
    let action = GroupInvite {
        group: named(&group)?,
        identity: identity(dora.id)?,
    };
    let refused = match agent.try_act(action).await? {
        Err(Failure::Unsupported(name)) => return Err(Stop::Unsupported(name)),
        Err(_) => true,
        Ok(_) => false,
    };
    agent.sync().await?;
    let seen = shown(&agent, &group).await?;
    let nobody = seen.is_some_and(|group| group.invited.is_empty() && group.members.len() == 1);
    scene.expect(&req::GROUP_INVITE_FRIENDS, refused && nobody, || {
        "expected a stranger not to be invited, seen the invitation".to_owned()
    });
    Ok(())
}

async fn left(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, mut carol, mut group) = group_of_three(&scene).await?;
    let leave = carol.leave(&agent.peer()?, &group, scene.now());
    scene
        .send(&mut carol, leave.map_err(Stop::harness)?)
        .await?;
    let gone = !has_member(&agent, &group, &carol).await?;
    scene.expect(&req::GROUP_LEAVE_TAKEN, gone, || {
        "expected who left off the list, seen a member".to_owned()
    });
    let id = carol.id.to_string();
    for reader in [&bob, &carol] {
        let told = learn(&scene, &mut group, reader)?;
        let lists = told.object("group").is_some_and(|object| {
            let mut members = object.payload.all("member");
            members.any(|member| member.attribute("id") == Some(&*id))
        });
        scene.expect(&req::GROUP_REVISION_SENT, !lists, || {
            let address = &reader.address;
            format!("expected the list without who left to be sent to {address}, seen it with")
        });
    }
    Ok(())
}

async fn proposed(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, _, mut group) = group_of_three(&scene).await?;
    let mut dora = scene.puppet("Dora")?;
    scene.befriend(&mut dora, Who::Puppet).await?;
    let change = Change::Invite(dora.id);
    let proposal = bob.proposal(&agent.peer()?, &group, &change, scene.now());
    scene
        .send(&mut bob, proposal.map_err(Stop::harness)?)
        .await?;
    let told = learn(&scene, &mut group, &dora)?;
    let id = dora.id.to_string();
    let lists = told.object("group").is_some_and(|object| {
        let mut invited = object.payload.all("invited");
        invited.any(|person| person.attribute("id") == Some(&*id))
    });
    scene.expect(&req::GROUP_PROPOSAL_APPLIED, lists, || {
        "expected the proposed person to be invited, seen no such list".to_owned()
    });
    Ok(())
}

async fn ended(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol, group) = group_of_three(&scene).await?;
    scene.mail_to(&bob)?;
    scene.mail_to(&carol)?;
    let name = named(&group)?;
    agent.act(GroupEnd { group: name }).await?;
    agent.sync().await?;
    for reader in [&bob, &carol] {
        let sent = scene.expect_mail(&req::GROUP_END, reader, "retract")?;
        let target = sent
            .object("retract")
            .and_then(|object| object.payload.child("target"));
        let named = target
            .and_then(|target| target.attribute("id"))
            .map(str::to_owned);
        scene.expect(&req::GROUP_END, named == Some(group.id.to_string()), || {
            format!("expected a retract of the group, seen one of {named:?}")
        });
    }
    Ok(())
}
