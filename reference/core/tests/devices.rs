//! Several devices of one person, which meet only in the mailbox that they share (specification,
//! chapter "Devices").

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::sync::Arc;

use kith_core::agent::outbox::Submitted;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::kinds::post::NewPost;
use kith_core::store::{Memory, Table};
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Agent, Done, Gate, Incoming, Receipt, Strict};
use kith_spec::Outcome;

const START: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const WORDS: &str = "a passphrase";

/// One device. Its mailbox is the caller's.
#[derive(Clone)]
struct Device {
    store: Memory,
    seed: u8,
}

/// The mailbox that the devices of a person share: what arrived, and what they appended.
type Mailbox = Vec<Vec<u8>>;

impl Device {
    fn new(name: &str, keys: KeyKind) -> Self {
        let new = NewIdentity {
            name: Some(name.to_owned()),
            address: format!("{}@{}.test", name.to_lowercase(), &name[..1].to_lowercase()),
            keys,
            now: START,
        };
        let seed = name.as_bytes()[0];
        let mut store = Memory::default();
        store.apply(Own::make(&Strict, &new, [seed; 32]).unwrap().writes);
        Self { store, seed }
    }

    fn agent(&mut self) -> Agent {
        self.seed = self.seed.wrapping_add(101);
        Agent::open(Arc::new(Strict), &self.store, [self.seed; 32]).unwrap()
    }

    fn export(&mut self, now: i64) -> Vec<u8> {
        let mut agent = self.agent();
        agent.export(&self.store, WORDS, now).unwrap()
    }

    fn from_export(export: &[u8], now: i64, seed: u8) -> Self {
        let gate: Arc<dyn Gate> = Arc::new(Strict);
        let mut store = Memory::default();
        store.apply(Agent::import(&gate, export, WORDS, now, [seed; 32]).unwrap());
        Self { store, seed }
    }

    fn act(&mut self, now: i64, action: Action) -> Done {
        let mut agent = self.agent();
        let (done, effects) = agent.act(&self.store, action, now).unwrap();
        self.store.apply(effects.writes);
        done
    }

    fn receive(&mut self, octets: &[u8], now: i64) -> Receipt {
        let mut agent = self.agent();
        let receipt = agent
            .receive(&self.store, Incoming { octets, now })
            .unwrap();
        self.store.apply(receipt.effects.writes.clone());
        receipt
    }

    fn accepts(&mut self, octets: &[u8], now: i64) {
        let receipt = self.receive(octets, now);
        let violation = receipt.mail.violation.map(|v| v.to_string());
        assert_eq!(receipt.mail.outcome, Outcome::Accept, "{violation:?}");
    }

    /// What is due, what it appends, and what it submits.
    fn sync(&mut self, now: i64, mailbox: &mut Mailbox) -> Vec<Vec<u8>> {
        let mut agent = self.agent();
        let effects = agent.tick(&self.store, now).unwrap();
        self.store.apply(effects.writes);
        let effects = agent.write_copies(&self.store, now).unwrap();
        self.store.apply(effects.writes);
        for copy in agent.self_copies(&self.store).unwrap() {
            mailbox.push(copy.octets);
            let effects = agent.appended(&self.store, copy.number).unwrap();
            self.store.apply(effects.writes);
        }
        let mut sent = Vec::new();
        for mail in agent.outbox(&self.store, now, 1000).unwrap() {
            let taken = Submitted::Taken;
            let effects = agent.submitted(&self.store, mail.number, taken, now);
            self.store.apply(effects.unwrap().writes);
            sent.push(mail.octets);
        }
        sent
    }

    /// What the person sees, without what only the device knows that sent the mail.
    fn sees(&mut self, now: i64) -> String {
        let agent = self.agent();
        let view = agent.view(&self.store, now);
        let mut messages = view.messages(None).unwrap();
        for message in &mut messages {
            message.delivery = None;
        }
        let posts = view.timeline(100).unwrap();
        let people = (view.friends().unwrap(), view.requests().unwrap());
        let seen = (people, messages, posts);
        serde_json::to_string_pretty(&seen).unwrap()
    }

