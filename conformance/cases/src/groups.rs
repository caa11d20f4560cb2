//! Chapter “Groups”.

mod owner;
mod table;

use kith_adapter::act::group::GroupPost;
use kith_adapter::view::delivery::{Deliveries, DeliveryState};
use kith_adapter::view::group::GroupTimeline;
use kith_adapter::view::publishing::Timeline;
use kith_forge::draft::Draft;
use kith_forge::kinds::{Group, ack};
use kith_forge::{Id128, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Class, req};
use kith_testbed::{DeliveryAction, Fault};

use crate::gather::{joined, named, shown};

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "groups/received",
            "the person sees what co-members write, friends or not, in the group only",
            Rung::Rest,
            &[&req::GROUP_CO_MEMBERS, &req::GROUP_SHOWN_APART],
            received,
        )
        .needs(&["post/received"]),
        Case::new(
            "groups/sent",
            "a post to a group is one mail to all members, in a channel of the revision",
            Rung::Rest,
            &[
                &req::GROUP_DELIVERY,
                &req::GROUP_DIRECT,
                &req::GROUP_OUTER,
                &req::GROUP_CHANNEL,
            ],
            sent,
        )
        .needs(&["groups/received"]),
        Case::new(
            "groups/revision-later",
            "a post for a revision that has not come waits for it",
            Rung::Rest,
            &[&req::GROUP_REVISION_UNKNOWN],
            later,
        )
        .needs(&["groups/received"]),
        Case::new(
            "groups/resent",
            "a post that one member lacks is sent again to that member alone",
            Rung::Rest,
            &[&req::GROUP_RESEND],
            resent,
        )
        .needs(&["groups/sent"]),
        Case::new(
            "groups/bounced",
            "a copy that comes back from one member is shown as that member's",
            Rung::Rest,
            &[&req::LOOP_BOUNCE_SHOWN],
            bounced,
        )
        .class(Class::Groups),
        Case::new(
            "groups/acknowledged",
            "deliveries to a group are acknowledged to each sender alone",
            Rung::Rest,
            &[&req::GROUP_ACKS],
            acknowledged,
        )
        .needs(&["groups/sent"]),
        Case::new(
            "groups/same-id",
            "a group object of somebody else with the same id is another group",
            Rung::Rest,
            &[&req::GROUP_IDENTITY],
            same_id,
        )
        .needs(&["groups/received"]),
    ];
    cases.extend(owner::cases());
    cases.extend(table::cases());
    cases
}

/// The agent in a group of its friend Carol, with Dora, whom it doesn't know otherwise.
pub(super) struct Circle {
    pub(super) agent: Agent,
    pub(super) carol: Puppet,
    pub(super) dora: Puppet,
    pub(super) group: Group,
}

pub(super) async fn circle(scene: &Scene) -> Result<Circle, Stop> {
    let agent = scene.agent().await?;
    let mut carol = scene.puppet("Carol")?;
    let dora = scene.puppet("Dora")?;
    scene.befriend(&mut carol, Who::Puppet).await?;
    let group = joined(scene, &agent, &mut carol, &[&dora]).await?;
    Ok(Circle {
        agent,
        carol,
        dora,
        group,
    })
}

