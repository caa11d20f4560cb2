//! Ordinary mail programs: Python's imaplib and smtplib, curl, mbsync, mutt, neomutt.
//!
//! A test whose program is missing says so and passes; with `CI=true` it fails.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use kith_testbed::{Config, Deliver, Server};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{AUTHORITY, server};

const MAIL: &[u8] = b"From: Bob <bob@b.test>\r\nTo: alice@a.test\r\nSubject: hello\r\n\
Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@b.test>\r\n\r\nGood day.\r\n";

/// Whether the program is there; if not, says what to install.
fn have(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        let message = format!("not run: needs {program}, install package {package}");
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "{message}"
        );
        println!("{message}");
    }
    found
}

/// A server with one mail in alice's inbox, and a folder with the authority's certificate.
async fn set_up() -> (Server, TempDir) {
    let server = server(Config::default()).await;
    server
        .deliver("alice@a.test", MAIL, &Deliver::from("bob@b.test"))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "ca.pem", AUTHORITY.pem());
    write(&folder, "input", "");
    (server, folder)
}

async fn run(folder: &Path, server: &Server, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(std::fs::File::open(folder.join("input")).unwrap())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let log = || server.wire_log().render();
    let Output {
        status,
        stdout,
        stderr,
    } = output
        .unwrap_or_else(|_| panic!("{program} hangs\n{}", log()))
        .unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(
        status.success(),
        "{program}: {status}\n{text}\n{errors}\n{}",
        log()
    );
    text
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn texts(server: &Server, address: &str, mailbox: &str) -> Vec<String> {
    let stored = server.messages(address, mailbox).unwrap();
    stored
        .iter()
        .map(|message| String::from_utf8_lossy(&message.octets).into_owned())
        .collect()
}

const PYTHON: &str = r#"
import imaplib, smtplib, ssl, sys, email
from email.message import EmailMessage
smtps, smtp, imaps, imap = map(int, sys.argv[1:])
tls = ssl.create_default_context(cafile="ca.pem")

def mail(number):
    message = EmailMessage()
    message["From"], message["To"] = "alice@a.test", "bob@b.test"
    message["Subject"] = f"Größe {number}"
    message.set_content("Hällo\n.\nEnde\n")
    return message

with smtplib.SMTP_SSL("localhost", smtps, context=tls) as client:
    client.login("alice@a.test", "secret")
    client.send_message(mail(1))
with smtplib.SMTP("localhost", smtp) as client:
    client.starttls(context=tls)
    client.login("alice@a.test", "secret")
    refused = client.send_message(mail(2), to_addrs=["bob@b.test", "nobody@b.test"])
    assert list(refused) == ["nobody@b.test"], refused

def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]

