//! FETCH, line by line, and the messages that the other IMAP tests use too.

use kith_testbed::{Config, Server};

use crate::client::{Client, server};

/// A server where alice has a folder `T` with these messages in it.
pub(crate) async fn with_messages(messages: &[&str]) -> (Server, Client) {
    let server = server(Config::default()).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client.dialogue("C: c CREATE T\nS: c OK …").await;
    for message in messages {
        let length = message.len();
        client
            .dialogue(&format!("C: a APPEND T {{{length}+}}"))
            .await;
        client.send(message.as_bytes()).await;
        client.dialogue("C:\nS: a OK …").await;
    }
    client.command("s SELECT T").await;
    (server, client)
}

pub(crate) const SIMPLE: &str = "Date: Sat, 21 Nov 2026 12:00:00 -0500\r\nFrom: Bob <bob@b.test>\r\n\
Subject: Hi there\r\nMessage-ID: <1@b.test>\r\n\r\nHello\r\nAlice\r\n";

pub(crate) const NESTED: &str = "From: \"Doe, J.\" <j@b.test>\r\nTo: Group: a@a.test, b@a.test;\r\n\
Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\n\
--out\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nW=C3=B6rter\r\n\
--out\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"m.eml\"\r\n\r\n\
Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n\
--in\r\n\r\none\r\n--in\r\nContent-Type: text/html\r\nContent-ID: <h>\r\n\r\n<p>two</p>\r\n--in--\r\n\r\n\
--out\r\nContent-Type: application/kith-object\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--out--\r\n";

#[tokio::test]
async fn fetch_the_simple_things() {
    let (_server, mut client) = with_messages(&[SIMPLE]).await;
    client
        .dialogue(
            "C: 1 FETCH 1 FAST
             S: * 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"21-Nov-2026 22:12:19 +0000\" RFC822.SIZE 122)
             S: 1 OK …
             C: 2 UID FETCH 1:* (ENVELOPE)
             S: * 1 FETCH (UID 1 ENVELOPE (\"Sat, 21 Nov 2026 12:00:00 -0500\" \"Hi there\" ((\"Bob\" NIL \"bob\" \"b.test\")) ((\"Bob\" NIL \"bob\" \"b.test\")) ((\"Bob\" NIL \"bob\" \"b.test\")) NIL NIL NIL NIL \"<1@b.test>\"))
             S: 2 OK …
             C: 3 FETCH 1 (BODY BODYSTRUCTURE)
             S: * 1 FETCH (BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2) BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2 NIL NIL NIL NIL))
             S: 3 OK …
             C: 4 FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject X-None)]
             S: * 1 FETCH (BODY[HEADER.FIELDS (Subject X-None)] {21}\\r\\nSubject: Hi there\\r\\n\\r\\n)
             S: 4 OK …
             C: 5 FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (Date From Subject)]
             S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (Date From Subject)] {26}\\r\\nMessage-ID: <1@b.test>\\r\\n\\r\\n)
             S: 5 OK …
             C: 6 FETCH 1 (BODY.PEEK[]<112.5> BODY.PEEK[]<200.5>)
             S: * 1 FETCH (BODY[]<112> {5}\\r\\no\\r\\nAl BODY[]<200> {0}\\r\\n)
             S: 6 OK …
             C: 7 FETCH 1 (RFC822.HEADER BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[2])
             S: * 1 FETCH (RFC822.HEADER {108}\\r\\nDate: … BODY[1] {14}\\r\\nHello\\r\\nAlice\\r\\n BODY[1.MIME] {108}\\r\\nDate: … BODY[2] NIL)
             S: 7 OK …
             C: 8 FETCH 1 RFC822.TEXT
             S: * 1 FETCH (RFC822.TEXT {14}\\r\\nHello\\r\\nAlice\\r\\n FLAGS (\\Seen \\Recent))
             S: 8 OK …
             C: 9 UID FETCH 1 (RFC822.SIZE BODY[HEADER])
             S: * 1 FETCH (UID 1 RFC822.SIZE 122 BODY[HEADER] {108}\\r\\nDate: …)
             S: 9 OK …
             C: 10 FETCH 2 FLAGS
             S: 10 BAD …
             C: 11 UID FETCH 2:9 FLAGS
             S: 11 OK …
             C: 12 UID FETCH 7:* FLAGS
             S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))
             S: 12 OK …
             C: 13 FETCH 1 BINARY[1]
             S: 13 BAD …",
        )
        .await;
}

