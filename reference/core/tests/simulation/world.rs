//! The people, their clock and their mail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kith_core::agent::outbox::Submitted;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::store::Memory;
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Action, Agent, Done, Gate, Incoming, Strict};
use rand::Rng;
use rand_chacha::ChaCha20Rng;

use crate::truth::Truth;
use crate::weather::{chance, fate, reencode};

pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;
/// For how many days people do something, and mail is lost.
pub(crate) const DAYS: i64 = 30;
/// When all that is owed has been sent: an accept is repeated for two weeks, a delivery of which
/// nothing is heard for one, requests wait for thirty days.
const SETTLED: i64 = 75;
const STEP: i64 = 3 * HOUR;
const PEOPLE: usize = 20;
/// Whose server answers every mail, automatic ones too.
const ON_VACATION: usize = 7;
/// Whose server authenticates nobody.
const UNAUTHENTICATED: usize = 3;

/// Stores with an identity each, from which every seed begins.
pub(crate) fn cast() -> Vec<Memory> {
    let person = |index: usize| {
        let new = NewIdentity {
            name: Some(format!("P{index}")),
            address: address(index),
            keys: [KeyKind::V4, KeyKind::V6][index % 2],
            now: START,
        };
        let seed = [u8::try_from(index).unwrap(); 32];
        let mut store = Memory::default();
        store.apply(Own::make(&Strict, &new, seed).unwrap().writes);
        store
    };
    (0..PEOPLE).map(person).collect()
}

fn address(index: usize) -> String {
    format!("p{index}@{}", domain(index))
}

fn domain(index: usize) -> String {
    format!("d{}.test", index % 4)
}

pub(crate) struct Person {
    pub(crate) agent: Agent,
    pub(crate) store: Memory,
    /// Not reading mail until then.
    away: i64,
}

/// A mail on its way.
struct Flying {
    to: usize,
    octets: Arc<Vec<u8>>,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) people: Vec<Person>,
    pub(crate) ids: BTreeMap<String, usize>,
    pub(crate) truth: Truth,
    pub(crate) rng: ChaCha20Rng,
    flying: BTreeMap<(i64, u64), Flying>,
    /// How many mails went from whom to whom.
    links: BTreeMap<(usize, usize), u64>,
    sent: u64,
    lost: u64,
    /// How many mails were not taken, by violation.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Who ended what, of which the mail was lost: the other can't know.
    pub(crate) untold: BTreeSet<(usize, usize)>,
    /// Mails of the time in which nobody has anything to say.
    late: u64,
}

impl World {
    pub(crate) fn new(cast: &[Memory], seed: u64, gate: &Arc<dyn Gate>) -> Self {
        let mut ids = BTreeMap::new();
        let mut people = Vec::new();
        for (index, store) in cast.iter().enumerate() {
            let own: [u8; 32] = chance(seed, "agent", [index as u64, 0, 0]).random();
            let agent = Agent::open(gate.clone(), store, own).unwrap();
            let trusts = (index != UNAUTHENTICATED).then(|| "mx.test".to_owned());
            ids.insert(hex::encode(agent.own().id), index);
            people.push(Person {
                agent: agent.trusting(trusts),
                store: store.clone(),
                away: START,
            });
        }
        Self {
            seed,
            now: START,
            people,
            ids,
            truth: Truth::default(),
            rng: chance(seed, "plan", [0; 3]),
            flying: BTreeMap::new(),
            links: BTreeMap::new(),
            sent: 0,
            lost: 0,
            refused: BTreeMap::new(),
            untold: BTreeSet::new(),
            late: 0,
        }
    }

    pub(crate) fn live(&mut self) {
        while self.now < START + SETTLED * DAY {
            self.arrive();
            if self.now < START + DAYS * DAY {
                self.do_something();
            }
            self.send();
            self.observe_groups();
            self.now += STEP;
        }
        // Nobody did anything for a month: what is still sent goes round.
        let before = self.sent;
        for days in [0, 1, 2, 7, 30] {
            self.now += days * DAY;
            for _ in 0..4 {
                self.send();
                self.now += 3 * DAY;
                self.arrive();
            }
        }
        self.late = self.sent - before;
    }

    pub(crate) fn summary(&self) -> String {
        let Self { sent, lost, .. } = self;
        let (said, sure) = (self.truth.len(), self.sure());
        format!(
            "{said} things said, {sure} copies to be seen, {sent} mails, {lost} lost; {:?}",
            self.refused
        )
    }

    /// Mails that were sent although nobody had anything to say.
    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    pub(crate) fn identity(&self, index: usize) -> [u8; 32] {
        self.people[index].agent.own().id
    }