    fn untold(&mut self) -> usize {
        let agent = self.agent();
        agent.untold(&self.store).unwrap()
    }

    fn id(&mut self) -> [u8; 32] {
        self.agent().own().id
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the tuples hold references only"
)]
/// Carries mail between two people, each with one device, until there is none.
fn exchange(one: (&mut Device, &mut Mailbox), other: (&mut Device, &mut Mailbox), now: i64) {
    for _ in 0..20 {
        let mails = one.0.sync(now, one.1);
        let answers = other.0.sync(now, other.1);
        if mails.is_empty() && answers.is_empty() {
            return;
        }
        for (mails, reader, mailbox) in [
            (mails, &mut *other.0, &mut *other.1),
            (answers, &mut *one.0, &mut *one.1),
        ] {
            for mail in mails {
                reader.accepts(&mail, now);
                mailbox.push(mail);
            }
        }
    }
    panic!("a mail loop");
}

struct Scene {
    laptop: Device,
    mailbox: Mailbox,
    bob: Device,
    bobs: Mailbox,
}

/// Alice with one device and her friend Bob.
fn friends() -> Scene {
    let mut scene = Scene {
        laptop: Device::new("Alice", KeyKind::V4),
        mailbox: Vec::new(),
        bob: Device::new("Bob", KeyKind::V6),
        bobs: Vec::new(),
    };
    let Done::Invite(invite) = scene.laptop.act(START, Action::Invite) else {
        panic!("no invite")
    };
    let ask = Action::Befriend {
        address: "alice@a.test".into(),
        note: None,
        invite: Some(invite),
    };
    scene.bob.act(START, ask);
    scene.exchange(START);
    scene
}

impl Scene {
    fn exchange(&mut self, now: i64) {
        exchange(
            (&mut self.laptop, &mut self.mailbox),
            (&mut self.bob, &mut self.bobs),
            now,
        );
    }

    fn talk(&mut self, now: i64) {
        let (alice, bob) = (self.laptop.id(), self.bob.id());
        let message = |to, text: &str| Action::Message {
            to,
            text: text.to_owned(),
            parent: None,
            media: Vec::new(),
        };
        self.laptop.act(now, message(bob, "from Alice"));
        self.bob.act(now, message(alice, "from Bob"));
        self.laptop.act(now, post("a post of Alice"));
        self.bob.act(now, post("a post of Bob"));
        self.exchange(now);
    }
}

fn post(text: &str) -> Action {
    Action::Post(NewPost {
        text: text.to_owned(),
        ..NewPost::default()
    })
}

#[test]
fn an_export_brings_everything_to_another_device() {
    let mut scene = friends();
    scene.talk(START + 60);
    let export = scene.laptop.export(START + 120);
    let mut phone = Device::from_export(&export, START + 180, 7);
    assert_eq!(phone.id(), scene.laptop.id());
    let seen = phone.sees(START + 200);
    assert!(
        seen.contains("from Alice") && seen.contains("a post of Bob"),
        "{seen}"
    );
    assert_eq!(seen, scene.laptop.sees(START + 200));
    let wrong = Agent::import(
        &(Arc::new(Strict) as Arc<dyn Gate>),
        &export,
        "x",
        START,
        [1; 32],
    );
    assert!(wrong.is_err());
}

