//! What the program says about itself, kept in `snapshots/`.

use crate::support::{ALICE, Shell};

#[test]
fn help() {
    let shell = Shell::new(ALICE);
    let commands = [
        "",
        "init",
        "befriend",
        "message",
        "sync",
        "comment",
        "identity",
        "identity rotate",
        "identity recover",
        "identity move",
        "mailbox sieve",
        "group",
        "event",
        "event create",
        "page",
        "page set",
        "follow",
        "app",
        "app update",
    ];
    let text = |command: &str| {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        format!("$ kith {}\n{}", arguments.join(" "), shell.run(&arguments))
    };
    let all: Vec<String> = commands.into_iter().map(text).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn wrong_usage_has_its_own_status() {
    let shell = Shell::new(ALICE);
    assert!(shell.fails(2, &["befriend"]).contains("<WHO>"));
    let wrong = ["init", ALICE, "--imap", "imap://a.test"];
    assert!(shell.fails(2, &wrong).contains("a server is HOST"));
}
