//! The way to the servers: certificates, and TLS that somebody on the way takes out.

use kith_adapter::act::relation::Befriend;
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene};
use kith_spec::{Rule, req};
use kith_testbed::{Certificate, Direction, WireEvent};

pub(super) fn cases() -> Vec<Case> {
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> super::Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&["friends/request/sent"])
    };
    vec![
        case(
            "transport/certificate",
            "nothing is sent to a server whose certificate is not trusted, too old or another's",
            &[&req::MAIL_CERTIFICATE_CHECK, &req::MAIL_AUTHENTICATE],
            |scene| Box::pin(certificate(scene)),
        ),
        case(
            "transport/starttls",
            "by STARTTLS the agent sends, and where it is taken out nothing goes on in the clear",
            &[&req::MAIL_TLS],
            |scene| Box::pin(starttls(scene)),
        )
        .by_starttls(),
    ]
}

async fn ask(agent: &Agent, whom: &Puppet) -> Result<(), Stop> {
    let request = Befriend {
        address: whom.address.clone(),
        note: None,
        invite: None,
    };
    agent.act(request).await?;
    Ok(())
}

/// Lets the agent sync. It may tell that something is wrong as a failure or as a problem.
async fn tells(agent: &Agent) -> bool {
    match agent.sync().await {
        Ok(synced) => !synced.problems.is_empty(),
        Err(_) => true,
    }
}

async fn starttls(scene: Scene) -> Result<(), Stop> {
    let rule = &req::MAIL_TLS;
    let agent = scene.agent().await?;
    let (bob, carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    ask(&agent, &bob).await?;
    agent.sync().await?;
    scene.expect_mail(rule, &bob, "request")?;
    // Sessions that stand have their TLS.
    scene.server().come_back().await?;
    scene.server().strip_starttls(true);
    let before = scene.wire_log().len();
    ask(&agent, &carol).await?;
    // It can't reach its servers, and may say so.
    let told = tells(&agent).await;
    let sent = scene.mail_to(&carol)?.len();
    scene.expect(rule, sent == 0, || {
        format!("expected nothing sent, seen {sent} mails; the person was told: {told}")
    });
    let log = scene.wire_log();
    let said = log.iter().skip(before).filter(|event| gives_away(event));
    let said: Vec<_> = said
        .map(|event| String::from_utf8_lossy(&event.octets).into_owned())
        .collect();
    scene.expect(rule, said.is_empty(), || {
        format!("expected no login and no mail in the clear, seen {said:?}")
    });
    scene.server().strip_starttls(false);
    agent.jump(1).await?;
    scene.expect_mail(rule, &carol, "request")?;
    Ok(())
}

/// Whether a client logs in here, or sends a mail.
fn gives_away(event: &WireEvent) -> bool {
    let said = String::from_utf8_lossy(&event.octets).to_ascii_uppercase();
    let mut words = said.split_ascii_whitespace();
    let (first, second) = (words.next(), words.next());
    event.direction == Direction::Client
        && (matches!(first, Some("AUTH" | "MAIL" | "RCPT" | "DATA"))
            || matches!(second, Some("LOGIN" | "AUTHENTICATE" | "APPEND")))
}

async fn certificate(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let bob = scene.puppet("Bob")?;
    let authority = scene.stage().authority();
    for wrong in [
        Certificate::Untrusted,
        Certificate::Expired,
        Certificate::WrongName,
    ] {
        // Sessions that stand were made under another certificate.
        scene.server().come_back().await?;
        scene.server().set_certificate(authority, wrong)?;
        if wrong == Certificate::Untrusted {
            ask(&agent, &bob).await?;
        }
        let told = tells(&agent).await;
        let sent = scene.server().submissions().len();
        scene.expect(&req::MAIL_CERTIFICATE_CHECK, told && sent == 0, || {
            format!("expected nothing sent and the person told ({wrong:?}), seen {sent} mails, told: {told}")
        });
    }
    scene
        .server()
        .set_certificate(authority, Certificate::Valid)?;
    agent.jump(1).await?;
    let submissions = scene.server().submissions();
    let logged_in = submissions.len() == 1
        && submissions
            .iter()
            .all(|s| s.account.eq_ignore_ascii_case(agent.address()));
    scene.expect(&req::MAIL_AUTHENTICATE, logged_in, || {
        format!(
            "expected one mail of the account afterwards, seen {}",
            submissions.len()
        )
    });
    Ok(())
}
