//! The day's later part: another address, another key, another device, and a mail that gets lost.

use kith_core::Action;
use kith_core::kinds::post::NewPost;
use kith_testbed::{Deliver, DeliveryAction, Fault};
use serde_json::Value;

use super::{BOB_LATER, CAROL, DAVE, Day, now, pause};
use crate::support::{ALICE, BOB, Shell};

const DAY: i64 = 86_400;

pub(super) async fn moving(day: &mut Day) {
    day.story.heading("Another provider");
    day.story
        .tell("Bob moves to another address. His friends need to do nothing.");
    let endpoints = day.server.endpoints();
    let imap = format!("localhost:{}", endpoints.imap_tls.port());
    let smtp = format!(
        "localhost:{}/starttls",
        endpoints.submission_starttls.port()
    );
    let words = [
        "identity",
        "move",
        BOB_LATER,
        "--imap",
        &imap,
        "--smtp",
        &smtp,
        "--ca",
        "ca.pem",
        "--password-file",
        "secret",
    ];
    day.step("bob", &words);
    day.settle(&["alice", "bob", "carol"]);
    day.shows("alice", &["friends"], &["Bob <bob@a.test>"]);
    day.shows("bob", &["identity", "show"], &[BOB_LATER, BOB]);
    let left = |day: &Day| day.server.messages(BOB, "INBOX").unwrap().len();
    let before = left(day);
    day.story
        .tell("Until Bob has answered from there, mail goes to the earlier address, too.");
    day.step("alice", &["message", "Bob", "Do you read me?"]);
    day.settle(&["alice", "bob"]);
    assert_eq!(left(day), before + 1);
    pause().await;
    day.step("bob", &["message", "Alice", "I do."]);
    day.settle(&["alice", "bob"]);
    pause().await;
    day.step("alice", &["message", "Bob", "Good."]);
    day.settle(&["alice", "bob"]);
    day.shows("bob", &["messages"], &["Do you read me?", "Good."]);
    assert_eq!(left(day), before + 1);
}

pub(super) fn theft(day: &mut Day) {
    day.story.heading("A stolen key");
    day.story.tell(
        "Somebody copies the disk of Alice's computer. She takes the next key, which was nowhere but \
         in the recovery kit.",
    );
    let (home, stolen) = {
        let alice = day.story.shell("alice");
        (alice.path("home"), alice.path("stolen"))
    };
    std::fs::create_dir(&stolen).unwrap();
    for file in std::fs::read_dir(home).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), stolen.join(file.file_name())).unwrap();
    }
    let kit = "kith-recovery-alice@a.test.asc";
    let words = [
        "identity",
        "rotate",
        kit,
        "--recovery",
        "second-kit.asc",
        "--compromised",
    ];
    day.step("alice", &words);
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows("alice", &["identity", "show"], &["2 so far"]);
    day.step("alice", &["post", "I have a new key."]);
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows("bob", &["timeline", "--last", "1"], &["I have a new key."]);

    day.story
        .tell("What the thief writes with the old key, nobody's kith takes.");
    let mut thief = day.driver("thief", ALICE, &stolen);
    let text = "Send me money!".to_owned();
    let post = Action::Post(NewPost {
        text,
        ..NewPost::default()
    });
    thief.act(post, now()).unwrap();
    let mails = thief
        .agent()
        .outbox(thief.store(), now(), usize::MAX)
        .unwrap();
    assert!(!mails.is_empty());
    for mail in &mails {
        for to in &mail.to {
            day.server
                .deliver(to, &mail.octets, &Deliver::from(ALICE))
                .unwrap();
        }
    }
    day.settle(&["bob", "carol", "dave"]);
    for who in ["bob", "carol", "dave"] {
        assert!(
            !day.texts(who, "timeline")
                .contains(&"Send me money!".to_owned()),
            "{who}"
        );
    }
    assert_eq!(day.server.messages(CAROL, "Kith/Refused").unwrap().len(), 1);
    day.shows("dave", &["timeline", "--last", "1"], &["I have a new key."]);
}

pub(super) async fn second_device(day: &mut Day) {
    day.story.heading("A second device");
    pause().await;
    let printed = day.step("alice", &["device", "add", "tablet.kith"]);
    let code = printed
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("Setup code: ");
    let tablet = Shell::new(ALICE);
    std::fs::write(tablet.path("code"), format!("{code}\n")).unwrap();
    let file = day.story.shell("alice").path("tablet.kith");
    std::fs::copy(file, tablet.path("tablet.kith")).unwrap();
    let mut arguments = tablet.init(&day.server);
    arguments[0] = "import".to_owned();
    arguments.insert(1, "tablet.kith".to_owned());
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--passphrase-file", "code", "--authserv-id", "mx.test"]);
    day.story.enter("tablet", tablet);
    day.step("tablet", &arguments);
    day.step("tablet", &["device", "name", "tablet"]);
    day.settle(&["tablet", "alice"]);
    day.shows("tablet", &["friends"], &["Bob", "Carol", "Dave"]);
    assert_eq!(
        day.texts("tablet", "timeline"),
        day.texts("alice", "timeline")
    );
    day.story.tell("What she writes here stands there too.");
    day.step("tablet", &["message", "Bob", "I write this in the garden."]);
    day.settle(&["alice", "bob", "tablet"]);
    assert_eq!(
        day.texts("tablet", "messages"),
        day.texts("alice", "messages")
    );
    assert!(
        !day.story
            .shell("alice")
            .run(&["messages"])
            .contains("waits to be sent")
    );
    day.shows("bob", &["messages"], &["I write this in the garden."]);
    day.shows("alice", &["device", "list"], &["tablet"]);
}

pub(super) async fn lost_mail(day: &mut Day) {
    day.story.heading("A lost mail");
    let fault = Fault::delivery(DeliveryAction::Drop).address(DAVE).times(1);
    let fault = day.server.faults().add(fault);
    day.step("alice", &["post", "This one gets lost on its way to Dave."]);
    assert_eq!(day.server.faults().fired(fault), 1);
    pause().await;
    day.step("alice", &["post", "This one doesn't."]);
    day.step("dave", &["sync"]);
    day.shows("dave", &["timeline", "--last", "1"], &["This one doesn't."]);
    let gaps = day.json("dave", &["status"]);
    assert_eq!(gaps["gaps"].as_array().unwrap().len(), 1, "{gaps}");
    let complaint = day.story.shell("dave").kith(&["status"]);
    let complaint = String::from_utf8(complaint.stderr).unwrap();
    assert!(complaint.contains("is missing"), "{complaint}");
    day.story.tell(
        "Dave's kith saw that a number is missing, and says so to Alice's in its next mail, a day \
         later at the latest. Hers sends it again.",
    );
    let later = now() + DAY + 60;
    day.server.set_now(later);
    for (who, address) in [("dave", DAVE), ("alice", ALICE), ("dave", DAVE)] {
        day.sync_at(who, address, later).await;
    }
    day.shows(
        "dave",
        &["timeline", "--last", "2"],
        &["This one gets lost"],
    );
    assert_eq!(
        day.json("dave", &["status"])["gaps"],
        Value::Array(Vec::new())
    );
}
