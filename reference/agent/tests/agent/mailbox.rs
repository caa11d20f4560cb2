//! Filing, in a mailbox shared with ordinary mail (specification, section "Filing").

use std::sync::Arc;
use std::time::Duration;

use kith_agent::{Driver, MailboxError, Problem, Store, TlsMode};
use kith_core::agent::DAY;
use kith_core::{Action, Done, Event, Strict};
use kith_testbed::{Config, Deliver, Direction, Fault, ImapAction, ImapCapabilities, Server};

use crate::support::{
    ALICE, BOB, NOW, account, friends, person, post, still, sync, texts, with_imap,
};

const CAROL: &str = "carol@a.test";
const ORDINARY: &[u8] = b"From: carol@c.test\r\nSubject: lunch\r\n\r\nAt one?\r\n";

fn count(server: &Server, folder: &str) -> usize {
    server
        .messages(BOB, folder)
        .map_or(0, |messages| messages.len())
}

#[tokio::test]
async fn ordinary_mail_is_left_alone_and_looked_at_once() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    let mut how = Deliver::from("carol@c.test");
    how.flags = vec!["\\Flagged".to_owned()];
    server.deliver(BOB, ORDINARY, &how).unwrap();
    let before = server.messages(BOB, "INBOX").unwrap();
    post(&mut alice, "The first snow!", NOW);
    sync(&mut alice, NOW).await;
    let report = sync(&mut bob, NOW).await;
    assert_eq!(report.fetched, 2);
    assert!(
        matches!(report.events[..], [Event::Post { .. }]),
        "{:?}",
        report.events
    );
    assert_eq!(texts(&bob), ["The first snow!"]);
    assert_eq!(server.messages(BOB, "INBOX").unwrap(), before);
    assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
    assert_eq!(count(&server, "Kith/Refused"), 0);
}

#[tokio::test]
async fn folders_follow_the_namespace() {
    for namespace in [true, false] {
        let prefix = if namespace { "INBOX." } else { "" };
        let server = still(with_imap(ImapCapabilities {
            namespace,
            namespace_prefix: prefix.to_owned(),
            delimiter: '.',
            ..ImapCapabilities::default()
        }))
        .await;
        let (_, mut bob) = friends(&server).await;
        server
            .deliver(BOB, &refused(), &Deliver::from(ALICE))
            .unwrap();
        sync(&mut bob, NOW).await;
        let folders = server.folders(BOB).unwrap();
        let names: Vec<&str> = folders
            .iter()
            .map(|folder| folder.wire_name.as_str())
            .collect();
        let wanted = [format!("{prefix}Kith"), format!("{prefix}Kith.Refused")];
        assert!(
            wanted.iter().all(|name| names.contains(&name.as_str())),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn without_move_mail_is_copied_and_without_uidplus_left() {
    let server = still(with_imap(ImapCapabilities {
        move_: false,
        ..ImapCapabilities::default()
    }))
    .await;
    // A mail that somebody marked as deleted must survive.
    let mut how = Deliver::from("carol@c.test");
    how.flags = vec!["\\Deleted".to_owned()];
    server.deliver(BOB, ORDINARY, &how).unwrap();
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "copied", NOW);
    sync(&mut alice, NOW).await;
    sync(&mut bob, NOW).await;
    assert_eq!(
        (count(&server, "INBOX"), texts(&bob)),
        (1, vec!["copied".to_owned()])
    );
    assert!(count(&server, "Kith") > 0);

    let server = still(with_imap(ImapCapabilities::bare())).await;
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "left", NOW);
    sync(&mut alice, NOW).await;
    sync(&mut bob, NOW).await;
    // Only what Bob's agent appended itself is in the folder: that he accepted, and his side of it.
    assert_eq!(
        (count(&server, "Kith"), texts(&bob)),
        (2, vec!["left".to_owned()])
    );
    assert!(count(&server, "INBOX") > 0);
    assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
}

#[tokio::test]
async fn what_a_filter_put_into_the_folder_is_read_and_ordinary_mail_goes_back() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "sorted by a filter", NOW);
    let fault = server
        .faults()
        .add(Fault::delivery(kith_testbed::DeliveryAction::Drop));
    sync(&mut alice, NOW).await;
    server.faults().remove(fault);
    let mail = server.submissions().last().unwrap().octets.clone();
    let mut how = Deliver::from(ALICE);
    how.folder = "Kith".to_owned();
    server.deliver(BOB, &mail, &how).unwrap();
    server.deliver(BOB, ORDINARY, &how).unwrap();
    let kith = count(&server, "Kith");
    sync(&mut bob, NOW).await;
    assert_eq!(texts(&bob), ["sorted by a filter"]);
    assert_eq!(count(&server, "Kith"), kith - 1);
    let inbox = server.messages(BOB, "INBOX").unwrap();
    assert!(
        inbox
            .iter()
            .any(|mail| mail.octets.windows(5).any(|part| part == b"lunch"))
    );
    assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
}

