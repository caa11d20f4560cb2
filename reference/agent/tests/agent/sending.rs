//! The outbox and the submission server (specification, section "Sending").

use kith_agent::{Problem, Report, SubmissionError, TlsMode};
use kith_core::agent::DAY;
use kith_core::{Action, Event};
use kith_testbed::{Config, Fault, SmtpAction, SmtpCapabilities, SmtpStage};

use crate::support::{
    ALICE, BOB, NOW, account, friends, person, post, still, sync, texts, with_smtp,
};

#[tokio::test]
async fn both_ways_of_tls_carry_mail() {
    let server = still(Config::default()).await;
    // Alice speaks TLS at once, Bob STARTTLS.
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "from Alice", NOW);
    post(&mut bob, "from Bob", NOW + 1);
    assert_eq!(sync(&mut alice, NOW + 1).await.sent, 1);
    assert_eq!(sync(&mut bob, NOW + 1).await.sent, 1);
    sync(&mut alice, NOW + 1).await;
    assert_eq!(texts(&alice), ["from Alice", "from Bob"]);
    assert_eq!(texts(&bob), texts(&alice));
    let submissions = server.submissions();
    assert!(
        submissions
            .iter()
            .all(|submission| submission.recipients.len() == 1)
    );
    let mail = &submissions.last().unwrap().octets;
    assert!(
        mail.ends_with(b"\r\n") && !mail.ends_with(b"\r\n\r\n\r\n"),
        "no line was added"
    );
}

#[tokio::test]
async fn what_is_written_while_the_server_is_away_arrives_later() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    server.go_away().await;
    post(&mut alice, "patience", NOW);
    let report = alice.sync(NOW).await.unwrap();
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
    assert!(report.next_due.is_some_and(|at| at > NOW));
    server.come_back().await.unwrap();
    assert_eq!(sync(&mut alice, NOW + 1).await.sent, 1);
    sync(&mut bob, NOW + 1).await;
    assert_eq!(texts(&bob), ["patience"]);
}

#[tokio::test]
async fn a_temporary_failure_is_tried_again_after_a_pause() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    let fault = server
        .faults()
        .add(Fault::reply(SmtpStage::Rcpt, 450, "4.7.1 Greylisted").times(2));
    post(&mut alice, "greylisted", NOW);
    let told = |report: &Report| matches!(&report.problems[..], [Problem::PutOff { said, .. }] if said == "450 4.7.1 Greylisted");
    assert!(told(&alice.sync(NOW).await.unwrap()));
    assert_eq!(sync(&mut alice, NOW).await.sent, 0);
    assert_eq!(server.faults().fired(fault), 1, "a pause was made");
    let report = alice.sync(NOW + DAY).await.unwrap();
    assert!(told(&report));
    let next = report.next_due.unwrap();
    assert!(next > NOW + DAY);
    assert_eq!(sync(&mut alice, next).await.sent, 1);
    sync(&mut bob, next).await;
    assert_eq!(texts(&bob), ["greylisted"]);
}

#[tokio::test]
async fn a_permanent_failure_is_told_and_not_tried_again() {
    let server = still(Config::default()).await;
    let (mut alice, _) = friends(&server).await;
    let fault = Fault::reply(SmtpStage::Rcpt, 550, "5.1.1 No such user here").times(1);
    server.faults().add(fault);
    post(&mut alice, "nobody", NOW);
    let report = sync(&mut alice, NOW).await;
    let [
        Event::Undelivered {
            to,
            reason,
            again: true,
        },
    ] = &report.events[..]
    else {
        panic!("{report:?}")
    };
    assert_eq!(to, BOB);
    assert!(
        reason.contains("550") && reason.contains("No such user"),
        "{reason}"
    );
    assert_eq!(sync(&mut alice, NOW + DAY).await.sent, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_loses_nothing() {
    for action in [
        SmtpAction::Drop,
        SmtpAction::AcceptThenDrop,
        SmtpAction::AcceptReplyThenDrop,
    ] {
        let server = still(Config::default()).await;
        let (mut alice, mut bob) = friends(&server).await;
        server
            .faults()
            .add(Fault::smtp(SmtpStage::EndOfData, action.clone()).times(1));
        post(&mut alice, "one", NOW);
        post(&mut alice, "two", NOW);
        let report = alice.sync(NOW).await.unwrap();
        let lost = |problem: &Problem| {
            matches!(
                problem,
                Problem::Submission(SubmissionError::Lost { begun: true, .. })
            )
        };
        assert!(
            report.problems.iter().all(lost),
            "{action:?}: {:?}",
            report.problems
        );
        sync(&mut alice, NOW + DAY).await;
        sync(&mut bob, NOW + DAY).await;
        let mut texts = texts(&bob);
        texts.sort();
        assert_eq!(texts, ["one", "two"], "{action:?}");
    }
}

#[tokio::test]
async fn a_server_that_ends_the_connection_after_each_mail_gets_all() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    server.faults().add(Fault::smtp(
        SmtpStage::EndOfData,
        SmtpAction::AcceptReplyThenDrop,
    ));
    for text in ["one", "two", "three", "four", "five"] {
        post(&mut alice, text, NOW);
    }
    assert_eq!(sync(&mut alice, NOW).await.sent, 5);
    sync(&mut bob, NOW).await;
    assert_eq!(texts(&bob).len(), 5);
}

#[tokio::test]
async fn size_is_respected() {
    let config = with_smtp(SmtpCapabilities {
        size_limit: 9000,
        ..SmtpCapabilities::default()
    });
    let server = still(config).await;
    let mut alice = person(account(&server, ALICE, TlsMode::Tls));
    let ask = |address: &str| Action::Befriend {
        address: address.to_owned(),
        note: None,
        invite: None,
    };
    alice.act(ask(BOB), NOW).unwrap();
    let octets = alice.agent().outbox(alice.store(), NOW, 1).unwrap()[0]
        .octets
        .len();
    let report = sync(&mut alice, NOW).await;
    let told = matches!(&report.events[..], [Event::Undelivered { reason, .. }] if reason.contains("9000"));
    assert_eq!(told, octets > 9000, "{octets} {:?}", report.events);
    assert_eq!(report.sent, u64::from(octets <= 9000));
}

#[tokio::test]
async fn addresses_need_no_ascii() {
    let config = Config {
        domains: vec![
            "a.test".to_owned(),
            "b.test".to_owned(),
            "bücher.test".to_owned(),
        ],
        ..Config::default()
    };
    let server = still(config).await;
    server.add_account("žofie@bücher.test", "secret").unwrap();
    let mut alice = person(account(&server, ALICE, TlsMode::Tls));
    let address = "žofie@bücher.test".to_owned();
    alice
        .act(
            Action::Befriend {
                address,
                note: None,
                invite: None,
            },
            NOW,
        )
        .unwrap();
    assert_eq!(sync(&mut alice, NOW).await.sent, 1);
    let mut zofie = person(account(&server, "žofie@bücher.test", TlsMode::Tls));
    sync(&mut zofie, NOW).await;
    assert_eq!(zofie.view(NOW).requests().unwrap().len(), 1);
}
