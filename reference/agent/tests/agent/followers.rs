//! Many people who follow a page: without sockets, because there are many.

use std::collections::BTreeSet;

use kith_agent::{Driver, TlsMode};
use kith_core::Action;
use kith_testbed::{Deliver, Server};

use crate::support::{account, person};

/// Somebody who follows a page.
struct Follower {
    address: String,
    driver: Driver,
    sent: BTreeSet<u64>,
    read: usize,
}

/// Some of them.
pub(crate) struct Followers {
    page: String,
    all: Vec<Follower>,
}

impl Followers {
    /// People who ask to follow the page at an address.
    pub(crate) fn ask(server: &Server, page: &str, count: usize, now: i64) -> Self {
        let all = (0..count).map(|number| {
            let address = format!("follower{number}@b.test");
            server.add_account(&address, "secret").unwrap();
            let mut driver = person(account(server, &address, TlsMode::Tls));
            let to = page.to_owned();
            driver.act(Action::Follow { address: to }, now).unwrap();
            Follower {
                address,
                driver,
                sent: BTreeSet::new(),
                read: 0,
            }
        });
        let mut followers = Self {
            page: page.to_owned(),
            all: all.collect(),
        };
        followers.send(server, now);
        followers
    }

    fn send(&mut self, server: &Server, now: i64) {
        for one in &mut self.all {
            let store = one.driver.store();
            for mail in one.driver.agent().outbox(store, now, usize::MAX).unwrap() {
                if one.sent.insert(mail.number) {
                    assert_eq!(mail.to, std::slice::from_ref(&self.page));
                    let how = Deliver::from(&one.address);
                    server.deliver(&self.page, &mail.octets, &how).unwrap();
                }
            }
        }
    }

    /// Each reads the new mail and answers. Returns how many mails were read.
    pub(crate) fn read(&mut self, server: &Server, now: i64) -> usize {
        let mut count = 0;
        for one in &mut self.all {
            let inbox = server.messages(&one.address, "INBOX").unwrap();
            for mail in &inbox[one.read..] {
                let receipt = one.driver.receive(&mail.octets, now).unwrap();
                assert!(receipt.mail.violation.is_none(), "{:?}", receipt.mail);
                count += 1;
            }
            one.read = inbox.len();
        }
        self.send(server, now);
        count
    }

    /// How many see a comment with this text.
    pub(crate) fn heard(&self, text: &str, now: i64) -> usize {
        let hears = |one: &&Follower| {
            let threads = one.driver.view(now).threads().unwrap();
            let mut comments = threads.iter().flat_map(|thread| &thread.comments);
            comments.any(|comment| comment.text == text)
        };
        self.all.iter().filter(hears).count()
    }

    /// How many have a post with this text.
    pub(crate) fn have(&self, text: &str, now: i64) -> usize {
        let has = |one: &&Follower| {
            let posts = one.driver.view(now).timeline(usize::MAX).unwrap();
            posts.iter().any(|post| post.text == text)
        };
        self.all.iter().filter(has).count()
    }
}
