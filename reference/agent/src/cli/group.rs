//! Groups: lists of people who write to each other.

use clap::{Args as Arguments, Subcommand};
use kith_agent::Driver;
use kith_core::agent::group::{GroupChange, GroupId, Role};
use kith_core::agent::view::Group;
use kith_core::{Action, Done};
use serde_json::json;

use super::failure::Failure;
use super::output::{safe, short, when};
use super::sync::finish;
use super::{Context, now, resolve, talk};

/// What to do with groups.
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// Show your groups, and those you are invited to
    List,
    /// Make a group that you own
    Create(Create),
    /// Show who is in a group
    Show(Named),
    /// Accept the invitation into a group
    Join(Named),
    /// Leave a group, or decline the invitation
    Leave(Named),
    /// Invite a friend into your group; as an admin, propose a friend of its owner by identity
    Invite(Member),
    /// Take somebody off the list; as an admin, propose it
    Remove(Member),
    /// Let a member of your group propose changes
    Promote(Member),
    /// Let an admin of your group be a plain member again
    Demote(Member),
    /// Give a group another name; as an admin, propose it
    Rename(Rename),
    /// End a group of yours, for everybody
    End(Named),
    /// Post to all members of a group
    Post(Say),
    /// Write a message to all members of a group
    Message(Say),
    /// Show what was written to a group, the newest last
    Timeline(Timeline),
}

