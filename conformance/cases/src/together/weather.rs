//! The scenarios under faults. Each is played twice, without and with the fault, and what the
//! people see in the end must be the same.

use std::sync::Arc;
use std::time::Duration;

use kith_forge::{Id128, Rng};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{EndState, Episode, Scene, differences};
use kith_spec::{Rule, req};
use kith_testbed::{
    Deliver, DeliveryAction, Fault, ImapAction, Server, SmtpAction, SmtpStage, transforms,
};

use super::{NAMES, SCENARIOS, Scenario, befriend};

/// From when on a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From the first mail on.
    Start,
    /// Once the two are friends: a request that is lost for good is asked again by nobody.
    Friends,
}

/// A fault, and what the specification says about it.
pub struct Weather {
    /// Its name, after the `~` in a case's id.
    pub id: &'static str,
    /// What happens.
    pub title: &'static str,
    rule: Rule,
    since: Since,
    set: fn(&Server, &mut Rng) -> Episode,
}

/// A number below a bound.
fn up_to(rng: &mut Rng, bound: u64) -> u64 {
    let drawn = Id128::random(rng).to_string();
    let number = drawn
        .get(..15)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok());
    number.unwrap_or_default() % bound
}

fn delivery(server: &Server, action: DeliveryAction) -> Episode {
    server.faults().add(Fault::delivery(action));
    Episode::default()
}

fn changed(server: &Server, change: transforms::Transform) -> Episode {
    delivery(server, DeliveryAction::Transform(change))
}

/// A delivery status notification (RFC 3464) about a mail that arrived after all.
const BOUNCE: &str = "From: MAILER-DAEMON@mail.test\r\nSubject: Undelivered Mail\r\n\
    Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n\
    --b\r\nContent-Type: message/delivery-status\r\n\r\n\
    Reporting-MTA: dns; mail.test\r\n\r\n\
    Final-Recipient: rfc822; somebody@b.test\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n--b--\r\n";
/// What a mailbox answers whose owner is away (RFC 3834).
const OUT_OF_OFFICE: &str = "From: somebody@b.test\r\nSubject: Out of office\r\n\
    Auto-Submitted: auto-replied (vacation)\r\n\r\nI am away.\r\n";

