//! Every entry of the forge's catalogue as a case. A faulty mail is refused, with its twin
//! as the barrier; an unusual but valid one is accepted.

use kith_adapter::act::relation::{Accept, Befriend, Block, Decline};
use kith_adapter::protocol::KeyKind;
use kith_adapter::view::private::Messages;
use kith_adapter::view::publishing::Timeline;
use kith_adapter::view::relation::{Direction, Requests, State};
use kith_forge::faults::{
    Action, Base, Earlier, Expectation, Fault, Forged, History, Relation, Scene as ForgeScene,
    Scope, catalogue,
};
use kith_forge::kinds::{RequestOptions, RequestRef};
use kith_forge::{Mail, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Faulty, Scene, Who, request_ref};
use kith_spec::Rule;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    catalogue().into_iter().map(case).collect()
}

/// Where in a run a base comes, and what must work before.
fn place(base: Base) -> (Rung, &'static str) {
    match base {
        Base::Request => (Rung::Request, "friends/request/shown"),
        Base::Accept | Base::InvitedAccept | Base::Decline => {
            (Rung::Handshake, "friends/request/sent")
        }
        Base::Confirm => (Rung::Handshake, "friends/request/shown"),
        Base::Post | Base::Retract => (Rung::Rest, "post/received"),
        Base::End | Base::Acknowledgement => (Rung::Rest, "friends/handshake/accepted"),
        Base::Message => (Rung::Message, "message/received"),
    }
}

fn case(fault: Fault) -> Case {
    let (rung, needs) = place(fault.base);
    let rules: Vec<Rule> = fault.requirements().collect();
    let (id, title) = (format!("fault/{}", fault.id), fault.title);
    let play = move |scene| play(scene, fault.clone());
    Case::new(&id, title, rung, &rules, play).needs(&[needs])
}

async fn play(scene: Scene, fault: Fault) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut forge = stage(&scene, &agent, &fault).await?;
    let token = scene.token();
    let twin_token = scene.token();
    let mut twin = forge.clone();
    forge.text.clone_from(&token);
    let forged = fault.forge(&mut forge).map_err(Stop::harness)?;
    scene.renewed(&forge.author)?;
    earlier(&scene, &agent, &forged).await?;
    if fault.expectation == Expectation::Accept {
        return accepted(&scene, &agent, &fault, &forged.mail, &token).await;
    }
    let (twin, twin_token, base) = if own_twin(&fault, &forged) {
        twin.text.clone_from(&twin_token);
        twin.rng = scene.rng("twin");
        twin.author.rng = scene.rng("twin's author");
        // The faulty mail may have used its number.
        twin.author.forget_channel(twin.recipient.id);
        let draft = twin.valid(fault.base).map_err(Stop::harness)?;
        let mail = draft.render(&mut twin.rng).map_err(Stop::harness)?;
        (mail, twin_token, fault.base)
    } else {
        (stranger(&scene, &agent, &twin_token)?, twin_token, Base::Request)
    };
    let faulty = Faulty {
        rule: fault.requirement,
        mail: &forged.mail,
        token: &token,
        twin: &twin,
        twin_token: &twin_token,
        whole: fault.scope() == Scope::Mail,
        auth: AuthResult::Pass,
    };
    let author = forge.author.clone();
    let effect = |text: String| {
        let (scene, agent, author) = (scene.clone(), agent.clone(), author.clone());
        async move { has_effect(&scene, &agent, &author, base, &text).await }
    };
    scene.refused(&faulty, effect).await?;
    let clean = scene.ledger().failures().is_empty();
    for rule in &fault.also {
        let title = fault.title;
        scene.expect(rule, clean, || format!("expected {title} to have no effect, seen one"));
    }
    Ok(())
}

/// Whether the mail without its fault has an effect of its own afterwards. It has none
/// where something came before, which may have changed the relation, and where nobody sees
/// the effect; then a stranger's request is the barrier.
fn own_twin(fault: &Fault, forged: &Forged) -> bool {
    let visible = !matches!(fault.base, Base::Acknowledgement | Base::Retract);
    visible && forged.earlier.is_empty() && fault.expectation == Expectation::Break
}

/// A request of somebody who plays no other part.
fn stranger(scene: &Scene, agent: &Agent, note: &str) -> Result<Mail, Stop> {
    let mut dora = scene.puppet("Dora")?;
    let options = RequestOptions {
        note: Some(note.to_owned()),
        ..RequestOptions::default()
    };
    let draft = dora.request(agent.address(), scene.now(), options);
    scene.write(&mut dora, draft)
}