#[derive(Debug, Arguments)]
pub(super) struct Create {
    /// Its name
    name: String,
    /// What it is for
    #[arg(long)]
    about: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Named {
    /// The group: its name, or the beginning of its id
    group: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Member {
    /// The group: its name, or the beginning of its id
    group: String,
    /// An address, a name, or the beginning of an identity
    who: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Rename {
    /// The group: its name, or the beginning of its id
    group: String,
    /// The new name
    name: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Say {
    /// The group: its name, or the beginning of its id
    group: String,
    /// The text
    text: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Timeline {
    /// The group: its name, or the beginning of its id
    group: String,
    /// How many at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    last: usize,
}

pub(super) async fn group(context: &Context, command: &GroupCommand) -> Result<(), Failure> {
    match command {
        GroupCommand::List => list(context),
        GroupCommand::Show(named) => show(context, &named.group),
        GroupCommand::Timeline(timeline) => self::timeline(context, timeline),
        GroupCommand::Create(create) => self::create(context, create).await,
        command => change(context, command).await,
    }
}

async fn create(context: &Context, create: &Create) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let action = Action::GroupCreate {
        name: create.name.clone(),
        about: create.about.clone(),
    };
    let (done, _) = driver.act(action, now())?;
    let id = match done {
        Done::Object(id) => hex::encode(id),
        _ => String::new(),
    };
    context
        .output
        .line("The group is there. `kith group invite` invites your friends.");
    finish(context, driver, json!({ "group": id })).await
}

/// What changes a group or writes to it.
async fn change(context: &Context, command: &GroupCommand) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let name = name(command);
    let found = find(&driver, name)?;
    let group = id(&found)?;
    let changed = |change| Action::GroupChange { group, change };
    let (action, said) = match command {
        GroupCommand::Join(_) => (
            Action::GroupJoin { group },
            "You join as soon as its owner knows.",
        ),
        GroupCommand::Leave(_) => (Action::GroupLeave { group }, "You left the group."),
        GroupCommand::End(_) => (Action::GroupEnd { group }, "The group has ended."),
        GroupCommand::Invite(member) => {
            let friend = resolve::friend(&driver, &member.who).map(|friend| friend.identity);
            let who = match (friend, resolve::octets(&member.who)) {
                (_, Some(id)) => id,
                (Ok(identity), None) => identity_of(&identity)?,
                (Err(failure), None) => return Err(failure),
            };
            (
                changed(GroupChange::Invite(who)),
                "The invitation is on its way.",
            )
        }
        GroupCommand::Remove(member) => {
            let who = listed(&driver, &found, &member.who)?;
            (
                changed(GroupChange::Remove(who)),
                "Done, as soon as all know.",
            )
        }
        GroupCommand::Promote(member) | GroupCommand::Demote(member) => {
            let who = listed(&driver, &found, &member.who)?;
            let admin = matches!(command, GroupCommand::Promote(_));
            (
                changed(GroupChange::Role(who, admin)),
                "Done, as soon as all know.",
            )
        }
        GroupCommand::Rename(rename) => (
            changed(GroupChange::Rename(rename.name.clone())),
            "Done, as soon as all know.",
        ),
        GroupCommand::Post(say) => {
            let text = say.text.clone();
            (Action::GroupPost { group, text }, "Posted to the group.")
        }
        GroupCommand::Message(say) => {
            let (text, parent) = (say.text.clone(), None);
            let action = Action::GroupMessage {
                group,
                text,
                parent,
            };
            (action, "Written to the group.")
        }
        GroupCommand::List
        | GroupCommand::Show(_)
        | GroupCommand::Timeline(_)
        | GroupCommand::Create(_) => return Ok(()),
    };
    driver.act(action, now())?;
    context.output.line(said);
    finish(context, driver, json!({})).await
}

/// The group that a command names.
fn name(command: &GroupCommand) -> &str {
    match command {
        GroupCommand::Show(named)
        | GroupCommand::Join(named)
        | GroupCommand::Leave(named)
        | GroupCommand::End(named) => &named.group,
        GroupCommand::Invite(member)
        | GroupCommand::Remove(member)
        | GroupCommand::Promote(member)
        | GroupCommand::Demote(member) => &member.group,
        GroupCommand::Rename(rename) => &rename.group,
        GroupCommand::Post(say) | GroupCommand::Message(say) => &say.group,
        GroupCommand::Timeline(timeline) => &timeline.group,
        GroupCommand::List | GroupCommand::Create(_) => "",
    }
}

fn nobody(what: &'static str, wanted: &str) -> Failure {
    Failure::Nobody {
        what,
        wanted: wanted.to_owned(),
        list: "group list",
    }
}

/// A group, by its name or the beginning of its id.
pub(super) fn find(driver: &Driver, wanted: &str) -> Result<Group, Failure> {
    let mut found = driver.view(now()).find_group(wanted)?;
    match found.len() {
        0 => Err(nobody("group", wanted)),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::Several {
            wanted: wanted.to_owned(),
            found: found
                .iter()
                .map(|group| format!("{} {}", short(&group.id), group.name))
                .collect(),
        }),
    }
}

fn identity_of(identity: &str) -> Result<[u8; 32], Failure> {
    resolve::octets(identity).ok_or_else(|| nobody("person", identity))
}

/// The id of a group.
pub(super) fn id(group: &Group) -> Result<GroupId, Failure> {
    let object = resolve::octets(&group.id).ok_or_else(|| nobody("group", &group.id))?;
    Ok(GroupId {
        owner: identity_of(&group.owner)?,
        id: object,
    })
}

fn listed(driver: &Driver, group: &Group, wanted: &str) -> Result<[u8; 32], Failure> {
    let found = driver.view(now()).find_listed(group, wanted)?;
    match found[..] {
        [id] => Ok(id),
        [] => Err(nobody("person in this group", wanted)),
        _ => Err(Failure::Several {
            wanted: wanted.to_owned(),
            found: found.iter().map(hex::encode).collect(),
        }),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let groups = driver.view(now()).groups()?;
    if context.output.is_json() {
        context.output.value(&groups);
        return Ok(());
    }
    let row = |group: &Group| {
        let members = group.list.iter().filter(|listed| listed.role.is_some());
        vec![
            short(&group.id).to_owned(),
            safe(&group.name),
            group.state.name().to_owned(),
            members.count().to_string(),
        ]
    };
    let rows: Vec<_> = groups.iter().map(row).collect();
    let none = "No groups yet: `kith group create NAME` makes one.";
    context
        .output
        .table(&["id", "name", "you are", "members"], &rows, none);
    Ok(())
}

fn show(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let group = find(&driver, wanted)?;
    if context.output.is_json() {
        context.output.value(&group);
        return Ok(());
    }
    context.output.heading(&safe(&group.name));
    if let Some(about) = &group.about {
        context.output.line(&safe(about));
    }
    let role = |role: Option<Role>| match role {
        Some(Role::Owner) => "owner",
        Some(Role::Admin) => "admin",
        Some(Role::Member) => "member",
        None => "invited",
    };
    let mut rows: Vec<_> = group
        .list
        .iter()
        .map(|listed| {
            vec![
                safe(&listed.name),
                role(listed.role).to_owned(),
                short(&listed.identity).to_owned(),
            ]
        })
        .collect();
    rows.sort();
    context
        .output
        .table(&["name", "role", "identity"], &rows, "Nobody.");
    Ok(())
}

fn timeline(context: &Context, timeline: &Timeline) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let group = find(&driver, &timeline.group)?;
    let entries = driver
        .view(now())
        .group_timeline(id(&group)?, timeline.last)?;
    if context.output.is_json() {
        context.output.value(&entries);
        return Ok(());
    }
    if entries.is_empty() {
        context.output.line("Nothing was written yet.");
    }
    for entry in &entries {
        let mut rest = vec![when(entry.created), short(&entry.id).to_owned()];
        rest.extend(talk::protection(&driver, entry.protected));
        context
            .output
            .entry(&entry.name, &rest.join(", "), &entry.text);
    }
    Ok(())
}
