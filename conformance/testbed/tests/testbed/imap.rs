//! IMAP, line by line.

use kith_testbed::{Config, Deliver, ImapCapabilities, Literals, Mechanism};

use crate::client::{Client, server};
use crate::fetch::{NESTED, SIMPLE, with_messages};

#[tokio::test]
async fn before_login() {
    let server = server(Config::default()).await;
    let mut client = Client::plain(&server, server.endpoints().imap_starttls).await;
    client
        .dialogue(
            "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ ID STARTTLS LOGINDISABLED] Ready
             C: 1 LOGIN alice@a.test secret
             S: 1 NO [PRIVACYREQUIRED] …
             C: 2 AUTHENTICATE PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 2 NO [PRIVACYREQUIRED] …
             C: 3 SELECT INBOX
             S: 3 BAD …
             C: 4 STARTTLS
             S: 4 OK …",
        )
        .await;
    client.start_tls().await.unwrap();
    client
        .dialogue(
            "C: 1 CAPABILITY
             S: * CAPABILITY IMAP4rev1 LITERAL+ ID SASL-IR AUTH=PLAIN CHILDREN ENABLE NAMESPACE UNSELECT IDLE UIDPLUS MOVE CONDSTORE
             S: 1 OK …
             C: 2 ID (\"name\" \"test\")
             S: * ID (\"name\" \"kith-testbed\")
             S: 2 OK …
             C: 3 STARTTLS
             S: 3 BAD …
             C: 4 AUTHENTICATE GSSAPI
             S: 4 NO …
             C: 5 AUTHENTICATE PLAIN AGFsaWNlQGEudGVzdAB3cm9uZw==
             S: 5 NO [AUTHENTICATIONFAILED] …
             C: 6 AUTHENTICATE PLAIN
             S: + …
             C: *
             S: 6 BAD …
             C: 7 AUTHENTICATE PLAIN
             S: + …
             C: AGFsaWNlQGEudGVzdABzZWNyZXQ=
             S: 7 OK [CAPABILITY IMAP4rev1 …
             C: 8 LOGIN alice@a.test secret
             S: 8 BAD …
             C: 9 NOOP
             S: 9 OK …
             C: 10 LOGOUT
             S: * BYE …
             S: 10 OK …",
        )
        .await;
    assert!(client.is_closed().await);
    assert!(!server.wire_log().render().contains("c2VjcmV0"));
}

#[tokio::test]
async fn access_tokens_in_place_of_passwords() {
    let mut config = Config::default();
    config.capabilities.imap.auth = vec![Mechanism::Oauthbearer, Mechanism::Xoauth2];
    let server = server(config).await;
    let before = "C: 1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 LITERAL+ ID SASL-IR LOGINDISABLED AUTH=OAUTHBEARER AUTH=XOAUTH2 CHILDREN …
         S: 1 OK …";
    for dialogue in [
        "C: 2 LOGIN alice@a.test secret
         S: 2 NO [CANNOT] …
         C: 3 AUTHENTICATE PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
         S: 3 NO [CANNOT] …
         C: 4 AUTHENTICATE OAUTHBEARER bixhPWFsaWNlQGEudGVzdCwBYXV0aD1CZWFyZXIgb2xkAQE=
         S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=
         C: AQ==
         S: 4 NO [AUTHENTICATIONFAILED] …
         C: 5 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZUBhLnRlc3QBYXV0aD1CZWFyZXIgc2VjcmV0AQE=
         S: 5 OK …",
        "C: 2 AUTHENTICATE OAUTHBEARER
         S: + …
         C: bixhPWFsaWNlQGEudGVzdCwBaG9zdD1tYWlsLnRlc3QBcG9ydD0xAWF1dGg9QmVhcmVyIHNlY3JldAEB
         S: 2 OK …",
    ] {
        let mut client = Client::tls(&server, server.endpoints().imap_tls).await;
        client.dialogue("S: * OK …").await;
        client.dialogue(before).await;
        client.dialogue(dialogue).await;
    }
}

#[tokio::test]
async fn login_with_literals() {
    let server = server(Config::default()).await;
    let mut client = Client::tls(&server, server.endpoints().imap_tls).await;
    client
        .dialogue(
            "S: * OK …
             C: 1 LOGIN {12}
             S: + …
             C: alice@a.test {6+}\\r\\nsecret
             S: 1 OK …
             C: 2 LOGIN {99999999999}
             S: 2 NO [TOOBIG] …
             C: 3 CREATE {999999}
             S: 3 NO [TOOBIG] …",
        )
        .await;
    let log = server.wire_log().render();
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn folders() {
    let server = server(Config::default()).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client
        .dialogue(
            "C: 1 NAMESPACE
             S: * NAMESPACE ((\"\" \"/\")) NIL NIL
             S: 1 OK …
             C: 2 LIST \"\" \"\"
             S: * LIST (\\Noselect) \"/\" \"\"
             S: 2 OK …
             C: 3 LIST \"\" *
             S: * LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"
             S: * LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"
             S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"
             S: * LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"
             S: * LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"
             S: * LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"
             S: 3 OK …
             C: 4 CREATE Kith/Refused
             S: 4 OK …
             C: 5 CREATE Kith
             S: 5 NO [ALREADYEXISTS] …
             C: 6 LIST Ki %
             S: * LIST (\\HasChildren) \"/\" \"Kith\"
             S: 6 OK …
             C: 7 DELETE Kith
             S: 7 OK …
             C: 8 LIST \"\" K%
             S: * LIST (\\HasChildren \\Noselect) \"/\" \"Kith\"
             S: 8 OK …
             C: 9 SELECT Kith
             S: 9 NO [NONEXISTENT] …
             C: 10 RENAME Kith/Refused \"Entw&APw-rfe/b\"
             S: 10 OK …
             C: 11 LIST \"\" Entw*
             S: * LIST (\\HasChildren) \"/\" \"Entw&APw-rfe\"
             S: * LIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe/b\"
             S: 11 OK …
             C: 12 RENAME \"Entw&APw-rfe\" e
             S: 12 OK …
             C: 13 LIST e *
             S: * LIST (\\HasChildren) \"/\" \"e\"
             S: * LIST (\\HasNoChildren) \"/\" \"e/b\"
             S: 13 OK …
             C: 14 SUBSCRIBE e/b
             S: 14 OK …
             C: 15 LSUB \"\" e%
             S: * LSUB (\\Noselect) \"/\" \"e\"
             S: 15 OK …
             C: 16 LSUB \"\" e*
             S: * LSUB () \"/\" \"e/b\"
             S: 16 OK …
             C: 17 UNSUBSCRIBE e/b
             S: 17 OK …
             C: 18 LSUB \"\" e*
             S: 18 OK …
             C: 19 DELETE inbox
             S: 19 NO …
             C: 20 RENAME e e/f
             S: 20 NO …
             C: 21 RENAME nix nox
             S: 21 NO [NONEXISTENT] …
             C: 22 CREATE a//b
             S: 22 NO [CANNOT] …
             C: 23 CREATE z/
             S: 23 OK …
             C: 24 STATUS z (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)
             S: * STATUS \"z\" (MESSAGES 0 RECENT 0 UIDNEXT 1 UIDVALIDITY … UNSEEN 0 HIGHESTMODSEQ 1)
             S: 24 OK …
             C: 25 STATUS nix (MESSAGES)
             S: 25 NO [NONEXISTENT] …",
        )
        .await;
}

#[tokio::test]
async fn renaming_the_inbox_leaves_an_empty_one() {
    let server = server(Config::default()).await;
    server
        .deliver("alice@a.test", SIMPLE.as_bytes(), &Deliver::default())
        .unwrap();
    let mut client = Client::imap(&server, "alice@a.test").await;
    client.dialogue("C: 1 RENAME INBOX Old\nS: 1 OK …").await;
    assert_eq!(server.messages("alice@a.test", "Old").unwrap().len(), 1);
    assert!(server.messages("alice@a.test", "INBOX").unwrap().is_empty());
}

#[tokio::test]
async fn prefix_and_delimiter() {
    let mut config = Config::default();
    config.capabilities.imap.namespace_prefix = "INBOX.".to_owned();
    config.capabilities.imap.delimiter = '.';
    config.capabilities.imap.special_use = false;
    let server = server(config).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client
        .dialogue(
            "C: 1 NAMESPACE
             S: * NAMESPACE ((\"INBOX.\" \".\")) NIL NIL
             S: 1 OK …
             C: 2 CREATE Kith
             S: 2 NO [CANNOT] …
             C: 3 CREATE INBOX.Kith.Refused
             S: 3 OK …
             C: 4 LIST \"\" *
             S: * LIST (\\HasChildren) \".\" \"INBOX\"
             S: * LIST (\\HasChildren) \".\" \"INBOX.Kith\"
             S: * LIST (\\HasNoChildren) \".\" \"INBOX.Kith.Refused\"
             S: 4 OK …
             C: 5 STATUS inbox.Kith (MESSAGES)
             S: * STATUS \"INBOX.Kith\" (MESSAGES 0)
             S: 5 OK …",
        )
        .await;
    assert!(
        server
            .messages("alice@a.test", "Kith/Refused")
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn select_and_leave() {
    let (server, mut client) = with_messages(&[SIMPLE, SIMPLE]).await;
    client
        .dialogue(
            "C: 1 SELECT T
             S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
             S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] …
             S: * 2 EXISTS
             S: * 0 RECENT
             S: * OK [UNSEEN 1] …
             S: * OK [UIDVALIDITY …] …
             S: * OK [UIDNEXT 3] …
             S: * OK [HIGHESTMODSEQ 3] …
             S: 1 OK [READ-WRITE] …
             C: 2 CHECK
             S: 2 OK …
             C: 3 STORE 1 +FLAGS (\\Deleted)
             S: * 1 FETCH (UID 1 FLAGS (\\Deleted))
             S: 3 OK …
             C: 4 UNSELECT
             S: 4 OK …
             C: 5 FETCH 1 FLAGS
             S: 5 BAD …
             C: 6 EXAMINE T (CONDSTORE)
             S: * FLAGS …
             S: * OK [PERMANENTFLAGS ()] …
             S: * 2 EXISTS
             S: * 0 RECENT
             S: * OK [UNSEEN 1] …
             S: * OK [UIDVALIDITY …] …
             S: * OK [UIDNEXT 3] …
             S: * OK [HIGHESTMODSEQ 4] …
             S: 6 OK [READ-ONLY] …
             C: 7 STORE 2 +FLAGS (\\Deleted)
             S: 7 NO [READ-ONLY] …
             C: 8 EXPUNGE
             S: 8 NO [READ-ONLY] …
             C: 9 FETCH 2 BODY[TEXT]
             S: * 2 FETCH (BODY[TEXT] {14}\\r\\nHello\\r\\nAlice\\r\\n)
             S: 9 OK …
             C: 10 CLOSE
             S: 10 OK …",
        )
        .await;
    assert_eq!(server.messages("alice@a.test", "T").unwrap().len(), 2);
    client.command("11 SELECT T").await;
    client.dialogue("C: 12 CLOSE\nS: 12 OK …").await;
    assert_eq!(server.messages("alice@a.test", "T").unwrap().len(), 1);
}

#[tokio::test]
async fn store_flags_and_keywords() {
    let (_server, mut client) = with_messages(&[SIMPLE, SIMPLE]).await;
    client
        .dialogue(
            "C: 1 STORE 1:2 FLAGS (\\Seen)
             S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))
             S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))
             S: 1 OK …
             C: 2 UID STORE 2 +FLAGS ($Kith \\Flagged)
             S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Kith)
             S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Kith \\*)] …
             S: * 2 FETCH (UID 2 FLAGS ($Kith \\Flagged \\Seen \\Recent))
             S: 2 OK …
             C: 3 STORE 2 -FLAGS.SILENT ($KITH)
             S: 3 OK …
             C: 4 FETCH 2 FLAGS
             S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent))
             S: 4 OK …
             C: 5 STORE 1:2 (UNCHANGEDSINCE 4) +FLAGS (\\Deleted)
             S: * 1 FETCH (UID 1 FLAGS (\\Deleted \\Seen \\Recent) MODSEQ (7))
             S: 5 OK [MODIFIED 2] …
             C: 6 UID STORE 2 (UNCHANGEDSINCE 99) +FLAGS.SILENT (\\Deleted)
             S: * 2 FETCH (UID 2 MODSEQ (8))
             S: 6 OK …
             C: 7 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7)
             S: * 2 FETCH (UID 2 FLAGS (\\Deleted \\Flagged \\Seen \\Recent) MODSEQ (8))
             S: 7 OK …
             C: 8 FETCH 1 MODSEQ
             S: * 1 FETCH (MODSEQ (7))
             S: 8 OK …
             C: 9 UID SEARCH MODSEQ 8
             S: * SEARCH 2 (MODSEQ 8)
             S: 9 OK …
             C: 10 ENABLE CONDSTORE X-NIX
             S: * ENABLED CONDSTORE
             S: 10 OK …",
        )
        .await;
}

