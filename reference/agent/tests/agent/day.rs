//! A day of five people in two domains, as `reference/docs/day.md` tells it.
//!
//! `KITH_UPDATE=1 cargo test -p kith-agent day` writes that file anew.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kith_agent::{Driver, Store, TlsMode};
use kith_core::Strict;
use kith_testbed::{Config, Server};
use serde_json::Value;

use crate::followers::Followers;
use crate::story::{Story, keep};
use crate::support::{ALICE, BOB, Shell, account, server};

mod later;

const CAROL: &str = "carol@a.test";
const DAVE: &str = "dave@b.test";
const ERIN: &str = "erin@a.test";
const BOB_LATER: &str = "bob@a.test";
const PEOPLE: [(&str, &str, &str); 5] = [
    ("alice", ALICE, "Alice"),
    ("bob", BOB, "Bob"),
    ("carol", CAROL, "Carol"),
    ("dave", DAVE, "Dave"),
    ("erin", ERIN, "Erin"),
];
/// Followers of the page.
const FOLLOWERS: usize = 1000;
/// Followers to whom one mail is submitted at once (`public-recipients`).
const BATCH: usize = 50;

struct Day {
    server: Server,
    story: Story,
}

fn now() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Times have seconds; in the same one, chance would decide what is shown first.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

