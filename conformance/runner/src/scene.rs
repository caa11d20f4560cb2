//! What a case works with: a mail server of its own, the agent under test, puppets, the
//! clock, and assertions that bear requirements.
//!
//! A scene is a handle: clones play in the same scene.
//!
//! | file | what it gives |
//! |---|---|
//! | `scene.rs` | the scene, its clock, its assertions |
//! | `scene/agent.rs` | the agent under test |
//! | `scene/post.rs` | mail both ways, judged |
//! | `scene/outside.rs` | the same on a server outside this process |
//! | `scene/friendship.rs` | the handshake as one step |
//! | `scene/meeting.rs` | several agents with each other |
//! | `scene/barrier.rs` | the proof that something was refused |

mod agent;
mod barrier;
mod friendship;
mod meeting;
mod outside;
mod post;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kith_adapter::protocol::{Class, KeyKind};
use kith_forge::{DAY, Id128, Instant, Puppet, Rng, Seed};
use kith_spec::Rule;
use kith_testbed::Server;
use time::OffsetDateTime;

pub use agent::Agent;
pub use barrier::Faulty;
pub use friendship::{Friendship, Who, request_ref};
pub use kith_testbed::AuthResult;
pub use meeting::{EndState, Episode, Meeting, differences};
pub use post::Sent;

use crate::case::{Case, Stop};
use crate::child::Slot;
use crate::judge::recorded::{Noted, Record};
use crate::judge::{Keyring, Mail, Memory};
use crate::ledger::Ledger;
use crate::report::MailEvidence;
use crate::stage::{BEGINNING, Character, Stage};

/// The domain of the agent under test.
pub const AGENT_DOMAIN: &str = "a.test";
/// The domain of the puppets.
pub const PUPPET_DOMAIN: &str = "b.test";

/// What a case works with. A handle: clones play in the same scene.
#[derive(Clone, Debug)]
pub struct Scene(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Arc<Stage>,
    case: String,
    keys: KeyKind,
    /// Whether the agent reaches the embedded server by STARTTLS.
    starttls: bool,
    seed: Seed,
    server: Server,
    outside: Option<outside::Place>,
    slot: Arc<Slot>,
    /// The child of the implementation that the other people use, if it is another one.
    partner: Option<Arc<Slot>>,
    /// Only one agent is opened, however many ask at once.
    opening: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// What changes while a case plays.
#[derive(Debug)]
struct State {
    now: Instant,
    rng: Rng,
    ledger: Ledger,
    agent: Option<Arc<agent::Account>>,
    sessions: Vec<u32>,
    partner_sessions: Vec<u32>,
    /// Whether agents mail each other, so that nothing is there to be judged.
    unwatched: bool,
    keyring: Arc<Keyring>,
    sent: Vec<Arc<Sent>>,
    taken: Vec<bool>,
    delivered: Vec<kith_forge::Mail>,
    /// The mailing list, once somebody has asked for it.
    list: Option<String>,
    /// What a server outside this process has not been given yet.
    pending: Vec<kith_forge::Mail>,
    memory: Memory,
    steps: Vec<String>,
    notes: Vec<String>,
    /// The last mail that was put before the agent, or the last one with a fault.
    shown: Option<Shown>,
    /// What the judge saw, if the run is recorded.
    record: Option<Record>,
}

/// A mail that was put before the agent.
#[derive(Debug)]
struct Shown {
    heading: String,
    octets: Vec<u8>,
    faulty: bool,
}

impl State {
    /// Writes down what the judge saw, if the run is recorded.
    fn note(&mut self, noted: impl FnOnce() -> Noted) {
        if let Some(record) = &mut self.record {
            record.note(noted());
        }
    }

    /// Notes what happens, with the day and time in the case.
    fn step(&mut self, what: &str) {
        let at = OffsetDateTime::from_unix_timestamp(self.now.0);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, time) = (at.date(), at.time());
        let (hour, minute, second) = time.as_hms();
        self.steps
            .push(format!("{date} {hour:02}:{minute:02}:{second:02}  {what}"));
    }

    /// Keeps a mail that is put before the agent, for the report; a faulty one is not replaced.
    fn show(&mut self, heading: String, octets: &[u8], faulty: bool) {
        if faulty || !self.shown.as_ref().is_some_and(|shown| shown.faulty) {
            let octets = octets.to_vec();
            self.shown = Some(Shown {
                heading,
                octets,
                faulty,
            });
        }
    }
}