#[tokio::test]
async fn append_copy_move_expunge() {
    let (server, mut client) = with_messages(&[SIMPLE, SIMPLE, SIMPLE]).await;
    client
        .dialogue(
            "C: 1 APPEND T (\\Seen $kith) \" 1-Jan-2020 00:00:00 +0100\" {3+}\\r\\nx\\r\\n
             S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $kith)
             S: * OK [PERMANENTFLAGS …
             S: * 4 EXISTS
             S: * 4 RECENT
             S: 1 OK [APPENDUID … 4] …
             C: 2 FETCH 4 (FLAGS INTERNALDATE)
             S: * 4 FETCH (FLAGS ($kith \\Seen \\Recent) INTERNALDATE \"31-Dec-2019 23:00:00 +0000\")
             S: 2 OK …
             C: 3 APPEND nix {3+}\\r\\nx\\r\\n
             S: 3 NO [TRYCREATE] …
             C: 4 COPY 1,3:4 nix
             S: 4 NO [TRYCREATE] …
             C: 5 COPY 1,3:4 Trash
             S: 5 OK [COPYUID … 1,3:4 1:3] …
             C: 6 UID MOVE 2:3 Trash
             S: * OK [COPYUID … 2:3 4:5] …
             S: * 2 EXPUNGE
             S: * 2 EXPUNGE
             S: 6 OK …
             C: 7 STORE 1:2 +FLAGS.SILENT (\\Deleted)
             S: 7 OK …
             C: 8 UID EXPUNGE 2:4
             S: * 2 EXPUNGE
             S: 8 OK …
             C: 9 EXPUNGE
             S: * 1 EXPUNGE
             S: 9 OK …
             C: 10 FETCH 1:* FLAGS
             S: 10 OK …
             C: 10 FETCH 3:* FLAGS
             S: 10 OK …
             C: 11 MOVE 1 Trash
             S: 11 BAD …",
        )
        .await;
    assert!(server.messages("alice@a.test", "T").unwrap().is_empty());
    let trash = server.messages("alice@a.test", "Trash").unwrap();
    assert_eq!(trash.len(), 5);
    assert_eq!(trash[2].flags, ["$kith", "\\Seen"]);
    assert_eq!(trash[2].internal_date, 1_577_833_200);
}

#[tokio::test]
async fn search_by_everything() {
    let (_server, mut client) = with_messages(&[SIMPLE, NESTED]).await;
    client
        .command("s STORE 2 FLAGS (\\Answered \\Flagged \\Seen \\Draft $kith)")
        .await;
    for (keys, expected) in [
        ("ALL", "1 2"),
        ("1", "1"),
        ("2:*", "2"),
        ("UID 2", "2"),
        ("UID 7:9", ""),
        ("NOT 1", "2"),
        ("OR 1 2", "1 2"),
        ("(1 SEEN)", ""),
        ("ANSWERED", "2"),
        ("UNANSWERED", "1"),
        ("DELETED", ""),
        ("UNDELETED", "1 2"),
        ("DRAFT", "2"),
        ("UNDRAFT", "1"),
        ("FLAGGED", "2"),
        ("UNFLAGGED", "1"),
        ("SEEN", "2"),
        ("UNSEEN", "1"),
        ("NEW", "1"),
        ("OLD", ""),
        ("RECENT", "1 2"),
        ("KEYWORD $KITH", "2"),
        ("UNKEYWORD $kith", "1"),
        ("FROM bob", "1"),
        ("TO b@a.test", "2"),
        ("CC x", ""),
        ("BCC x", ""),
        ("SUBJECT \"hi THERE\"", "1"),
        ("CHARSET UTF-8 SUBJECT {7+}\\r\\ngrüße", "2"),
        ("HEADER Message-ID \"\"", "1"),
        ("HEADER Message-ID 1@b", "1"),
        ("BODY alice", "1"),
        ("CHARSET UTF-8 BODY {7+}\\r\\nWörter", "2"),
        ("TEXT \"<p>two\"", "2"),
        ("LARGER 200", "2"),
        ("SMALLER 200", "1"),
        ("SINCE 21-Nov-2026", "1 2"),
        ("ON 21-Nov-2026", "1 2"),
        ("BEFORE 21-Nov-2026", ""),
        ("SENTON 21-Nov-2026", "1"),
        ("SENTSINCE 22-Nov-2026", ""),
        ("SENTBEFORE 22-Nov-2026", "1"),
        ("MODSEQ 1", "1 2 (MODSEQ 4)"),
    ] {
        let found = if expected.is_empty() {
            "* SEARCH".to_owned()
        } else {
            format!("* SEARCH {expected}")
        };
        client
            .dialogue(&format!("C: 1 SEARCH {keys}\nS: {found}\nS: 1 OK …"))
            .await;
    }
    client
        .dialogue(
            "C: 2 SEARCH CHARSET KOI8-R ALL
             S: 2 NO [BADCHARSET …
             C: 3 SEARCH NIX
             S: 3 BAD …",
        )
        .await;
}

#[tokio::test]
async fn the_bare_minimum() {
    let mut config = Config::default();
    config.capabilities.imap = ImapCapabilities::bare();
    let server = server(config).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client
        .dialogue(
            "C: 1 CAPABILITY
             S: * CAPABILITY IMAP4rev1 CHILDREN
             S: 1 OK …
             C: 2 LIST \"\" *
             S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"
             S: 2 OK …
             C: 3 APPEND INBOX ($kith) {1}
             S: + …
             C: x
             S: 3 OK Append completed
             C: 4 SELECT INBOX
             S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
             S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)] …
             S: * 1 EXISTS
             S: * 1 RECENT
             S: * OK [UNSEEN 1] …
             S: * OK [UIDVALIDITY …] …
             S: * OK [UIDNEXT 2] …
             S: 4 OK …
             C: 5 STORE 1 +FLAGS ($kith)
             S: * 1 FETCH (UID 1 FLAGS (\\Recent))
             S: 5 OK …
             C: 6 MOVE 1 INBOX
             S: 6 BAD …
             C: 7 UID EXPUNGE 1
             S: 7 BAD …
             C: 8 COPY 1 INBOX
             S: * 2 EXISTS
             S: * 2 RECENT
             S: 8 OK Copy completed
             C: 9 IDLE
             S: 9 BAD …
             C: 10 ENABLE CONDSTORE
             S: 10 BAD …
             C: 11 NAMESPACE
             S: 11 BAD …
             C: 12 ID NIL
             S: 12 BAD …
             C: 13 UNSELECT
             S: 13 BAD …
             C: 14 FETCH 1 MODSEQ
             S: 14 BAD …
             C: 15 SEARCH MODSEQ 1
             S: 15 BAD …
             C: 16 STATUS INBOX (HIGHESTMODSEQ)
             S: 16 BAD …
             C: 17 SELECT INBOX (CONDSTORE)
             S: 17 BAD …
             C: 18 APPEND INBOX {1+}
             S: * BYE [TOOBIG] …",
        )
        .await;
}