/// Brings author, third person and agent into the relation that the fault needs.
async fn stage(scene: &Scene, agent: &Agent, fault: &Fault) -> Result<ForgeScene, Stop> {
    let keys = match fault.key {
        Some(kith_forge::KeyKind::V6) => KeyKind::V6,
        _ => KeyKind::V4,
    };
    let mut author = scene.puppet_with("Bob", keys)?;
    let mut third = scene.puppet("Carol")?;
    if fault.third_is_friend {
        scene.befriend(&mut third, Who::Puppet).await?;
    }
    let mut history = History::default();
    match fault.base.relation() {
        Relation::Strangers => {}
        Relation::Asked => history.asked = Some(asked(scene, agent, &author, None).await?),
        Relation::AskedInvited => {
            let invite = author.invite(scene.now());
            history.asked = Some(asked(scene, agent, &author, Some(invite.uri())).await?);
            history.invite = Some(invite);
        }
        Relation::Accepted => accept(scene, agent, &mut author, &mut history).await?,
        Relation::Friends => {
            let friendship = scene.befriend(&mut author, Who::Puppet).await?;
            history.accept = Some(friendship.accept);
            history.request = Some(RequestRef {
                hash: friendship.request,
                id: kith_forge::Id128::random(&mut scene.rng("unused")),
                nonce: kith_forge::Id128::random(&mut scene.rng("unused")),
                author: author.id,
            });
        }
    }
    let (recipient, now, rng) = (agent.peer()?, scene.now(), scene.rng("fault"));
    let mut forge = ForgeScene::new(author, third, recipient, now, rng);
    forge.history = history;
    Ok(forge)
}

async fn asked(
    scene: &Scene,
    agent: &Agent,
    author: &Puppet,
    invite: Option<String>,
) -> Result<RequestRef, Stop> {
    let address = author.address.clone();
    agent.act(Befriend { address, note: None, invite }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&kith_spec::req::FRIENDS_REQUEST_OPEN, author, "request")?;
    request_ref(&sent)
}

async fn accept(
    scene: &Scene,
    agent: &Agent,
    author: &mut Puppet,
    history: &mut History,
) -> Result<(), Stop> {
    let draft = author.request(agent.address(), scene.now(), RequestOptions::default());
    scene.send(author, draft).await?;
    let request = scene.request_shown(agent, author).await?;
    agent.act(Accept { request }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&kith_spec::req::FRIENDS_ACCEPT_SEALED, author, "accept")?;
    let hash = sent.object("accept").and_then(|object| object.hash.parse().ok());
    history.accept = hash;
    Ok(())
}

/// Plays what comes before the faulty mail.
async fn earlier(scene: &Scene, agent: &Agent, forged: &Forged) -> Result<(), Stop> {
    for event in &forged.earlier {
        match event {
            Earlier::Mail { mail, .. } => {
                scene.deliver_unjudged(mail, AuthResult::Pass)?;
                agent.sync().await?;
            }
            Earlier::Action { action, .. } => match action {
                Action::Decline(id) => {
                    let request = id.to_string().parse().map_err(Stop::harness)?;
                    agent.act(Decline { request, notify: false }).await?;
                }
                Action::Block(id) => {
                    let identity = id.to_string().parse().map_err(Stop::harness)?;
                    agent.act(Block { identity }).await?;
                }
            },
        }
    }
    Ok(())
}

/// An unusual mail that is valid all the same has its effect.
async fn accepted(
    scene: &Scene,
    agent: &Agent,
    fault: &Fault,
    mail: &Mail,
    token: &str,
) -> Result<(), Stop> {
    scene.deliver_unjudged(mail, AuthResult::Pass)?;
    agent.sync().await?;
    let author = scene.played(&mail.from)?;
    let happened = match fault.base {
        Base::Acknowledgement | Base::Retract => true,
        base => has_effect(scene, agent, &author, base, token).await?,
    };
    for rule in fault.requirements() {
        scene.expect(rule, happened, || {
            format!("expected a mail with {} to be accepted, seen no effect", fault.title)
        });
    }
    Ok(())
}

/// Whether the effect of a mail of this base with this text is there.
async fn has_effect(
    scene: &Scene,
    agent: &Agent,
    author: &Puppet,
    base: Base,
    text: &str,
) -> Result<bool, Stop> {
    Ok(match base {
        Base::Request => {
            let requests = agent.view(Requests {}).await?;
            requests.iter().any(|request| {
                request.direction == Direction::Incoming && request.note.contains(text)
            })
        }
        Base::Accept | Base::InvitedAccept | Base::Confirm => {
            scene.relation(agent, author).await? == State::Friends
        }
        Base::Decline | Base::End => scene.relation(agent, author).await? == State::Stranger,
        Base::Message => agent.view(Messages {}).await?.iter().any(|m| m.text.contains(text)),
        Base::Post => agent.view(Timeline {}).await?.iter().any(|e| e.text.contains(text)),
        Base::Retract | Base::Acknowledgement => false,
    })
}
