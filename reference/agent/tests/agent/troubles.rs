//! What the person reads when something is wrong with account or servers: what it is, where, and what
//! to do.

use kith_testbed::{Certificate, Config, Fault, ImapAction, ImapCapabilities, SmtpStage};
use serde_json::Value;

use crate::support::{ALICE, AUTHORITY, BOB, Shell, server, with_imap};

/// Runs a command that fails with this status, and returns what stands on the screen.
fn screen(shell: &Shell, status: i32, arguments: &[&str]) -> String {
    let output = shell.kith(arguments);
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {shown}");
    shown
}

fn says(shown: &str, words: &[&str]) {
    for word in words {
        assert!(shown.contains(word), "no {word:?} in {shown}");
    }
}

/// Sets up Alice and Bob, who are friends, and lets a message of Alice's wait.
fn waiting(server: &kith_testbed::Server) -> (Shell, Shell) {
    let alice = Shell::set_up(ALICE, server);
    let bob = Shell::set_up(BOB, server);
    alice.run(&["befriend", BOB]);
    bob.run(&["sync"]);
    bob.run(&["accept", ALICE]);
    alice.run(&["sync"]);
    bob.run(&["sync"]);
    alice.run(&["--offline", "message", BOB, "Hello"]);
    (alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_trusted() {
    let server = server(Config::default()).await;
    let (alice, _) = waiting(&server);
    let set = |certificate| server.set_certificate(&AUTHORITY, certificate).unwrap();
    set(Certificate::Untrusted);
    for (status, command) in [(5, "sync"), (1, "doctor")] {
        let shown = screen(&alice, status, &[command]);
        let words = ["mailbox server localhost:", "submission server localhost:"];
        says(&shown, &words);
        says(&shown, &["`ca` in the configuration", "tell the provider"]);
    }
    std::fs::write(alice.path("secret"), "wrong\n").unwrap();
    set(Certificate::Valid);
    let shown = screen(&alice, 5, &["sync"]);
    says(
        &shown,
        &[
            "login as alice@a.test was refused",
            "where `kith doctor` says",
        ],
    );
    says(&screen(&alice, 1, &["doctor"]), &["password file: "]);
    std::fs::write(alice.path("secret"), "").unwrap();
    let shown = screen(&alice, 1, &["doctor"]);
    assert_eq!(shown.matches("is empty").count(), 1, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_server_that_puts_off_and_refuses() {
    let server = server(Config::default()).await;
    let (alice, _) = waiting(&server);
    let faults = server.faults();
    let told = |stage, code, text, status, words: &[&str]| {
        let fault = faults.add(Fault::reply(stage, code, text));
        says(&screen(&alice, status, &["sync"]), words);
        faults.remove(fault);
    };
    let away = ["turned kith away (421", "try later"];
    told(SmtpStage::Greeting, 421, "4.3.2 later", 4, &away);
    let login = ["put the login off (454 4.7.0 Not now)"];
    told(SmtpStage::Auth, 454, "4.7.0 Not now", 4, &login);
    let app = ["refused (534 5.7.9 App password needed)", "app password"];
    told(SmtpStage::Auth, 534, "5.7.9 App password needed", 5, &app);
    let gray = [
        "put off mail with",
        "\"451 4.7.1 Greylisted\"",
        "tried again",
    ];
    told(SmtpStage::Rcpt, 451, "4.7.1 Greylisted", 4, &gray);
    alice.run(&["--offline", "message", BOB, "Hello?"]);
    let gone = ["550 5.1.1 Unknown", "wrong or gone", "`kith resend ID`"];
    told(SmtpStage::Rcpt, 550, "5.1.1 Unknown", 0, &gone);
    alice.run(&["--offline", "message", BOB, "Hello?"]);
    let full = ["552 5.2.2 No room", "mailbox there is full"];
    told(SmtpStage::Rcpt, 552, "5.2.2 No room", 0, &full);
    let fault = faults.add(Fault::reply(SmtpStage::Mail, 550, "5.4.5 Daily quota"));
    let shown = screen(&alice, 1, &["doctor"]);
    says(
        &shown,
        &["takes no mail of alice@a.test from you (550 5.4.5 Daily quota)"],
    );
    faults.remove(fault);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_is_full_or_lacks_folders() {
    let server = server(Config::default()).await;
    let (alice, _) = waiting(&server);
    let faults = server.faults();
    let told = |commands, text: &str, status, words: &[&str]| {
        let fault = faults.add(Fault::imap(commands, ImapAction::No(text.to_owned())));
        let shown = screen(&alice, status, &["sync"]);
        says(&shown, words);
        assert!(!shown.contains("code: "), "{shown}");
        faults.remove(fault);
    };
    let full = [
        "the mailbox is full ([OVERQUOTA] No room)",
        "delete something",
    ];
    told(&["APPEND"], "[OVERQUOTA] No room", 4, &full);
    let down = ["the login was refused ([UNAVAILABLE] Down)", "try later"];
    told(&["AUTHENTICATE"], "[UNAVAILABLE] Down", 4, &down);
    let folder = ["opening a folder (SELECT) was refused ([SERVERBUG] Oh)"];
    told(&["SELECT"], "[SERVERBUG] Oh", 4, &folder);
    let without = ImapCapabilities {
        auth: Vec::new(),
        ..ImapCapabilities::default()
    };
    let server = crate::support::server(with_imap(without)).await;
    let carol = Shell::new(ALICE);
    let arguments = carol.init(&server);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shown = screen(&carol, 5, &arguments);
    says(
        &shown,
        &[
            "mailbox server localhost:",
            "ask the provider how to log in",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_a_mistake() {
    let server = server(Config::default()).await;
    let alice = Shell::set_up(ALICE, &server);
    let config = std::fs::read_to_string(alice.path("home/config.toml")).unwrap();
    let line = config.lines().position(|line| line == "[mailbox]").unwrap() + 1;
    let with = |from: &str, to: &str, status, command, words: &[&str]| {
        std::fs::write(alice.path("home/config.toml"), config.replace(from, to)).unwrap();
        let shown = screen(&alice, status, &[command]);
        says(&shown, words);
        assert!(!shown.contains("\\u{"), "{shown}");
    };
    let near = format!("config.toml: near line {line}, ");
    let broken = [near.as_str(), "correct the file"];
    with("[mailbox]", "[mailbox", 6, "sync", &broken);
    let mode = ["near line", "missing field `mode`"];
    with("mode = ", "# ", 1, "doctor", &mode);
    let name = [
        "the name nowhere.invalid can't be found",
        "check its spelling",
    ];
    with("localhost", "nowhere.invalid", 4, "sync", &name);
    let early = ["TLS failed", "with STARTTLS", "`mode` in the configuration"];
    with("\"starttls\"", "\"tls\"", 1, "doctor", &early);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_server_refuses_is_told() {
    let server = server(Config::default()).await;
    let alice = Shell::set_up(ALICE, &server);
    let told = alice.run(&["befriend", "nobody@b.test"]);
    assert!(
        told.contains("Not delivered to nobody@b.test: 550"),
        "{told}"
    );
    assert!(alice.run(&["requests"]).contains("refused: 550"));
    let bob = Shell::set_up(BOB, &server);
    alice.run(&["befriend", BOB]);
    let requests: Value = serde_json::from_str(&alice.run(&["requests", "--json"])).unwrap();
    let warned = |n: usize| !requests[n]["warning"].is_null();
    assert_eq!([warned(0), warned(1)].iter().filter(|w| **w).count(), 1);
    bob.run(&["sync"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_back_is_told() {
    let server = server(Config::default()).await;
    let alice = Shell::set_up(ALICE, &server);
    let gone = ("5.1.1".to_owned(), "No such mailbox".to_owned());
    let fault = kith_testbed::DeliveryAction::Bounce(gone.0, gone.1);
    let fault = Fault::delivery(fault).address(BOB).times(1);
    server.faults().add(fault);
    alice.run(&["befriend", BOB]);
    assert!(!alice.run(&["requests"]).contains("came back"));
    let told = alice.run(&["sync"]);
    assert!(told.contains("came back"), "{told}");
    assert!(alice.run(&["requests"]).contains("came back"));
    assert!(alice.run(&["resend", BOB]).contains("request"));
    assert!(!alice.run(&["requests"]).contains("came back"));
    let bob = Shell::set_up(BOB, &server);
    // A second one has no effect, whether or not the first has arrived.
    alice.run(&["resend", BOB]);
    bob.run(&["sync"]);
    let requests: Value = serde_json::from_str(&bob.run(&["requests", "--json"])).unwrap();
    assert_eq!(requests.as_array().unwrap().len(), 1);
    bob.run(&["accept", ALICE]);
    alice.run(&["sync"]);
    assert!(alice.run(&["friends"]).contains(BOB));
}
