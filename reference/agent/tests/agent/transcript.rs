//! The story of two people in two shells, as `reference/docs/two-people.txt` tells it.
//!
//! `KITH_UPDATE=1 cargo test -p kith-agent transcript` writes that file anew.

use kith_testbed::Config;

use crate::mail_program;
use crate::story::{Story, keep};
use crate::support::{ALICE, BOB, Shell, server};

#[tokio::test(flavor = "multi_thread")]
async fn transcript() {
    let server = server(Config::default()).await;
    let mut story = Story::default();
    story.enter("alice", Shell::new(ALICE));
    story.enter("bob", Shell::new(BOB));
    story.tell("Both have nothing but their mail accounts.");
    for (who, name) in [("alice", "Alice"), ("bob", "Bob")] {
        let arguments = story.shell(who).init(&server);
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
    let shown = mail_program::shown(story.shell("bob"), &server, BOB, "Kith");
    let mail = shown.iter().find(|mail| mail.contains("The first snow!"));
    let mail = mail.unwrap_or_else(|| panic!("{shown:#?}"));
    story.did(format!("bob$ mutt\n{}\n", mail.trim_end()));
    keep("two-people.txt", &story.as_text(), "transcript");
}