/// A mail that every agent must refuse: it says that it is Kith mail, and is not.
fn refused() -> Vec<u8> {
    let part = "--b\r\nContent-Type: application/kith-object\r\n\r\nnonsense\r\n--b--\r\n";
    format!(
        "From: {ALICE}\r\nKith-Version: 1.0\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n{part}"
    )
    .into_bytes()
}

#[tokio::test]
async fn refused_mail_is_kept_for_thirty_days() {
    let server = still(Config::default()).await;
    let mut bob = person(account(&server, BOB, TlsMode::Tls));
    server
        .deliver(BOB, &refused(), &Deliver::from(ALICE))
        .unwrap();
    assert!(sync(&mut bob, NOW).await.events.is_empty());
    assert_eq!(
        (count(&server, "INBOX"), count(&server, "Kith/Refused")),
        (0, 1)
    );
    sync(&mut bob, NOW + 29 * DAY).await;
    server.set_now(NOW + 29 * DAY);
    server
        .deliver(BOB, &refused(), &Deliver::from(ALICE))
        .unwrap();
    sync(&mut bob, NOW + 29 * DAY).await;
    assert_eq!(count(&server, "Kith/Refused"), 2);
    sync(&mut bob, NOW + 30 * DAY).await;
    assert_eq!(count(&server, "Kith/Refused"), 1);
    sync(&mut bob, NOW + 60 * DAY).await;
    assert_eq!(count(&server, "Kith/Refused"), 0);
}

#[tokio::test]
async fn filing_that_was_interrupted_goes_on() {
    for action in [ImapAction::Drop, ImapAction::CarryOutThenDrop] {
        let server = still(Config::default()).await;
        let (mut alice, mut bob) = friends(&server).await;
        post(&mut alice, "once", NOW);
        sync(&mut alice, NOW).await;
        server.faults().add(Fault::imap(&["MOVE"], action).times(1));
        let report = bob.sync(NOW).await.unwrap();
        assert!(
            matches!(
                report.problems[..],
                [Problem::Mailbox(MailboxError::Lost { .. })]
            ),
            "{:?}",
            report.problems
        );
        assert_eq!(report.events.len(), 1);
        assert!(sync(&mut bob, NOW).await.events.is_empty());
        assert_eq!(
            (count(&server, "INBOX"), texts(&bob)),
            (0, vec!["once".to_owned()])
        );
        let kith = count(&server, "Kith");
        sync(&mut bob, NOW).await;
        assert_eq!(
            (count(&server, "Kith"), count(&server, "Kith/Refused")),
            (kith, 0)
        );
        assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
    }
}

#[tokio::test]
async fn a_full_mailbox_is_told_and_filing_goes_on_later() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "no room", NOW);
    sync(&mut alice, NOW).await;
    let full = ImapAction::No("[OVERQUOTA] The mailbox is full".to_owned());
    let fault = server.faults().add(Fault::imap(&["MOVE"], full));
    let report = bob.sync(NOW).await.unwrap();
    assert!(
        matches!(
            report.problems[..],
            [Problem::Mailbox(MailboxError::Quota { .. })]
        ),
        "{:?}",
        report.problems
    );
    assert_eq!(
        (texts(&bob), count(&server, "INBOX")),
        (vec!["no room".to_owned()], 1)
    );
    server.faults().remove(fault);
    sync(&mut bob, NOW).await;
    assert_eq!(count(&server, "INBOX"), 0);
}