#[test]
fn an_export_brings_requests_that_wait() {
    let (mut alice, mut bob) = (
        Device::new("Alice", KeyKind::V4),
        Device::new("Bob", KeyKind::V6),
    );
    let ask = |address: &str| Action::Befriend {
        address: address.to_owned(),
        note: Some("Hello".to_owned()),
        invite: None,
    };
    bob.act(START, ask("alice@a.test"));
    alice.act(START, ask("carol@c.test"));
    for mail in bob.sync(START, &mut Mailbox::new()) {
        alice.accepts(&mail, START + 60);
    }
    let export = alice.export(START + DAY);
    let mut laptop = Device::from_export(&export, START + DAY, 3);
    assert_eq!(laptop.sees(START + DAY), alice.sees(START + DAY));
    let requests = laptop.agent().view(&laptop.store, START + DAY).requests();
    let requests = requests.unwrap();
    assert_eq!(requests.len(), 2);
    let incoming = requests.iter().find(|request| request.name.is_some());
    let request = hex::FromHex::from_hex(&incoming.unwrap().request).unwrap();
    laptop.act(START + DAY, Action::Accept { request });
    for mail in laptop.sync(START + DAY, &mut Mailbox::new()) {
        bob.accepts(&mail, START + DAY);
    }
    let agent = bob.agent();
    let view = agent.view(&bob.store, START + DAY);
    assert_eq!(view.friends().unwrap().len(), 1);
}

#[test]
fn what_one_device_does_the_other_one_learns_from_the_mailbox() {
    let mut scene = friends();
    let export = scene.laptop.export(START);
    let mut phone = Device::from_export(&export, START, 7);
    let read = scene.mailbox.len();
    scene.talk(START + 60);
    for mail in &scene.mailbox[read..] {
        phone.accepts(mail, START + 60);
    }
    assert_eq!(phone.sees(START + 100), scene.laptop.sees(START + 100));
    assert!(
        phone.sync(START + 100, &mut Vec::new()).is_empty(),
        "nothing is sent because of it"
    );

    // The other way round: Bob hears of the phone on a channel of its own.
    let mut appended = Vec::new();
    let bob = scene.bob.id();
    let text = "from the phone".to_owned();
    let message = Action::Message {
        to: bob,
        text,
        parent: None,
        media: Vec::new(),
    };
    phone.act(START + 110, message);
    for mail in phone.sync(START + 120, &mut appended) {
        scene.bob.accepts(&mail, START + 120);
    }
    for mail in &appended {
        scene.laptop.accepts(mail, START + 130);
    }
    let seen = scene.laptop.sees(START + 140);
    assert!(seen.contains("from the phone"), "{seen}");
    assert_eq!(seen, phone.sees(START + 140));
}

#[test]
fn what_several_steps_did_is_told_at_once() {
    let mut scene = friends();
    let mut phone = Device::from_export(&scene.laptop.export(START + 60), START + 60, 8);
    let before = scene.mailbox.len();
    scene.laptop.act(START + 120, post("first"));
    scene.laptop.act(START + 180, post("second"));
    assert_eq!(scene.laptop.untold(), 1);
    let sent = scene.laptop.sync(START + 240, &mut scene.mailbox);
    assert_eq!(sent.len(), 2, "a mail for each post");
    assert_eq!(scene.mailbox.len(), before + 1, "a self-copy for both");
    assert_eq!(scene.laptop.untold(), 0);
    let again = scene.laptop.sync(START + 241, &mut scene.mailbox);
    assert_eq!((again.len(), scene.mailbox.len()), (0, before + 1));
    phone.accepts(&scene.mailbox[before], START + 300);
    assert_eq!(phone.sees(START + 300), scene.laptop.sees(START + 300));
}

#[test]
fn large_objects_are_told_in_several_mails() {
    let mut scene = friends();
    let before = scene.mailbox.len();
    for n in 0..40 {
        let text = format!("{n} {}", "long ".repeat(3000));
        scene.laptop.act(START + 120, post(&text));
    }
    scene.laptop.sync(START + 240, &mut scene.mailbox);
    let copies = &scene.mailbox[before..];
    assert!(copies.len() > 1, "{} self-copies", copies.len());
    let largest = copies.iter().map(Vec::len).max().unwrap();
    assert!(largest < 1_000_000, "one of {largest} octets");
}

