//! A crash at every commit point of a sync, before the transaction is kept and right after
//! (specification, `send.durable`): nothing is lost, and nothing is sent twice.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use kith_agent::{Driver, TlsMode};
use kith_core::agent::DAY;
use kith_core::{Action, Strict};
use kith_testbed::{Config, Deliver, Server};

use crate::support::{ALICE, BOB, account, friends, post, still, sync};

/// More commits than any sync here has.
const MANY: u32 = 100;
const ORDINARY: &[u8] = b"From: carol@c.test\r\nSubject: lunch\r\n\r\nAt one?\r\n";

fn message(driver: &mut Driver, text: &str, now: i64) {
    let to = driver.view(now).friends().unwrap()[0].identity.clone();
    let action = Action::Message {
        to: hex::FromHex::from_hex(to).unwrap(),
        text: text.to_owned(),
        parent: None,
        media: Vec::new(),
    };
    driver.act(action, now).unwrap();
}

/// What somebody sees, each text as often as it is shown.
fn seen(driver: &Driver, now: i64) -> Vec<String> {
    let view = driver.view(now);
    let posts = view.timeline(usize::MAX).unwrap();
    let messages = view.messages(None).unwrap();
    let posts = posts.into_iter().map(|post| post.text);
    let mut seen: Vec<String> = posts.chain(messages.into_iter().map(|m| m.text)).collect();
    seen.sort();
    seen
}

fn message_id(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let field = text.lines().find(|line| line.starts_with("Message-ID:"));
    field.unwrap().to_owned()
}

/// The agent is gone, and started anew on what it kept.
fn restart(driver: Driver, server: &Server) -> Driver {
    let mut store = driver.close();
    store.stop_after(None);
    let account = account(server, ALICE, TlsMode::Tls);
    Driver::open(Arc::new(Strict), store, account).unwrap()
}

/// How many mails stand in Alice's INBOX that are not ordinary ones.
fn unfiled(server: &Server) -> usize {
    let messages = server.messages(ALICE, "INBOX").unwrap();
    let kith = messages
        .iter()
        .filter(|mail| !mail.octets.ends_with(ORDINARY));
    kith.count()
}

#[tokio::test]
async fn a_crash_at_any_commit_loses_nothing_and_sends_nothing_twice() {
    let server = still(Config::default()).await;
    let (mut alice, mut bob) = friends(&server).await;
    let mut now = crate::support::NOW;
    let (mut expected, mut round, mut most) = (Vec::new(), 0, 0);
    for kept in [false, true] {
        for commits in 1..MANY {
            round += 1;
            now += DAY;
            server.set_now(now);
            for text in ["one", "two"] {
                post(&mut bob, &format!("Bob {round} {text}"), now);
                post(&mut alice, &format!("Alice {round} {text}"), now);
                expected.extend([
                    format!("Bob {round} {text}"),
                    format!("Alice {round} {text}"),
                ]);
            }
            message(&mut alice, &format!("Alice {round} writes"), now);
            expected.push(format!("Alice {round} writes"));
            sync(&mut bob, now).await;
            server
                .deliver(ALICE, ORDINARY, &Deliver::from("carol@c.test"))
                .unwrap();
            let known = server.submissions().len();
            let mut store = alice.close();
            store.stop_after(NonZeroU32::new(commits).map(|commits| (commits, kept)));
            let account = account(&server, ALICE, TlsMode::Tls);
            alice = Driver::open(Arc::new(Strict), store, account).unwrap();
            let ended = alice.sync(now).await.is_ok();
            alice = restart(alice, &server);
            for at in [now + 60, now + 120] {
                sync(&mut alice, at).await;
                sync(&mut bob, at).await;
            }
            let mut copies: BTreeMap<String, BTreeSet<Arc<[u8]>>> = BTreeMap::new();
            let sent = server.submissions_since(known);
            let own: Vec<_> = sent
                .iter()
                .filter(|mail| mail.recipients == [BOB])
                .collect();
            for mail in &own {
                let id = message_id(&mail.octets);
                copies.entry(id).or_default().insert(mail.octets.clone());
            }
            let place = format!("commit {commits}, kept: {kept}");
            // A server that took a mail which the agent couldn't note gets the same octets again.
            assert!(
                own.len() <= copies.len() + 1,
                "{place}: {} mails",
                own.len()
            );
            assert!(copies.values().all(|octets| octets.len() == 1), "{place}");
            assert_eq!(copies.len(), 3, "{place}");
            expected.sort();
            assert_eq!(seen(&alice, now), expected, "{place}");
            assert_eq!(seen(&bob, now), expected, "{place}");
            assert_eq!(unfiled(&server), 0, "{place}");
            if ended {
                most = most.max(commits);
                break;
            }
        }
    }
    assert!((10..MANY).contains(&most), "{most} commits");
}