#[tokio::test]
async fn a_mailbox_numbered_anew_is_read_again_without_harm() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    post(&mut alice, "still there", NOW);
    sync(&mut alice, NOW).await;
    sync(&mut bob, NOW).await;
    // Another server with the same mail has another UIDVALIDITY.
    let other = still(Config::default()).await;
    let mut how = Deliver::from(ALICE);
    how.folder = "Kith".to_owned();
    for mail in server.messages(BOB, "Kith").unwrap() {
        other.deliver(BOB, &mail.octets, &how).unwrap();
    }
    let account = account(&other, BOB, TlsMode::Tls);
    let strict = Arc::new(Strict);
    let mut bob = Driver::open(strict, bob.close(), account).unwrap();
    let before = count(&other, "Kith");
    sync(&mut bob, NOW).await;
    assert_eq!(texts(&bob), ["still there"]);
    assert_eq!(
        (count(&other, "Kith"), count(&other, "Kith/Refused")),
        (before, 0)
    );
}

#[tokio::test]
async fn waiting_ends_with_new_mail() {
    for idle in [true, false] {
        let server = still(with_imap(ImapCapabilities {
            idle,
            ..ImapCapabilities::default()
        }))
        .await;
        let mut bob = person(account(&server, BOB, TlsMode::Tls)).keeping_connection();
        sync(&mut bob, NOW).await;
        let (mut rest, store) = bob.rest();
        let wait = rest.wait(Duration::from_secs(20), Duration::from_millis(300));
        let deliver = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            server
                .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
                .unwrap();
        };
        let (waited, ()) = tokio::time::timeout(Duration::from_secs(10), async {
            tokio::join!(wait, deliver)
        })
        .await
        .unwrap();
        waited.unwrap();
        let mut bob = rest.wake(store).unwrap();
        assert_eq!(sync(&mut bob, NOW).await.fetched, 1);
    }
}

#[tokio::test]
async fn an_old_connection_is_replaced() {
    let server = still(Config::default()).await;
    let mut bob = person(account(&server, BOB, TlsMode::Tls)).keeping_connection();
    sync(&mut bob, NOW).await;
    server.go_away().await;
    server.come_back().await.unwrap();
    server
        .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
        .unwrap();
    assert_eq!(sync(&mut bob, NOW).await.fetched, 1);
}

#[tokio::test]
async fn a_clock_that_is_behind_is_told() {
    let server = still(Config::default()).await;
    let mut bob = person(account(&server, BOB, TlsMode::Tls));
    server
        .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
        .unwrap();
    let report = bob.sync(NOW - 3 * DAY).await.unwrap();
    assert!(
        matches!(report.problems[..], [Problem::Clock { .. }]),
        "{:?}",
        report.problems
    );
    sync(&mut bob, NOW).await;
    let report = bob.sync(NOW - 3 * DAY).await.unwrap();
    assert!(
        matches!(report.problems[..], [Problem::Clock { .. }]),
        "{:?}",
        report.problems
    );
}

#[tokio::test]
async fn what_is_too_large_is_not_fetched() {
    let server = still(Config::default()).await;
    let mut bob = person(account(&server, BOB, TlsMode::Tls));
    let mut large = ORDINARY.to_vec();
    large.resize(kith_spec::limit::MAIL_OCTETS as usize + 1, b'x');
    server
        .deliver(BOB, &large, &Deliver::from("carol@c.test"))
        .unwrap();
    server
        .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
        .unwrap();
    assert_eq!(sync(&mut bob, NOW).await.fetched, 1);
    assert_eq!(count(&server, "INBOX"), 2);
    assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
}

#[tokio::test]
async fn of_an_old_mailbox_only_the_newest_mails_are_looked_at() {
    let server = still(Config::default()).await;
    for _ in 0..1003 {
        server
            .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
            .unwrap();
    }
    let mut bob = person(account(&server, BOB, TlsMode::Tls));
    assert_eq!(sync(&mut bob, NOW).await.fetched, 1000);
    server
        .deliver(BOB, ORDINARY, &Deliver::from("carol@c.test"))
        .unwrap();
    assert_eq!(sync(&mut bob, NOW).await.fetched, 1);
}