#[test]
fn a_device_is_rebuilt_from_an_old_export_and_the_mailbox() {
    let mut scene = friends();
    let early = scene.laptop.export(START);
    scene.talk(START + 60);
    let bob = scene.bob.id();
    scene.laptop.act(START + 70, Action::End { identity: bob });
    // The journal follows within a day.
    scene.exchange(START + DAY);
    let later = START + 100 * DAY;
    let mut phone = Device::from_export(&early, later, 9);
    let copies = |phone: &mut Device, only: bool| {
        for octets in &scene.mailbox {
            let mut agent = phone.agent();
            let mail = Incoming { octets, now: later };
            let receipt = if only {
                agent.receive_self_copy(&phone.store, mail).unwrap()
            } else {
                Some(agent.receive(&phone.store, mail).unwrap())
            };
            let Some(receipt) = receipt else { continue };
            let violation = receipt.mail.violation.map(|v| v.to_string());
            assert_eq!(receipt.mail.outcome, Outcome::Accept, "{violation:?}");
            phone.store.apply(receipt.effects.writes);
        }
    };
    copies(&mut phone, true);
    copies(&mut phone, false);
    let seen = phone.sees(later);
    assert!(
        seen.contains("from Bob") && seen.contains("a post of Alice"),
        "{seen}"
    );
    assert_eq!(seen, scene.laptop.sees(later));
}

#[test]
fn self_copies_in_any_order_and_number_give_the_same_state() {
    let mut scene = friends();
    let export = scene.laptop.export(START);
    let read = scene.mailbox.len();
    let first = Device::from_export(&export, START, 7);
    for step in 0..3 {
        scene.talk(START + 60 * step);
    }
    let bob = scene.bob.id();
    for (at, action) in [
        (300, Action::Block { identity: bob }),
        (310, Action::Unblock { identity: bob }),
        (320, post("after the block")),
    ] {
        scene.laptop.act(START + at, action);
        let _ = scene.laptop.sync(START + at, &mut scene.mailbox);
    }
    let copies: Vec<&Vec<u8>> = scene.mailbox[read..].iter().collect();
    let mut views = Vec::new();
    for turn in 0..4 {
        let mut phone = first.clone();
        let mut order = copies.clone();
        match turn {
            1 => order.reverse(),
            2 => order.rotate_left(copies.len() / 2),
            3 => order.extend(copies.iter().rev()),
            _ => {}
        }
        for octets in order {
            let mut agent = phone.agent();
            let mail = Incoming {
                octets,
                now: START + DAY,
            };
            if let Some(receipt) = agent.receive_self_copy(&phone.store, mail).unwrap() {
                phone.store.apply(receipt.effects.writes);
            }
        }
        views.push(phone.sees(START + DAY));
    }
    assert!(
        views.windows(2).all(|pair| pair[0] == pair[1]),
        "{views:#?}"
    );
}

#[test]
fn a_device_that_finds_its_own_future_opens_new_channels() {
    let mut scene = friends();
    let backup = scene.laptop.clone();
    scene.talk(START + 60);
    let mut restored = backup;
    restored.seed = 77;
    let channels = |device: &Device| {
        use kith_core::store::Read;
        device
            .store
            .range(Table::Outgoing, &[], &[255; 33], 10)
            .unwrap()
    };
    let before = channels(&restored);
    // What the person does before the first sync is sent again on the new channel.
    restored.act(START + 70, post("after the restore"));
    for mail in &scene.mailbox.clone() {
        restored.receive(mail, START + 80);
    }
    assert_ne!(before, channels(&restored));
    let sent = restored.sync(START + 90, &mut Vec::new());
    let mut shown = false;
    for mail in sent {
        scene.bob.accepts(&mail, START + 90);
        shown |= scene.bob.sees(START + 90).contains("after the restore");
    }
    assert!(shown, "Bob took it, because its number was not used before");
}

