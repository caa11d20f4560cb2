//! Brings agent and puppets to where a mail of the catalogue plays.

use kith_adapter::act::pages::{Follow, PageCreate};
use kith_adapter::act::relation::{Accept, Block, Decline};
use kith_adapter::view::group::Role;
use kith_forge::faults::{Action, Earlier, Fault, Forged, History, Relation, Scene as ForgeScene};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{KeyKind, Puppet};
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, AuthResult, Scene, Who, request_ref};
use kith_spec::req;

use crate::gather;

/// Brings author, third person and agent into the relation that the fault needs.
pub(super) async fn stage(scene: &Scene, agent: &Agent, fault: &Fault) -> Result<ForgeScene, Stop> {
    let mut author = scene.puppet_with("Bob", fault.key.unwrap_or(KeyKind::V4))?;
    let mut third = scene.puppet("Carol")?;
    let members = fault.base.relation() == Relation::Members;
    if fault.third_is_friend || members {
        scene.befriend(&mut third, Who::Puppet).await?;
    }
    let mut history = history(scene, agent, fault, &mut author).await?;
    if members {
        let group = gather::joined(scene, agent, &mut third, &[&author]).await?;
        history.group = Some(group);
    }
    let (recipient, now, rng) = (agent.peer()?, scene.now(), scene.rng("fault"));
    let mut forge = ForgeScene::new(author, third, recipient, now, rng);
    forge.history = history;
    Ok(forge)
}

async fn history(
    scene: &Scene,
    agent: &Agent,
    fault: &Fault,
    author: &mut Puppet,
) -> Result<History, Stop> {
    let mut history = History::default();
    match fault.base.relation() {
        Relation::Strangers => {}
        Relation::Asked => history.asked = Some(asked(scene, agent, author, None).await?),
        Relation::AskedInvited => {
            let invite = author.invite(scene.now());
            history.asked = Some(asked(scene, agent, author, Some(invite.uri())).await?);
            history.invite = Some(invite);
        }
        Relation::Accepted => {
            let draft = author.request(agent.address(), scene.now(), RequestOptions::default());
            scene.send(author, draft).await?;
            let request = scene.request_shown(agent, author).await?;
            agent.act(Accept { request }).await?;
            agent.sync().await?;
            let sent = scene.expect_mail(&req::FRIENDS_ACCEPT_SEALED, author, "accept")?;
            history.accept = sent
                .object("accept")
                .and_then(|object| object.hash.parse().ok());
        }
        Relation::OwnDevice => {
            let reason = "what the agent's other devices write takes the agent's keys";
            return Err(Stop::NotTested(reason.to_owned()));
        }
        Relation::HasPage => {
            agent.act(page()).await?;
            agent.sync().await?;
        }
        Relation::Following => {
            let address = author.address.clone();
            agent.act(Follow { address }).await?;
            agent.sync().await?;
            let sent = scene.expect_mail(&req::FRIENDS_REQUEST_OPEN, author, "request")?;
            let asked = request_ref(&sent)?;
            let accept = author.accept(&asked, &agent.peer()?, scene.now());
            scene.send(author, accept.map_err(Stop::harness)?).await?;
            scene.expect_mail(&req::FRIENDS_CONFIRM_SENT, author, "confirm")?;
            history.asked = Some(asked);
        }
        Relation::Friends
        | Relation::Posted
        | Relation::Members
        | Relation::Host
        | Relation::Owner
        | Relation::Organiser => {
            let friendship = scene.befriend(author, Who::Puppet).await?;
            history.accept = Some(friendship.accept);
            // Only the hash of a request that was answered is named again.
            history.request = Some(RequestRef {
                hash: friendship.request,
                id: kith_forge::Id128::random(&mut scene.rng("unused")),
                nonce: kith_forge::Id128::random(&mut scene.rng("unused")),
                author: author.id,
            });
            if fault.base.relation() == Relation::Posted {
                history.post = Some(crate::comments::posted(scene, agent, author).await?);
            }
            between_friends(scene, agent, fault, author, &mut history).await?;
        }
    }
    Ok(history)
}

/// Groups and events of the agent.
async fn between_friends(
    scene: &Scene,
    agent: &Agent,
    fault: &Fault,
    author: &mut Puppet,
    history: &mut History,
) -> Result<(), Stop> {
    match fault.base.relation() {
        Relation::Host => {
            let mut group = gather::created(scene, agent, "Choir").await?;
            gather::invited(scene, agent, &mut group, author).await?;
            history.group = Some(group);
        }
        Relation::Owner => {
            for role in [Role::Admin, Role::Member] {
                let mut group = gather::created(scene, agent, "Choir").await?;
                gather::admitted(scene, agent, &mut group, author, role).await?;
                match role {
                    Role::Admin => history.group = Some(group),
                    _ => history.plain_group = Some(group),
                }
            }
        }
        Relation::Organiser => {
            history.event = Some(crate::events::announced(scene, agent, author).await?);
        }
        _ => {}
    }
    Ok(())
}

/// What the agent's page says.
pub(crate) fn page() -> PageCreate {
    PageCreate {
        name: "Chess club".to_owned(),
        description: Some("We play on Fridays.".to_owned()),
        ..PageCreate::default()
    }
}

async fn asked(
    scene: &Scene,
    agent: &Agent,
    author: &Puppet,
    invite: Option<String>,
) -> Result<RequestRef, Stop> {
    scene.ask(agent, author, invite).await?;
    let sent = scene.expect_mail(&req::FRIENDS_REQUEST_OPEN, author, "request")?;
    request_ref(&sent)
}

/// Plays what comes before the mail, each at its time.
pub(super) async fn earlier(scene: &Scene, agent: &Agent, forged: &Forged) -> Result<(), Stop> {
    for event in &forged.earlier {
        match event {
            Earlier::Mail { mail, at } => {
                scene.advance_to(*at)?;
                scene.deliver_unjudged(mail, AuthResult::Pass)?;
                agent.sync().await?;
            }
            Earlier::Action { action, at } => {
                scene.advance_to(*at)?;
                match action {
                    Action::Decline(id) => {
                        let request = id.to_string().parse().map_err(Stop::harness)?;
                        agent
                            .act(Decline {
                                request,
                                notify: false,
                            })
                            .await?;
                    }
                    Action::Block(id) => {
                        let identity = id.to_string().parse().map_err(Stop::harness)?;
                        agent.act(Block { identity }).await?;
                    }
                }
            }
        }
    }
    Ok(())
}
