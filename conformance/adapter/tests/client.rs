//! The client against real child processes: one that is good, and one for each
//! fault. Each fault must be named, and blamed on the right side.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{sync::Arc, time::Duration};

use kith_adapter::{
    act::{self, ActResult, Action, Created},
    client::{
        CallError, Client, Command, ConnectError, Culprit, Endpoint, Fault, FaultKind, Limits,
        Options, Sender,
    },
    protocol::{
        Authentication, Failure, Identity, KeyKind, Keys, MailServer, Mode, Open, Outcome, Person,
        Receive, Store, Synced, Timestamp,
    },
    validate::Validator,
    view,
};

fn child(word: &str) -> Endpoint {
    Endpoint::Exec(Command {
        program: env!("CARGO_BIN_EXE_faulty-adapter").into(),
        arguments: vec![word.into()],
    })
}

fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

fn alice() -> Open {
    let server = |port| MailServer {
        host: "mail.example.org".to_owned(),
        connect: "127.0.0.1".parse().unwrap(),
        port,
        mode: Mode::Tls,
    };
    Open {
        person: Person {
            address: "alice@example.org".to_owned(),
            name: "Alice".to_owned(),
        },
        device: "laptop".to_owned(),
        user: None,
        password: "open sesame".to_owned(),
        submission: server(465),
        mailbox: server(993),
        ca: String::new(),
        authserv_id: "mail.example.org".to_owned(),
        store: Store::Empty,
        keys: Some(Keys::Generate(KeyKind::V4)),
        durable: false,
        daily: None,
        now: now(),
    }
}

fn validating() -> Options {
    Options {
        validator: Some(Arc::new(Validator::new())),
        ..Options::default()
    }
}

/// Limits under which a hang shows soon, and a slow machine does not.
fn short() -> Options {
    let limits = Limits {
        sync: Duration::from_secs(2),
        ..Limits::default()
    };
    Options {
        limits: Some(limits),
        ..Options::default()
    }
}

async fn sync(word: &str, options: Options) -> (Client, Result<Synced, CallError>) {
    let mut client = Client::connect(&child(word), options).await.unwrap();
    let opened = client.open(&alice()).await.unwrap();
    let result = client.sync(opened.session, now()).await;
    (client, result)
}

fn fault<T: std::fmt::Debug>(result: Result<T, CallError>) -> Box<Fault> {
    match result {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("a fault was expected, not {other:?}"),
    }
}

/// The fault that a child shows in `sync`.
async fn shown(word: &str) -> Box<Fault> {
    let (_client, result) = sync(word, short()).await;
    let fault = fault(result);
    assert_eq!(fault.culprit(), Culprit::Adapter, "{fault}");
    assert_eq!(fault.method, "sync");
    fault
}

#[tokio::test]
async fn drives_a_good_adapter() {
    let mut client = Client::connect(&child("good"), validating()).await.unwrap();
    assert_eq!(client.about().name, "good");
    let opened = client
        .open(&Open {
            durable: true,
            ..alice()
        })
        .await
        .unwrap();
    assert_eq!(opened.kept.as_deref(), Some("store-1"));
    let session = opened.session;
    let friend = opened.identity;

    let synced = client.sync(session, now()).await.unwrap();
    assert_eq!(synced.next_due, Some(now()));
    let invited = client
        .act(session, now(), act::relation::Invite {})
        .await
        .unwrap();
    assert_eq!(invited.uri, "kith:example");
    let message = |text: &str| act::private::Message {
        to: friend.clone(),
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    };
    let created = client
        .act(session, now(), message("Hello\nBob — ü"))
        .await
        .unwrap();
    let any = client
        .perform(session, now(), Action::Message(message("x")))
        .await
        .unwrap();
    assert_eq!(any, ActResult::Created(Created { id: created.id }));
    let friends = client
        .view(session, view::relation::Friends {})
        .await
        .unwrap();
    assert_eq!(friends[0].name, "Bob");
    let looked = client
        .look(session, view::relation::Friends {}.into())
        .await
        .unwrap();
    assert_eq!(looked, friends.into());

    let mail = b"Subject: x\r\n\r\n\xff\0".to_vec().into();
    let receive = Receive {
        session,
        now: now(),
        mail,
        auth: Authentication::Pass,
    };
    let received = client.receive(&receive).await.unwrap();
    assert_eq!(
        (received.outcome, received.objects.len()),
        (Outcome::Refuse, 1)
    );

    // Answers that are no faults.
    let refused = client.act(session, now(), message("")).await.unwrap_err();
    assert!(
        matches!(refused, CallError::Failure(Failure::Refused(_))),
        "{refused}"
    );
    let unsupported = client
        .view(session, view::delivery::Gaps {})
        .await
        .unwrap_err();
    assert_eq!(unsupported.unsupported(), Some("gaps"));

    assert_eq!(
        client.close(session, true).await.unwrap().kept.as_deref(),
        Some("store-1")
    );
    client.bye().await.unwrap();
}

