//! The story of two people in two shells, as `reference/docs/two-people.txt` tells it.
//!
//! `KITH_UPDATE=1 cargo test -p kith-agent transcript` writes that file anew.

use std::path::Path;

use kith_testbed::Config;
use regex::Regex;

use crate::mail_program;
use crate::support::{ALICE, BOB, Shell, server};

struct Story {
    alice: Shell,
    bob: Shell,
    told: String,
}

impl Story {
    fn tell(&mut self, text: &str) {
        self.told.push_str(&format!("# {text}\n"));
    }

    fn step(&mut self, who: &str, arguments: &[&str]) -> String {
        let shell = if who == "alice" {
            &self.alice
        } else {
            &self.bob
        };
        let printed = shell.run(arguments);
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        self.told
            .push_str(&format!("{who}$ kith {}\n{printed}\n", words.join(" ")));
        printed
    }
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "@.:/-_".contains(character);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// Replaces what differs from run to run.
fn masked(told: &str) -> String {
    let masks = [
        (r"localhost:\d+/starttls", "mail.example"),
        (r"localhost:\d+", "mail.example"),
        (
            r"\?id=[0-9a-f]{64}&token=[\w-]+&expires=[\w:-]+",
            "?id=…&token=…&expires=…",
        ),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-11-21 09:00 UTC"),
        (r"\b[0-9a-f]{8}\b", "1f0c9ab2"),
        (
            r"\w{3} \w{3} +\d+ [\d:]{8} \d{4}",
            "Sat Nov 21 09:00:00 2026",
        ),
        (
            r"\w{3}, \d+ \w{3} \d{4} [\d:]{8}",
            "Sat, 21 Nov 2026 09:00:00",
        ),
        (r"(?:[0-9A-F]{4} +){9}[0-9A-F]{4}", "1F0C 9AB2 …"),
        (r"-NP - \d/\d", "-NP - 2/3"),
        (r"Size: [\d.]+K", "Size: 0.8K"),
    ];
    masks
        .into_iter()
        .fold(told.to_owned(), |told, (volatile, mask)| {
            Regex::new(volatile)
                .unwrap()
                .replace_all(&told, mask)
                .into_owned()
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn transcript() {
    let server = server(Config::default()).await;
    let mut story = Story {
        alice: Shell::new(ALICE),
        bob: Shell::new(BOB),
        told: String::new(),
    };
    story.tell("Both have nothing but their mail accounts.");
    for (who, name) in [("alice", "Alice"), ("bob", "Bob")] {
        let shell = if who == "alice" {
            &story.alice
        } else {
            &story.bob
        };
        let arguments = shell.init(&server);
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--name", name]);
        story.step(who, &arguments);
    }
    story.tell("Alice gives Bob an invite, in a chat or on paper.");
    let invite = story.step("alice", &["invite"]);
    let invite = invite.lines().next().unwrap();
    story.step(
        "bob",
        &[
            "befriend",
            invite,
            "--note",
            "It was good to meet you in Oslo",
        ],
    );
    story.tell("Her kith accepts the invited request, his confirms; all of it is mail.");
    story.step("alice", &["sync"]);
    story.step("bob", &["sync"]);
    story.step("alice", &["sync"]);
    story.step("alice", &["friends"]);
    story.tell("What only Bob can read, and what all friends can.");
    story.step("alice", &["message", BOB, "Shall we meet on Friday?"]);
    story.step("alice", &["post", "The first snow!"]);
    story.step("bob", &["sync"]);
    story.step("bob", &["messages"]);
    story.step("bob", &["timeline"]);
    // Times have seconds; in the same one, chance would decide which message comes first.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    story.step("bob", &["message", "Alice", "Gladly, at seven."]);
    story.step("alice", &["sync"]);
    story.step("alice", &["messages", "Bob"]);
    story.tell(
        "Bob's ordinary mail program, once it has the keys, shows the text of the same mails,\n# here the post. Without the keys it shows that a private Kith mail came.",
    );
    story.step("bob", &["keys", "keys.asc"]);
    let shown = mail_program::shown(&story.bob, &server, BOB, "Kith");
    let mail = shown.iter().find(|mail| mail.contains("The first snow!"));
    let mail = mail.unwrap_or_else(|| panic!("{shown:#?}"));
    story
        .told
        .push_str(&format!("bob$ mutt\n{}\n", mail.trim_end()));
    let told = masked(story.told.trim_end()) + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/two-people.txt");
    if std::env::var_os("KITH_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &told).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == told,
        "{} is stale; `KITH_UPDATE=1 cargo test -p kith-agent transcript` writes it anew:\n{told}",
        file.display()
    );
}
