//! The program where something is wrong, and for other programs.

use kith_testbed::{Certificate, Config, Server};
use serde_json::Value;

use crate::support::{ALICE, AUTHORITY, BOB, Shell, server};

/// Alice and Bob with the program, friends already.
async fn friends() -> (Server, Shell, Shell) {
    let server = server(Config::default()).await;
    let (alice, bob) = (Shell::set_up(ALICE, &server), Shell::set_up(BOB, &server));
    let invite = alice.run(&["invite"]);
    bob.run(&["befriend", invite.lines().next().unwrap()]);
    for shell in [&alice, &bob, &alice] {
        shell.run(&["sync"]);
    }
    (server, alice, bob)
}

fn strings(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_up_checks_everything_first() {
    let server = server(Config::default()).await;
    let alice = Shell::new(ALICE);
    let arguments = alice.init(&server);
    let arguments = strings(&arguments);
    std::fs::write(alice.path("secret"), "wrong\n").unwrap();
    let errors = alice.fails(5, &arguments);
    assert!(
        errors.contains("password") && !errors.contains("wrong\n"),
        "{errors}"
    );
    std::fs::write(alice.path("secret"), "\n").unwrap();
    assert!(alice.fails(6, &arguments).contains("password file"));
    std::fs::write(alice.path("secret"), "secret\n").unwrap();
    let stranger = kith_testbed::Authority::new().unwrap();
    std::fs::write(alice.path("ca.pem"), stranger.pem()).unwrap();
    assert!(
        alice
            .fails(5, &arguments)
            .contains("no authority that you trust")
    );
    std::fs::write(alice.path("ca.pem"), AUTHORITY.pem()).unwrap();
    server.go_away().await;
    assert!(alice.fails(4, &arguments).contains("can't be reached"));
    server.come_back().await.unwrap();
    assert!(!alice.path("home").exists() && !alice.path("kith-recovery-alice@a.test.asc").exists());
    assert!(alice.fails(6, &["friends"]).contains("kith init"));
    std::fs::write(alice.path("kith-recovery-alice@a.test.asc"), "older").unwrap();
    assert!(alice.fails(6, &arguments).contains("kith-recovery"));
    std::fs::remove_file(alice.path("kith-recovery-alice@a.test.asc")).unwrap();
    assert!(alice.run(&arguments).contains("Keep it elsewhere"));
    assert!(alice.fails(3, &arguments).contains("already"));
    let kit = std::fs::read_to_string(alice.path("kith-recovery-alice@a.test.asc")).unwrap();
    assert!(
        kit.contains("\n-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"),
        "{kit}"
    );
    let config = std::fs::read_to_string(alice.path("home/config.toml")).unwrap();
    assert!(!config.contains("secret\n"), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(unix)]
async fn secrets_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = server(Config::default()).await;
    let alice = Shell::set_up(ALICE, &server);
    let files = [
        "kith-recovery-alice@a.test.asc",
        "home/kith.db",
        "home/config.toml",
    ];
    for file in files {
        let mode = std::fs::metadata(alice.path(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    // The own file of the person is left as it is, but doctor complains.
    let secret = alice.path("secret");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
    let output = alice.kith(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("chmod 600"), "{text}");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let text = alice.run(&["doctor"]);
    assert!(!text.contains("!!"), "{text}");
    let text = alice.run(&["-vv", "sync"]);
    let output = alice.kith(&["-vv", "sync"]);
    let logged = text + &String::from_utf8_lossy(&output.stderr);
    assert!(
        !logged.contains("secret") && !logged.contains("AGFsaWNl"),
        "{logged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_wrong() {
    let server = server(Config::default()).await;
    let alice = Shell::new(ALICE);
    let output = alice.kith(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let alice = Shell::set_up(ALICE, &server);
    let findings = json(&alice.run(&["doctor", "--json"]));
    let checks: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["check"].as_str().unwrap())
        .collect();
    let wanted = [
        "configuration",
        "password file",
        "store",
        "submission",
        "mailbox",
        "folders",
        "clock",
    ];
    assert_eq!(checks, wanted);
    server
        .set_certificate(&AUTHORITY, Certificate::Expired)
        .unwrap();
    let output = alice.kith(&["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text.matches("has expired").count(), 2, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_the_server_is_away_arrives_later() {
    let (server, alice, bob) = friends().await;
    server.go_away().await;
    let errors = alice.fails(4, &["message", BOB, "patience"]);
    assert!(
        errors.contains("can't be reached") && errors.contains("next sync"),
        "{errors}"
    );
    alice.run(&["--offline", "post", "The first snow!"]);
    assert!(alice.run(&["messages"]).contains("waits to be sent"));
    let status = alice.run(&["status"]);
    assert!(
        status.contains("unsent    2") && status.contains("next due  now"),
        "{status}"
    );
    server.come_back().await.unwrap();
    alice.run(&["sync"]);
    let text = bob.run(&["sync"]);
    assert!(text.contains("A message from alice@a.test"), "{text}");
    assert!(bob.run(&["messages", ALICE]).contains("patience"));
    assert!(bob.run(&["timeline"]).contains("The first snow!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_or_certificate_that_changed_is_told() {
    let (server, alice, bob) = friends().await;
    server.change_password(ALICE, "another").unwrap();
    assert!(
        alice
            .fails(5, &["sync"])
            .contains("check user name and password")
    );
    server
        .set_certificate(&AUTHORITY, Certificate::WrongName)
        .unwrap();
    assert!(bob.fails(5, &["sync"]).contains("stands for another name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_possible_changes_nothing() {
    let (_server, alice, _bob) = friends().await;
    assert!(
        alice
            .fails(3, &["message", "carol@c.test", "hello"])
            .contains("kith friends")
    );
    assert!(alice.fails(3, &["post", "  "]).contains("empty"));
    assert!(alice.fails(3, &["accept", "1"]).contains("kith requests"));
    assert!(
        alice
            .fails(3, &["befriend", BOB])
            .contains("friends already")
    );
    assert!(
        alice
            .fails(3, &["befriend", ALICE])
            .contains("your own address")
    );
    assert!(
        alice
            .fails(3, &["befriend", "kith:nonsense"])
            .contains("invite")
    );
    assert!(
        alice
            .fails(3, &["edit", "0000", "x"])
            .contains("kith timeline")
    );
    assert!(alice.fails(3, &["retract", "00"]).contains("kith timeline"));
    assert!(alice.run(&["status"]).contains("unsent    0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_read_json() {
    let (_server, alice, bob) = friends().await;
    let posted = json(&alice.run(&["--json", "post", "The first snow!"]));
    assert_eq!(posted["sync"]["sent"], 1);
    let id = posted["id"].as_str().unwrap();
    alice.run(&["edit", &id[..8], "The first snow, at last!"]);
    let synced = json(&bob.run(&["sync", "--json"]));
    assert_eq!(synced["events"][0]["event"], "post");
    let timeline = json(&bob.run(&["timeline", "--json"]));
    assert_eq!(timeline[0]["id"], id);
    assert_eq!(
        (&timeline[0]["text"], &timeline[0]["rev"]),
        (&"The first snow, at last!".into(), &2.into())
    );
    alice.run(&["retract", id]);
    bob.run(&["sync"]);
    assert_eq!(
        json(&bob.run(&["timeline", "--json"])),
        Value::Array(Vec::new())
    );
    let friends = json(&bob.run(&["friends", "--json"]));
    assert_eq!(friends[0]["address"], ALICE);
    let identity = friends[0]["identity"].as_str().unwrap();
    assert_eq!(
        json(&alice.run(&["status", "--json"]))["identity"],
        identity
    );
    let output = bob.kith(&["--json", "message", "nobody", "x"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(json(&String::from_utf8(output.stdout).unwrap())["exit"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn relations_end_in_every_way() {
    let (_server, alice, bob) = friends().await;
    alice.run(&["block", BOB]);
    assert!(alice.run(&["friends"]).contains("No friends yet"));
    bob.run(&["message", ALICE, "hello?"]);
    alice.run(&["sync"]);
    assert!(alice.run(&["messages"]).contains("No messages"));
    alice.run(&["unblock", BOB]);
    bob.run(&["end", ALICE]);
    assert!(bob.run(&["friends"]).contains("No friends yet"));
    alice.run(&["sync"]);
    bob.run(&["befriend", ALICE, "--note", "Sorry!"]);
    alice.run(&["sync"]);
    let requests = alice.run(&["requests"]);
    assert!(
        requests.contains("Sorry!") && requests.contains(BOB),
        "{requests}"
    );
    alice.run(&["decline", BOB]);
    assert!(alice.run(&["requests"]).contains("No request waits"));
    bob.run(&["withdraw", "1"]);
    assert!(bob.run(&["requests"]).contains("No request waits"));
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(unix)]
async fn watching_tells_of_new_mail_and_lets_others_work() {
    use std::io::BufRead as _;
    let (_server, alice, bob) = friends().await;
    let mut watch = std::process::Command::new(env!("CARGO_BIN_EXE_kith"))
        .args([
            "--home",
            bob.path("home").to_str().unwrap(),
            "sync",
            "--watch",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Watching"));
    alice.run(&["post", "The first snow!"]);
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("A post from alice@a.test"), "{line}");
    bob.run(&["message", ALICE, "Lovely!"]);
    watch.kill().unwrap();
    watch.wait().unwrap();
    alice.run(&["sync"]);
    assert!(alice.run(&["messages"]).contains("Lovely!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn being_killed_loses_and_repeats_nothing() {
    const POSTS: usize = 20;
    let (server, alice, bob) = friends().await;
    for number in 0..POSTS {
        alice.run(&["--offline", "post", &format!("post {number}")]);
    }
    let killed = |shell: &Shell, round: u64| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kith"))
            .args(["--home", shell.path("home").to_str().unwrap(), "sync"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(15 + 4 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    for shell in [&alice, &bob] {
        for round in 0..15 {
            killed(shell, round);
        }
        shell.run(&["sync"]);
    }
    let timeline = json(&bob.run(&["timeline", "--json"]));
    let mut texts: Vec<&str> = timeline
        .as_array()
        .unwrap()
        .iter()
        .map(|post| post["text"].as_str().unwrap())
        .collect();
    texts.sort_unstable();
    let mut wanted: Vec<String> = (0..POSTS).map(|number| format!("post {number}")).collect();
    wanted.sort_unstable();
    assert_eq!(texts, wanted);
    assert!(server.messages(BOB, "INBOX").unwrap().is_empty());
    assert!(
        server
            .messages(BOB, "Kith/Refused")
            .map_or(true, |refused| refused.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_tried_has_no_effect() {
    let (server, alice, bob) = friends().await;
    let known = server.submissions().len();
    let tried = alice.run(&["--dry-run", "post", "The first snow!"]);
    assert!(
        tried.contains(BOB) && tried.contains("Only tried"),
        "{tried}"
    );
    let tried = json(&alice.run(&["--dry-run", "--json", "message", BOB, "hello"]));
    assert_eq!(tried["would_send"][0]["to"][0], BOB);
    let kit = "kith-recovery-alice@a.test.asc";
    let rotate = [
        "identity",
        "rotate",
        kit,
        "--recovery",
        "second.asc",
        "--dry-run",
    ];
    assert!(alice.run(&rotate).contains(BOB));
    assert!(!alice.path("second.asc").exists());
    assert!(alice.fails(3, &["--dry-run", "sync"]).contains("--dry-run"));
    assert!(alice.run(&["timeline"]).contains("No posts yet"));
    assert!(alice.run(&["identity", "show"]).contains("1 so far"));
    assert!(alice.run(&["status"]).contains("unsent    0"));
    alice.run(&["sync"]);
    bob.run(&["sync"]);
    assert_eq!(server.submissions().len(), known);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_kit_alone_is_enough_to_go_on() {
    let (server, lost, bob) = friends().await;
    let identity = json(&lost.run(&["identity", "show", "--json"]));
    let kit = std::fs::read(lost.path("kith-recovery-alice@a.test.asc")).unwrap();
    drop(lost);
    let alice = Shell::new(ALICE);
    std::fs::write(alice.path("kit.asc"), kit).unwrap();
    let arguments = alice.init(&server);
    let mut arguments = strings(&arguments);
    arguments.splice(0..1, ["identity", "recover", "kit.asc"]);
    arguments.extend(["--compromised", "--recovery"]);
    std::fs::write(alice.path("second.asc"), "older").unwrap();
    assert!(
        alice
            .fails(6, &[&arguments[..], &["second.asc"]].concat())
            .contains("second.asc")
    );
    assert!(!alice.path("home/config.toml").exists());
    let told = alice.run(&[&arguments[..], &["third.asc"]].concat());
    assert!(told.contains("kith befriend"), "{told}");
    let now = json(&alice.run(&["identity", "show", "--json"]));
    assert_eq!(
        (&now["identity"], &now["epoch"]),
        (&identity["identity"], &1.into())
    );
    assert!(
        std::fs::read_to_string(alice.path("third.asc"))
            .unwrap()
            .contains("PRIVATE KEY")
    );
    alice.run(&["befriend", BOB, "--note", "My disk broke"]);
    bob.run(&["sync"]);
    let requests = bob.run(&["requests"]);
    assert!(requests.contains("My disk broke"), "{requests}");
    bob.run(&["accept", ALICE]);
    for shell in [&alice, &bob, &alice] {
        shell.run(&["sync"]);
    }
    alice.run(&["message", BOB, "Here I am again"]);
    bob.run(&["sync"]);
    assert!(bob.run(&["messages"]).contains("Here I am again"));
    bob.run(&["message", ALICE, "Good!"]);
    alice.run(&["sync"]);
    assert!(alice.run(&["messages"]).contains("Good!"));
    let friends = json(&bob.run(&["friends", "--json"]));
    assert_eq!(friends.as_array().unwrap().len(), 1);
    assert_eq!(friends[0]["identity"], identity["identity"]);
}

#[test]
fn shells_and_man_know_the_commands() {
    let alice = Shell::new(ALICE);
    for (shell, word) in [
        ("bash", "complete -F _kith"),
        ("zsh", "#compdef kith"),
        ("fish", "complete -c kith"),
    ] {
        let script = alice.run(&["completion", shell]);
        assert!(
            script.contains(word) && script.contains("befriend"),
            "{shell}: {script}"
        );
    }
    let folder = alice.folder.path().to_str().unwrap().to_owned();
    alice.run(&["man", &folder]);
    let page = std::fs::read_to_string(alice.path("kith-group-create.1")).unwrap();
    assert!(page.contains(".TH"), "{page}");
    assert!(alice.path("kith.1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_into_calendars_and_come_from_them() {
    let (_server, alice, bob) = friends().await;
    let day = [
        "event",
        "create",
        "Picnic; with cake",
        "2027-06-21",
        "--end",
        "2027-06-22",
    ];
    alice.run(&day);
    let text = alice.run(&["event", "export"]);
    assert!(text.contains("SUMMARY:Picnic\\; with cake"), "{text}");
    std::fs::write(bob.path("in.ics"), text).unwrap();
    std::fs::write(bob.path("no.ics"), "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    assert!(
        bob.fails(3, &["event", "import", "no.ics"])
            .contains("no event")
    );
    assert!(
        bob.run(&["event", "import", "in.ics"])
            .contains("Picnic; with cake")
    );
    alice.run(&["sync"]);
    let events = json(&alice.run(&["--json", "event", "list"]));
    let events = events.as_array().unwrap();
    assert_eq!(events.len(), 2);
    for part in ["summary", "start", "end", "status"] {
        assert_eq!(events[0][part], events[1][part]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_read_what_is_exported_for_them() {
    let (_server, alice, bob) = friends().await;
    let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200, 30, 30]));
    picture.save(bob.path("red.png")).unwrap();
    bob.run(&["message", ALICE, "Grüße <b>", "--media", "red.png"]);
    bob.run(&["post", "The first snow! <script>", "--media", "red.png"]);
    bob.run(&["profile", "set", "tel", "tel:+43-1-5550100"]);
    alice.run(&["sync"]);
    assert!(
        alice
            .fails(3, &["export", "--readable", "plain"])
            .contains("--yes")
    );
    assert!(!alice.path("plain").exists());
    let said = alice.run(&["export", "--readable", "plain", "--yes"]);
    assert!(
        said.contains("not encrypted") && said.contains("5 files"),
        "{said}"
    );
    let read = |name: &str| std::fs::read_to_string(alice.path("plain").join(name)).unwrap();
    let card = read("contacts.vcf");
    for line in [
        "EMAIL;PREF=1:bob@b.test\r\n",
        "TEL;VALUE=uri:tel:+43-1-5550100\r\n",
    ] {
        assert!(card.contains(line), "{line}{card}");
    }
    assert!(read("events.ics").contains("BEGIN:VCALENDAR"));
    let mailbox = read("messages.mbox");
    assert!(mailbox.starts_with("From bob@b.test "), "{mailbox}");
    assert!(mailbox.contains("filename=\"file.png\""), "{mailbox}");
    let page = read("posts.html");
    assert!(page.contains("The first snow! &lt;script&gt;"), "{page}");
    let shown = page.split("<img src=\"").nth(1).unwrap();
    let shown = &shown[..shown.find('"').unwrap()];
    let octets = std::fs::read(alice.path("plain").join(shown)).unwrap();
    image::load_from_memory(&octets).unwrap();
    let errors = alice.fails(6, &["export", "--readable", "plain", "--yes"]);
    assert!(errors.contains("plain"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_key_and_provider_goes_on_at_another_address() {
    const NEW: &str = "alice@b.test";
    let (server, lost, bob) = friends().await;
    let identity = json(&lost.run(&["identity", "show", "--json"]))["identity"].clone();
    lost.run(&["message", BOB, "Before"]);
    bob.run(&["sync"]);
    let kit = std::fs::read(lost.path("kith-recovery-alice@a.test.asc")).unwrap();
    drop(lost);
    server.remove_account(ALICE).unwrap();
    server.add_account(NEW, "secret").unwrap();
    let alice = Shell::new(NEW);
    std::fs::write(alice.path("kit.asc"), kit).unwrap();
    let arguments = alice.init(&server);
    let mut arguments = strings(&arguments);
    arguments.splice(0..1, ["identity", "recover", "kit.asc"]);
    arguments.extend(["--compromised", "--recovery", "second.asc"]);
    alice.run(&arguments);
    let own = json(&alice.run(&["identity", "show", "--json"]));
    assert_eq!(
        (&own["identity"], &own["address"]),
        (&identity, &NEW.into())
    );
    assert_eq!(own["earlier"][0], ALICE);
    alice.run(&["befriend", BOB, "--note", "My provider is gone"]);
    bob.run(&["sync"]);
    bob.run(&["accept", NEW]);
    for shell in [&alice, &bob, &alice] {
        shell.run(&["sync"]);
    }
    alice.run(&["message", BOB, "Here I am again"]);
    bob.run(&["sync"]);
    assert!(bob.run(&["messages"]).contains("Here I am again"));
    bob.run(&["message", NEW, "Good!"]);
    alice.run(&["sync"]);
    assert!(alice.run(&["messages"]).contains("Good!"));
    let friends = json(&bob.run(&["friends", "--json"]));
    assert_eq!(friends.as_array().unwrap().len(), 1);
    assert_eq!(
        (&friends[0]["identity"], &friends[0]["address"]),
        (&identity, &NEW.into())
    );
    assert!(bob.run(&["messages", NEW]).contains("Before"));
    // The new kit leads to the new address, and not to the one that is gone.
    let again = Shell::new(NEW);
    std::fs::copy(alice.path("second.asc"), again.path("kit.asc")).unwrap();
    arguments.pop();
    again.run(&[&arguments[..], &["third.asc"]].concat());
    let own = json(&again.run(&["identity", "show", "--json"]));
    assert_eq!((&own["identity"], &own["epoch"]), (&identity, &2.into()));
    assert_eq!(own["address"], NEW);
}
