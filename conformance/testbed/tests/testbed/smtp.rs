//! Submission, line by line.

use kith_testbed::{Config, Mechanism};

use crate::client::{Client, server};

#[tokio::test]
async fn before_tls_only_starttls() {
    let server = server(Config::default()).await;
    let mut client = Client::plain(&server, server.endpoints().submission_starttls).await;
    client
        .dialogue(
            "S: 220 mail.test ESMTP
             C: EHLO client.test
             S: 250-mail.test
             S: 250-ENHANCEDSTATUSCODES
             S: 250-PIPELINING
             S: 250 STARTTLS
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 530 5.7.0 …
             C: MAIL FROM:<alice@a.test>
             S: 530 5.7.0 …
             C: STARTTLS
             S: 220 2.0.0 …",
        )
        .await;
    client.start_tls().await.unwrap();
    client
        .dialogue(
            "C: MAIL FROM:<alice@a.test>
             S: 503 …
             C: EHLO client.test
             S: 250-mail.test
             S: 250-ENHANCEDSTATUSCODES
             S: 250-PIPELINING
             S: 250-SIZE 52428800
             S: 250-8BITMIME
             S: 250-SMTPUTF8
             S: 250 AUTH PLAIN LOGIN
             C: STARTTLS
             S: 503 …
             C: MAIL FROM:<alice@a.test>
             S: 530 5.7.0 …
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 235 2.7.0 …",
        )
        .await;
}

#[tokio::test]
async fn where_starttls_is_taken_out_all_is_taken_in_the_clear() {
    let server = server(Config::default()).await;
    server.strip_starttls(true);
    let mut client = Client::plain(&server, server.endpoints().submission_starttls).await;
    client
        .dialogue(
            "S: 220 mail.test ESMTP
             C: STARTTLS
             S: 502 …
             C: EHLO client.test
             S*: 250 …
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 235 2.7.0 …
             C: MAIL FROM:<alice@a.test>
             S: 250 …",
        )
        .await;
    let mut client = Client::plain(&server, server.endpoints().imap_starttls).await;
    client.line().await.unwrap();
    let refused = client.command("a STARTTLS").await;
    assert!(refused.last().unwrap().starts_with("a BAD"), "{refused:?}");
    let taken = client.command("b LOGIN alice@a.test secret").await;
    assert!(taken.last().unwrap().starts_with("b OK"), "{taken:?}");
}