impl Scene {
    /// A scene for a case, with a mail server of its own.
    pub(crate) async fn open(
        stage: &Arc<Stage>,
        case: &Case,
        slot: Arc<Slot>,
        partner: Option<Arc<Slot>>,
    ) -> Result<Self, Stop> {
        let server = Server::start(stage.authority(), case.config.clone()).await?;
        let seed = stage.seed_of(&case.id);
        let outside = outside::Place::open(stage).await?;
        let real = Instant(OffsetDateTime::now_utc().unix_timestamp());
        let now = match (stage.clock_is_set(), &outside) {
            (true, None) => BEGINNING,
            // The server's clock is real, so the case begins with it.
            (true, Some(_)) => real.max(BEGINNING),
            (false, _) => real,
        };
        server.set_now(now.0);
        let state = State {
            now,
            rng: seed.child("scene").rng(),
            ledger: Ledger::default(),
            agent: None,
            sessions: Vec::new(),
            partner_sessions: Vec::new(),
            unwatched: false,
            keyring: Arc::default(),
            sent: Vec::new(),
            taken: Vec::new(),
            delivered: Vec::new(),
            list: None,
            pending: Vec::new(),
            memory: Memory::default(),
            steps: Vec::new(),
            notes: Vec::new(),
            shown: None,
            record: stage.is_recorded().then(Record::default),
        };
        Ok(Self(Arc::new(Inner {
            stage: Arc::clone(stage),
            case: case.id.clone(),
            keys: case.keys,
            starttls: case.starttls,
            seed,
            server,
            outside,
            slot,
            partner,
            opening: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The case's id.
    pub fn case(&self) -> &str {
        &self.0.case
    }

    /// The case's mail server.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// What the run shares.
    pub fn stage(&self) -> &Stage {
        &self.0.stage
    }

    /// Whether the implementation declares a class.
    pub fn declares(&self, class: Class) -> bool {
        self.0.stage.declares(class)
    }

    /// The kind of keys that the agent under test has in this case.
    pub fn keys(&self) -> KeyKind {
        self.0.keys
    }

    /// The simulated time.
    pub fn now(&self) -> Instant {
        self.state().now
    }

    /// Moves the clock forward by so many seconds.
    ///
    /// # Errors
    /// `NotTested` if the agent's clock can't follow.
    pub fn advance(&self, seconds: i64) -> Result<Instant, Stop> {
        if !self.0.stage.clock_is_set() {
            let reason = "the agent's clock is real, and this case makes days pass";
            return Err(Stop::NotTested(reason.to_owned()));
        }
        Ok(self.set_clock(seconds))
    }

    /// Moves the clock forward by so many days.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn advance_days(&self, days: i64) -> Result<Instant, Stop> {
        self.advance(days * DAY)
    }

    /// Moves the clock forward to a time; one that is past by then leaves it alone.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn advance_to(&self, then: Instant) -> Result<Instant, Stop> {
        let now = self.now();
        if then > now {
            self.advance(then.0 - now.0)
        } else {
            Ok(now)
        }
    }

    /// Sets the clock, for what brings its own times along.
    pub(crate) fn set_now(&self, now: Instant) {
        self.state().now = now;
        self.set_server_clock(now);
    }

    fn set_server_clock(&self, now: Instant) {
        self.0.server.set_now(now.0);
        if let Some(place) = &self.0.outside {
            place.outside.set_now(now.0);
        }
    }

    fn set_clock(&self, seconds: i64) -> Instant {
        let mut state = self.state();
        state.now = state.now + seconds;
        self.set_server_clock(state.now);
        state.now
    }

    /// The next second: each step of a case happens at its own time. A real clock is read.
    fn tick(&self) -> Instant {
        if self.0.stage.clock_is_set() {
            return self.set_clock(1);
        }
        let now = Instant(OffsetDateTime::now_utc().unix_timestamp());
        self.state().now = now;
        self.set_server_clock(now);
        now
    }

    /// A random word that occurs nowhere else: by it a case recognises its own.
    pub fn token(&self) -> String {
        let id = Id128::random(&mut self.state().rng).to_string();
        format!("tok{}", &id[..20])
    }

    /// A generator for something in this case: the same label gives the same one.
    pub fn rng(&self, label: &str) -> Rng {
        self.0.seed.child("case").child(label).rng()
    }

    /// A person that the harness plays, at `name@b.test`, with version-4 keys.
    ///
    /// # Errors
    /// If the case has asked for this person before: there is one of each.
    pub fn puppet(&self, name: &str) -> Result<Puppet, Stop> {
        self.puppet_with(name, kith_forge::KeyKind::V4)
    }

    /// A person that the harness plays, with these keys.
    ///
    /// # Errors
    /// As [`puppet`](Self::puppet).
    pub fn puppet_with(&self, name: &str, keys: kith_forge::KeyKind) -> Result<Puppet, Stop> {
        let address = match &self.0.outside {
            Some(place) => place.next_person()?,
            None => format!("{}@{PUPPET_DOMAIN}", name.to_lowercase()),
        };
        self.play(name, &address, keys)
    }

    /// A person that the harness plays, at this address.
    ///
    /// # Errors
    /// As [`puppet`](Self::puppet).
    pub fn puppet_at(
        &self,
        name: &str,
        address: &str,
        keys: kith_forge::KeyKind,
    ) -> Result<Puppet, Stop> {
        self.embedded("people have the addresses that there are")?;
        self.play(name, address, keys)
    }

    fn play(&self, name: &str, address: &str, keys: kith_forge::KeyKind) -> Result<Puppet, Stop> {
        let person = self.0.stage.person(name, address, keys, &self.0.seed)?;
        let mut state = self.state();
        if state.keyring.plays(address) {
            return Err(Stop::Harness(format!("the case plays {address} twice")));
        }
        let Character { puppet, secret } = person;
        Arc::make_mut(&mut state.keyring).add_secret(&puppet, secret)?;
        state.note(|| Noted::person(&puppet));
        drop(state);
        if self.0.outside.is_none() {
            self.server().add_account(address, "puppet")?;
        }
        Ok(puppet)
    }

    /// Lets judge and server know keys and address that a puppet has come by since: after a
    /// rotation, or a move.
    ///
    /// # Errors
    /// If the keys can't be read, or somebody else has the address.
    pub fn renewed(&self, person: &Puppet) -> Result<(), Stop> {
        let mut state = self.state();
        let moved = !state.keyring.plays(&person.address);
        Arc::make_mut(&mut state.keyring).add_person(person)?;
        state.note(|| Noted::person(person));
        drop(state);
        if moved {
            self.server().add_account(&person.address, "puppet")?;
        }
        Ok(())
    }

    /// Records an assertion; the case goes on. Returns whether it held.
    ///
    /// `message` says what was expected and what was seen.
    pub fn expect(&self, rule: Rule, holds: bool, message: impl FnOnce() -> String) -> bool {
        let mut state = self.state();
        let holds = state.ledger.assert(rule, holds, message);
        if !holds {
            state.step(&format!("FAILS {}", rule.id));
        }
        holds
    }

    /// Records an assertion without which the case can't go on.
    ///
    /// # Errors
    /// If it doesn't hold.
    pub fn require(
        &self,
        rule: Rule,
        holds: bool,
        message: impl FnOnce() -> String,
    ) -> Result<(), Stop> {
        if self.expect(rule, holds, message) {
            Ok(())
        } else {
            Err(Stop::Failed)
        }
    }

    /// Records that something is there, and returns it.
    ///
    /// # Errors
    /// If it isn't.
    pub fn require_some<T>(
        &self,
        rule: Rule,
        found: Option<T>,
        message: impl FnOnce() -> String,
    ) -> Result<T, Stop> {
        self.expect(rule, found.is_some(), message);
        found.ok_or(Stop::Failed)
    }

    /// What the case asserted so far.
    pub fn ledger(&self) -> impl std::ops::DerefMut<Target = Ledger> + '_ {
        struct Guard<'a>(MutexGuard<'a, State>);
        impl std::ops::Deref for Guard<'_> {
            type Target = Ledger;
            fn deref(&self) -> &Ledger {
                &self.0.ledger
            }
        }
        impl std::ops::DerefMut for Guard<'_> {
            fn deref_mut(&mut self) -> &mut Ledger {
                &mut self.0.ledger
            }
        }
        Guard(self.state())
    }

    /// What the judge saw, if the run is recorded.
    pub(crate) fn record(&self) -> Option<Record> {
        self.state().record.clone()
    }

    /// The step that the case is at, for a report of a hang.
    pub(crate) fn doing(&self) -> String {
        let last = self.state().steps.last().cloned();
        last.unwrap_or_else(|| "the beginning".to_owned())
    }

    /// Notes something that was measured, for the report.
    pub fn note(&self, note: String) {
        self.state().notes.push(note);
    }

    /// What was measured.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.state().notes.clone()
    }

    /// What the case did so far, with its times.
    pub(crate) fn steps(&self) -> Vec<String> {
        self.state().steps.clone()
    }

    /// The mail that was put before the agent and matters most, opened.
    pub(crate) fn shown(&self) -> Option<MailEvidence> {
        let state = self.state();
        let shown = state.shown.as_ref()?;
        let layers = match Mail::read(&shown.octets, state.keyring.sequoia()) {
            Ok(mail) => mail.describe(),
            Err(error) => {
                let error = format!("The judge cannot open it: {error}");
                crate::evidence::unreadable(error, &shown.octets)
            }
        };
        Some(MailEvidence {
            heading: shown.heading.clone(),
            layers,
        })
    }

    fn at(&self, step: &str) {
        self.state().step(step);
    }

    /// The child that the case's agent lives in.
    pub(crate) fn slot(&self) -> &Slot {
        &self.0.slot
    }

    /// The child that the person with this number uses in a meeting.
    fn slot_of(&self, number: usize) -> Arc<Slot> {
        let partner = self.0.partner.as_ref().filter(|_| number > 0);
        Arc::clone(partner.unwrap_or(&self.0.slot))
    }

    /// After the case: judges what nobody looked at.
    pub(crate) fn judge_rest(&self) -> Result<(), Stop> {
        self.judge_sent()
    }

    /// After the case: closes the sessions, or kills a child that can't go on.
    pub(crate) async fn close(&self, ended: &Result<(), Stop>) -> Result<(), Stop> {
        let (sessions, others) = {
            let mut state = self.state();
            let sessions = std::mem::take(&mut state.sessions);
            (sessions, std::mem::take(&mut state.partner_sessions))
        };
        let partner = self.0.partner.as_ref();
        if let Err(Stop::Adapter(_) | Stop::Harness(_)) = ended {
            self.0.slot.kill().await;
            if let Some(partner) = partner {
                partner.kill().await;
            }
            return Ok(());
        }
        if let Some(partner) = partner {
            partner.close(&others).await?;
        }
        self.0.slot.close(&sessions).await?;
        self.arrived().await
    }
}