#[tokio::test]
async fn small_literals_only() {
    let mut config = Config::default();
    config.capabilities.imap.literals = Literals::Minus;
    config.capabilities.imap.append_limit = 10_000;
    let server = server(config).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client
        .dialogue(
            "C: 1 APPEND INBOX {1+}\\r\\nx
             S: 1 OK …
             C: 2 APPEND INBOX {10001}
             S: 2 NO [TOOBIG] …
             C: 3 APPEND INBOX {5000+}
             S: * BYE …",
        )
        .await;
}

#[tokio::test]
async fn what_is_no_command() {
    let server = server(Config::default()).await;
    let mut client = Client::imap(&server, "alice@a.test").await;
    client
        .dialogue(
            "C:
             S: * BAD …
             C: 1
             S: 1 BAD …
             C: (x) NOOP
             S: * BAD …
             C: 2 FETCH
             S: 2 BAD …
             C: 3 APPEND INBOX ~{1+}\\r\\nx
             S: 3 BAD …
             C: 4 COMPRESS DEFLATE
             S: 4 BAD …",
        )
        .await;
    client.send(b"5 NOOP\n").await;
    client.dialogue("S: 5 BAD …").await;
    client.send(&[b'x'; 70_000]).await;
    client
        .dialogue("C:\nS: * BAD Line too long\nC: 6 NOOP\nS: 6 OK …")
        .await;
}