#[tokio::test]
async fn nothing_may_follow_starttls_in_the_clear() {
    let server = server(Config::default()).await;
    let mut client = Client::plain(&server, server.endpoints().submission_starttls).await;
    client
        .dialogue(
            "S: 220 …
             C: STARTTLS\\r\\nEHLO injected
             S: 503 5.5.1 …",
        )
        .await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn auth_in_all_forms() {
    let server = server(Config::default()).await;
    for dialogue in [
        "C: AUTH PLAIN
         S: 334…
         C: AGFsaWNlQGEudGVzdABzZWNyZXQ=
         S: 235 …
         C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
         S: 503 …",
        "C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: YWxpY2VAYS50ZXN0
         S: 334 UGFzc3dvcmQ6
         C: c2VjcmV0
         S: 235 …",
        "C: AUTH LOGIN YWxpY2VAYS50ZXN0
         S: 334 UGFzc3dvcmQ6
         C: *
         S: 501 5.7.0 …",
        "C: AUTH PLAIN AGFsaWNlQGEudGVzdAB3cm9uZw==
         S: 535 5.7.8 …
         C: AUTH CRAM-MD5
         S: 504 …
         C: AUTH PLAIN !!!
         S: 501 5.5.2 …",
    ] {
        let mut client = Client::tls(&server, server.endpoints().submission_tls).await;
        client.dialogue("S: 220 …\nC: EHLO c.test\nS*: 250 …").await;
        client.dialogue(dialogue).await;
    }
    let log = server.wire_log().render();
    assert!(log.contains("AUTH PLAIN ****"));
    for secret in [
        "AGFsaWNlQGEudGVzdABzZWNyZXQ",
        "c2VjcmV0",
        "AGFsaWNlQGEudGVzdAB3cm9uZw",
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn access_tokens_in_place_of_passwords() {
    let mut config = Config::default();
    config.capabilities.smtp.auth = vec![Mechanism::Oauthbearer, Mechanism::Xoauth2];
    let server = server(config).await;
    for dialogue in [
        "C: AUTH OAUTHBEARER
         S: 334…
         C: bixhPWFsaWNlQGEudGVzdCwBaG9zdD1tYWlsLnRlc3QBcG9ydD0xAWF1dGg9QmVhcmVyIHNlY3JldAEB
         S: 235 …",
        "C: AUTH XOAUTH2 dXNlcj1hbGljZUBhLnRlc3QBYXV0aD1CZWFyZXIgc2VjcmV0AQE=
         S: 235 …",
        "C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
         S: 504 …
         C: AUTH OAUTHBEARER bixhPWFsaWNlQGEudGVzdCwBYXV0aD1CZWFyZXIgb2xkAQE=
         S: 334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=
         C: AQ==
         S: 535 5.7.8 …
         C: AUTH XOAUTH2 dXNlcj1hbGljZUBhLnRlc3QBYXV0aD1CZWFyZXIgb2xkAQE=
         S: 334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=
         C: 
         S: 535 5.7.8 …",
    ] {
        let mut client = Client::tls(&server, server.endpoints().submission_tls).await;
        client.dialogue("S: 220 …\nC: EHLO c.test\nS*: 250 …").await;
        client.dialogue(dialogue).await;
    }
    assert!(
        !server
            .wire_log()
            .render()
            .contains("dXNlcj1hbGljZUBhLnRlc3QBYXV0aD1CZWFyZXIg")
    );
}

#[tokio::test]
async fn commands_one_by_one() {
    let server = server(Config::default()).await;
    let mut client = Client::smtp(&server).await;
    client
        .dialogue(
            "C: NOOP
             S: 250 2.0.0 OK
             C: VRFY alice
             S: 252 …
             C: NONSENSE
             S: 500 5.5.1 …
             C: RCPT TO:<bob@b.test>
             S: 503 …
             C: DATA
             S: 503 …
             C: MAIL FROM:<bob@b.test>
             S: 553 5.7.1 …
             C: MAIL FROM:<alice@a.test> SIZE=99999999999
             S: 552 5.3.4 …
             C: MAIL FROM:<alice@a.test> BODY=BINARYMIME
             S: 555 …
             C: MAIL FROM:<alice@a.test> FUTURE=1
             S: 555 …
             C: MAIL FROM:<alice+tag@a.test>
             S: 250 2.1.0 …
             C: MAIL FROM:<alice@a.test>
             S: 503 …
             C: DATA
             S: 554 5.5.1 …
             C: RCPT TO:<nobody@b.test>
             S: 550 5.1.1 …
             C: RCPT TO:<bob@elsewhere.test>
             S: 550 5.1.2 …
             C: RCPT TO:<bob@@b.test>
             S: 501 5.1.3 …
             C: RCPT TO:<bob+friends@b.test>
             S: 250 2.1.5 …
             C: RSET
             S: 250 2.0.0 OK
             C: RCPT TO:<bob@b.test>
             S: 503 …
             C: BDAT 3 LAST
             S: 502 …
             C: QUIT
             S: 221 2.0.0 Bye",
        )
        .await;
    assert!(client.is_closed().await);
    assert!(server.submissions().is_empty());
}

const MAIL: &str = "C: MAIL FROM:<alice@a.test>
    S: 250 …
    C: RCPT TO:<bob@b.test>
    S: 250 …
    C: DATA
    S: 354 …";

#[tokio::test]
async fn a_mail_and_its_dots() {
    let server = server(Config::default()).await;
    let mut client = Client::smtp(&server).await;
    client.dialogue(MAIL).await;
    client
        .send(b"From: alice@a.test\r\nSubject: dots\r\n\r\n..stuffed\r\n..\r\na\n.\nb\r\n.\r\n")
        .await;
    client.dialogue("S: 250 2.0.0 Queued …").await;
    let submission = &server.submissions()[0];
    let expected = b"From: alice@a.test\r\nSubject: dots\r\n\r\n.stuffed\r\n.\r\na\n.\nb\r\n";
    assert_eq!(*submission.octets, *expected);
    assert_eq!(submission.account, "alice@a.test");
    assert_eq!(submission.envelope_from, "alice@a.test");
    assert_eq!(submission.recipients, ["bob@b.test"]);
    assert_eq!(submission.at, 1_795_299_139);
    let stored = &server.messages("bob@b.test", "INBOX").unwrap()[0];
    let text = String::from_utf8_lossy(&stored.octets);
    let start = "Return-Path: <alice@a.test>\r\n\
        Authentication-Results: mx.test;\r\n\tdmarc=pass header.from=a.test;\r\n\t\
        dkim=pass header.d=a.test;\r\n\tspf=pass smtp.mailfrom=a.test\r\n\
        Received: from client.test by mail.test\r\n\tid ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains(" for <bob@b.test>;\r\n\tSat, 21 Nov 2026 22:12:19 +0000\r\nFrom: "));
    assert!(stored.octets.ends_with(expected));
    assert_eq!(stored.internal_date, 1_795_299_139);
}

#[tokio::test]
async fn a_foreign_from_is_no_dmarc_pass() {
    let server = server(Config::default()).await;
    let mut client = Client::smtp(&server).await;
    client.dialogue(MAIL).await;
    client.send(b"From: Alice <a@b.test>\r\n\r\n.\r\n").await;
    client.dialogue("S: 250 …").await;
    let stored = &server.messages("bob@b.test", "INBOX").unwrap()[0];
    assert!(String::from_utf8_lossy(&stored.octets).contains("dmarc=fail header.from=b.test"));
}

#[tokio::test]
async fn limits() {
    let mut config = Config::default();
    config.capabilities.smtp.size_limit = 2_000;
    config.capabilities.smtp.max_recipients = 1;
    let server = server(config).await;
    let mut client = Client::smtp(&server).await;
    client
        .dialogue("C: MAIL FROM:<alice@a.test> SIZE=2001\nS: 552 5.3.4 …")
        .await;
    client.dialogue(MAIL).await;
    client.send(&[b'x'; 999]).await;
    client.send(b"\r\n.\r\n").await;
    client.dialogue("S: 554 5.6.0 A line is longer …").await;
    client.dialogue(MAIL).await;
    for _ in 0..201 {
        client.send(b"12345678\r\n").await;
    }
    client.send(b".\r\n").await;
    client.dialogue("S: 552 5.3.4 …").await;
    client
        .dialogue(
            "C: MAIL FROM:<alice@a.test>
             S: 250 …
             C: RCPT TO:<bob@b.test>
             S: 250 …
             C: RCPT TO:<alice@a.test>
             S: 452 4.5.3 …",
        )
        .await;
    let long = format!("NOOP {}\r\n", "x".repeat(20_000));
    client.send(long.as_bytes()).await;
    client.dialogue("S: 500 5.5.6 …\nC: NOOP\nS: 250 …").await;
    client.send(b"NOOP\n").await;
    client.dialogue("S: 500 5.5.2 …").await;
    assert!(server.submissions().is_empty());
}

#[tokio::test]
async fn pipelining() {
    let server = server(Config::default()).await;
    let mut client = Client::smtp(&server).await;
    let one = "MAIL FROM:<alice@a.test>\r\nRCPT TO:<bob@b.test>\r\nRCPT TO:<nobody@b.test>\r\nDATA\r\n\
               From: alice@a.test\r\n\r\nhello\r\n.\r\n";
    client.send(one.repeat(3).as_bytes()).await;
    for _ in 0..3 {
        client
            .dialogue(
                "S: 250 2.1.0 …
                 S: 250 2.1.5 …
                 S: 550 5.1.1 …
                 S: 354 …
                 S: 250 2.0.0 …",
            )
            .await;
    }
    assert_eq!(server.messages("bob@b.test", "INBOX").unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_switched_off_is_not_offered() {
    let mut config = Config::default();
    config.capabilities.smtp.smtputf8 = false;
    config.capabilities.smtp.eight_bit_mime = false;
    config.capabilities.smtp.pipelining = false;
    config.capabilities.smtp.auth = vec![Mechanism::Plain];
    let server = server(config).await;
    let mut client = Client::tls(&server, server.endpoints().submission_tls).await;
    client
        .dialogue(
            "S: 220 …
             C: EHLO c.test
             S: 250-mail.test
             S: 250-ENHANCEDSTATUSCODES
             S: 250-SIZE 52428800
             S: 250 AUTH PLAIN
             C: AUTH LOGIN
             S: 504 …
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 235 …
             C: MAIL FROM:<alice@a.test> BODY=8BITMIME
             S: 555 …
             C: MAIL FROM:<alice@a.test> SMTPUTF8
             S: 555 …",
        )
        .await;
}

#[tokio::test]
async fn internationalized_addresses() {
    let config = Config {
        domains: vec!["a.test".to_owned(), "bücher.test".to_owned()],
        ..Config::default()
    };
    let server = kith_testbed::Server::start(&crate::client::AUTHORITY, config)
        .await
        .unwrap();
    server.add_account("alice@a.test", "secret").unwrap();
    server.add_account("jürgen@bücher.test", "secret").unwrap();
    let mut client = Client::smtp(&server).await;
    client
        .dialogue(
            "C: MAIL FROM:<alice@a.test>
             S: 250 …
             C: RCPT TO:<jürgen@bücher.test>
             S: 553 5.6.7 …
             C: RSET
             S: 250 …
             C: MAIL FROM:<alice@a.test> SMTPUTF8 BODY=8BITMIME
             S: 250 …
             C: RCPT TO:<jürgen@xn--bcher-kva.test>
             S: 250 …
             C: DATA
             S: 354 …
             C: Subject: ü\\r\\n\\r\\n.
             S: 250 …",
        )
        .await;
    let params = &server.submissions()[0].params;
    assert!(params.smtputf8 && params.eight_bit_mime);
    assert_eq!(
        server
            .messages("jürgen@bücher.test", "INBOX")
            .unwrap()
            .len(),
        1
    );
}
