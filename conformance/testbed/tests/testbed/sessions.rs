//! Several sessions on one mailbox: each has its own view and learns of changes when it may.

use std::time::Instant;

use kith_testbed::{Config, Deliver};

use crate::client::{Client, server};

#[tokio::test]
async fn views_follow_each_other() {
    let server = server(Config::default()).await;
    for _ in 0..3 {
        server
            .deliver("alice@a.test", b"\r\n", &Deliver::default())
            .unwrap();
    }
    let mut one = Client::imap(&server, "alice@a.test").await;
    let mut two = Client::imap(&server, "alice@a.test").await;
    assert!(
        one.command("1 SELECT INBOX")
            .await
            .contains(&"* 3 RECENT".to_owned())
    );
    // What one session was told is recent is so for no other.
    assert!(
        two.command("1 SELECT INBOX")
            .await
            .contains(&"* 0 RECENT".to_owned())
    );
    one.dialogue(
        "C: 2 STORE 1 +FLAGS ($new)
         S: * FLAGS …
         S: * OK [PERMANENTFLAGS …
         S: * 1 FETCH (UID 1 FLAGS ($new \\Recent))
         S: 2 OK …
         C: 3 STORE 2 +FLAGS.SILENT (\\Deleted)
         S: 3 OK …
         C: 4 EXPUNGE
         S: * 2 EXPUNGE
         S: 4 OK …",
    )
    .await;
    server
        .deliver("alice@a.test", b"\r\n", &Deliver::default())
        .unwrap();
    // No EXPUNGE during FETCH, STORE and SEARCH by number; the numbers stay valid.
    two.dialogue(
        "C: 2 FETCH 3 UID
         S: * FLAGS (… $new)
         S: * OK [PERMANENTFLAGS …
         S: * 3 FETCH (UID 3)
         S: * 1 FETCH (UID 1 FLAGS ($new))
         S: * 4 EXISTS
         S: * 1 RECENT
         S: 2 OK …
         C: 3 FETCH 2 FLAGS
         S: 3 NO [EXPUNGEISSUED] …
         C: 4 SEARCH ALL
         S: * SEARCH 1 3 4
         S: 4 OK …
         C: 5 STORE 2 +FLAGS (\\Seen)
         S: 5 NO [EXPUNGEISSUED] …
         C: 6 UID SEARCH ALL
         S: * SEARCH 1 3 4
         S: * 2 EXPUNGE
         S: 6 OK …
         C: 7 FETCH 2 UID
         S: * 2 FETCH (UID 3)
         S: 7 OK …
         C: 8 NOOP
         S: 8 OK …",
    )
    .await;
    one.dialogue(
        "C: 5 NOOP
         S: * 3 EXISTS
         S: * 2 RECENT
         S: 5 OK …",
    )
    .await;
}

#[tokio::test]
async fn a_deleted_mailbox_ends_the_session() {
    let server = server(Config::default()).await;
    let mut one = Client::imap(&server, "alice@a.test").await;
    let mut two = Client::imap(&server, "alice@a.test").await;
    one.command("1 SELECT Trash").await;
    two.dialogue("C: 1 RENAME Trash Bin\nS: 1 OK …").await;
    one.dialogue("C: 2 NOOP\nS: 2 OK …").await;
    two.dialogue("C: 2 DELETE Bin\nS: 2 OK …").await;
    one.dialogue("C: 3 NOOP\nS: 3 OK …\nS: * BYE …").await;
    assert!(one.is_closed().await);
}

#[tokio::test]
async fn idle_tells_at_once() {
    let server = server(Config::default()).await;
    let mut idler = Client::imap(&server, "alice@a.test").await;
    let mut other = Client::imap(&server, "alice@a.test").await;
    idler.command("1 SELECT INBOX").await;
    other.command("1 SELECT INBOX").await;
    idler.dialogue("C: 2 IDLE\nS: + …").await;
    let mut fastest = std::time::Duration::MAX;
    for number in 1..=20 {
        let start = Instant::now();
        server
            .deliver("alice@a.test", b"\r\n", &Deliver::default())
            .unwrap();
        idler
            .dialogue(&format!("S: * {number} EXISTS\nS: * {number} RECENT"))
            .await;
        fastest = fastest.min(start.elapsed());
    }
    println!("IDLE: {fastest:?}");
    assert!(
        fastest < std::time::Duration::from_millis(20),
        "{fastest:?}"
    );
    other.command("2 NOOP").await;
    other.command("2 STORE 3 +FLAGS (\\Deleted)").await;
    idler
        .dialogue("S: * 3 FETCH (UID 3 FLAGS (\\Deleted \\Recent))")
        .await;
    other.command("3 EXPUNGE").await;
    idler.dialogue("S: * 3 EXPUNGE").await;
    idler
        .dialogue(
            "C: DONE
             S: 2 OK …
             C: 3 IDLE
             S: + …
             C: NONSENSE
             S: 3 BAD …
             C: 4 IDLE
             S: + …",
        )
        .await;
    server.remove_account("alice@a.test").unwrap();
    idler.dialogue("S: * BYE …").await;
}
