//! The protocol core of the reference agent: no socket, file, clock or thread.
//!
//! ```text
//! octets ─▶ wire (MIME, OpenPGP) ─▶ kinds ─▶ agent ─▶ effects: rows to write, mail to send, events
//! ```
//!
//! [`Agent`] is one person's end of Kith. It reads a [`store::Read`] and returns [`Effects`]; whoever
//! drives it does the rest:
//!
//! | When | Call | Then |
//! |---|---|---|
//! | a mail was fetched | [`Agent::receive`] | write the rows; file the mail as the [`Receipt`] says |
//! | the person does something | [`Agent::act`] | write the rows |
//! | now and then | [`Agent::tick`] | write the rows; [`Agent::next_due`] tells when to come again |
//! | there is a mailbox | [`Agent::write_copies`], write the rows, then [`Agent::self_copies`] | append each to the folder `Kith` for the other devices, call [`Agent::appended`], write the rows |
//! | there is a connection | [`Agent::outbox`] | submit each mail, tell the outcome to [`Agent::submitted`], write the rows |
//! | the person looks | [`Agent::view`] | show it |
//!
//! All rows of one step are written in one transaction, or none of them; then a crash loses nothing
//! and repeats nothing (specification, `send.durable`). Times are unix seconds, and always given.
//! Randomness comes from the caller's seed, except inside the OpenPGP library, which draws its own for
//! keys, session keys and salts.
//!
//! # Two people in memory
//!
//! They become friends, one writes, the other answers. The driver is `Person`, and the mail goes from
//! hand to hand: a real one differs by a database, SMTP and IMAP, as `kith-agent` does.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hex::FromHex;
//! use kith_core::agent::outbox::Submitted;
//! use kith_core::agent::{NewIdentity, Own};
//! use kith_core::store::Memory;
//! use kith_core::wire::keys::KeyKind;
//! use kith_core::{Action, Agent, Incoming, Strict};
//!
//! type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
//!
//! struct Person {
//!     agent: Agent,
//!     store: Memory,
//! }
//!
//! impl Person {
//!     fn new(name: &str, address: &str, seed: [u8; 32], now: i64) -> Result<Self> {
//!         let (name, address) = (Some(name.to_owned()), address.to_owned());
//!         let new = NewIdentity { name, address, keys: KeyKind::V4, now };
//!         // Made are rows for an empty store, and a recovery kit that belongs on paper.
//!         let made = Own::make(&Strict, &new, seed)?;
//!         let mut store = Memory::default();
//!         store.apply(made.writes);
//!         let agent = Agent::open(Arc::new(Strict), &store, seed)?;
//!         Ok(Self { agent, store })
//!     }
//!
//!     /// Does what the person wants. Mail that leaves waits in the store.
//!     fn act(&mut self, action: Action, now: i64) -> Result<()> {
//!         let (_done, effects) = self.agent.act(&self.store, action, now)?;
//!         self.store.apply(effects.writes);
//!         Ok(())
//!     }
//!
//!     /// Takes what waits, as a submission server would. Each mail has its recipients,
//!     /// and octets that are the same at every attempt.
//!     fn submit(&mut self, now: i64) -> Result<Vec<Vec<u8>>> {
//!         let effects = self.agent.tick(&self.store, now)?;
//!         self.store.apply(effects.writes);
//!         let mut taken = Vec::new();
//!         for mail in self.agent.outbox(&self.store, now, 100)? {
//!             let (number, outcome) = (mail.number, Submitted::Taken);
//!             let effects = self.agent.submitted(&self.store, number, outcome, now)?;
//!             self.store.apply(effects.writes);
//!             taken.push(mail.octets);
//!         }
//!         Ok(taken)
//!     }
//!
//!     /// Judges a mail that was fetched. A bad one is no error: what is wrong with it
//!     /// stands in the receipt, as outcome and violated requirement.
//!     fn receive(&mut self, octets: &[u8], now: i64) -> Result<()> {
//!         let receipt = self.agent.receive(&self.store, Incoming { octets, now })?;
//!         assert!(receipt.mail.violation.is_none());
//!         self.store.apply(receipt.effects.writes);
//!         Ok(())
//!     }
//! }
//!
//! /// Carries mail both ways until nothing waits.
//! fn carry(one: &mut Person, other: &mut Person, now: i64) -> Result<()> {
//!     loop {
//!         let (there, back) = (one.submit(now)?, other.submit(now)?);
//!         if there.is_empty() && back.is_empty() {
//!             return Ok(());
//!         }
//!         there.iter().try_for_each(|mail| other.receive(mail, now))?;
//!         back.iter().try_for_each(|mail| one.receive(mail, now))?;
//!     }
//! }
//!
//! let now = 1_800_000_000;
//! let mut alice = Person::new("Alice", "alice@example.org", [1; 32], now)?;
//! let mut bob = Person::new("Bob", "bob@example.net", [2; 32], now)?;
//!
//! // Alice asks, in an open mail: she has no key of Bob's yet. Bob sees who, and accepts.
//! let (address, note) = ("bob@example.net".to_owned(), Some("We met in Oslo".to_owned()));
//! alice.act(Action::Befriend { address, note, invite: None }, now)?;
//! carry(&mut alice, &mut bob, now)?;
//! let asked = bob.agent.view(&bob.store, now).requests()?.remove(0);
//! assert_eq!(asked.note.as_deref(), Some("We met in Oslo"));
//! bob.act(Action::Accept { request: FromHex::from_hex(asked.request)? }, now)?;
//! carry(&mut alice, &mut bob, now)?;
//! assert_eq!(bob.agent.view(&bob.store, now).friends()?[0].address, "alice@example.org");
//!
//! // Bob's answer was sealed already, as is all that follows: signed, and encrypted.
//! let (to, text) = (bob.agent.own().id, "Shall we meet on Friday?".to_owned());
//! alice.act(Action::Message { to, text, parent: None, media: Vec::new() }, now)?;
//! let sealed = alice.submit(now)?.remove(0);
//! assert!(!String::from_utf8_lossy(&sealed).contains("Friday"));
//! bob.receive(&sealed, now)?;
//! let got = bob.agent.view(&bob.store, now).messages(None)?.remove(0);
//! assert_eq!(got.text, "Shall we meet on Friday?");
//!
//! // An answer, a minute later, names what it answers: author and object id.
//! let now = now + 60;
//! let (to, text) = (alice.agent.own().id, "Gladly, at seven.".to_owned());
//! let parent = Some((to, FromHex::from_hex(&got.id)?));
//! bob.act(Action::Message { to, text, parent, media: Vec::new() }, now)?;
//! carry(&mut alice, &mut bob, now)?;
//! let thread = alice.agent.view(&alice.store, now).messages(None)?;
//! assert_eq!(thread[1].text, "Gladly, at seven.");
//! assert_eq!(thread[1].parent, Some(thread[0].hash.clone()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! [`wire`] turns octets into checked values and back (chapters "Mail format" and "Security"),
//! [`kinds`] has one module for each kind of object, [`agent`] what a person's agent does with them,
//! [`agent::view`] what the person sees, and [`gate`] the checks: each names the requirement that it
//! enforces, so `gate.check(&req::…` leads from a sentence of the specification to its code.

pub mod agent;
pub mod gate;
pub mod kinds;
pub mod store;
pub mod wire;

pub use agent::{ActError, Action, Agent, AgentError, Done, Effects, Event, Incoming, Receipt};
pub use gate::{Gate, Strict, Violation};