    pub(crate) fn address_of(&self, index: usize) -> String {
        address(index)
    }

    pub(crate) fn index(&self, id: &str) -> usize {
        self.ids[id]
    }

    /// What somebody does, if it is possible.
    pub(crate) fn act(&mut self, who: usize, action: Action) -> Option<Done> {
        let person = &mut self.people[who];
        match person.agent.act(&person.store, action, self.now) {
            Ok((done, effects)) => {
                person.store.apply(effects.writes);
                Some(done)
            }
            Err(ActError::Agent(error)) => panic!("P{who} can't act: {error}"),
            Err(_) => None,
        }
    }

    pub(crate) fn is_away(&self, who: usize) -> bool {
        self.people[who].away > self.now
    }

    /// Somebody's program is off for some time.
    pub(crate) fn go_away(&mut self, who: usize, hours: i64) {
        self.people[who].away = self.now + hours * HOUR;
    }

    fn arrive(&mut self) {
        let later = self.flying.split_off(&(self.now + 1, 0));
        let arrived = std::mem::replace(&mut self.flying, later);
        for ((_, number), mail) in arrived {
            if self.is_away(mail.to) {
                let at = self.people[mail.to].away;
                self.flying.insert((at, number), mail);
                continue;
            }
            let person = &mut self.people[mail.to];
            let incoming = Incoming {
                octets: &mail.octets,
                now: self.now,
            };
            let receipt = person.agent.receive(&person.store, incoming).unwrap();
            person.store.apply(receipt.effects.writes);
            let objects = receipt.objects.iter().map(|object| object.verdict);
            for verdict in std::iter::once(receipt.mail).chain(objects) {
                if let Some(violation) = verdict.violation {
                    *self.refused.entry(violation.0.id).or_default() += 1;
                }
            }
        }
    }

    /// Everybody's program does what is due and sends what waits.
    pub(crate) fn send(&mut self) {
        for who in 0..self.people.len() {
            if self.is_away(who) {
                continue;
            }
            let person = &mut self.people[who];
            let due = person.agent.next_due(&person.store).unwrap();
            if due.is_none_or(|due| due > self.now) {
                continue;
            }
            let effects = person.agent.tick(&person.store, self.now).unwrap();
            person.store.apply(effects.writes);
            let mut mails = person.agent.outbox(&person.store, self.now, 1000).unwrap();
            for mail in &mails {
                let taken = Submitted::Taken;
                let effects = person
                    .agent
                    .submitted(&person.store, mail.number, taken, self.now);
                person.store.apply(effects.unwrap().writes);
            }
            // The order of friends in a store is that of their ids, which no seed repeats.
            mails.sort_by_key(|mail| mail.to.clone());
            for mail in mails {
                for to in &mail.to {
                    let to = (0..PEOPLE).find(|&index| address(index) == *to).unwrap();
                    self.post(who, to, &mail.octets);
                }
            }
        }
    }

    fn post(&mut self, from: usize, to: usize, octets: &[u8]) {
        let number = self.links.entry((from, to)).or_default();
        *number += 1;
        self.sent += 1;
        let fate = fate(self.seed, (from, to), *number, self.now);
        if fate.arrivals.is_empty() {
            self.lost += 1;
            if self.truth.just_ended(from, to, self.now) {
                self.untold.insert((from, to));
            }
        }
        let domain = domain(from);
        let authenticated = (from != UNAUTHENTICATED).then_some(domain.as_str());
        let octets = Arc::new(reencode(octets, fate.change, authenticated));
        for at in fate.arrivals {
            if to == ON_VACATION {
                let answer = Arc::new(vacation(&address(to), &address(from), &octets));
                self.fly(at + STEP, from, answer);
            }
            self.fly(at, to, octets.clone());
        }
    }

    fn fly(&mut self, at: i64, to: usize, octets: Arc<Vec<u8>>) {
        // Mail that arrives at one time comes in any order.
        let order = chance(
            self.seed,
            "order",
            [self.flying.len() as u64, to as u64, self.sent],
        );
        let order = order.clone().random::<u32>();
        let number = u64::from(order) << 32 | self.sent & 0xFFFF_FFFF;
        self.flying.insert((at, number), Flying { to, octets });
    }
}

/// An out-of-office reply that quotes the mail.
fn vacation(from: &str, to: &str, mail: &[u8]) -> Vec<u8> {
    let quoted = String::from_utf8_lossy(mail);
    let quoted: String = quoted.lines().map(|line| format!("> {line}\r\n")).collect();
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\
         Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n\r\nI am away.\r\n{quoted}"
    )
    .into_bytes()
}