#[tokio::test]
async fn fetch_in_nested_parts() {
    let (_server, mut client) = with_messages(&[NESTED]).await;
    client
        .dialogue(
            "C: 1 FETCH 1 BODY
             S: * 1 FETCH (BODY ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" 11 0)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 151 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0)(\"text\" \"html\" (\"charset\" \"us-ascii\") \"<h>\" NIL \"7bit\" 10 0) \"alternative\") 12)(\"application\" \"kith-object\" NIL NIL NIL \"base64\" 4) \"mixed\"))
             S: 1 OK …
             C: 2 FETCH 1 BODYSTRUCTURE
             S: * 1 FETCH (BODYSTRUCTURE ((\"text\" …(\"attachment\" (\"filename\" \"m.eml\")) NIL NIL)(\"application\" … \"mixed\" (\"boundary\" \"out\") NIL NIL NIL))
             S: 2 OK …
             C: 3 FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.HEADER] BODY.PEEK[2.1] BODY.PEEK[2.2.MIME] BODY.PEEK[2.2] BODY.PEEK[3])
             S: * 1 FETCH (BODY[1] {11}\\r\\nW=C3=B6rter BODY[2.HEADER] {68}\\r\\nSubject: inner\\r\\nContent-Type: multipart/alternative; boundary=in\\r\\n\\r\\n BODY[2.1] {3}\\r\\none BODY[2.2.MIME] {44}\\r\\nContent-Type: text/html\\r\\nContent-ID: <h>\\r\\n\\r\\n BODY[2.2] {10}\\r\\n<p>two</p> BODY[3] {4}\\r\\nAAEC)
             S: 3 OK …
             C: 4 FETCH 1 (BODY.PEEK[2.TEXT] BODY.PEEK[2.HEADER.FIELDS (Subject)] BODY.PEEK[2.MIME] BODY.PEEK[1.HEADER] BODY.PEEK[2.3] BODY.PEEK[1.1])
             S: * 1 FETCH (BODY[2.TEXT] {83}\\r\\n--in\\r\\n…--in--\\r\\n BODY[2.HEADER.FIELDS (Subject)] {18}\\r\\nSubject: inner\\r\\n\\r\\n BODY[2.MIME] {83}\\r\\nContent-Type: message/rfc822\\r\\n… BODY[1.HEADER] NIL BODY[2.3] NIL BODY[1.1] NIL)
             S: 4 OK …
             C: 5 FETCH 1 ENVELOPE
             S: * 1 FETCH (ENVELOPE (NIL \"=?utf-8?q?gr=C3=BC=C3=9Fe?=\" ((\"Doe, J.\" NIL \"j\" \"b.test\")) ((\"Doe, J.\" NIL \"j\" \"b.test\")) ((\"Doe, J.\" NIL \"j\" \"b.test\")) ((NIL NIL \"Group\" NIL)(NIL NIL \"a\" \"a.test\")(NIL NIL \"b\" \"a.test\")(NIL NIL NIL NIL)) NIL NIL NIL NIL))
             S: 5 OK …",
        )
        .await;
}

#[tokio::test]
async fn a_message_that_is_a_message() {
    let whole = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n";
    let (_server, mut client) = with_messages(&[whole]).await;
    client
        .dialogue(
            "C: 1 FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.HEADER] BODY.PEEK[1.1] BODY.PEEK[1.TEXT])
             S: * 1 FETCH (BODY[1] {21}\\r\\nSubject: in\\r\\n\\r\\nbody\\r\\n BODY[1.HEADER] {15}\\r\\nSubject: in\\r\\n\\r\\n BODY[1.1] {6}\\r\\nbody\\r\\n BODY[1.TEXT] {6}\\r\\nbody\\r\\n)
             S: 1 OK …",
        )
        .await;
}
