//! The harness's side: start, clock, accounts, delivery, log.

use std::time::{Duration, Instant};

use kith_testbed::{
    AuthResult, Authority, Certificate, Config, Deliver, Server, TestbedError, WireLog,
};

use crate::client::{AUTHORITY, Client, server};

#[tokio::test]
async fn a_hundred_servers_in_little_time() {
    let warm_up = Server::start(&AUTHORITY, Config::default()).await.unwrap();
    let start = Instant::now();
    let mut servers = vec![warm_up];
    for _ in 0..100 {
        servers.push(Server::start(&AUTHORITY, Config::default()).await.unwrap());
    }
    let each = start.elapsed() / 100;
    println!("start of a server: {each:?}");
    assert!(each < Duration::from_millis(20), "{each:?}");
}

#[tokio::test]
async fn accounts() {
    let server = server(Config::default()).await;
    assert!(matches!(
        server.add_account("ALICE@A.test", "x"),
        Err(TestbedError::AccountExists(_))
    ));
    assert!(matches!(
        server.add_account("x@c.test", "x"),
        Err(TestbedError::Domain(_))
    ));
    assert!(matches!(
        server.add_account("x", "x"),
        Err(TestbedError::Address(_))
    ));
    assert!(matches!(
        server.messages("x@a.test", "INBOX"),
        Err(TestbedError::Account(_))
    ));
    assert!(matches!(
        server.messages("bob@b.test", "Nix"),
        Err(TestbedError::Folder(_))
    ));
    server.change_password("bob@b.test", "other").unwrap();
    let mut client = Client::tls(&server, server.endpoints().imap_tls).await;
    client
        .dialogue(
            "S: * OK …
             C: 1 LOGIN bob@b.test secret
             S: 1 NO [AUTHENTICATIONFAILED] …
             C: 2 LOGIN bob@b.test other
             S: 2 OK …
             C: 3 SELECT INBOX
             S: * FLAGS …
             S: * OK [PERMANENTFLAGS …
             S: * 0 EXISTS
             S: * 0 RECENT
             S: * OK [UIDVALIDITY …
             S: * OK [UIDNEXT 1] …
             S: * OK [HIGHESTMODSEQ 1] …
             S: 3 OK …",
        )
        .await;
    server.remove_account("bob@b.test").unwrap();
    client.dialogue("C: 4 NOOP\nS: 4 OK …\nS: * BYE …").await;
    assert_eq!(server.accounts(), ["alice@a.test"]);
}

#[tokio::test]
async fn delivery_sets_its_own_fields() {
    let server = server(Config::default()).await;
    let mail = b"Return-Path: <forged@x.test>\r\n\
        Authentication-Results: MX.test; dmarc=pass\r\n\
        authentication-results: (c) \"mx.test\"\r\n\t; dkim=pass\r\n\
        Authentication-Results: other.test; dmarc=pass\r\n\
        From: Bob <bob@b.test>\r\n\r\nbody\r\n";
    for (auth, expected) in [
        (AuthResult::Pass, Some("dmarc=pass header.from=b.test")),
        (AuthResult::Fail, Some("dmarc=fail header.from=b.test")),
        (AuthResult::None, None),
    ] {
        let how = Deliver::from("bob@b.test").auth(auth);
        let uid = server
            .deliver("alice@a.test", mail, &how)
            .unwrap()
            .uid()
            .unwrap();
        let stored = server.messages("alice@a.test", "INBOX").unwrap();
        let stored = stored.iter().find(|message| message.uid == uid).unwrap();
        let text = String::from_utf8_lossy(&stored.octets).into_owned();
        assert!(!text.contains("forged"), "{text}");
        assert!(text.contains("other.test; dmarc=pass"));
        assert!(text.starts_with("Return-Path: <bob@b.test>\r\n"));
        let own = text.matches("mx.test").count() + text.matches("MX.test").count();
        assert_eq!(own, usize::from(expected.is_some()), "{text}");
        assert!(
            expected.is_none_or(|expected| text.contains(expected)),
            "{text}"
        );
        assert!(text.ends_with("From: Bob <bob@b.test>\r\n\r\nbody\r\n"));
        assert_eq!(stored.envelope_from.as_deref(), Some("bob@b.test"));
    }
}

#[tokio::test]
async fn a_list_sends_to_all_but_the_author() {
    let server = server(Config::default()).await;
    server.add_account("carol@a.test", "secret").unwrap();
    server.add_list("fans@b.test").unwrap();
    let mut client = Client::smtp(&server).await;
    client
        .dialogue(
            "C: MAIL FROM:<alice@a.test>
             S: 250 …
             C: RCPT TO:<fans@b.test>
             S: 250 …
             C: DATA
             S: 354 …
             C: From: alice@a.test\\r\\nSubject: hello\\r\\n\\r\\nbody\\r\\n.
             S: 250 …",
        )
        .await;
    for (address, count) in [("alice@a.test", 0), ("bob@b.test", 1), ("carol@a.test", 1)] {
        let inbox = server.messages(address, "INBOX").unwrap();
        assert_eq!(inbox.len(), count, "{address}");
        for message in inbox {
            let text = String::from_utf8_lossy(&message.octets).into_owned();
            assert!(text.contains("Subject: [fans] hello\r\n"), "{text}");
            assert!(text.contains("dmarc=fail"), "{text}");
            assert_eq!(message.envelope_from.as_deref(), Some("fans@b.test"));
        }
    }
}

#[tokio::test]
async fn delivery_into_folders_with_flags_or_as_spam() {
    let server = server(Config::default()).await;
    let how = Deliver {
        folder: "Kith/Refused".to_owned(),
        flags: vec!["\\Seen".to_owned(), "$kith".to_owned()],
        ..Deliver::default()
    };
    server.deliver("alice+x@a.test", b"\r\n", &how).unwrap();
    let stored = server.messages("alice@a.test", "Kith/Refused").unwrap();
    assert_eq!(stored[0].flags, ["$kith", "\\Seen"]);
    let spam = Deliver {
        spam: true,
        ..Deliver::default()
    };
    server.deliver("alice@a.test", b"\r\n", &spam).unwrap();
    let stored = server.messages("alice@a.test", "Junk").unwrap();
    assert!(String::from_utf8_lossy(&stored[0].octets).contains("X-Spam-Flag: YES\r\n"));
    let folders = server.folders("alice@a.test").unwrap();
    let folder = folders
        .iter()
        .find(|folder| folder.name == "Kith/Refused")
        .unwrap();
    assert_eq!((folder.messages, folder.uid_next), (1, 2));
    assert!(server.deliver("nobody@a.test", b"", &spam).is_err());
}

#[tokio::test]
async fn waiting_without_polling() {
    let server = server(Config::default()).await;
    let none = server.wait_submissions(0, Duration::from_millis(10)).await;
    assert!(none.is_empty());
    let waiting = tokio::spawn({
        let server = server.clone();
        async move {
            let wait = server.wait_message("bob@b.test", "Kith", Duration::from_secs(20), |_| true);
            wait.await.unwrap().unwrap().uid
        }
    });
    tokio::task::yield_now().await;
    let how = Deliver {
        folder: "Kith".to_owned(),
        ..Deliver::default()
    };
    server.deliver("bob@b.test", b"\r\n", &how).unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
}

#[tokio::test]
async fn the_log_reads_as_a_dialogue() {
    let server = server(Config::default()).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    let literal = "x.".repeat(2_500);
    client.dialogue("C: 1 APPEND INBOX {5000}\nS: + …").await;
    client.dialogue(&format!("C: {literal}\nS: 1 OK …")).await;
    client.command("2 LOGOUT").await;
    let log = server.wire_log();
    let text = log.render();
    for part in [
        "imap1 - -- connected",
        "imap1 - -- TLS established",
        "imap1 - C: login LOGIN alice@a.test ****",
        "imap1 alice@a.test C: 1 APPEND INBOX {5000}",
        "[…3800 more octets]",
        "imap1 alice@a.test S: 2 OK Logout completed",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("secret"));
    assert!(
        log.windows(2)
            .all(|pair| pair[0].at <= pair[1].at || pair[0].session != pair[1].session)
    );
    let json = WireLog(log.0.clone());
    assert_eq!(json, log);
}

#[tokio::test]
async fn certificates_with_faults() {
    let server = server(Config::default()).await;
    for (certificate, expected) in [
        (Certificate::Valid, None),
        (Certificate::Untrusted, Some("UnknownIssuer")),
        (Certificate::Expired, Some("expired")),
        (Certificate::WrongName, Some("not valid for name")),
    ] {
        server.set_certificate(&AUTHORITY, certificate).unwrap();
        let mut client = Client::plain(&server, server.endpoints().imap_tls).await;
        let result = client.start_tls().await;
        match (result, expected) {
            (Ok(()), None) => (),
            (Err(error), Some(expected)) => {
                let text = error.to_string();
                assert!(text.contains(expected), "{certificate:?}: {text}");
            }
            (result, _) => panic!("{certificate:?}: {result:?}"),
        }
    }
    assert!(
        Authority::new()
            .unwrap()
            .pem()
            .contains("BEGIN CERTIFICATE")
    );
}

#[tokio::test]
async fn dropping_the_last_handle_ends_all() {
    let server = server(Config::default()).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    let address = server.endpoints().imap_tls;
    let second = server.clone();
    drop(server);
    client.command("1 NOOP").await;
    drop(second);
    assert!(client.is_closed().await);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
