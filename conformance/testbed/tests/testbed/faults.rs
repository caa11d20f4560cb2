//! Each fault once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_testbed::{
    Config, Deliver, Delivered, DeliveryAction, Fault, ImapAction, Server, SmtpAction, SmtpStage,
    transforms,
};

use crate::client::{Client, server};

const MAIL: &[u8] = b"From: alice@a.test\r\nSubject: x\r\n\r\nbody\r\n";

fn deliver(server: &Server, text: &str) -> Delivered {
    let mail = format!("Subject: {text}\r\n\r\n");
    let how = Deliver::from("alice@a.test");
    server.deliver("bob@b.test", mail.as_bytes(), &how).unwrap()
}

fn subjects(server: &Server) -> Vec<String> {
    let stored = server.messages("bob@b.test", "INBOX").unwrap();
    let subject = |message: &kith_testbed::StoredMessage| {
        let text = String::from_utf8_lossy(&message.octets).into_owned();
        text.split("Subject: ").nth(1).unwrap().trim().to_owned()
    };
    stored.iter().map(subject).collect()
}

#[tokio::test]
async fn smtp_replies_at_each_stage() {
    let server = server(Config::default()).await;
    let faults = server.faults();
    let grey = faults.add(
        Fault::reply(SmtpStage::Rcpt, 450, "4.7.1 Greylisted")
            .address("bob@b.test")
            .times(2),
    );
    faults.add(Fault::reply(SmtpStage::Mail, 451, "4.3.0 Not now").times(1));
    faults.add(Fault::reply(SmtpStage::Data, 452, "4.2.2 Full").times(1));
    faults.add(Fault::reply(SmtpStage::EndOfData, 550, "5.7.1 No").times(1));
    faults.add(Fault::reply(SmtpStage::Auth, 454, "4.7.0 Not now").times(1));
    let mut client = Client::tls(&server, server.endpoints().submission_tls).await;
    client
        .dialogue(
            "S: 220 …
             C: EHLO c.test
             S*: 250 …
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 454 4.7.0 Not now
             C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 235 …
             C: MAIL FROM:<alice@a.test>
             S: 451 4.3.0 Not now
             C: MAIL FROM:<alice@a.test>
             S: 250 …
             C: RCPT TO:<bob@b.test>
             S: 450 4.7.1 Greylisted
             C: RCPT TO:<bob@b.test>
             S: 450 4.7.1 Greylisted
             C: RCPT TO:<bob@b.test>
             S: 250 …
             C: DATA
             S: 452 4.2.2 Full
             C: DATA
             S: 354 …
             C: .
             S: 550 5.7.1 No",
        )
        .await;
    assert_eq!(faults.fired(grey), 2);
    assert!(server.submissions().is_empty());
    faults.add(Fault::smtp(
        SmtpStage::Mail,
        SmtpAction::ReplyAndClose(421, "4.3.2 Going down".to_owned()),
    ));
    client
        .dialogue("C: MAIL FROM:<alice@a.test>\nS: 421 4.3.2 Going down")
        .await;
    assert!(client.is_closed().await);
    faults.clear();
    faults.add(Fault::reply(SmtpStage::Greeting, 554, "5.3.2 No service"));
    let mut client = Client::tls(&server, server.endpoints().submission_tls).await;
    client.dialogue("S: 554 5.3.2 No service").await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn smtp_cut_around_the_final_reply() {
    for (action, replied, kept) in [
        (SmtpAction::Drop, false, 0),
        (SmtpAction::AcceptThenDrop, false, 1),
        (SmtpAction::AcceptReplyThenDrop, true, 1),
    ] {
        let server = server(Config::default()).await;
        server
            .faults()
            .add(Fault::smtp(SmtpStage::EndOfData, action).domain("b.test"));
        let mut client = Client::smtp(&server).await;
        client
            .dialogue(
                "C: MAIL FROM:<alice@a.test>
                 S: 250 …
                 C: RCPT TO:<bob@b.test>
                 S: 250 …
                 C: DATA
                 S: 354 …
                 C: x\\r\\n.",
            )
            .await;
        if replied {
            client.dialogue("S: 250 2.0.0 …").await;
        }
        assert!(client.is_closed().await);
        assert_eq!(server.submissions().len(), kept);
        assert_eq!(server.messages("bob@b.test", "INBOX").unwrap().len(), kept);
    }
}

#[tokio::test]
async fn delays() {
    let server = server(Config::default()).await;
    let delay = Duration::from_millis(30);
    server
        .faults()
        .add(Fault::smtp(SmtpStage::Mail, SmtpAction::Delay(delay)));
    server
        .faults()
        .add(Fault::imap(&["NOOP"], ImapAction::Delay(delay)));
    let mut smtp = Client::smtp(&server).await;
    let mut imap = Client::imap(&server, "alice@a.test").await;
    let start = Instant::now();
    smtp.dialogue("C: MAIL FROM:<alice@a.test>\nS: 250 …").await;
    assert!(start.elapsed() >= delay);
    imap.command("1 NOOP").await;
    assert!(start.elapsed() >= delay * 2);
}

#[tokio::test]
async fn delivery_duplicated_lost_held_reordered() {
    let server = server(Config::default()).await;
    let faults = server.faults();
    faults.add(Fault::delivery(DeliveryAction::Duplicate(1)).times(1));
    assert_eq!(deliver(&server, "twice").uid(), Some(1));
    faults.add(Fault::delivery(DeliveryAction::Drop).times(1));
    assert_eq!(deliver(&server, "lost"), Delivered::Dropped);
    faults.add(Fault::delivery(DeliveryAction::Hold).times(1));
    assert_eq!(deliver(&server, "held"), Delivered::Held);
    assert_eq!(subjects(&server), ["twice", "twice"]);
    assert_eq!(server.held(), 1);
    assert_eq!(server.release_held(), 1);
    faults.add(Fault::delivery(DeliveryAction::Reorder(3)).times(3));
    for text in ["1", "2", "3"] {
        assert_eq!(deliver(&server, text), Delivered::Held);
    }
    assert_eq!(subjects(&server), ["twice", "twice", "held", "3", "2", "1"]);
}

#[tokio::test]
async fn delivery_changed_on_the_way() {
    let server = server(Config::default()).await;
    let faults = server.faults();
    let long = format!(
        "X-Long: {}\r\nX-Kith: 1\r\nSubject: s\r\n",
        "word ".repeat(30)
    );
    let body = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n--b--\r\n";
    let mail = format!("{long}{body}");
    for (transform, expected, lacking) in [
        (
            transforms::refold_headers(60),
            "word word\r\n word",
            "\r\n word word\r\n\r\n",
        ),
        (
            transforms::strip_unknown_headers(),
            "Subject: s\r\nContent-Type",
            "X-Kith",
        ),
        (
            transforms::list_footer("l.test", "Bye"),
            "Subject: [l.test] s\r\n",
            "nothing",
        ),
        (
            transforms::list_footer("l.test", "Bye"),
            "\r\n\r\nBye\r\n--=_list",
            "nothing",
        ),
        (
            transforms::append_text("-- \r\nad\r\n"),
            "--b--\r\n-- \r\nad\r\n",
            "nothing",
        ),
        (
            transforms::base64_to_quoted_printable(),
            "\r\n\r\nhello=20world",
            "aGVsbG8",
        ),
        (
            transforms::rewrap_base64(8),
            "aGVsbG8g\r\nd29ybGQ=\r\n",
            "nothing",
        ),
        (
            transforms::bare_line_feeds(),
            "X-Kith: 1\nSubject: s\n",
            "--b--\r\n",
        ),
        (
            Arc::new(|_: &[u8]| b"Q: 1\r\n\r\n".to_vec()) as transforms::Transform,
            "Q: 1",
            "s",
        ),
    ] {
        let id = faults.add(Fault::delivery(DeliveryAction::Transform(transform)));
        let how = Deliver::from("");
        server.deliver("bob@b.test", mail.as_bytes(), &how).unwrap();
        faults.remove(id);
        let stored = server.messages("bob@b.test", "INBOX").unwrap();
        let text = String::from_utf8_lossy(&stored.last().unwrap().octets).into_owned();
        assert!(text.contains(expected), "{expected:?} not in {text}");
        let own = text.find("+0000\r\n").unwrap();
        assert!(!text[own..].contains(lacking), "{lacking:?} in {text}");
    }
}

#[tokio::test]
async fn bounces_are_real_notifications() {
    let server = server(Config::default()).await;
    let bounce = DeliveryAction::Bounce("5.4.1".to_owned(), "No answer from host".to_owned());
    server
        .faults()
        .add(Fault::delivery(bounce).address("bob@b.test"));
    let how = Deliver::from("alice@a.test");
    assert_eq!(
        server.deliver("bob@b.test", MAIL, &how).unwrap(),
        Delivered::Bounced
    );
    let inbox = server.messages("alice@a.test", "INBOX").unwrap();
    let text = String::from_utf8_lossy(&inbox[0].octets).into_owned();
    for part in [
        "Return-Path: <>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "multipart/report; report-type=delivery-status",
        "Reporting-MTA: dns; mail.test\r\n",
        "Final-Recipient: rfc822; bob@b.test\r\n",
        "Action: failed\r\nStatus: 5.4.1\r\n",
        "Content-Type: message/rfc822\r\n\r\nFrom: alice@a.test",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // A notification that cannot be delivered is not answered.
    let null = Deliver::from("");
    assert_eq!(
        server.deliver("bob@b.test", MAIL, &null).unwrap(),
        Delivered::Bounced
    );
    assert_eq!(server.messages("alice@a.test", "INBOX").unwrap().len(), 1);
}

#[tokio::test]
async fn quota() {
    let server = server(Config::default()).await;
    server.set_quota("bob@b.test", Some(400)).unwrap();
    let mut imap = Client::imap(&server, "bob@b.test").await;
    imap.dialogue("C: 1 APPEND INBOX {300+}").await;
    imap.dialogue(&format!("C: {}\nS: 1 OK …", "x".repeat(300)))
        .await;
    imap.dialogue("C: 2 APPEND INBOX {300+}").await;
    imap.dialogue(&format!("C: {}\nS: 2 NO [OVERQUOTA] …", "x".repeat(300)))
        .await;
    assert_eq!(deliver(&server, "too much"), Delivered::Bounced);
    server.set_quota("bob@b.test", Some(300)).unwrap();
    let mut smtp = Client::smtp(&server).await;
    smtp.dialogue(
        "C: MAIL FROM:<alice@a.test>
         S: 250 …
         C: RCPT TO:<bob@b.test>
         S: 452 4.2.2 …",
    )
    .await;
}

#[tokio::test]
async fn imap_faults() {
    let server = server(Config::default()).await;
    let faults = server.faults();
    let login = faults.add(Fault::refuse_login().address("alice@a.test").times(1));
    faults.add(Fault::refuse_append().times(1));
    let mut client = Client::tls(&server, server.endpoints().imap_tls).await;
    client
        .dialogue(
            "S: * OK …
             C: 1 LOGIN alice@a.test secret
             S: 1 NO [AUTHENTICATIONFAILED] Not today
             C: 2 LOGIN alice@a.test secret
             S: 2 OK …
             C: 3 APPEND INBOX {1+}\\r\\nx
             S: 3 NO [OVERQUOTA] …
             C: 4 APPEND INBOX {1+}\\r\\nx
             S: 4 OK …",
        )
        .await;
    assert_eq!(faults.fired(login), 1);
    faults.add(Fault::imap(&[], ImapAction::Drop).skip(2).times(1));
    client
        .dialogue("C: 5 NOOP\nS: 5 OK …\nC: 6 NOOP\nS: 6 OK …\nC: 7 NOOP")
        .await;
    assert!(client.is_closed().await);
    faults.add(Fault::imap(&["APPEND"], ImapAction::CarryOutThenDrop).times(1));
    let mut client = Client::imap(&server, "alice@a.test").await;
    client.dialogue("C: 8 APPEND INBOX {1+}\\r\\nx").await;
    assert!(client.is_closed().await);
    assert_eq!(server.messages("alice@a.test", "INBOX").unwrap().len(), 2);
    faults.add(Fault::imap(
        &["SELECT"],
        ImapAction::Bad("What?".to_owned()),
    ));
    let mut client = Client::imap(&server, "alice@a.test").await;
    client.dialogue("C: 9 SELECT INBOX\nS: 9 BAD What?").await;
}

#[tokio::test]
async fn away_and_back_on_the_same_ports() {
    let server = server(Config::default()).await;
    let before = server.endpoints();
    let mut client = Client::imap(&server, "alice@a.test").await;
    server.go_away().await;
    assert!(client.is_closed().await);
    assert!(
        tokio::net::TcpStream::connect(before.imap_tls)
            .await
            .is_err()
    );
    deliver(&server, "while away");
    server.come_back().await.unwrap();
    assert_eq!(server.endpoints(), before);
    let mut client = Client::imap(&server, "bob@b.test").await;
    let lines = client.command("1 STATUS INBOX (MESSAGES)").await;
    assert_eq!(lines[0], "* STATUS \"INBOX\" (MESSAGES 1)");
}
