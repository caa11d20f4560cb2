//! Logging in with access tokens. At the embedded server the token of an account is its password.

use kith_testbed::{Config, Mechanism, Server};

use crate::support::{ALICE, BOB, Shell, server};

/// A server where one logs in by this mechanism only.
async fn provider(mechanism: Mechanism) -> Server {
    let mut config = Config::default();
    config.capabilities.imap.auth = vec![mechanism];
    config.capabilities.smtp.auth = vec![mechanism];
    server(config).await
}

/// The arguments of a first run that fetches its token with a command.
fn arguments(shell: &Shell, server: &Server, command: &str) -> Vec<String> {
    let mut arguments = shell.init(server);
    arguments.truncate(arguments.len() - 2);
    let rest = ["--auth", "oauth2", "--password-command", command];
    arguments.extend(rest.map(str::to_owned));
    arguments
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_takes_the_password_s_place() {
    for mechanism in [Mechanism::Oauthbearer, Mechanism::Xoauth2] {
        let server = provider(mechanism).await;
        let alice = Shell::new(ALICE);
        // Who has a password only is told what the server wants, and from where it comes.
        let errors = alice.fails(5, &words(&alice.init(&server)));
        assert!(errors.contains("auth = \"oauth2\""), "{errors}");
        let mut without = alice.init(&server);
        without.truncate(without.len() - 2);
        without.extend(["--auth", "oauthbearer"].map(str::to_owned));
        let errors = alice.fails(3, &words(&without));
        assert!(errors.contains("--password-command"), "{errors}");
        let old = arguments(&alice, &server, "echo old");
        let errors = alice.fails(5, &words(&old));
        assert!(
            errors.contains("access token that is not too old"),
            "{errors}"
        );
        assert!(!alice.path("home").exists());
        alice.run(&words(&arguments(&alice, &server, "head -n 1 secret")));
        let config = std::fs::read_to_string(alice.path("home/config.toml")).unwrap();
        assert!(config.contains("auth = \"oauth2\""), "{config}");
        alice.run(&["befriend", BOB]);
        assert!(alice.run(&["status"]).contains("unsent    0"));
        let healthy = alice.run(&["doctor"]);
        assert!(healthy.contains("logged in as alice@a.test"), "{healthy}");
        // The submission server is asked after the mailbox, and refuses by itself.
        let config = config.replace(
            "[\"head\", \"-n\", \"1\", \"secret\"]",
            "[\"echo\", \"old\"]",
        );
        std::fs::write(alice.path("home/config.toml"), config).unwrap();
        let output = alice.kith(&["doctor"]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            told.matches("access token that is not too old").count(),
            2,
            "{told}"
        );
        assert!(!server.wire_log().render().contains("Bearer"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_password_says_so() {
    let server = server(Config::default()).await;
    let alice = Shell::new(ALICE);
    let arguments = arguments(&alice, &server, "head -n 1 secret");
    let errors = alice.fails(5, &words(&arguments));
    assert!(errors.contains("takes no access token"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_asks_for_a_new_token() {
    use std::io::BufRead as _;
    let server = provider(Mechanism::Oauthbearer).await;
    let (alice, bob) = (Shell::new(ALICE), Shell::new(BOB));
    for shell in [&alice, &bob] {
        shell.run(&words(&arguments(shell, &server, "head -n 1 secret")));
    }
    alice.run(&["befriend", BOB]);
    bob.run(&["sync"]);
    bob.run(&["accept", ALICE]);
    alice.run(&["sync"]);
    bob.run(&["sync"]);
    let mut watch = std::process::Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["--home", "home", "sync", "--watch"])
        .current_dir(alice.folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Watching"));
    bob.run(&["post", "The first snow!"]);
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("A post from"), "{line}");
    // The mailbox stays connected, but each submission logs in anew.
    server.change_password(ALICE, "newer").unwrap();
    std::fs::write(alice.path("secret"), "newer\n").unwrap();
    alice.run(&["--offline", "message", BOB, "Lovely!"]);
    let known = server.submissions().len();
    bob.run(&["post", "And more of it!"]);
    let line = lines.next().unwrap().unwrap();
    let patience = std::time::Duration::from_secs(20);
    let sent = server.wait_submissions(known + 1, patience).await;
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(
        sent.iter().any(|mail| mail.envelope_from == ALICE),
        "{line}"
    );
}
