//! Every entry of the forge's catalogue as a case. A faulty mail is refused, with its twin
//! as the barrier; an unusual but valid one is accepted.

mod effect;
mod stage;

use kith_forge::Mail;
use kith_forge::faults::{
    Base, Expectation, Fault, Forged, Scene as ForgeScene, Scope, Verdict, catalogue,
};
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Faulty, Scene};
use kith_spec::{Outcome, Rule, req};

use effect::{has_effect, shown_by};
pub(crate) use stage::page;
use stage::{earlier, stage};

/// Played by their vectors only: a rotation that is refused comes after one that is taken, and the
/// judge knows the author's keys before both or after both.
const ONLY_VECTORS: &[&str] = &["pq/rotation-back-to-classical"];

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    // Self-copies are the agent's own; the vectors, which have its keys, play them.
    let live = catalogue().into_iter();
    let live = live.filter(|fault| !ONLY_VECTORS.contains(&fault.id));
    live.filter(|fault| fault.base != Base::SelfCopy)
        .map(case)
        .collect()
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
        Base::End | Base::Acknowledgement | Base::Rotation | Base::Receipt | Base::Introduce => {
            (Rung::Rest, "friends/handshake/accepted")
        }
        Base::Group | Base::GroupPost => (Rung::Rest, "groups/received"),
        Base::Join | Base::Leave | Base::Proposal => (Rung::Rest, "groups/owned"),
        Base::Event => (Rung::Rest, "events/received"),
        Base::Rsvp => (Rung::Rest, "events/answered"),
        Base::Message => (Rung::Message, "message/received"),
        Base::Comment | Base::Reaction => (Rung::Rest, "comment/received"),
        Base::RelayedComment | Base::Hide => (Rung::Rest, "comment/relayed/received"),
        Base::Share => (Rung::Rest, "comment/share/received"),
        Base::Follow => (Rung::Rest, "follow/accepted"),
        Base::Page | Base::PublicPost | Base::Relay => (Rung::Rest, "page/received"),
        Base::SelfCopy => (Rung::Rest, "message/received"),
        Base::App | Base::AppUpdate => (Rung::Rest, "app/received"),
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
    let agent = match fault.recipient {
        Some(kind) => scene.agent_like(kind).await?,
        None => scene.agent().await?,
    };
    let mut forge = stage(&scene, &agent, &fault).await?;
    let clean = forge.clone();
    forge.text = scene.token();
    let forged = fault.forge(&mut forge).map_err(Stop::harness)?;
    // A rotation that is refused leaves the author with the old key.
    if fault.base != Base::Rotation || fault.expectation != Expectation::Break {
        scene.renewed(&forge.author)?;
    }
    earlier(&scene, &agent, &forged).await?;
    // Some faults are of a mail that comes late.
    scene.advance_to(forge.now)?;
    if fault.expectation == Expectation::Break {
        let moved = forge.now != clean.now;
        let own = has_own_twin(&fault, &forged) && !moved;
        refused(
            &scene,
            &agent,
            &fault,
            (&forge, &forged),
            own.then_some(clean),
        )
        .await
    } else {
        accepted(&scene, &agent, &fault, (&forge, &forged)).await
    }
}

/// Whether the mail without its fault has an effect of its own afterwards. It has none
/// where something came before, which may have changed the relation, and where nobody sees
/// the effect; then a stranger's request is the barrier.
fn has_own_twin(fault: &Fault, forged: &Forged) -> bool {
    let visible = !matches!(
        fault.base,
        Base::Acknowledgement
            | Base::Retract
            | Base::Reaction
            | Base::Hide
            | Base::Rotation
            | Base::Receipt
    );
    // What used up a limit leaves no room for the twin, and who is frozen has none either.
    let spent = [&req::COMMENT_LIMIT, &req::IDENTITY_FIRST_SEEN];
    let room = !spent.contains(&fault.requirement);
    visible && room && forged.earlier.is_empty()
}

/// Whether nothing that the faulty mail says may be seen: not where only one of its
/// objects is refused, and not where what it is about came before.
fn is_silent(fault: &Fault, forged: &Forged) -> bool {
    let taken = |(_, verdict): &(_, Verdict)| verdict.outcome == Outcome::Accept;
    !forged.objects.iter().any(taken) && fault.base != Base::Retract
}

async fn refused(
    scene: &Scene,
    agent: &Agent,
    fault: &Fault,
    (forge, forged): (&ForgeScene, &Forged),
    clean: Option<ForgeScene>,
) -> Result<(), Stop> {
    let twin_token = scene.token();
    let (twin, base) = match clean {
        Some(mut clean) => {
            clean.text.clone_from(&twin_token);
            clean.rng = scene.rng("twin");
            clean.author.rng = scene.rng("twin's author");
            // The faulty mail may have used its number.
            clean.author.forget_channel(clean.recipient.id);
            let draft = clean.valid(fault.base).map_err(Stop::harness)?;
            let mail = draft.render(&mut clean.rng).map_err(Stop::harness)?;
            (mail, fault.base)
        }
        None => (stranger(scene, agent, &twin_token)?, Base::Request),
    };
    let faulty = Faulty {
        rule: fault.requirement,
        mail: &forged.mail,
        token: is_silent(fault, forged).then_some(forge.text.as_str()),
        twin: &twin,
        twin_token: &twin_token,
        whole: fault.scope() == Scope::Mail,
        auth: AuthResult::Pass,
    };
    let effect = |text: String| {
        let (scene, agent, author) = (scene.clone(), agent.clone(), forge.author.clone());
        async move { has_effect(&scene, &agent, &author, base, &text).await }
    };
    scene.refused(&faulty, effect).await?;
    let clean = scene.ledger().failures().is_empty();
    for rule in &fault.also {
        let title = fault.title;
        scene.expect(rule, clean, || {
            format!("expected {title} to have no effect, seen one")
        });
    }
    Ok(())
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

/// An unusual mail that is valid all the same has its effect, and an object that it
/// doesn't hand over has none.
async fn accepted(
    scene: &Scene,
    agent: &Agent,
    fault: &Fault,
    (forge, forged): (&ForgeScene, &Forged),
) -> Result<(), Stop> {
    let before = shown_by(agent, &forge.author).await?;
    scene.deliver_unjudged(&forged.mail, AuthResult::Pass)?;
    agent.sync().await?;
    let author = &forge.author;
    let (happened, seen) = match fault.base {
        Base::Message | Base::Post => {
            let shown = shown_by(agent, author).await? - before;
            // What came before may be the same object: then nothing is added.
            let again = !forged.earlier.is_empty()
                && has_effect(scene, agent, author, fault.base, &forge.text).await?;
            (
                shown == forged.objects.len() || again && shown == 0,
                format!("{shown} things of the author"),
            )
        }
        Base::Retract | Base::Acknowledgement | Base::Hide | Base::Receipt => (true, String::new()),
        base => {
            let text = &forge.text;
            (
                has_effect(scene, agent, author, base, text).await?,
                "no effect".to_owned(),
            )
        }
    };
    for rule in fault.requirements().chain([&req::RECEIVE_ORDER]) {
        scene.expect(rule, happened, || {
            let objects = forged.objects.len();
            format!(
                "expected {} to be accepted with {objects} objects, seen {seen}",
                fault.title
            )
        });
    }
    Ok(())
}
