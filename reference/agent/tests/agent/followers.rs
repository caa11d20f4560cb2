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
        let mut numbers: Vec<usize> = (0..count).collect();
        let all = beside(&mut numbers, |number| {
            let address = format!("follower{number}@b.test");
            server.add_account(&address, "secret").unwrap();
            let mut driver = person(account(server, &address, TlsMode::Tls));
            let to = page.to_owned();
            driver.act(Action::Follow { address: to }, now).unwrap();
            let mut follower = Follower {
                address,
                driver,
                sent: BTreeSet::new(),
                read: 0,
            };
            follower.send(server, page, now);
            follower
        });
        Self {
            page: page.to_owned(),
            all,
        }
    }

    /// Each reads the new mail and answers. Returns how many mails were read.
    pub(crate) fn read(&mut self, server: &Server, now: i64) -> usize {
        let page = &self.page;
        let read = beside(&mut self.all, |one| one.read(server, page, now));
        read.into_iter().sum()
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

impl Follower {
    fn send(&mut self, server: &Server, page: &str, now: i64) {
        let store = self.driver.store();
        for mail in self.driver.agent().outbox(store, now, usize::MAX).unwrap() {
            if self.sent.insert(mail.number) {
                assert_eq!(mail.to, [page]);
                let how = Deliver::from(&self.address);
                server.deliver(page, &mail.octets, &how).unwrap();
            }
        }
    }

    fn read(&mut self, server: &Server, page: &str, now: i64) -> usize {
        let inbox = server.messages(&self.address, "INBOX").unwrap();
        let new = &inbox[self.read..];
        for mail in new {
            let receipt = self.driver.receive(&mail.octets, now).unwrap();
            assert!(receipt.mail.violation.is_none(), "{:?}", receipt.mail);
        }
        self.read = inbox.len();
        self.send(server, page, now);
        new.len()
    }
}

/// Does something for each, on all cores.
fn beside<T: Send, R: Send>(all: &mut [T], work: impl Fn(&mut T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = all.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let parts = all.chunks_mut(part);
        let threads: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter_mut().map(work).collect::<Vec<R>>()))
            .collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.flatten().collect()
    })
}