#[test]
fn the_journal_is_appended_within_a_day() {
    let mut scene = friends();
    scene.talk(START + 60);
    let before = scene.mailbox.len();
    let _ = scene.laptop.sync(START + DAY, &mut scene.mailbox);
    assert!(scene.mailbox.len() > before);
}

/// Alice's laptop and phone, Bob, Carol, and the mail with Bob's comment under a post of Alice.
struct Thread {
    laptop: Device,
    phone: Device,
    bob: Device,
    carol: Device,
    comment: Vec<u8>,
    id: [u8; 16],
}

fn thread() -> Thread {
    let Scene {
        mut laptop,
        mut mailbox,
        mut bob,
        mut bobs,
    } = friends();
    let mut carol = Device::new("Carol", KeyKind::V4);
    let Done::Invite(invite) = laptop.act(START, Action::Invite) else {
        panic!("no invite")
    };
    let ask = Action::Befriend {
        address: "alice@a.test".into(),
        note: None,
        invite: Some(invite),
    };
    carol.act(START, ask);
    let mut carols = Vec::new();
    exchange(
        (&mut laptop, &mut mailbox),
        (&mut carol, &mut carols),
        START,
    );
    let Done::Object(post) = laptop.act(START + 10, post("a post of Alice")) else {
        panic!("no post")
    };
    // A post goes to both; who got the other's copy can't open it.
    for mail in laptop.sync(START + 10, &mut mailbox) {
        bob.receive(&mail, START + 10);
        carol.receive(&mail, START + 10);
    }
    let phone = Device::from_export(&laptop.export(START + 20), START + 20, 7);
    let comment = Action::Comment {
        root: (laptop.id(), post),
        parent: None,
        text: "a comment of Bob".to_owned(),
        private: false,
    };
    let Done::Object(id) = bob.act(START + 30, comment) else {
        panic!("no comment")
    };
    let comment = bob.sync(START + 30, &mut bobs).remove(0);
    Thread {
        laptop,
        phone,
        bob,
        carol,
        comment,
        id,
    }
}

impl Thread {
    /// How many comments Carol sees.
    fn shown(&mut self) -> usize {
        let agent = self.carol.agent();
        let threads = agent.view(&self.carol.store, START + 1000).threads();
        let threads = threads.unwrap();
        threads.iter().map(|thread| thread.comments.len()).sum()
    }
}

#[test]
fn two_devices_that_are_awake_relay_the_same_comment_without_harm() {
    let mut thread = thread();
    let mut relayed = Vec::new();
    for device in [&mut thread.laptop, &mut thread.phone] {
        device.accepts(&thread.comment, START + 40);
        relayed.extend(device.sync(START + 40, &mut Mailbox::new()));
    }
    assert_eq!(relayed.len(), 2);
    for mail in &relayed {
        thread.carol.accepts(mail, START + 50);
    }
    assert_eq!(thread.shown(), 1);
}

#[test]
fn what_one_device_relayed_the_other_does_not_relay_again() {
    let mut thread = thread();
    let mut copies = Mailbox::new();
    thread.laptop.accepts(&thread.comment, START + 40);
    let relayed = thread.laptop.sync(START + 40, &mut copies);
    thread.carol.accepts(&relayed[0], START + 50);
    for mail in copies.iter().chain([&thread.comment]) {
        thread.phone.accepts(mail, START + 60);
    }
    let again = thread.phone.sync(START + 60, &mut Mailbox::new());
    assert!(again.is_empty(), "{} mails", again.len());

    // Whoever has it is known: a retract that only the phone gets goes there.
    thread
        .bob
        .act(START + 70, Action::Retract { id: thread.id });
    for mail in thread.bob.sync(START + 70, &mut Mailbox::new()) {
        thread.phone.accepts(&mail, START + 80);
    }
    assert_eq!(thread.shown(), 1);
    for mail in thread.phone.sync(START + 80, &mut Mailbox::new()) {
        thread.carol.accepts(&mail, START + 90);
    }
    assert_eq!(thread.shown(), 0);
}
