//! The test vectors as cases: each is played through the adapter's method `receive`, with
//! imported keys and the vector's own clock.

use kith_adapter::act::relation::{Adopt, Block, Decline};
use kith_adapter::protocol::{Authentication, Hash, Import, ObjectOutcome, Outcome};
use kith_forge::Instant;
use kith_spec::Rule;
use kith_vectors::{Act, Step, StepKind, Vector, Verdict};

use crate::case::{Case, Rung, Stop};
use crate::scene::{Agent, Scene};

/// A case for each vector; its id is `vector/` and the vector's.
pub fn cases() -> Vec<Case> {
    kith_vectors::all().iter().map(case).collect()
}

fn case(vector: &'static Vector) -> Case {
    let rules: Vec<Rule> = rules(vector);
    let id = format!("vector/{}", vector.id);
    let play = move |scene| play(scene, vector);
    Case::new(&id, &vector.title, Rung::Rest, &rules, play)
}

fn rules(vector: &Vector) -> Vec<Rule> {
    let ids = vector.requirements.iter();
    ids.filter_map(|id| kith_spec::requirement(id)).collect()
}

async fn play(scene: Scene, vector: &'static Vector) -> Result<(), Stop> {
    let opening = vector.opening();
    let steps: Vec<&Step> = opening.steps.iter().chain(&vector.given.earlier).collect();
    if !scene.stage().clock_is_set() {
        return Err(Stop::NotTested("the agent's clock is real".to_owned()));
    }
    let now = time(&vector.given.now)?;
    scene.set_now(steps.first().map_or(Ok(now), |step| time(&step.at))?);
    let agent = open(&scene, vector).await?;
    let auth = match vector.given.authenticated {
        true => Authentication::Pass,
        false => Authentication::None,
    };
    for step in steps {
        scene.set_now(time(&step.at)?);
        before(&agent, step, auth).await?;
    }
    scene.set_now(now);
    let received = agent.receive_at(&vector.mail.octets(), auth, now).await?;
    let expected = &vector.expected;
    let mail = outcome(expected.mail.outcome);
    for rule in rules(vector) {
        scene.expect(rule, received.outcome == mail, || {
            let violation = violation(&expected.mail);
            let (seen, named) = (received.outcome, &received.violation);
            format!("expected the mail's outcome {mail:?}{violation}, seen {seen:?} {named:?}")
        });
        for object in &expected.objects {
            let wanted = outcome(object.outcome);
            let seen = received
                .objects
                .iter()
                .find(|seen| seen.hash.as_str() == object.hash);
            let right = seen.is_some_and(|seen: &ObjectOutcome| seen.outcome == wanted);
            scene.expect(rule, right, || {
                let (hash, violation) = (&object.hash, object.violation.as_deref());
                format!("expected {wanted:?} {violation:?} for the object {hash}, seen {seen:?}")
            });
        }
    }
    Ok(())
}

fn violation(verdict: &Verdict) -> String {
    verdict
        .violation
        .as_ref()
        .map_or_else(String::new, |name| format!(" ({name})"))
}

fn outcome(outcome: kith_vectors::Outcome) -> Outcome {
    match outcome {
        kith_vectors::Outcome::Ignore => Outcome::Ignore,
        kith_vectors::Outcome::Refuse => Outcome::Refuse,
        kith_vectors::Outcome::Hold => Outcome::Hold,
        kith_vectors::Outcome::Accept => Outcome::Accept,
    }
}

fn time(text: &str) -> Result<Instant, Stop> {
    let time = Instant::from_xml(text);
    time.ok_or_else(|| Stop::Harness(format!("`{text}` is no time")))
}

async fn open(scene: &Scene, vector: &Vector) -> Result<Agent, Stop> {
    let recipient = &vector.opening().recipient;
    let next: Hash = recipient.next.parse().map_err(Stop::harness)?;
    let import = Import {
        secret: recipient.secret_octets().into(),
        chain: recipient
            .chain_octets()
            .into_iter()
            .map(Into::into)
            .collect(),
        contact: recipient.contact_octets().into(),
        next,
    };
    scene
        .agent_from(&recipient.name, &recipient.address, import)
        .await
}

async fn before(agent: &Agent, step: &Step, auth: Authentication) -> Result<(), Stop> {
    let at = time(&step.at)?;
    match &step.kind {
        StepKind::Mail(mail) => {
            let received = agent.receive_at(&mail.octets(), auth, at).await?;
            if received.outcome == Outcome::Accept {
                return Ok(());
            }
            let (seen, named) = (received.outcome, received.violation);
            Err(Stop::Agent(format!(
                "an earlier mail was to be accepted, seen {seen:?} {named:?}"
            )))
        }
        StepKind::Act(Act::Decline { request }) => {
            let request = request.parse().map_err(Stop::harness)?;
            agent
                .act(Decline {
                    request,
                    notify: false,
                })
                .await?;
            Ok(())
        }
        StepKind::Act(Act::Block { identity }) => {
            let identity = identity.parse().map_err(Stop::harness)?;
            agent.act(Block { identity }).await?;
            Ok(())
        }
        StepKind::Sent(sent) => {
            let to = sent.to.id.parse().map_err(Stop::harness)?;
            let objects = sent.object_octets().into_iter().map(Into::into).collect();
            agent
                .act(Adopt {
                    to,
                    objects,
                    invite: sent.invite.clone(),
                })
                .await?;
            Ok(())
        }
    }
}
