//! Stores as earlier versions wrote them, in `forms/N.sql` for the form N: each is opened by this
//! version, shows what was in it, and goes on.
//!
//! A file is written once, when its form is new, and never again:
//!
//!     cargo test -p kith-agent --test agent forms::record -- --ignored

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kith_agent::{Driver, Store, TlsMode};
use kith_core::agent::NewIdentity;
use kith_core::agent::group::GroupId;
use kith_core::kinds::event::{Guests, Happening, Status, When};
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Done, Strict};
use kith_testbed::Config;

use crate::support::{ALICE, BOB, NOW, account, befriend, person, post, still, sync};

const CAROL: &str = "carol@c.test";

/// The form that this version writes.
const PRESENT: u32 = 1;

fn file(form: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/agent/forms/{form}.sql"))
}

fn done(driver: &mut Driver, action: Action) -> Done {
    driver.act(action, NOW).unwrap().0
}

fn object(done: &Done) -> [u8; 16] {
    match done {
        Done::Object(id) => *id,
        other => panic!("{other:?}"),
    }
}

/// Everything that a version wrote into the store of Alice, as SQL.
#[tokio::test]
#[ignore = "writes the file of a new form"]
async fn record() {
    assert!(!file(PRESENT).exists(), "this form has its file");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kith.db");
    let server = still(Config::default()).await;
    let new = NewIdentity {
        name: Some("Alice".to_owned()),
        address: ALICE.to_owned(),
        keys: KeyKind::V4,
        now: NOW - 1,
    };
    let (gate, store) = (Arc::new(Strict), Store::open(&path).unwrap());
    let login = account(&server, ALICE, TlsMode::Tls);
    let (mut alice, _) = Driver::create(gate, store, login, &new).unwrap();
    let mut bob = person(account(&server, BOB, TlsMode::Tls));
    befriend(&mut alice, &mut bob).await;
    let (a, b) = (alice.agent().own().id, bob.agent().own().id);
    let message = |to, text: &str| Action::Message {
        to,
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    };
    done(&mut alice, message(b, "How was the lake?"));
    done(&mut bob, message(a, "Cold."));
    post(&mut bob, "Rain again", NOW);
    post(&mut alice, "Sunrise at six", NOW);
    let (name, add) = ("family".to_owned(), vec![b]);
    let remove = Vec::new();
    done(&mut alice, Action::Circle { name, add, remove });
    let (identity, name) = (b, Some("Bobby".to_owned()));
    done(&mut alice, Action::Petname { identity, name });
    let (name, about) = ("Choir".to_owned(), None);
    let group = done(&mut alice, Action::GroupCreate { name, about });
    let group = GroupId {
        owner: a,
        id: object(&group),
    };
    let change = kith_core::agent::group::GroupChange::Invite(b);
    done(&mut alice, Action::GroupChange { group, change });
    let event = Happening {
        summary: "Concert".to_owned(),
        description: None,
        start: When::Utc(NOW + 86_400),
        end: None,
        location: None,
        geo: None,
        url: None,
        status: Status::Confirmed,
    };
    let guests = Guests::Friends;
    done(&mut alice, Action::EventCreate { event, guests });
    let (address, note) = (CAROL.to_owned(), None);
    let invite = None;
    done(
        &mut alice,
        Action::Befriend {
            address,
            note,
            invite,
        },
    );
    for _ in 0..2 {
        sync(&mut bob, NOW).await;
        sync(&mut alice, NOW).await;
    }
    drop(alice.close());
    std::fs::write(file(PRESENT), dump(&path)).unwrap();
}

fn dump(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let (form, application) = (number("user_version"), number("application_id"));
    let (form, application) = (form.unwrap(), application.unwrap());
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "-- What kith {version} wrote: form {form}. Not to be changed.
PRAGMA user_version = {form}; PRAGMA application_id = {application};\n"
    );
    let mut lines = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        for line in rows.unwrap() {
            text += &format!("{};\n", line.unwrap());
        }
    };
    lines("SELECT sql FROM sqlite_schema WHERE type = 'table'");
    let row = "'INSERT INTO rows VALUES (' || tab || ', ' || quote(key) || ', ' || quote(value)";
    lines(&format!("SELECT {row} || ')' FROM rows"));
    text
}

#[tokio::test]
async fn a_store_of_each_form_goes_on() {
    for form in 1..=PRESENT {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kith.db");
        let text = std::fs::read_to_string(file(form)).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(&text).unwrap();
        drop(connection);
        let store = Store::open(&path).unwrap();
        let server = still(Config::default()).await;
        let login = account(&server, ALICE, TlsMode::Tls);
        let mut alice = Driver::open(Arc::new(Strict), store, login).unwrap();
        let view = alice.view(NOW);
        let friend = view.friends().unwrap().remove(0);
        assert_eq!(friend.address, BOB);
        let petname = &view.contacts().unwrap()[0].petname;
        assert_eq!(petname.as_deref(), Some("Bobby"));
        let messages = view.messages(None).unwrap();
        let texts: BTreeSet<_> = messages.iter().map(|message| &*message.text).collect();
        assert_eq!(texts, BTreeSet::from(["How was the lake?", "Cold."]));
        let posts = view.timeline(10).unwrap();
        let posts: BTreeSet<_> = posts.iter().map(|post| &*post.text).collect();
        assert_eq!(posts, BTreeSet::from(["Rain again", "Sunrise at six"]));
        assert_eq!(view.circles().unwrap()[0].name, "family");
        assert_eq!(view.groups().unwrap()[0].name, "Choir");
        assert_eq!(view.events().unwrap()[0].content.summary, "Concert");
        assert_eq!(view.requests().unwrap()[0].address, CAROL);
        let to = hex::FromHex::from_hex(friend.identity).unwrap();
        let action = Action::Message {
            to,
            text: "Still there?".to_owned(),
            parent: None,
            media: Vec::new(),
        };
        done(&mut alice, action);
        sync(&mut alice, NOW).await;
        assert_eq!(server.messages(BOB, "INBOX").unwrap().len(), 1);
        // The file has no other form now than a new one has.
        drop(alice.close());
        let fresh = folder.path().join("fresh.db");
        drop(Store::open(&fresh).unwrap());
        let schema = |text: &str| text.split("INSERT").next().unwrap().to_owned();
        assert_eq!(schema(&dump(&path)), schema(&dump(&fresh)));
    }
}
