//! Moving to another address (`kith identity move`), and to keys of another kind (`kith identity rotate`).

use kith_testbed::{Config, Server};

use crate::discovery::names_of;
use crate::support::{ALICE, BOB, Shell, server};

const NEW: &str = "bob@a.test";

/// Alice and Bob, who are friends, and a server on which Bob has a second account.
async fn friends() -> (Server, Shell, Shell) {
    let server = server(Config::default()).await;
    server.add_account(NEW, "another").unwrap();
    let alice = Shell::set_up(ALICE, &server);
    let bob = Shell::set_up(BOB, &server);
    alice.run(&["befriend", BOB]);
    bob.run(&["sync"]);
    bob.run(&["accept", ALICE]);
    alice.run(&["sync"]);
    bob.run(&["sync"]);
    // With the mode of the other one.
    std::fs::copy(bob.path("secret"), bob.path("another")).unwrap();
    std::fs::write(bob.path("another"), "another\n").unwrap();
    (server, alice, bob)
}

fn config(shell: &Shell) -> String {
    std::fs::read_to_string(shell.path("home/config.toml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_of_the_new_address_are_found() {
    let (server, alice, bob) = friends().await;
    let names = names_of(&server).await;
    let daily = format!("daily = 7\n{}", config(&bob));
    std::fs::write(bob.path("home/config.toml"), &daily).unwrap();
    let wanted = [
        "identity",
        "move",
        NEW,
        "--name-server",
        &names,
        "--ca",
        "ca.pem",
    ];
    let with = |more: &[&'static str]| [&wanted[..], more].concat();
    // Nothing tells where the mail of the address is: the mailbox may be the same.
    let errors = bob.fails(3, &wanted);
    assert!(errors.contains("--same-mailbox"), "{errors}");
    let errors = bob.fails(3, &with(&["--password-file", "another"]));
    assert!(errors.contains("--trust-dns"), "{errors}");
    let wrong = with(&["--password-file", "secret", "--trust-dns"]);
    let errors = bob.fails(5, &wrong);
    assert!(
        errors.contains("login as bob@a.test was refused"),
        "{errors}"
    );
    // So far nobody was told, and nothing was changed.
    assert!(!bob.run(&["identity", "show"]).contains(NEW));
    assert!(bob.run(&["status"]).contains("unsent    0"));
    assert_eq!(config(&bob), daily);
    let told = bob.run(&with(&["--password-file", "another", "--trust-dns"]));
    let imap = server.endpoints().imap_tls.port();
    let line = format!("IMAP server: localhost:{imap}, TLS (DNS, _imaps._tcp.a.test)");
    assert!(told.contains(&line), "{told}");
    let now = config(&bob);
    assert!(
        now.contains("daily = 7") && now.contains("address = \"bob@a.test\""),
        "{now}"
    );
    assert!(bob.run(&["doctor"]).contains("logged in as bob@a.test"));
    alice.run(&["sync"]);
    assert!(alice.run(&["friends"]).contains(NEW));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_the_earlier_servers_is_forgotten() {
    let (server, _, bob) = friends().await;
    let more = "authserv_id = \"mx.test\"\n";
    let sieve = "\n[sieve]\nhost = \"localhost\"\nport = 1\nmode = \"starttls\"\n";
    let text = format!("{more}{}{sieve}", config(&bob));
    std::fs::write(bob.path("home/config.toml"), text).unwrap();
    let mut arguments = bob.init(&server);
    arguments.splice(0..2, ["identity", "move", NEW].map(str::to_owned));
    let last = arguments.len() - 1;
    arguments[last] = "another".to_owned();
    bob.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let now = config(&bob);
    assert!(
        !now.contains("authserv_id") && !now.contains("[sieve]"),
        "{now}"
    );
    bob.run(&["doctor"]);
}

/// Killed at any point, `kith identity move` has happened after the next command, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_interrupted_ends_at_the_next_command() {
    let (server, alice, bob) = friends().await;
    let before = config(&bob);
    let folder = bob.path("home");
    let next = folder.join("config.next");
    let after = before.replace(BOB, NEW).replace("/secret\"", "/another\"");
    // Before the store knew of it.
    std::fs::write(&next, &after).unwrap();
    bob.run(&["sync"]);
    assert!(!next.exists());
    assert_eq!(config(&bob), before);
    let mut arguments = bob.init(&server);
    arguments.splice(0..2, ["identity", "move", NEW].map(str::to_owned));
    let last = arguments.len() - 1;
    arguments[last] = "another".to_owned();
    bob.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    // After the store knew of it, and before the configuration did.
    let moved = config(&bob);
    std::fs::write(folder.join("config.toml"), &before).unwrap();
    std::fs::write(&next, &moved).unwrap();
    alice.run(&["sync"]);
    alice.run(&["message", NEW, "Are you there?"]);
    bob.run(&["sync"]);
    assert!(!next.exists());
    assert_eq!(config(&bob), moved);
    assert!(bob.run(&["messages"]).contains("Are you there?"));
    bob.run(&["doctor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_address_of_the_same_mailbox_needs_no_other_login() {
    const TAGGED: &str = "bob+kith@b.test";
    let (_server, alice, bob) = friends().await;
    // The server must know that both are his.
    let errors = bob.fails(5, &["identity", "move", NEW, "--same-mailbox"]);
    assert!(
        errors.contains("takes no mail of bob@a.test from you"),
        "{errors}"
    );
    assert!(!bob.run(&["identity", "show"]).contains(NEW));
    bob.run(&["identity", "move", TAGGED, "--same-mailbox"]);
    assert!(config(&bob).contains("user = \"bob@b.test\""));
    let healthy = bob.run(&["doctor"]);
    assert!(
        healthy.contains("logged in as bob@b.test, takes mail of bob+kith@b.test"),
        "{healthy}"
    );
    assert!(healthy.contains("keys of bob+kith@b.test"), "{healthy}");
    alice.run(&["sync"]);
    assert!(alice.run(&["friends"]).contains(TAGGED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_becomes_post_quantum_by_two_rotations() {
    let (_server, alice, bob) = friends().await;
    let keys = |shell: &Shell| shell.run(&["identity", "show"]);
    assert!(keys(&alice).contains("1 so far, now version 4\n"));
    let rotate = |kit: &str, to: &str, more: &[&str]| {
        let words = [&["identity", "rotate", kit, "--recovery", to], more].concat();
        alice.run(&words)
    };
    let first = "kith-recovery-alice@a.test.asc";
    let told = rotate(first, "second.asc", &["--next-keys", "pq"]);
    assert!(told.contains("`kith device add`"), "{told}");
    assert!(keys(&alice).contains("2 so far, now version 4\n"));
    rotate("second.asc", "third.asc", &[]);
    assert!(keys(&alice).contains("3 so far, now version 6, post-quantum\n"));
    bob.run(&["sync"]);
    bob.run(&["message", ALICE, "For later ears"]);
    alice.run(&["sync"]);
    let got = alice.run(&["messages", "--json"]);
    assert!(
        got.contains("For later ears") && got.contains("\"protected\":true"),
        "{got}"
    );
    let back = [
        "identity",
        "rotate",
        "third.asc",
        "--recovery",
        "fourth.asc",
        "--next-keys",
        "v6",
    ];
    let errors = alice.fails(3, &back);
    assert!(errors.contains("choose pq"), "{errors}");
    assert!(!alice.path("fourth.asc").exists());
}
