//! Who is not trusted gets nothing (specification, section "Transport").

use std::time::Duration;

use kith_agent::{
    ConnectError, Driver, MailboxError, Password, Problem, Roots, SubmissionError, TlsMode,
};
use kith_testbed::{Certificate, Config, Protocol, Server, SmtpCapabilities};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{ALICE, BOB, NOW, account, person, post, still, with_smtp};

/// Syncs with mail to send, and returns what was wrong with the mailbox and with submission.
async fn problems(mut alice: Driver) -> (MailboxError, SubmissionError) {
    let ask = kith_core::Action::Befriend {
        address: BOB.to_owned(),
        note: None,
        invite: None,
    };
    alice.act(ask, NOW).unwrap();
    let report = alice.sync(NOW).await.unwrap();
    assert_eq!((report.fetched, report.sent), (0, 0));
    let mut problems = report.problems.into_iter();
    match (problems.next(), problems.next(), problems.next()) {
        (Some(Problem::Mailbox(mailbox)), Some(Problem::Submission(submission)), None) => {
            (mailbox, submission)
        }
        other => panic!("{other:?}"),
    }
}

/// Whether anything that belongs to a login was said.
fn logged_in(server: &Server) -> bool {
    let log = server.wire_log();
    let said = log
        .0
        .iter()
        .map(|event| String::from_utf8_lossy(&event.octets).to_uppercase());
    said.into_iter()
        .any(|said| said.contains("AUTH PLAIN") || said.contains("AUTHENTICATE"))
}

#[tokio::test]
async fn a_certificate_that_is_not_right_ends_it() {
    for mode in [TlsMode::Tls, TlsMode::Starttls] {
        let faults = [
            (Certificate::Untrusted, "no authority"),
            (Certificate::WrongName, "another name"),
            (Certificate::Expired, "expired"),
        ];
        for (certificate, why) in faults {
            let server = still(Config {
                certificate,
                ..Config::default()
            })
            .await;
            let (mailbox, submission) = problems(person(account(&server, ALICE, mode))).await;
            assert!(
                matches!(
                    mailbox,
                    MailboxError::Connect(ConnectError::Certificate { .. })
                ),
                "{mailbox}"
            );
            assert!(
                matches!(
                    submission,
                    SubmissionError::Connect(ConnectError::Certificate { .. })
                ),
                "{submission}"
            );
            let text = submission.to_string();
            assert!(text.contains(why) && text.contains("mail.test"), "{text}");
            assert!(!logged_in(&server));
        }
    }
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let server = still(Config::default()).await;
    let mut account = account(&server, ALICE, TlsMode::Tls);
    account.roots = Roots::Pem(kith_testbed::Authority::new().unwrap().pem().to_owned());
    let (mailbox, _) = problems(person(account.clone())).await;
    assert!(mailbox.to_string().contains("no authority"), "{mailbox}");
    for nothing in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        account.roots = Roots::Pem(nothing.to_owned());
        let (mailbox, _) = problems(person(account.clone())).await;
        assert!(
            matches!(mailbox, MailboxError::Connect(ConnectError::Roots(_))),
            "{mailbox}"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let server = still(Config::default()).await;
    let mut account = account(&server, ALICE, TlsMode::Tls);
    account.password = Password::new("guess");
    assert_eq!(format!("{:?}", account.password), "Password(…)");
    let (mailbox, submission) = problems(person(account)).await;
    assert!(matches!(mailbox, MailboxError::Login { .. }), "{mailbox}");
    assert!(
        matches!(submission, SubmissionError::Login { .. }),
        "{submission}"
    );
    for text in [mailbox.to_string(), submission.to_string()] {
        assert!(text.contains(ALICE) && !text.contains("guess"), "{text}");
    }
}

#[tokio::test]
async fn login_alone_will_do_and_nothing_will_not() {
    let login = vec![kith_testbed::Mechanism::Login];
    let server = still(with_smtp(SmtpCapabilities {
        auth: login,
        ..SmtpCapabilities::default()
    }))
    .await;
    let mut alice = person(account(&server, ALICE, TlsMode::Tls));
    let ask = kith_core::Action::Befriend {
        address: BOB.to_owned(),
        note: None,
        invite: None,
    };
    alice.act(ask, NOW).unwrap();
    assert_eq!(alice.sync(NOW).await.unwrap().sent, 1);
    let server = still(with_smtp(SmtpCapabilities {
        auth: vec![],
        ..SmtpCapabilities::default()
    }))
    .await;
    let mut alice = person(account(&server, ALICE, TlsMode::Tls));
    let ask = kith_core::Action::Befriend {
        address: BOB.to_owned(),
        note: None,
        invite: None,
    };
    alice.act(ask, NOW).unwrap();
    post(&mut alice, "to nobody", NOW);
    let report = alice.sync(NOW).await.unwrap();
    assert!(
        matches!(
            report.problems[..],
            [Problem::Submission(SubmissionError::NoMechanism { .. })]
        ),
        "{:?}",
        report.problems
    );
}

/// A server that says these lines, one for each line it hears, and then is silent.
async fn puppet(lines: &'static [&'static str]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 1000];
            for line in lines {
                let _ = stream.write_all(line.as_bytes()).await;
                if stream.read(&mut heard).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let _ = stream.read(&mut heard).await;
        }
    });
    address
}

