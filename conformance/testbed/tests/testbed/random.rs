//! Random octets and random near-commands: the server answers, or closes, and serves the next.

use kith_testbed::{Config, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::client::{Client, server};

/// Words from which near-commands are made.
const IMAP: [&str; 40] = [
    "FETCH",
    "STORE",
    "SEARCH",
    "UID",
    "COPY",
    "MOVE",
    "APPEND",
    "LIST",
    "LSUB",
    "STATUS",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "EXPUNGE",
    "CLOSE",
    "NOOP",
    "IDLE",
    "DONE",
    "INBOX",
    "1:*",
    "*",
    "2,1",
    "4294967295",
    "0",
    "(FLAGS)",
    "(\\Seen)",
    "+FLAGS",
    "BODY[]",
    "BODY[1.2.MIME]",
    "BODY[TEXT]<0.5>",
    "ENVELOPE",
    "BODYSTRUCTURE",
    "{3+}\r\nabc",
    "\"\"",
    "NOT",
    "OR",
    "HEADER x",
    "(CHANGEDSINCE 1)",
];
const SMTP: [&str; 16] = [
    "EHLO x",
    "HELO",
    "MAIL FROM:<alice@a.test>",
    "MAIL FROM:<>",
    "RCPT TO:<bob@b.test>",
    "DATA",
    "RSET",
    "NOOP",
    "VRFY",
    "AUTH PLAIN",
    "AUTH LOGIN =",
    "STARTTLS",
    ".",
    "..",
    "BDAT 5",
    "SIZE=1",
];

fn lines(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    let line = vec(word, 0..6).prop_map(|words| [b"t ", &*words.join(&b' '), b"\r\n"].concat());
    vec(line, 1..12).prop_map(|lines| lines.concat())
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..600)
}

/// Says something, then takes what is answered until the server has nothing more to say.
async fn say(client: &mut Client, octets: &[u8]) {
    client.send_and_drain(octets).await;
}

async fn still_serves(server: &Server) {
    let mut imap = Client::imap(server, "alice@a.test").await;
    assert!(
        imap.command("1 SELECT INBOX")
            .await
            .last()
            .unwrap()
            .starts_with("1 OK")
    );
    let mut smtp = Client::smtp(server).await;
    smtp.dialogue("C: NOOP\nS: 250 …").await;
    let log = server.wire_log().render();
    assert!(!log.contains("session of this server panicked"), "{log}");
}

fn play(logged_in: bool, imap: &[u8], smtp: &[u8]) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let server = server(Config::default()).await;
        let mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
        for _ in 0..3 {
            server
                .deliver("alice@a.test", mail, &kith_testbed::Deliver::default())
                .unwrap();
        }
        let endpoints = server.endpoints();
        let (mut one, mut two) = if logged_in {
            let mut one = Client::imap(&server, "alice@a.test").await;
            one.command("1 SELECT INBOX").await;
            (one, Client::smtp(&server).await)
        } else {
            let one = Client::plain(&server, endpoints.imap_starttls).await;
            (
                one,
                Client::plain(&server, endpoints.submission_starttls).await,
            )
        };
        say(&mut one, imap).await;
        say(&mut two, smtp).await;
        still_serves(&server).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn random_octets(logged_in: bool, imap in octets(), smtp in octets()) {
        play(logged_in, &imap, &smtp);
    }

    #[test]
    fn random_commands(logged_in: bool, imap in lines(&IMAP), smtp in lines(&SMTP)) {
        play(logged_in, &imap, &smtp);
    }

    #[test]
    fn random_messages(message in octets(), nested in vec(0_usize..6, 0..40)) {
        let pieces = [
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n", "--a\r\n",
            "Content-Type: message/rfc822\r\n\r\n", "--a--\r\n", "\r\n",
            "From: \"x\\\" <(a@b>, g: y;\r\n",
        ];
        let mut mail: Vec<u8> = nested.iter().flat_map(|piece| pieces[*piece].bytes()).collect();
        mail.extend_from_slice(&message);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let server = server(Config::default()).await;
            server.deliver("alice@a.test", &mail, &kith_testbed::Deliver::default()).unwrap();
            let mut client = Client::imap(&server, "alice@a.test").await;
            client.command("1 SELECT INBOX").await;
            let all = "2 FETCH 1 (ENVELOPE BODY BODYSTRUCTURE BODY[1.1.MIME] BODY[2.HEADER] BODY[1.TEXT])";
            assert!(client.command(all).await.last().unwrap().starts_with("2 OK"));
            assert!(client.command("3 SEARCH TEXT x SENTON 1-Jan-2020 SUBJECT y").await.last().unwrap().starts_with("3 OK"));
        });
    }
}