/// Every fault by itself.
pub const WEATHER: [Weather; 16] = [
    Weather {
        id: "delay",
        title: "mail is delivered a day late",
        rule: &req::MERGE_ANY_ORDER,
        since: Since::Start,
        set: |server, rng| {
            let fault = Fault::delivery(DeliveryAction::Hold);
            server.faults().add(fault.skip(up_to(rng, 2)).times(3));
            Episode {
                held: 2,
                ..Episode::default()
            }
        },
    },
    Weather {
        id: "duplicate",
        title: "every mail is delivered twice",
        rule: &req::CHANNEL_DUPLICATE,
        since: Since::Start,
        set: |server, _| delivery(server, DeliveryAction::Duplicate(1)),
    },
    Weather {
        id: "reorder",
        title: "mail is delivered in pairs, the later first",
        rule: &req::MERGE_ANY_ORDER,
        since: Since::Start,
        set: |server, _| delivery(server, DeliveryAction::Reorder(2)),
    },
    Weather {
        id: "loss",
        title: "a mail is lost",
        rule: &req::ACK_UNACKNOWLEDGED,
        since: Since::Friends,
        set: |server, rng| {
            let fault = Fault::delivery(DeliveryAction::Drop);
            server.faults().add(fault.skip(up_to(rng, 3)).times(1));
            Episode::default()
        },
    },
    Weather {
        id: "greylist",
        title: "the first attempts are put off",
        rule: &req::SEND_TEMPORARY,
        since: Since::Start,
        set: |server, rng| {
            let times = 2 + up_to(rng, 3);
            let fault = Fault::reply(SmtpStage::Rcpt, 450, "4.7.1 Greylisted, come again");
            server.faults().add(fault.times(times));
            Episode::default()
        },
    },
    Weather {
        id: "bounce",
        title: "bounces and out-of-office replies come in between",
        rule: &req::LOOP_NO_REACTION,
        since: Since::Friends,
        set: |server, _| {
            for address in server.accounts() {
                for text in [BOUNCE, OUT_OF_OFFICE] {
                    // An account that was removed since gets none.
                    let _ = server.deliver(&address, text.as_bytes(), &Deliver::from(""));
                }
            }
            Episode::default()
        },
    },
    Weather {
        id: "re-encode",
        title: "base64 parts become quoted-printable",
        rule: &req::SEC_OCTETS,
        since: Since::Start,
        set: |server, _| changed(server, transforms::base64_to_quoted_printable()),
    },
    Weather {
        id: "re-wrap",
        title: "base64 is broken into other lines",
        rule: &req::SEC_OCTETS,
        since: Since::Start,
        set: |server, _| changed(server, transforms::rewrap_base64(60)),
    },
    Weather {
        id: "refold",
        title: "header fields are folded anew",
        rule: &req::MAIL_OUTSIDE_IGNORED,
        since: Since::Start,
        set: |server, _| changed(server, transforms::refold_headers(40)),
    },
    Weather {
        id: "strip-headers",
        title: "header fields that are not common are taken away",
        rule: &req::MAIL_RECOGNISE,
        since: Since::Start,
        set: |server, _| changed(server, transforms::strip_unknown_headers()),
    },
    Weather {
        id: "bare-line-feeds",
        title: "the mailbox holds lines that end in LF alone",
        rule: &req::MAIL_OUTSIDE_IGNORED,
        since: Since::Start,
        set: |server, _| changed(server, transforms::bare_line_feeds()),
    },
    Weather {
        id: "footer",
        title: "a list wraps the request and adds a footer",
        rule: &req::MAIL_OPEN_PARTS,
        since: Since::Start,
        set: |server, _| {
            let change = transforms::list_footer("list.example", "Sent through a list");
            let fault = Fault::delivery(DeliveryAction::Transform(change));
            server.faults().add(fault.times(1));
            Episode::default()
        },
    },
    Weather {
        id: "quota",
        title: "a mailbox is full for a day",
        rule: &req::ACK_UNACKNOWLEDGED,
        since: Since::Friends,
        set: |_, _| Episode {
            full: 2,
            ..Episode::default()
        },
    },
    Weather {
        id: "reset",
        title: "connections are closed in the middle",
        rule: &req::SEND_SAME_COPY,
        since: Since::Start,
        set: |server, rng| {
            let faults = server.faults();
            let end = |action| Fault::smtp(SmtpStage::EndOfData, action);
            faults.add(end(SmtpAction::Drop).times(1 + up_to(rng, 2)));
            faults.add(end(SmtpAction::AcceptThenDrop).times(1));
            faults.add(Fault::imap(&["FETCH"], ImapAction::Drop).times(1 + up_to(rng, 2)));
            faults.add(Fault::imap(&["MOVE", "STORE"], ImapAction::CarryOutThenDrop).times(1));
            Episode::default()
        },
    },
    Weather {
        id: "away",
        title: "the server is not there for a day",
        rule: &req::SEND_DURABLE,
        since: Since::Start,
        set: |_, _| Episode {
            away: 2,
            ..Episode::default()
        },
    },
    Weather {
        id: "slow",
        title: "the server takes its time",
        rule: &req::MERGE_ANY_ORDER,
        since: Since::Start,
        set: |server, _| {
            let pause = Duration::from_millis(20);
            let faults = server.faults();
            faults.add(Fault::smtp(SmtpStage::EndOfData, SmtpAction::Delay(pause)).times(5));
            faults.add(Fault::imap(&["FETCH"], ImapAction::Delay(pause)).times(5));
            Episode::default()
        },
    },
];

/// What a mixture is drawn from: faults that go together and lose nothing for good.
const MIXED: [&str; 8] = [
    "delay",
    "duplicate",
    "loss",
    "greylist",
    "re-wrap",
    "refold",
    "strip-headers",
    "reset",
];
/// How many faults are in a mixture.
const IN_MIXTURE: usize = 3;

fn named(id: &str) -> Option<&'static Weather> {
    WEATHER.iter().find(|weather| weather.id == id)
}

/// The faults of the mixture with this number.
fn mixture(number: u32) -> Vec<&'static Weather> {
    let mut rng = kith_forge::Seed::new(&format!("mixture {number}")).rng();
    let mut left: Vec<&str> = MIXED.to_vec();
    let drawn = (0..IN_MIXTURE).filter_map(|_| {
        let at = usize::try_from(up_to(&mut rng, left.len() as u64)).unwrap_or(0);
        named(left.swap_remove(at))
    });
    drawn.collect()
}