#[tokio::test]
async fn what_could_not_be_processed_is_tried_again() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    // As if the core had failed at the next mail, and an older one were gone.
    let next = server.folders(BOB).unwrap();
    let inbox = next.iter().find(|folder| folder.name == "INBOX").unwrap();
    let row = |uid: u32| kith_core::store::Write {
        table: kith_core::store::Table::Mailbox,
        key: [
            b"later/i",
            &inbox.uid_validity.to_be_bytes()[..],
            &uid.to_be_bytes(),
        ]
        .concat(),
        value: Some(format!("{{\"first\":{NOW},\"attempts\":1}}").into_bytes()),
    };
    let cursor = kith_core::store::Write {
        table: kith_core::store::Table::Mailbox,
        key: b"cursor/i".to_vec(),
        value: Some(
            format!(
                "{{\"validity\":{},\"next\":{}}}",
                inbox.uid_validity,
                inbox.uid_next + 1
            )
            .into_bytes(),
        ),
    };
    post(&mut alice, "at last", NOW);
    sync(&mut alice, NOW).await;
    let mut store = bob.close();
    store.apply(&[row(1), row(inbox.uid_next), cursor]).unwrap();
    let strict = Arc::new(Strict);
    let account = account(&server, BOB, TlsMode::Tls);
    bob = Driver::open(strict, store, account).unwrap();
    assert_eq!(sync(&mut bob, NOW + DAY).await.fetched, 1);
    assert_eq!(
        (texts(&bob), count(&server, "INBOX")),
        (vec!["at last".to_owned()], 0)
    );
    assert_eq!(sync(&mut bob, NOW + DAY).await.fetched, 0);
}

#[tokio::test]
async fn what_another_device_relayed_is_not_relayed_again() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    server.add_account(CAROL, "secret").unwrap();
    let mut carol = person(account(&server, CAROL, TlsMode::Tls));
    let (done, _) = alice.act(Action::Invite, NOW).unwrap();
    let Done::Invite(invite) = done else {
        panic!("{done:?}")
    };
    let ask = Action::Befriend {
        address: ALICE.to_owned(),
        note: None,
        invite: Some(invite),
    };
    carol.act(ask, NOW).unwrap();
    for _ in 0..3 {
        sync(&mut carol, NOW).await;
        sync(&mut alice, NOW).await;
    }
    post(&mut alice, "The first snow!", NOW);
    sync(&mut alice, NOW).await;
    let export = alice.export("a passphrase", NOW).unwrap();
    let (gate, store) = (Arc::new(Strict), Store::memory().unwrap());
    let account = account(&server, ALICE, TlsMode::Tls);
    let phone = Driver::import(gate, store, account, &export, "a passphrase", NOW);
    let mut phone = phone.unwrap();
    sync(&mut phone, NOW).await;
    sync(&mut bob, NOW).await;
    let seen = bob.view(NOW).timeline(1).unwrap().remove(0);
    let octets = |text: &str| hex::decode(text).unwrap();
    let comment = Action::Comment {
        root: (
            octets(&seen.author).try_into().unwrap(),
            octets(&seen.id).try_into().unwrap(),
        ),
        parent: None,
        text: "Where?".to_owned(),
        private: false,
    };
    bob.act(comment, NOW).unwrap();
    sync(&mut bob, NOW).await;
    let submitted = server.submissions().len();
    sync(&mut alice, NOW).await;
    assert_eq!(server.submissions().len(), submitted + 1);
    // The phone finds the comment before the self-copy that tells of the relay.
    sync(&mut phone, NOW).await;
    assert_eq!(phone.view(NOW).threads().unwrap()[0].comments.len(), 1);
    assert_eq!(server.submissions().len(), submitted + 1);
}

/// What clients said since, in upper case.
fn said(server: &Server, since: usize) -> Vec<String> {
    let log = server.wire_log();
    let commands = log[since..]
        .iter()
        .filter(|event| event.direction == Direction::Client);
    commands
        .map(|event| String::from_utf8_lossy(&event.octets).to_uppercase())
        .collect()
}

#[tokio::test]
async fn what_this_device_put_into_the_folder_is_not_read_again() {
    for uidplus in [true, false] {
        let server = still(with_imap(ImapCapabilities {
            uidplus,
            ..ImapCapabilities::default()
        }))
        .await;
        let (mut alice, mut bob) = friends(&server).await;
        post(&mut alice, "The first snow!", NOW);
        sync(&mut alice, NOW).await;
        sync(&mut bob, NOW).await;
        assert_eq!((texts(&bob).len(), count(&server, "INBOX")), (1, 0));
        let since = server.wire_log().len();
        sync(&mut alice, NOW).await;
        let report = sync(&mut bob, NOW).await;
        let again = said(&server, since);
        let fetched = |line: &&String| line.contains("SELECT \"KITH\"") || line.contains("BODY");
        assert_eq!(report.fetched, 0);
        // Where the server doesn't tell the new UIDs, the mail is known by its octets.
        assert_eq!(
            again.iter().any(|line| fetched(&line)),
            !uidplus,
            "{again:?}"
        );
    }
}
