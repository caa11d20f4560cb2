//! Several agents on one mail server: both sides of a scenario are implementations, and the
//! harness only carries the mail and looks. By this, implementations are tried with each
//! other, under faults, and on servers that aren't the harness's own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kith_adapter::act::Perform;
use kith_adapter::client::CallError;
use kith_adapter::protocol::{Failure, Identity, Keys, Session, Synced};
use kith_adapter::view::Look;
use kith_forge::DAY;
use kith_testbed::{Door, Outage};
use serde_json::Value;

use super::agent::{Way, queries, timestamp};
use super::{AGENT_DOMAIN, PUPPET_DOMAIN, Scene};
use crate::case::Stop;
use crate::child::{self, Slot};

/// How long things may take to settle, in days: deliveries that nobody acknowledged are sent
/// again after a week.
const DAYS: i64 = 24;
/// How far the clock goes at most before everybody looks again, in seconds.
const STEP: i64 = DAY / 2;
/// How often everybody looks without the clock going on.
const ROUNDS: usize = 12;
/// On a server outside this process: how long nothing may happen until things are settled.
const QUIET: Duration = Duration::from_secs(4);
/// How long that may take together.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often everybody looks there.
const POLL: Duration = Duration::from_millis(400);
/// The views that make up the end state. Others show how it came about: what is missing,
/// when something arrived.
const VIEWS: [&str; 9] = [
    "friends",
    "relations",
    "requests",
    "messages",
    "timeline",
    "threads",
    "profile",
    "groups",
    "group-timeline",
];
/// Fields that say when and how, not what.
const PASSING: [&str; 6] = ["created", "received", "since", "delivery", "last", "serial"];

/// What the server does in the course of time, besides its faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Episode {
    /// For so many looks, mail that a fault holds back stays back; then it comes.
    pub held: u32,
    /// For so many looks the server is not there.
    pub away: u32,
    /// For so many looks the second person's mailbox is full.
    pub full: u32,
}

/// One of the people.
#[derive(Debug)]
struct Party {
    name: &'static str,
    address: String,
    slot: Arc<Slot>,
    session: Session,
    identity: Identity,
    /// The way to a server outside this process, open as long as this is there.
    _door: Option<Door>,
}

/// Several agents on one mail server.
#[derive(Debug)]
pub struct Meeting {
    scene: Scene,
    /// Whether it is on a server outside this process.
    outside: bool,
    people: Vec<Party>,
    episode: Episode,
    looks: u32,
    /// What went wrong last in a sync that may go wrong.
    trouble: Option<String>,
    /// What the people wrote, in its order.
    words: Mutex<Vec<String>>,
}

/// What everybody sees in the end, by person and view, without times and ids.
pub type EndState = BTreeMap<(String, String), Value>;