/// The id in "Written, id 1f0c9ab2."
fn id(printed: &str) -> String {
    let (_, rest) = printed.split_once("id ").unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

impl Day {
    fn step(&mut self, who: &str, arguments: &[&str]) -> String {
        self.story.step(who, arguments)
    }

    /// A step whose output must hold all of this.
    fn shows(&mut self, who: &str, arguments: &[&str], wanted: &[&str]) -> String {
        let printed = self.step(who, arguments);
        for wanted in wanted {
            assert!(printed.contains(wanted), "{wanted}: {printed}");
        }
        printed
    }

    fn json(&self, who: &str, arguments: &[&str]) -> Value {
        let arguments = [&["--json"], arguments].concat();
        serde_json::from_str(&self.story.shell(who).run(&arguments)).unwrap()
    }

    /// These people sync, untold, until none of them has anything to read or send.
    fn settle(&self, people: &[&str]) {
        for _ in 0..8 {
            let busy = people.iter().filter(|who| {
                let report = self.json(who, &["sync"]);
                report["fetched"] != 0 || report["sent"] != 0
            });
            if busy.count() == 0 {
                return;
            }
        }
        panic!("mail goes on and on between {people:?}");
    }

    fn texts(&self, who: &str, list: &str) -> Vec<String> {
        let texts = self.json(who, &[list]);
        let texts = texts.as_array().unwrap().iter();
        texts
            .map(|post| post["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Somebody's driver, for what needs another time than now.
    fn driver(&self, who: &str, address: &str, home: &Path) -> Driver {
        let store = Store::open(&home.join("kith.db")).unwrap();
        let account = account(&self.server, address, TlsMode::Tls);
        Driver::open(Arc::new(Strict), store, account)
            .unwrap_or_else(|error| panic!("{who}: {error}"))
    }

    async fn sync_at(&self, who: &str, address: &str, now: i64) {
        let mut driver = self.driver(who, address, &self.story.shell(who).path("home"));
        let report = driver.sync(now).await.unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn day() {
    let server = server(Config::default()).await;
    for address in [CAROL, DAVE, ERIN, BOB_LATER] {
        server.add_account(address, "secret").unwrap();
    }
    let mut day = Day {
        server,
        story: Story::default(),
    };
    day.story.tell(
        "# A day with five people\n\nAlice, Carol and Erin have mail accounts at one provider, Bob \
         and Dave at another. What follows is what they type and see, and a test lives through it: \
         `cargo test -p kith-agent day`. Between the commands, everybody's kith syncs now and then.",
    );
    for (who, address, name) in PEOPLE {
        let shell = Shell::new(address);
        let arguments = shell.init(&day.server);
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--name", name, "--authserv-id", "mx.test"]);
        shell.run(&arguments);
        day.story.enter(who, shell);
    }
    becoming_friends(&mut day);
    posts(&mut day).await;
    group(&mut day).await;
    event(&mut day);
    page(&mut day);
    app(&mut day).await;
    later::moving(&mut day).await;
    later::theft(&mut day);
    later::second_device(&mut day).await;
    later::lost_mail(&mut day).await;
    keep("day.md", &day.story.as_markdown(), "day");
}

fn becoming_friends(day: &mut Day) {
    day.story.heading("Becoming friends");
    day.story.tell("Alice asks Bob, who says yes.");
    day.step("alice", &["befriend", BOB, "--note", "We met in Oslo"]);
    day.shows("bob", &["sync"], &["wants to become friends"]);
    day.shows(
        "bob",
        &["requests"],
        &["Alice <alice@a.test>", "We met in Oslo"],
    );
    day.step("bob", &["accept", "1"]);
    day.settle(&["alice", "bob"]);
    day.shows("alice", &["friends"], &["Bob <bob@b.test>"]);

    day.story
        .tell("Bob and Carol ask each other at the same time: nobody needs to answer.");
    day.step("bob", &["--offline", "befriend", CAROL]);
    day.step("carol", &["befriend", BOB]);
    day.settle(&["bob", "carol"]);
    day.shows("carol", &["friends"], &["Bob <bob@b.test>"]);
    day.shows("bob", &["friends"], &["Alice", "Carol"]);
    assert_eq!(day.json("bob", &["requests"]), Value::Array(Vec::new()));

    day.story
        .tell("Alice gives Dave an invite. His request is accepted without being shown.");
    let invite = day.step("alice", &["invite"]);
    day.step("dave", &["befriend", invite.lines().next().unwrap()]);
    day.settle(&["alice", "dave"]);
    day.shows("dave", &["friends"], &["Alice <alice@a.test>"]);

    day.story
        .tell("Bob introduces Alice and Carol, who agreed to that.");
    day.step("alice", &["identity", "agree", "introductions"]);
    day.step("carol", &["identity", "agree", "introductions"]);
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.step("bob", &["introduce", "Alice", "Carol"]);
    day.shows("alice", &["sync"], &["introduces Carol"]);
    day.shows(
        "alice",
        &["requests"],
        &["Carol <carol@a.test>", "introduced by Bob"],
    );
    day.step("alice", &["befriend", CAROL]);
    day.settle(&["carol"]);
    day.shows(
        "carol",
        &["requests"],
        &["Alice <alice@a.test>", "introduced by Bob"],
    );
    day.step("carol", &["accept", ALICE]);
    day.settle(&["alice", "bob", "carol"]);
    day.shows("alice", &["friends"], &["Bob", "Carol", "Dave"]);

    day.story
        .tell("Erin asks Alice too. Alice declines, and Erin doesn't learn it.");
    day.step("erin", &["befriend", ALICE]);
    day.settle(&["alice"]);
    day.step("alice", &["decline", ERIN]);
    day.settle(&["erin", "alice"]);
    day.shows("erin", &["requests"], &["you asked"]);
}

async fn posts(day: &mut Day) {
    day.story.heading("Telling friends");
    day.story
        .tell("A circle is a list that only Alice knows. Bob is in it, Dave isn't.");
    day.step("alice", &["circle", "add", "family", "Bob"]);
    day.step(
        "alice",
        &["post", "Mother is well again.", "--to", "family"],
    );
    day.settle(&["alice", "bob", "dave"]);
    day.shows("bob", &["timeline"], &["Mother is well again."]);
    day.shows("dave", &["timeline"], &["No posts yet"]);

    pause().await;
    day.story
        .tell("An album: kith takes out what tells place and device, and adds thumbnails.");
    for (name, shade) in [("lake.png", 40_u8), ("hut.png", 90)] {
        let file = day.story.shell("alice").path(name);
        let pixel = |x: u32, y: u32| image::Rgb([shade, (x % 256) as u8, (y % 256) as u8]);
        image::RgbImage::from_fn(640, 480, pixel)
            .save(file)
            .unwrap();
    }
    let album = [
        "post", "Our trip", "--media", "lake.png", "--alt", "The lake", "--media", "hut.png",
        "--alt", "The hut",
    ];
    let album = id(&day.step("alice", &album));
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows(
        "dave",
        &["timeline"],
        &["Our trip", "[2: image/png The hut"],
    );
    day.step(
        "dave",
        &["media", "save", &album, "hut.png", "--number", "2"],
    );
    let saved = image::open(day.story.shell("dave").path("hut.png")).unwrap();
    assert_eq!((saved.width(), saved.height()), (640, 480));
    assert_eq!(saved.to_rgb8().get_pixel(3, 4).0, [90, 3, 4]);
    day.step(
        "dave",
        &["media", "save", &album, "small.png", "--thumbnail"],
    );

    day.story.tell(
        "Bob comments. His comment goes to Alice, whose kith passes it on: so Dave reads it, who \
         doesn't know Bob.",
    );
    day.step("bob", &["comment", &album, "I was there too!"]);
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows(
        "dave",
        &["thread"],
        &["Bob (through Alice", "I was there too!"],
    );
    day.step("dave", &["react", &album, "❤"]);
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows("bob", &["thread", &album], &["I was there too!", "❤"]);
    day.shows("carol", &["thread", &album], &["Bob", "❤"]);
}

async fn group(day: &mut Day) {
    day.story.heading("A group");
    day.step(
        "alice",
        &["group", "create", "Choir", "--about", "We sing on Fridays"],
    );
    for who in ["Bob", "Carol", "Dave"] {
        day.step("alice", &["group", "invite", "Choir", who]);
    }
    day.settle(&["alice", "bob", "carol", "dave"]);
    for who in ["bob", "carol", "dave"] {
        day.step(who, &["group", "join", "Choir"]);
    }
    let members = ["alice", "bob", "carol", "dave"];
    day.settle(&members);
    day.shows(
        "dave",
        &["group", "show", "Choir"],
        &["Alice", "owner", "Bob", "Carol", "member"],
    );
    day.step("bob", &["group", "post", "Choir", "Who brings the scores?"]);
    day.settle(&members);
    day.shows(
        "dave",
        &["group", "timeline", "Choir"],
        &["Who brings the scores?"],
    );
    pause().await;
    day.story
        .tell("Alice takes Dave off the list. What is written afterwards he doesn't get.");
    day.step("alice", &["group", "remove", "Choir", "Dave"]);
    day.settle(&members);
    day.step("bob", &["group", "post", "Choir", "I bring them."]);
    day.settle(&members);
    day.shows(
        "carol",
        &["group", "timeline", "Choir"],
        &["Who brings", "I bring them."],
    );
    let dave = day.json("dave", &["group", "list"]);
    day.step("dave", &["group", "list"]);
    let texts = day
        .story
        .shell("dave")
        .kith(&["group", "timeline", "Choir"]);
    let texts = String::from_utf8(texts.stdout).unwrap();
    assert!(!texts.contains("I bring them."), "{dave}: {texts}");
}

fn event(day: &mut Day) {
    day.story.heading("An event");
    let create = [
        "event",
        "create",
        "Summer party",
        "2027-06-21T19:00",
        "--zone",
        "Europe/Vienna",
        "--location",
        "Our garden",
    ];
    day.step("alice", &create);
    day.settle(&["alice", "bob", "carol", "dave"]);
    let event = day.json("bob", &["event", "list"]);
    let event = event[0]["id"].as_str().unwrap()[..8].to_owned();
    day.step(
        "bob",
        &[
            "event",
            "rsvp",
            &event,
            "yes",
            "--guests",
            "1",
            "--note",
            "With Ruth",
        ],
    );
    day.step("carol", &["event", "rsvp", &event, "maybe"]);
    day.step("dave", &["event", "rsvp", &event, "no"]);
    day.settle(&["alice", "bob", "carol", "dave"]);
    let shown = [
        "Our garden",
        "Bob",
        "With Ruth",
        "maybe",
        "2 come, 1 do not, 1 perhaps",
    ];
    day.shows("alice", &["event", "show", &event], &shown);
    day.story
        .tell("Dave's calendar program takes over the event from a file.");
    day.step("dave", &["event", "export", &event, "--to", "party.ics"]);
    let file = std::fs::read_to_string(day.story.shell("dave").path("party.ics")).unwrap();
    assert!(
        file.contains("DTSTART;TZID=Europe/Vienna:20270621T190000"),
        "{file}"
    );
    day.story.tell("The answers are for Alice alone.");
    let answers = day.json("bob", &["event", "show", &event]);
    assert_eq!(answers["answers"], Value::Array(Vec::new()));
    day.step(
        "alice",
        &["event", "change", &event, "--location", "The old barn"],
    );
    day.settle(&["alice", "bob", "carol", "dave"]);
    day.shows("dave", &["event", "show", &event], &["The old barn"]);
}

fn page(day: &mut Day) {
    day.story.heading("A page");
    let about = "We sing on Fridays.";
    day.step(
        "carol",
        &["page", "set", "Choir of Vienna", "--about", about],
    );
    day.step("erin", &["follow", CAROL]);
    day.settle(&["carol", "erin"]);
    day.shows(
        "erin",
        &["page", "list"],
        &["Choir of Vienna", "you follow"],
    );
    day.story.tell(&format!(
        "{FOLLOWERS} more people follow. Each is answered, and Carol's provider lets her send that many \
         mails in a day: she puts `daily = 10000` at the beginning of her `config.toml`."
    ));
    let config = day.story.shell("carol").path("home/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("daily = 10000\n{text}")).unwrap();
    let mut followers = Followers::ask(&day.server, CAROL, FOLLOWERS, now());
    day.settle(&["carol"]);
    assert_eq!(followers.read(&day.server, now()), FOLLOWERS);
    day.settle(&["carol"]);
    // The page tells about itself.
    assert_eq!(followers.read(&day.server, now()), FOLLOWERS);
    let all = day.json("carol", &["page", "followers"]);
    assert_eq!(all.as_array().unwrap().len(), FOLLOWERS + 1);
    day.story.tell(
        "One signed post serves all of them, in few mails, and nobody learns who else got it.",
    );
    let known = day.server.submissions().len();
    day.step("carol", &["page", "post", "Concert on Sunday!"]);
    day.settle(&["carol", "erin"]);
    let mails = day.server.submissions_since(known);
    let mails: Vec<_> = mails
        .iter()
        .filter(|mail| mail.envelope_from == CAROL)
        .collect();
    assert_eq!(mails.len(), (FOLLOWERS + 1).div_ceil(BATCH));
    assert!(mails.iter().all(|mail| mail.recipients.len() <= BATCH));
    assert_eq!(followers.read(&day.server, now()), FOLLOWERS);
    assert_eq!(followers.have("Concert on Sunday!", now()), FOLLOWERS);
    day.shows(
        "erin",
        &["timeline"],
        &["Carol <carol@a.test>", "Concert on Sunday!"],
    );
    day.story
        .tell("Erin comments. The page passes it on to everybody who follows.");
    let post = day.json("erin", &["timeline"]);
    let post = post.as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()[..8]
        .to_owned();
    day.step("erin", &["comment", &post, "I will be there!"]);
    day.settle(&["carol", "erin"]);
    day.shows("carol", &["thread"], &["I will be there!"]);
    assert_eq!(followers.read(&day.server, now()), FOLLOWERS);
    assert_eq!(followers.heard("I will be there!", now()), FOLLOWERS);
    day.step("erin", &["unfollow", "Choir of Vienna"]);
    day.settle(&["carol", "erin"]);
    let all = day.json("carol", &["page", "followers"]);
    assert_eq!(all.as_array().unwrap().len(), FOLLOWERS);
}

async fn app(day: &mut Day) {
    day.story.heading("An app");
    day.step(
        "alice",
        &["app", "start", "Bob", "urn:example:chess", "Our game"],
    );
    day.settle(&["alice", "bob"]);
    let update = |who: &str, info: &str, summary: &str, day: &mut Day| {
        std::fs::write(
            day.story.shell(who).path("move.json"),
            format!("{{\"move\":\"{info}\"}}"),
        )
        .unwrap();
        let words = [
            "app",
            "update",
            "Our game",
            "--info",
            info,
            "--summary",
            summary,
        ];
        day.step(who, &[&words[..], &["--data", "move.json"]].concat());
        day.settle(&["alice", "bob"]);
    };
    update("alice", "e2-e4", "Black to move", day);
    pause().await;
    update("bob", "e7-e5", "White to move", day);
    day.shows("alice", &["app", "list"], &["Our game", "White to move"]);
    day.shows("bob", &["app", "show", "Our game"], &["e2-e4", "e7-e5"]);
    let shown = day.json("bob", &["app", "show", "Our game"]);
    assert_eq!(shown["missing"], serde_json::json!({}));
}