/// A post of a member to a group, addressed to the agent's mailbox.
pub(super) fn post(
    scene: &Scene,
    agent: &Agent,
    author: &mut Puppet,
    group: &Group,
    text: &str,
) -> Result<Draft, Stop> {
    let object = author.group_post_object(group, text, scene.now());
    let draft = author.deliver_to_group(group, vec![object], scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    agent.address().clone_into(&mut draft.mail.to);
    Ok(draft)
}

pub(super) async fn is_shown(agent: &Agent, text: &str) -> Result<bool, Stop> {
    let entries = agent.view(GroupTimeline::default()).await?;
    Ok(entries.iter().any(|entry| entry.text == text))
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    for author in [&mut circle.carol, &mut circle.dora] {
        let text = scene.token();
        let draft = post(&scene, &circle.agent, author, &circle.group, &text)?;
        scene.send(author, draft).await?;
        let seen = is_shown(&circle.agent, &text).await?;
        scene.expect(&req::GROUP_CO_MEMBERS, seen, || {
            let address = &author.address;
            format!("expected the post of {address} in the group, seen none")
        });
        let timeline = circle.agent.view(Timeline {}).await?;
        let apart = !timeline.iter().any(|entry| entry.text == text);
        scene.expect(&req::GROUP_SHOWN_APART, apart && seen, || {
            "expected the post among those of its group only, seen it elsewhere".to_owned()
        });
    }
    let text = scene.token();
    let draft = circle
        .dora
        .message(&circle.agent.peer()?, &text, scene.now());
    let mail = scene.write(&mut circle.dora, draft.map_err(Stop::harness)?)?;
    scene.deliver(&mail)?;
    circle.agent.sync().await?;
    let messages = circle
        .agent
        .view(kith_adapter::view::private::Messages {})
        .await?;
    let refused = !messages.iter().any(|message| message.text == text);
    scene.expect(&req::GROUP_CO_MEMBERS, refused, || {
        "expected no private message of a co-member who is no friend, seen one".to_owned()
    });
    Ok(())
}

async fn sent(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    let group = named(&circle.group)?;
    let first = said(&scene, &circle, &group).await?;
    let peer = circle.agent.peer()?;
    "Another name".clone_into(&mut circle.group.name);
    let revision = circle
        .carol
        .group_revision(&mut circle.group, &peer, &[], scene.now());
    scene
        .send(&mut circle.carol, revision.map_err(Stop::harness)?)
        .await?;
    let second = said(&scene, &circle, &group).await?;
    let fresh = first != second && first.is_some();
    scene.expect(&req::GROUP_CHANNEL, fresh, || {
        format!("expected a new channel with the new revision, seen {first:?} and {second:?}")
    });
    Ok(())
}

/// Lets the agent post, and returns the channel of the one mail to all.
async fn said(
    scene: &Scene,
    circle: &Circle,
    group: &kith_adapter::protocol::ObjectRef,
) -> Result<Option<String>, Stop> {
    let text = scene.token();
    circle
        .agent
        .act(GroupPost {
            group: group.clone(),
            text: text.clone(),
        })
        .await?;
    circle.agent.sync().await?;
    let rule = &req::GROUP_DIRECT;
    let first = scene.expect_mail(rule, &circle.carol, "post")?;
    let second = scene.expect_mail(rule, &circle.dora, "post");
    // One transaction may have served both.
    let second = match second {
        Ok(second) => second,
        Err(_) if first.submission.recipients.len() == 2 => first.clone(),
        Err(stop) => return Err(stop),
    };
    let same = first.submission.octets == second.submission.octets;
    scene.expect(&req::GROUP_DELIVERY, same, || {
        "expected one mail to all members, seen different ones".to_owned()
    });
    let mail = first.mail.as_ref().map_err(Stop::harness)?;
    let delivery = mail.delivery();
    let named = delivery.and_then(|delivery| delivery.group.clone());
    let newest = circle.group.hash.to_string();
    scene.expect(
        &req::GROUP_DELIVERY,
        named.as_ref() == Some(&newest),
        || format!("expected the delivery to name the newest revision {newest}, seen {named:?}"),
    );
    let outer = mail.root.only("To").map(str::to_owned);
    let hidden = outer.as_deref() == Some("undisclosed-recipients:;");
    scene.expect(&req::GROUP_OUTER, hidden, || {
        format!("expected `To: undisclosed-recipients:;`, seen {outer:?}")
    });
    let channel = delivery.and_then(|delivery| delivery.channel.as_ref());
    Ok(channel.map(|channel| channel.id.clone()))
}

async fn later(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    let peer = circle.agent.peer()?;
    let erik = scene.puppet("Erik")?;
    circle.group.admit(&erik.peer(), "member");
    let revision = circle
        .carol
        .group_revision(&mut circle.group, &peer, &[&erik], scene.now());
    let revision = scene.write(&mut circle.carol, revision.map_err(Stop::harness)?)?;
    let mut erik = erik;
    let text = scene.token();
    let draft = post(&scene, &circle.agent, &mut erik, &circle.group, &text)?;
    scene.send(&mut erik, draft).await?;
    let early = is_shown(&circle.agent, &text).await?;
    scene.expect(&req::GROUP_REVISION_UNKNOWN, !early, || {
        "expected a post for an unknown revision to wait, seen it shown".to_owned()
    });
    scene.deliver(&revision)?;
    circle.agent.sync().await?;
    let seen = is_shown(&circle.agent, &text).await?;
    scene.expect(&req::GROUP_REVISION_UNKNOWN, seen, || {
        "expected the post to be shown once its revision was there, seen none".to_owned()
    });
    Ok(())
}

async fn resent(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    let group = named(&circle.group)?;
    let text = scene.token();
    circle.agent.act(GroupPost { group, text }).await?;
    circle.agent.sync().await?;
    let rule = &req::GROUP_RESEND;
    let first = scene.expect_mail(rule, &circle.carol, "post")?;
    scene.mail_to(&circle.dora)?;
    let delivery = first.mail.as_ref().map_err(Stop::harness)?.delivery();
    let channel = delivery.and_then(|delivery| delivery.channel.as_ref());
    let channel = scene.require_some(rule, channel.cloned(), || {
        "expected a channel, seen none".to_owned()
    })?;
    let id: Id128 = channel.id.parse().map_err(Stop::harness)?;
    let peer = circle.agent.peer()?;
    let upto = i64::try_from(channel.seq).map_err(Stop::harness)?;
    let acks = vec![ack(id, upto)];
    let draft = circle.carol.acknowledge(&peer, acks, scene.now());
    scene
        .send(&mut circle.carol, draft.map_err(Stop::harness)?)
        .await?;
    // A revision counts for seven days after the next; this one is the newest.
    circle.agent.jump(7).await?;
    circle.agent.jump(1).await?;
    let again = scene.expect_mail(rule, &circle.dora, "post")?;
    let mail = again.mail.as_ref().map_err(Stop::harness)?;
    let repeated = mail.delivery();
    let same = repeated.is_some_and(|delivery| {
        delivery.channel.as_ref().map(|c| (&c.id, c.seq)) == Some((&channel.id, channel.seq))
            && delivery.to.len() == 2
    });
    scene.expect(rule, same, || {
        format!("expected the same number to the same recipients, seen {repeated:?}")
    });
    let carol = scene.mail_to(&circle.carol)?;
    let alone = carol.iter().all(|sent| sent.object("post").is_none());
    scene.expect(rule, alone, || {
        "expected nothing again for who has it, seen the post".to_owned()
    });
    Ok(())
}

async fn bounced(scene: Scene) -> Result<(), Stop> {
    let circle = circle(&scene).await?;
    let fault = DeliveryAction::Bounce("5.1.1".to_owned(), "No such mailbox".to_owned());
    let fault = Fault::delivery(fault).address(&circle.dora.address);
    scene.server().faults().add(fault.times(1));
    let group = named(&circle.group)?;
    let text = scene.token();
    let post = circle.agent.act(GroupPost { group, text }).await?;
    // The notification comes after the mail was taken.
    for _ in 0..3 {
        circle.agent.sync().await?;
    }
    let copies = circle.agent.view(Deliveries {}).await?;
    let state = |member: &Puppet| {
        let member = member.id.to_string();
        let mut copies = copies.iter().filter(|copy| copy.id == post.id);
        copies
            .find(|copy| copy.to.as_str() == member)
            .map(|copy| copy.state)
    };
    let seen = (state(&circle.dora), state(&circle.carol));
    let right = (Some(DeliveryState::Bounced), Some(DeliveryState::Sent));
    scene.expect(&req::LOOP_BOUNCE_SHOWN, seen == right, || {
        format!("expected the states {right:?} of the two members' copies, seen {seen:?}")
    });
    Ok(())
}

async fn acknowledged(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    let text = scene.token();
    let draft = post(
        &scene,
        &circle.agent,
        &mut circle.dora,
        &circle.group,
        &text,
    )?;
    let channel = draft.delivery.channel;
    scene.send(&mut circle.dora, draft).await?;
    let group = named(&circle.group)?;
    let text = scene.token();
    circle.agent.act(GroupPost { group, text }).await?;
    circle.agent.sync().await?;
    scene.mail_to(&circle.dora)?;
    circle.agent.jump(1).await?;
    let mails = scene.mail_to(&circle.dora)?;
    let mut acks = mails
        .iter()
        .filter_map(|sent| sent.mail.as_ref().ok()?.delivery())
        .flat_map(|delivery| &delivery.acks);
    let wanted = channel.map(|channel| channel.id.to_string());
    let found = acks.any(|ack| Some(&ack.channel) == wanted.as_ref());
    scene.expect(&req::GROUP_ACKS, found, || {
        "expected an acknowledgement to the co-member alone within a day, seen none".to_owned()
    });
    Ok(())
}

async fn same_id(scene: Scene) -> Result<(), Stop> {
    let mut circle = circle(&scene).await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let peer = circle.agent.peer()?;
    let mut other = bob.group(&scene.token());
    other.id = circle.group.id;
    other.rev = circle.group.rev;
    other.invited.push(peer.clone());
    let draft = bob.group_revision(&mut other, &peer, &[], scene.now());
    scene.send(&mut bob, draft.map_err(Stop::harness)?).await?;
    let rule = &req::GROUP_IDENTITY;
    let first = shown(&circle.agent, &circle.group).await?;
    let kept = first.is_some_and(|shown| {
        shown.name == circle.group.name && shown.members.len() == circle.group.members.len()
    });
    scene.expect(rule, kept, || {
        "expected the first group as it was, seen it changed".to_owned()
    });
    let second = shown(&circle.agent, &other).await?;
    scene.expect(rule, second.is_some(), || {
        "expected the other one as a group of its own, seen none".to_owned()
    });
    let text = scene.token();
    let draft = post(
        &scene,
        &circle.agent,
        &mut circle.carol,
        &circle.group,
        &text,
    )?;
    scene.send(&mut circle.carol, draft).await?;
    let goes_on = is_shown(&circle.agent, &text).await?;
    scene.expect(rule, goes_on, || {
        "expected the first group to go on, seen its post missing".to_owned()
    });
    Ok(())
}