impl Scene {
    /// Opens an agent for each name: the first with the implementation under test, the others
    /// with its partner, where there is one.
    ///
    /// # Errors
    /// If one can't be opened, or the server has too few accounts.
    pub async fn meeting(&self, names: &[&'static str]) -> Result<Meeting, Stop> {
        self.meeting_at(names, self.0.outside.is_some()).await
    }

    /// The same, always on the harness's own server.
    ///
    /// # Errors
    /// If one can't be opened.
    pub async fn meeting_here(&self, names: &[&'static str]) -> Result<Meeting, Stop> {
        self.meeting_at(names, false).await
    }

    async fn meeting_at(&self, names: &[&'static str], outside: bool) -> Result<Meeting, Stop> {
        self.state().unwatched = true;
        let mut meeting = Meeting {
            scene: self.clone(),
            outside,
            people: Vec::new(),
            episode: Episode::default(),
            looks: 0,
            trouble: None,
            words: Mutex::default(),
        };
        for (number, name) in names.iter().enumerate() {
            let party = meeting.open(number, name).await?;
            meeting.people.push(party);
        }
        Ok(meeting)
    }
}

impl Meeting {
    async fn open(&self, number: usize, name: &'static str) -> Result<Party, Stop> {
        let scene = &self.scene;
        let keys = Keys::Generate(scene.keys());
        let place = scene.0.outside.as_ref().filter(|_| self.outside);
        let (way, door) = match place {
            Some(place) if number == 0 => (Way::through(place.outside.agent()), None),
            Some(place) => {
                let door = place.next_agent(scene.stage()).await?;
                (Way::through(&door), Some(door))
            }
            None => (self.account(number, name)?, None),
        };
        let open = scene.opening(name, way, keys)?;
        let slot = scene.slot_of(number);
        scene.at(&format!("{name}: open"));
        let mut lent = slot.lend().await?;
        let opened = lent.client()?.open(&open).await;
        let opened = lent.settle(opened).await.map_err(child::stop)?;
        drop(lent);
        let mut state = scene.state();
        match number {
            0 => state.sessions.push(opened.session),
            _ if scene.0.partner.is_none() => state.sessions.push(opened.session),
            _ => state.partner_sessions.push(opened.session),
        }
        drop(state);
        Ok(Party {
            name,
            address: open.person.address,
            slot,
            session: opened.session,
            identity: opened.identity,
            _door: door,
        })
    }

    /// An account on the harness's own server.
    fn account(&self, number: usize, name: &str) -> Result<Way, Stop> {
        let scene = &self.scene;
        let domain = [AGENT_DOMAIN, PUPPET_DOMAIN][number % 2];
        let word = &scene.token()[3..11];
        let address = format!("{}-{word}@{domain}", name.to_lowercase());
        let password = scene.token();
        scene.server().add_account(&address, &password)?;
        Ok(scene.embedded_way(&address, &password))
    }

    fn party(&self, who: usize) -> Result<&Party, Stop> {
        let nobody = || Stop::Harness(format!("nobody has the number {who}"));
        self.people.get(who).ok_or_else(nobody)
    }

    /// The scene.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Something to write that occurs nowhere else; end states call it by its number.
    pub fn token(&self) -> String {
        let token = self.scene.token();
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.push(token.clone());
        token
    }

    /// Somebody's address.
    ///
    /// # Errors
    /// If there is nobody with this number.
    pub fn address(&self, who: usize) -> Result<String, Stop> {
        Ok(self.party(who)?.address.clone())
    }

    /// Somebody's identity.
    ///
    /// # Errors
    /// If there is nobody with this number.
    pub fn identity(&self, who: usize) -> Result<Identity, Stop> {
        Ok(self.party(who)?.identity.clone())
    }

    /// Somebody does something.
    ///
    /// # Errors
    /// If the agent doesn't.
    pub async fn act<P: Perform>(&self, who: usize, action: P) -> Result<P::Done, Stop> {
        let party = self.party(who)?;
        self.scene.at(&format!("{}: act {}", party.name, P::NAME));
        let now = timestamp(self.scene.tick())?;
        let mut lent = party.slot.lend().await?;
        let done = lent.client()?.act(party.session, now, action).await;
        lent.settle(done).await.map_err(child::stop)
    }

    /// What somebody sees.
    ///
    /// # Errors
    /// If the agent doesn't show it.
    pub async fn view<L: Look>(&self, who: usize, query: L) -> Result<Vec<L::Item>, Stop> {
        let party = self.party(who)?;
        self.scene.at(&format!("{}: view {}", party.name, L::NAME));
        let mut lent = party.slot.lend().await?;
        let seen = lent.client()?.view(party.session, query).await;
        lent.settle(seen).await.map_err(child::stop)
    }

    /// Something happens to the first person's server.
    ///
    /// # Errors
    /// If it can't be brought about.
    pub async fn outage_begins(&self, outage: Outage) -> Result<(), Stop> {
        self.scene.at(&format!("begins: {outage:?}"));
        let address = self.address(0)?;
        let outages = self.scene.stage().outages()?;
        Ok(outages.begin(outage, &address).await?)
    }

    /// That is over.
    ///
    /// # Errors
    /// If it can't be ended.
    pub async fn outage_ends(&self, outage: Outage) -> Result<(), Stop> {
        self.scene.at(&format!("over: {outage:?}"));
        let address = self.address(0)?;
        let outages = self.scene.stage().outages()?;
        Ok(outages.end(outage, &address).await?)
    }

    /// The real time, for what takes real time on servers outside.
    pub fn real_time(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    /// Lets real time pass, for servers whose clock is real.
    pub async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// How many mails wait in the servers' queues.
    ///
    /// # Errors
    /// If nobody can tell.
    pub async fn queued(&self) -> Result<usize, Stop> {
        Ok(self.scene.stage().outages()?.queued().await?)
    }

    /// Somebody's agent fetches and sends. Under faults it may say that it couldn't.
    ///
    /// # Errors
    /// If it breaks the protocol of adapters.
    pub async fn sync(&mut self, who: usize) -> Result<Option<Synced>, Stop> {
        let party = self.party(who)?;
        let now = timestamp(self.scene.tick())?;
        let mut lent = party.slot.lend().await?;
        let synced = lent.client()?.sync(party.session, now).await;
        let synced = lent.settle(synced).await;
        drop(lent);
        match synced {
            Ok(synced) => {
                let (fetched, sent) = (synced.fetched, synced.sent);
                if fetched + sent > 0 {
                    let name = self.party(who)?.name;
                    let what = format!("{name}: sync, {fetched} fetched, {sent} sent");
                    self.scene.at(&what);
                }
                Ok(Some(synced))
            }
            Err(CallError::Failure(Failure::Unsupported(what))) => Err(Stop::Unsupported(what)),
            Err(CallError::Failure(failure)) => {
                let name = self.party(who)?.name;
                self.scene.at(&format!("{name}: sync fails: {failure}"));
                self.trouble = Some(failure.to_string());
                Ok(None)
            }
            Err(fault) => Err(child::stop(fault)),
        }
    }

    /// What the server does in the course of time from now on.
    pub fn expect_weather(&mut self, episode: Episode) {
        self.episode = episode;
        self.looks = 0;
    }

    /// Lets everybody fetch and send until nothing is left to do: on the harness's own server
    /// for some weeks of simulated time, elsewhere until it has been quiet for a while.
    ///
    /// # Errors
    /// If an agent breaks the protocol of adapters.
    pub async fn settle(&mut self) -> Result<(), Stop> {
        if self.outside {
            return self.settle_outside().await;
        }
        let end = self.scene.now() + DAYS * DAY;
        while self.scene.now() < end {
            let due = self.look().await?;
            self.looks += 1;
            let now = self.scene.now();
            let idle = self.looks
                > self
                    .episode
                    .held
                    .max(self.episode.away)
                    .max(self.episode.full);
            match due {
                None if idle && self.scene.server().held() == 0 => return Ok(()),
                Some(due) if idle && due > now.0 => {
                    self.scene.advance((due - now.0).min(STEP))?;
                }
                _ => {
                    self.scene.advance(STEP)?;
                }
            }
        }
        Ok(())
    }

    /// Everybody looks until nobody has anything new. Returns when the next thing is due.
    async fn look(&mut self) -> Result<Option<i64>, Stop> {
        let server = self.scene.server().clone();
        if self.looks < self.episode.away {
            server.go_away().await;
        } else if self.episode.away > 0 && self.looks == self.episode.away {
            server.come_back().await?;
        }
        if let Ok(second) = self.address(1)
            && self.episode.full > 0
            && self.looks <= self.episode.full
        {
            let quota = (self.looks < self.episode.full).then_some(0);
            server.set_quota(&second, quota)?;
        }
        let mut due = None;
        for _ in 0..ROUNDS {
            let mut busy = self.looks >= self.episode.held && server.release_held() > 0;
            due = None;
            for who in 0..self.people.len() {
                let synced = self.sync(who).await?;
                let later = synced.as_ref().and_then(|synced| synced.next_due.as_ref());
                let later = later.map(|due| due.time().unix_timestamp());
                due = [due, later].into_iter().flatten().min();
                busy |= synced.is_some_and(|synced| synced.fetched + synced.sent > 0);
            }
            if !busy {
                break;
            }
        }
        Ok(due)
    }

    async fn settle_outside(&mut self) -> Result<(), Stop> {
        let began = std::time::Instant::now();
        let mut last = began;
        while last.elapsed() < QUIET && began.elapsed() < PATIENCE {
            // Where it can be asked, nothing comes after what was fetched with empty queues.
            let empty = match self.scene.stage().outages() {
                Ok(outages) => outages.queued().await? == 0,
                Err(_) => false,
            };
            let mut busy = false;
            for who in 0..self.people.len() {
                let synced = self.sync(who).await?;
                busy |= synced.is_some_and(|synced| synced.fetched + synced.sent > 0);
            }
            if busy {
                last = std::time::Instant::now();
            } else if empty {
                break;
            } else {
                tokio::time::sleep(POLL).await;
            }
        }
        match self.trouble.take() {
            Some(trouble) if last == began => Err(Stop::Agent(format!(
                "nothing came through in {QUIET:?}: {trouble}"
            ))),
            _ => Ok(()),
        }
    }

    /// What everybody sees.
    ///
    /// # Errors
    /// If an agent breaks the protocol of adapters.
    pub async fn end_state(&self) -> Result<EndState, Stop> {
        let mut state = EndState::new();
        for party in &self.people {
            for query in queries() {
                let name = query.name();
                if !VIEWS.contains(&name) {
                    continue;
                }
                let mut lent = party.slot.lend().await?;
                let seen = lent.client()?.look(party.session, query).await;
                let seen = match lent.settle(seen).await {
                    Ok(seen) => serde_json::to_value(seen).map_err(Stop::harness)?,
                    Err(CallError::Failure(Failure::Unsupported(_))) => continue,
                    Err(error) => return Err(child::stop(error)),
                };
                let key = (party.name.to_owned(), name.to_owned());
                state.insert(key, self.plain(&seen));
            }
        }
        Ok(state)
    }

    /// A value with names for people, without ids, hashes and times, lists sorted.
    fn plain(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.plain_text(text)),
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.plain(item)).collect();
                items.sort_by_key(ToString::to_string);
                Value::Array(items)
            }
            Value::Object(fields) => fields
                .iter()
                .filter(|(name, _)| !PASSING.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), self.plain(value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn plain_text(&self, text: &str) -> String {
        let person = self.people.iter().find(|party| {
            party.identity.as_str() == text || party.address.eq_ignore_ascii_case(text)
        });
        if let Some(person) = person {
            return person.name.to_owned();
        }
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = words.iter().position(|word| word == text) {
            return format!("text {}", number + 1);
        }
        drop(words);
        let hex = text.bytes().all(|octet| octet.is_ascii_hexdigit());
        if hex && matches!(text.len(), 32 | 64) {
            return "#".to_owned();
        }
        text.to_owned()
    }
}

/// Where two end states differ: a sentence for each view.
pub fn differences(expected: &EndState, seen: &EndState) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = expected.keys().chain(seen.keys()).collect();
    let none = Value::Null;
    let differs = |key: &&(String, String)| expected.get(*key) != seen.get(*key);
    keys.into_iter()
        .filter(differs)
        .map(|key| {
            let (person, view) = key;
            let (one, two) = (expected.get(key), seen.get(key));
            let (one, two) = (one.unwrap_or(&none), two.unwrap_or(&none));
            format!("expected the view `{view}` of {person} to be {one}, seen {two}")
        })
        .collect()
}