#[tokio::test]
async fn opens_several_sessions() {
    let mut client = Client::connect(&child("good"), Options::default())
        .await
        .unwrap();
    let laptop = client.open(&alice()).await.unwrap().session;
    let phone = client.open(&alice()).await.unwrap().session;
    assert_ne!(laptop, phone);
    client.close(laptop, false).await.unwrap();
    client.sync(phone, now()).await.unwrap();
    client.bye().await.unwrap();
}

#[tokio::test]
async fn names_an_exit_and_shows_the_last_words() {
    let fault = shown("exits").await;
    assert!(matches!(fault.kind, FaultKind::Exited(status) if status.code() == Some(3)));
    assert!(fault.stderr.ends_with("the last words\n"));
    assert!(fault.stderr.len() <= 64 * 1024, "only the end is kept");
    assert!(!fault.stderr.contains("stack frame 0\n"));
    let shown = format!("{fault:#}");
    assert!(shown.contains("--> ") && shown.contains("<-- ") && shown.contains("last words"));
    assert!(
        !shown.contains("open sesame"),
        "a password must not get into reports"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn names_a_signal() {
    use std::os::unix::process::ExitStatusExt;
    let fault = shown("aborts").await;
    assert!(matches!(fault.kind, FaultKind::Exited(status) if status.signal().is_some()));
}

#[tokio::test]
async fn names_a_hang() {
    assert!(matches!(shown("hangs").await.kind, FaultKind::Hung(_)));
}

#[tokio::test]
async fn names_garbage() {
    let fault = shown("garbage").await;
    assert!(
        matches!(&fault.kind, FaultKind::NotJson { line, .. } if line == "DEBUG: syncing"),
        "{fault}"
    );
    let (sender, last) = fault.transcript.lines().last().unwrap();
    assert_eq!((sender, last.as_str()), (Sender::Adapter, "DEBUG: syncing"));
}

#[tokio::test]
async fn names_a_flood_and_an_endless_line() {
    let flood = shown("floods").await;
    assert!(matches!(flood.kind, FaultKind::Flood { .. }), "{flood}");
    let line = {
        let limits = Limits {
            sync: Duration::from_secs(20),
            ..Limits::default()
        };
        let (_client, result) = sync(
            "long-line",
            Options {
                limits: Some(limits),
                ..Options::default()
            },
        )
        .await;
        fault(result)
    };
    assert!(matches!(line.kind, FaultKind::LongLine), "{line}");
}

#[tokio::test]
async fn names_wrong_answers() {
    for (word, name) in [
        ("latin-1", "NotUtf8"),
        ("wrong-id", "WrongId"),
        ("string-id", "WrongId"),
        ("null-id", "WrongId"),
        ("wrong-version", "WrongVersion"),
        ("neither", "NotAnAnswer"),
        ("bad-result", "BadAnswer"),
        ("bad-time", "BadAnswer"),
        ("bad-error", "BadAnswer"),
    ] {
        let fault = shown(word).await;
        assert!(
            format!("{:?}", fault.kind).starts_with(name),
            "{word}: {:?}",
            fault.kind
        );
        assert_eq!(fault.is_fatal(), name != "BadAnswer", "{word}");
    }
}

#[tokio::test]
async fn goes_on_after_a_wrong_result() {
    let (mut client, result) = sync("bad-result", short()).await;
    assert!(!fault(result).is_fatal());
    client.close(1, false).await.unwrap();
    client.bye().await.unwrap();
}

#[tokio::test]
async fn validation_says_where_the_mistake_is() {
    let (_client, result) = sync("bad-time", validating()).await;
    let fault = fault(result);
    assert_eq!(fault.culprit(), Culprit::Adapter);
    let FaultKind::BadAnswer { schema, error } = &fault.kind else {
        panic!("{fault}")
    };
    assert_eq!(schema, "sync.result");
    assert!(error.contains("/next_due"), "{error}");
}

#[tokio::test]
async fn a_second_answer_is_noticed_in_the_next_call() {
    let (mut client, result) = sync("twice", short()).await;
    result.unwrap();
    let fault = fault(client.close(1, false).await);
    assert!(matches!(fault.kind, FaultKind::WrongId { .. }), "{fault}");
}

#[tokio::test]
async fn tolerates_what_is_allowed() {
    for word in ["splits", "blank-lines"] {
        let (client, result) = sync(word, validating()).await;
        result.unwrap();
        client.bye().await.unwrap();
    }
}

#[tokio::test]
async fn a_failure_is_no_fault() {
    let (client, result) = sync("refuses", validating()).await;
    let Err(CallError::Failure(failure)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(failure, Failure::Server("554 go away".to_owned()));
    client.bye().await.unwrap();
}

#[tokio::test]
async fn blames_the_adapter_for_rejecting_valid_parameters() {
    let (mut client, _) = sync("rejects", short()).await;
    let fault = fault(client.close(1, false).await);
    assert!(matches!(fault.kind, FaultKind::RejectedParams(_)));
    assert_eq!(fault.culprit(), Culprit::Adapter);
}

#[tokio::test]
async fn blames_the_harness_for_its_own_mistakes() {
    let mut client = Client::connect(&child("good"), validating()).await.unwrap();
    let unopened = fault(client.sync(1, now()).await);
    assert!(matches!(unopened.kind, FaultKind::NoSession(1)));
    let keyless = fault(
        client
            .open(&Open {
                keys: None,
                ..alice()
            })
            .await,
    );
    assert!(matches!(keyless.kind, FaultKind::BadRequest { .. }));
    for fault in [unopened, keyless] {
        assert_eq!(fault.culprit(), Culprit::Harness);
        assert!(!fault.is_fatal());
    }
    client.bye().await.unwrap();
}

#[tokio::test]
async fn is_out_of_step_until_restarted() {
    let (mut client, result) = sync("garbage", short()).await;
    assert!(fault(result).is_fatal());
    let again = fault(client.open(&alice()).await);
    assert!(matches!(again.kind, FaultKind::OutOfStep));
    assert_eq!(again.culprit(), Culprit::Harness);
    client.restart().await.unwrap();
    assert_eq!(client.open(&alice()).await.unwrap().session, 1);
    client.bye().await.unwrap();
}

#[tokio::test]
async fn an_abandoned_call_leaves_the_connection_out_of_step() {
    let mut client = Client::connect(&child("hangs"), Options::default())
        .await
        .unwrap();
    let session = client.open(&alice()).await.unwrap().session;
    let given_up =
        tokio::time::timeout(Duration::from_millis(50), client.sync(session, now())).await;
    assert!(given_up.is_err());
    assert!(matches!(
        fault(client.close(session, false).await).kind,
        FaultKind::OutOfStep
    ));
    client.restart().await.unwrap();
}

#[tokio::test]
async fn judges_the_exit() {
    let limits = Limits {
        bye: Duration::from_secs(1),
        ..Limits::default()
    };
    let options = Options {
        limits: Some(limits),
        ..Options::default()
    };
    for (word, name) in [("bad-exit", "BadExit"), ("lingers", "Lingers")] {
        let client = Client::connect(&child(word), options.clone())
            .await
            .unwrap();
        let fault = fault(client.bye().await);
        assert!(format!("{:?}", fault.kind).starts_with(name), "{fault}");
    }
}

#[tokio::test]
async fn a_request_that_nobody_reads_is_a_hang() {
    // It is larger than the pipe.
    let limits = Limits {
        receive: Duration::from_secs(1),
        ..Limits::default()
    };
    let options = Options {
        limits: Some(limits),
        ..Options::default()
    };
    let mut client = Client::connect(&child("goes-deaf"), options).await.unwrap();
    let session = client.open(&alice()).await.unwrap().session;
    let mail = vec![b'x'; 1024 * 1024].into();
    let receive = Receive {
        session,
        now: now(),
        mail,
        auth: Authentication::None,
    };
    assert!(matches!(
        fault(client.receive(&receive).await).kind,
        FaultKind::Hung(_)
    ));
}

#[tokio::test]
async fn attaches_over_tcp() {
    let mut adapter = std::process::Command::new(env!("CARGO_BIN_EXE_faulty-adapter"))
        .arg("good-tcp")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let output = adapter.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut address).unwrap();
    let endpoint: Endpoint = format!("tcp:{}", address.trim()).parse().unwrap();
    let mut client = Client::connect(&endpoint, validating()).await.unwrap();
    let session = client.open(&alice()).await.unwrap().session;
    client.sync(session, now()).await.unwrap();
    client.bye().await.unwrap();
    assert!(adapter.wait().unwrap().success());
}

#[tokio::test]
async fn names_a_closed_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint: Endpoint = format!("tcp:{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let closes = std::thread::spawn(move || drop(listener.accept()));
    let error = Client::connect(&endpoint, Options::default())
        .await
        .err()
        .unwrap();
    closes.join().unwrap();
    let ConnectError::Hello(CallError::Fault(fault)) = error else {
        panic!("{error}")
    };
    assert!(
        matches!(fault.kind, FaultKind::Closed | FaultKind::Broken(_)),
        "{fault}"
    );
}

#[tokio::test]
async fn carries_large_mails() {
    let mut client = Client::connect(&child("good"), Options::default())
        .await
        .unwrap();
    let session = client.open(&alice()).await.unwrap().session;
    let mail = vec![b'x'; 4 * 1024 * 1024].into();
    let receive = Receive {
        session,
        now: now(),
        mail,
        auth: Authentication::None,
    };
    client.receive(&receive).await.unwrap();
    client.bye().await.unwrap();
}

#[tokio::test]
async fn says_why_there_is_no_connection() {
    let error = |text: &'static str| async move {
        Client::connect(&text.parse().unwrap(), Options::default())
            .await
            .err()
            .unwrap()
    };
    assert!(matches!(
        error("exec:no-such-program-here").await,
        ConnectError::Start { .. }
    ));
    assert!(matches!(
        error("docker:example/agent").await,
        ConnectError::Docker(_)
    ));
    assert!(matches!(
        error("builtin:reference").await,
        ConnectError::Builtin(_)
    ));
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("tcp:{free}").parse().unwrap();
    let error = Client::connect(&endpoint, Options::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Tcp { .. }));
}

#[test]
fn resolves_a_built_in_adapter() {
    let Endpoint::Exec(command) = child("good") else {
        panic!()
    };
    let builtin: Endpoint = "builtin:reference".parse().unwrap();
    let resolved = builtin
        .clone()
        .resolve(|name| (name == "reference").then_some(command));
    assert_eq!(resolved, child("good"));
    assert_eq!(builtin.clone().resolve(|_| None), builtin);
}

#[test]
fn identities_are_checked() {
    assert!("A1".repeat(32).parse::<Identity>().is_err());
    assert!("a1".repeat(31).parse::<Identity>().is_err());
    assert_eq!(
        "a1".repeat(32).parse::<Identity>().unwrap(),
        Identity::from_octets([0xA1; 32])
    );
    assert!("2026-03-01T10:00:00+01:00".parse::<Timestamp>().is_err());
    assert!("2026-03-01 09:00:00Z".parse::<Timestamp>().is_err());
    assert!("2026-02-30T09:00:00Z".parse::<Timestamp>().is_err());
    assert_eq!(now().to_string(), "2026-03-01T09:00:00Z");
}