async fn puppets(smtp: &'static [&'static str], imap: &'static [&'static str]) -> Driver {
    let server = still(Config::default()).await;
    let mut account = account(&server, ALICE, TlsMode::Starttls);
    account.submission.port = puppet(smtp).await.port();
    account.mailbox.port = puppet(imap).await.port();
    account.patience = Duration::from_millis(300);
    person(account)
}

#[tokio::test]
async fn without_tls_nothing_is_said() {
    let smtp = &["220 x ESMTP\r\n", "250-x\r\n250 AUTH PLAIN\r\n"];
    let imap = &["* OK ready\r\n", "tls BAD what?\r\n"];
    let (mailbox, submission) = problems(puppets(smtp, imap).await).await;
    assert!(
        matches!(mailbox, MailboxError::Connect(ConnectError::NoTls { .. })),
        "{mailbox}"
    );
    assert!(
        matches!(
            submission,
            SubmissionError::Connect(ConnectError::NoTls { .. })
        ),
        "{submission}"
    );
}

#[tokio::test]
async fn what_was_slipped_in_before_tls_is_not_believed() {
    // Octets after the go-ahead end up in the handshake, which fails.
    let smtp = &[
        "220 x\r\n",
        "250 STARTTLS\r\n",
        "220 go\r\n250 AUTH PLAIN\r\n235 welcome\r\n",
    ];
    let imap = &[
        "* OK ready\r\n",
        "tls OK go\r\n* CAPABILITY IMAP4rev1\r\nable OK\r\n",
    ];
    let (mailbox, submission) = problems(puppets(smtp, imap).await).await;
    assert!(
        matches!(mailbox, MailboxError::Connect(ConnectError::Tls { .. })),
        "{mailbox}"
    );
    assert!(
        matches!(
            submission,
            SubmissionError::Connect(ConnectError::Tls { .. })
        ),
        "{submission}"
    );
    // Who needs no login before TLS wants none of it.
    let smtp = &["555 no\r\n"];
    let imap = &["* PREAUTH welcome\r\n"];
    let (mailbox, submission) = problems(puppets(smtp, imap).await).await;
    assert!(
        matches!(
            mailbox,
            MailboxError::Connect(ConnectError::Protocol { .. })
        ),
        "{mailbox}"
    );
    assert!(
        matches!(
            submission,
            SubmissionError::Connect(ConnectError::Protocol { .. })
        ),
        "{submission}"
    );
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let (mailbox, submission) = problems(puppets(&[""], &["* OK"]).await).await;
    assert!(
        matches!(mailbox, MailboxError::Connect(ConnectError::Silent { .. })),
        "{mailbox}"
    );
    assert!(
        matches!(
            submission,
            SubmissionError::Connect(ConnectError::Silent { .. })
        ),
        "{submission}"
    );
    let server = still(Config::default()).await;
    assert!(
        server
            .wire_log()
            .0
            .iter()
            .all(|event| event.protocol != Protocol::Smtp)
    );
}