/// Every scenario under each of these faults, and under so many mixtures. A name that is none
/// gives no case.
pub fn under_faults(names: &[&str], mixtures: u32) -> Vec<Case> {
    let mut cases = Vec::new();
    for scenario in &SCENARIOS {
        for weather in names.iter().filter_map(|name| named(name)) {
            let title = format!("{}; {}", scenario.title, weather.title);
            cases.push(case(scenario, weather.id, &title, vec![weather]));
        }
        for number in 1..=mixtures {
            let faults = mixture(number);
            let names: Vec<&str> = faults.iter().map(|weather| weather.id).collect();
            let title = format!("{}; {}", scenario.title, names.join(", "));
            cases.push(case(scenario, &format!("mixture-{number}"), &title, faults));
        }
    }
    cases
}

/// The faults of the default run, one for each scenario in turn.
const SAMPLE: [&str; 8] = [
    "loss",
    "duplicate",
    "reorder",
    "greylist",
    "re-encode",
    "away",
    "delay",
    "strip-headers",
];

/// Each scenario under one fault: the part of [`under_faults`] that is in every run.
pub fn sample() -> Vec<Case> {
    let pairs = SCENARIOS.iter().zip(SAMPLE);
    let cases = pairs.filter_map(|(scenario, name)| {
        let weather = named(name)?;
        let title = format!("{}; {}", scenario.title, weather.title);
        Some(case(scenario, weather.id, &title, vec![weather]))
    });
    cases.collect()
}

fn case(
    scenario: &'static Scenario,
    name: &str,
    title: &str,
    faults: Vec<&'static Weather>,
) -> Case {
    let id = format!("together/{}/{name}", scenario.id);
    let mut rules: Vec<Rule> = faults.iter().map(|weather| weather.rule).collect();
    rules.sort();
    rules.dedup();
    let faults = Arc::new(faults);
    Case::new(&id, title, Rung::Rest, &rules, move |scene| {
        let faults = Arc::clone(&faults);
        async move { compare(scene, scenario, &faults).await }
    })
    .class(class_of(scenario))
}

/// The class of a scenario, which its faults don't say.
fn class_of(scenario: &Scenario) -> kith_spec::Class {
    let classes = scenario.rules.iter().map(|rule| rule.class);
    classes.max().unwrap_or(kith_spec::Class::Core)
}

async fn compare(scene: Scene, scenario: &Scenario, faults: &[&Weather]) -> Result<(), Stop> {
    if !scene.stage().clock_is_set() {
        let reason = "faults take days to be made good, and the clock is real";
        return Err(Stop::NotTested(reason.to_owned()));
    }
    let plain = play(&scene, scenario, &[]).await?;
    let seen = play(&scene, scenario, faults).await?;
    let differences = differences(&plain, &seen);
    for weather in faults {
        scene.expect(weather.rule, differences.is_empty(), || {
            differences.join("; ")
        });
    }
    Ok(())
}

async fn play(scene: &Scene, scenario: &Scenario, faults: &[&Weather]) -> Result<EndState, Stop> {
    let mut meeting = scene.meeting(&NAMES).await?;
    let mut rng = scene.rng("weather");
    for since in [Since::Start, Since::Friends] {
        let mut episode = Episode::default();
        for weather in faults.iter().filter(|weather| weather.since == since) {
            let own = (weather.set)(scene.server(), &mut rng);
            episode = Episode {
                held: episode.held.max(own.held),
                away: episode.away.max(own.away),
                full: episode.full.max(own.full),
            };
        }
        meeting.expect_weather(episode);
        match since {
            Since::Start => befriend(&mut meeting).await?,
            Since::Friends => (scenario.part)(&mut meeting).await?,
        }
    }
    scene.server().faults().clear();
    meeting.settle().await?;
    meeting.end_state().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_are_always_the_same_and_differ() {
        let ids = |number| {
            mixture(number)
                .iter()
                .map(|weather| weather.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert!((2..6).any(|number| ids(number) != ids(1)));
        assert!(MIXED.iter().all(|name| named(name).is_some()));
    }
}