client = imaplib.IMAP4("localhost", imap)
client.starttls(tls)
ok(client.login("bob@b.test", "secret"))
assert ok(client.select("INBOX")) == [b"2"]
assert ok(client.search("UTF-8", "SUBJECT", '"2"')) == [b"2"]
client.literal = "Größe".encode()
assert ok(client.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT")) == [b"1 2"]
raw = ok(client.fetch("2", "(FLAGS BODY.PEEK[])"))[0][1]
parsed = email.message_from_bytes(raw, policy=email.policy.default)
assert parsed["Subject"] == "Größe 2"
assert parsed.get_content().splitlines() == ["Hällo", ".", "Ende"]
for folder in ["Kith", "Kith/Refused"]:
    ok(client.create(folder))
assert len(ok(client.list())) == 8
ok(client.copy("1", "Kith"))
ok(client.uid("MOVE", "2", "Kith/Refused"))
ok(client.store("1", "+FLAGS", r"(\Deleted $kith)"))
assert b"1" in ok(client.expunge())
ok(client.append("Kith", r"(\Seen)", imaplib.Time2Internaldate(0), raw))
assert b"MESSAGES 2" in ok(client.status("Kith", "(MESSAGES UIDNEXT)"))[0]
client.close()
client.logout()
with imaplib.IMAP4_SSL("localhost", imaps, ssl_context=tls) as client:
    ok(client.authenticate("PLAIN", lambda _: b"\0bob@b.test\0secret"))
    ok(client.select("Kith/Refused", readonly=True))
    assert b"BODYSTRUCTURE" in ok(client.fetch("1", "(ENVELOPE BODYSTRUCTURE)"))[0]
print("done")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    if !have("python3", "python3") {
        return;
    }
    let (server, folder) = set_up().await;
    let at = server.endpoints();
    write(&folder, "client.py", PYTHON);
    let ports = [
        at.submission_tls,
        at.submission_starttls,
        at.imap_tls,
        at.imap_starttls,
    ];
    let ports = ports.map(|address| address.port().to_string());
    let mut arguments = vec!["client.py"];
    arguments.extend(ports.iter().map(String::as_str));
    let said = run(folder.path(), &server, "python3", &arguments).await;
    assert_eq!(said.trim(), "done");
    assert_eq!(server.submissions()[1].recipients, ["bob@b.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl() {
    if !have("curl", "curl") {
        return;
    }
    let (server, folder) = set_up().await;
    let at = server.endpoints();
    write(
        &folder,
        "mail",
        "From: alice@a.test\r\nSubject: by curl\r\n\r\n.dot\r\n",
    );
    let base = [
        "--silent",
        "--show-error",
        "--ssl-reqd",
        "--cacert",
        "ca.pem",
        "--user",
        "alice@a.test:secret",
    ];
    for (scheme, port) in [
        ("smtps", at.submission_tls.port()),
        ("smtp", at.submission_starttls.port()),
    ] {
        let url = format!("{scheme}://localhost:{port}/client.test");
        let mail = [
            "--mail-from",
            "alice@a.test",
            "--mail-rcpt",
            "bob@b.test",
            "--upload-file",
            "mail",
            &url,
        ];
        run(folder.path(), &server, "curl", &[&base[..], &mail].concat()).await;
    }
    let delivered = texts(&server, "bob@b.test", "INBOX");
    assert_eq!(delivered.len(), 2);
    assert!(delivered[0].ends_with("Subject: by curl\r\n\r\n.dot\r\n"));
    for (scheme, port) in [
        ("imaps", at.imap_tls.port()),
        ("imap", at.imap_starttls.port()),
    ] {
        let url = format!("{scheme}://localhost:{port}/INBOX;UID=1");
        let text = run(
            folder.path(),
            &server,
            "curl",
            &[&base[..], &[&url]].concat(),
        )
        .await;
        assert!(text.ends_with("\r\n\r\nGood day.\r\n"), "{text}");
        let url = format!("{scheme}://localhost:{port}/");
        run(
            folder.path(),
            &server,
            "curl",
            &[&base[..], &["-X", "NOOP", &url]].concat(),
        )
        .await;
    }
    let url = format!("imaps://localhost:{}/Sent", at.imap_tls.port());
    run(
        folder.path(),
        &server,
        "curl",
        &[&base[..], &["--upload-file", "mail", &url]].concat(),
    )
    .await;
    assert_eq!(
        server.messages("alice@a.test", "Sent").unwrap()[0].flags,
        ["\\Seen"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mbsync() {
    if !have("mbsync", "isync") {
        return;
    }
    let (server, folder) = set_up().await;
    let port = server.endpoints().imap_tls.port();
    let config = format!(
        "IMAPAccount a\nHost localhost\nPort {port}\nUser alice@a.test\nPass secret\n\
         SSLType IMAPS\nSystemCertificates no\nCertificateFile ca.pem\n\n\
         IMAPStore far\nAccount a\n\n\
         MaildirStore near\nPath ./mail/\nInbox ./mail/INBOX\nSubFolders Verbatim\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n"
    );
    write(&folder, "mbsyncrc", &config);
    std::fs::create_dir(folder.path().join("mail")).unwrap();
    run(folder.path(), &server, "mbsync", &["-c", "mbsyncrc", "-a"]).await;
    let inbox = folder.path().join("mail/INBOX");
    let files: Vec<_> = ["new", "cur"]
        .iter()
        .flat_map(|part| std::fs::read_dir(inbox.join(part)).unwrap())
        .collect();
    assert_eq!(files.len(), 1);
    std::fs::write(inbox.join("cur/1.local:2,S"), "Subject: local\n\nmine\n").unwrap();
    run(folder.path(), &server, "mbsync", &["-c", "mbsyncrc", "-a"]).await;
    let inbox = server.messages("alice@a.test", "INBOX").unwrap();
    assert_eq!(inbox.len(), 2);
    assert_eq!(inbox[1].flags, ["\\Seen"]);
    assert!(texts(&server, "alice@a.test", "INBOX")[1].contains("Subject: local\r\n"));
}

/// Sends in batch mode; where the program then keeps copies, one goes to the Sent folder by IMAP.
async fn mutt_like(program: &str, copies: usize) {
    if !have(program, program) {
        return;
    }
    let (server, folder) = set_up().await;
    let at = server.endpoints();
    let (smtp, imap) = (at.submission_starttls.port(), at.imap_tls.port());
    let config = format!(
        "set from = 'alice@a.test'\nset use_from = yes\nset hostname = 'a.test'\n\
         set smtp_url = 'smtp://alice@a.test@localhost:{smtp}/'\nset smtp_pass = 'secret'\n\
         set imap_user = 'alice@a.test'\nset imap_pass = 'secret'\n\
         set folder = 'imaps://localhost:{imap}/'\nset record = '=Sent'\nset copy = yes\n\
         set ssl_force_tls = yes\nset ssl_starttls = yes\n\
         set certificate_file = './ca.pem'\nset ssl_verify_host = yes\n"
    );
    write(&folder, "rc", &config);
    write(&folder, "attached.txt", "attached\n");
    write(&folder, "input", "Good day.\n");
    let arguments = [
        "-F",
        "rc",
        "-s",
        "Grüße",
        "-a",
        "attached.txt",
        "--",
        "bob@b.test",
    ];
    run(folder.path(), &server, program, &arguments).await;
    let delivered = texts(&server, "bob@b.test", "INBOX");
    assert_eq!(delivered.len(), 1, "{}", server.wire_log().render());
    assert!(
        delivered[0].contains("filename=\"attached.txt\"")
            || delivered[0].contains("filename=attached.txt")
    );
    let log = server.wire_log().render();
    assert_eq!(
        texts(&server, "alice@a.test", "Sent").len(),
        copies,
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mutt() {
    mutt_like("mutt", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neomutt() {
    mutt_like("neomutt", 0).await;
}
