//! What becomes slower as friends and mail grow.

use std::time::Duration;

use kith_core::kinds::post::NewPost;
use kith_core::store::Read;
use kith_core::{Action, Agent, Incoming};

use crate::people::{Person, Result, START, befriend};
use crate::table::{Table, least, once};

const FRIENDS: [u32; 3] = [10, 100, 1000];
const MESSAGES: [usize; 3] = [10, 100, 1000];
const CALLS: usize = 40;
const POSTS: u32 = 3;
const DAY: i64 = 86_400;

pub(crate) fn measure(table: &mut Table) -> Result<()> {
    let mut me = Person::new(0)?;
    let mut friend = Person::new(1)?;
    befriend(&mut me, &mut friend)?;
    messages(table, &mut me, &mut friend)?;
    friends(table, &mut me, &mut friend)
}

/// A friend's next message, when so many came before.
fn messages(table: &mut Table, me: &mut Person, friend: &mut Person) -> Result<()> {
    let mut first = None;
    let mut there = 0;
    for count in MESSAGES {
        while there < count {
            for octets in written(me, friend)? {
                me.receive(&octets, START)?;
            }
            there += 1;
        }
        let [octets] = &written(me, friend)?[..] else {
            return Err("not one mail".into());
        };
        let time = least(CALLS, || received(&mut me.agent, &me.store, octets));
        let bottom = *first.get_or_insert(time);
        me.receive(octets, START)?;
        there += 1;
        let what = format!("receive a message, {count} there already");
        table.row(&what, time, "with 10", bottom);
    }
    Ok(())
}

fn written(me: &Person, friend: &mut Person) -> Result<Vec<Vec<u8>>> {
    let message = Action::Message {
        to: me.id(),
        text: "Shall we meet on Friday?".to_owned(),
        parent: None,
        media: Vec::new(),
    };
    friend.act(START, message)?;
    let mails = friend.outbox(START)?;
    Ok(mails.into_iter().map(|(_, octets)| octets).collect())
}

/// Each call begins with the same store, for nothing is written.
fn received(agent: &mut Agent, store: &dyn Read, octets: &[u8]) -> bool {
    agent
        .receive(store, Incoming { octets, now: START })
        .is_ok()
}

/// A friend's message, a post to all, and the way of its copies, with so many friends.
fn friends(table: &mut Table, me: &mut Person, friend: &mut Person) -> Result<()> {
    let mut first: Option<[Duration; 4]> = None;
    let mut there = 1;
    for count in FRIENDS {
        while there < count {
            there += 1;
            befriend(me, &mut Person::new(there)?)?;
        }
        // What is due after the handshakes has left before the measuring begins.
        me.outbox(START + DAY)?;
        let [octets] = &written(me, friend)?[..] else {
            return Err("not one mail".into());
        };
        let receive = least(CALLS, || received(&mut me.agent, &me.store, octets));
        let from_disk = least(CALLS, || received(&mut me.agent, &me.disk, octets));
        me.receive(octets, START)?;
        let (post, leave) = posts(me, count)?;
        let times = [receive, from_disk, post / count, leave / count];
        let bottom = *first.get_or_insert(times);
        let what = [
            "receive a message",
            "receive a message, from SQLite",
            "post to all, each copy",
            "take each copy from the outbox, in SQLite",
        ];
        for ((what, time), bottom) in what.iter().zip(times).zip(bottom) {
            table.row(&format!("{what}, {count} friends"), time, "with 10", bottom);
        }
    }
    Ok(())
}

/// A post to all, and the way of its copies out of the outbox: the least of some rounds.
fn posts(me: &mut Person, count: u32) -> Result<(Duration, Duration)> {
    let mut least = (Duration::MAX, Duration::MAX);
    for round in 1..=POSTS {
        let now = START + DAY + i64::from(round);
        let post = Action::Post(NewPost {
            text: "The first snow!".to_owned(),
            ..NewPost::default()
        });
        let (post, done) = once(|| me.act(now, post));
        done?;
        let (leave, mails) = once(|| me.outbox(now));
        let copies = u32::try_from(mails?.len())?;
        if copies < count {
            return Err(format!("{copies} copies for {count} friends").into());
        }
        least = (least.0.min(post), least.1.min(leave));
    }
    Ok(least)
}
