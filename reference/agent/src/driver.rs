//! The driver: one device of one person, between servers, store and core.
//!
//! ```text
//! sync:  mailbox → receive, one transaction for each mail → file → tick → submit → settle each
//! ```
//!
//! The rows that a step of the core wants, the mailbox cursor and the mailbox action are written in
//! one transaction; actions are carried out after it and then forgotten. So a crash at any point
//! loses nothing, and what is repeated does no harm (specification, `send.durable`).

use std::sync::Arc;
use std::time::Duration;

use kith_core::agent::adopt::SentElsewhere;
use kith_core::agent::devices::import::ImportError;
use kith_core::agent::{NewIdentity, Own, view::View};
use kith_core::store::Write;
use kith_core::{
    ActError, Action, Agent, AgentError, Done, Event, Gate, Incoming, Receipt, implements,
};
use kith_spec::{limit, req};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::account::{Account, Password};
use crate::connect::{ConnectError, Dialer};
use crate::mailbox::{Mailbox, MailboxError};
use crate::store::{Store, StoreError};
use crate::submission::SubmissionError;

mod devices;
mod fetch;
mod filing;
pub mod leaving;
mod ledger;
mod submit;

/// After how many seconds a server that could not be reached is tried again.
const TRY_AGAIN: i64 = 300;

/// What ends an operation. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The core failed.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The action is not possible.
    #[error(transparent)]
    Act(#[from] ActError),
    /// An export can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The store has an identity already.
    #[error("the store already holds the identity of {0}; choose another folder with --home")]
    Exists(String),
}

impl From<kith_core::store::StoreError> for DriverError {
    fn from(error: kith_core::store::StoreError) -> Self {
        Self::Agent(error.into())
    }
}

/// What went wrong in a sync and was survived.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Nothing could be submitted.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// The mailbox could not be read or filed.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// A mail could not be processed.
    #[error(
        "the mail with UID {uid} in {folder} could not be processed ({error}); it is tried again at the next sync"
    )]
    Mail {
        /// The folder.
        folder: String,
        /// Its UID.
        uid: u32,
        /// Why.
        error: AgentError,
    },
    /// The submission server put off what it may take later.
    #[error(
        "submission server {server}: put off mail with \"{said}\"; what waits is tried again at later syncs"
    )]
    PutOff {
        /// The server.
        server: String,
        /// What it said, of the last mail.
        said: String,
    },
    /// The clock is wrong.
    #[error(
        "this computer's clock says {clock}, but {seen}; set the clock, because it decides what has expired"
    )]
    Clock {
        /// What the clock says.
        clock: String,
        /// What speaks against it.
        seen: String,
    },
}

/// What a sync did.
#[derive(Debug, Default)]
pub struct Report {
    /// Mails read.
    pub fetched: u64,
    /// Mails that the submission server took.
    pub sent: u64,
    /// What went wrong and was survived.
    pub problems: Vec<Problem>,
    /// When something is due without new mail, unix seconds.
    pub next_due: Option<i64>,
    /// What the person may want to know.
    pub events: Vec<Event>,
}

/// What stops one half of a sync.
enum Failure {
    Mailbox(MailboxError),
    Driver(DriverError),
}

impl From<MailboxError> for Failure {
    fn from(error: MailboxError) -> Self {
        Self::Mailbox(error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::Mailbox(error.into())
    }
}

impl<T: Into<DriverError>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Driver(error.into())
    }
}

/// A driver without its store, which another process may use meanwhile.
pub struct Resting {
    gate: Arc<dyn Gate>,
    account: Account,
    dialer: Option<Dialer>,
    mailbox: Option<Mailbox>,
}

impl Resting {
    /// Prepares a device; nothing is read or connected yet.
    #[must_use]
    pub fn new(gate: Arc<dyn Gate>, account: Account) -> Self {
        Self {
            gate,
            account,
            dialer: None,
            mailbox: None,
        }
    }

    /// Takes another password, or a newer access token, for the connections that are still to come.
    pub fn renew(&mut self, password: Password) {
        self.account.password = password;
    }

    /// Takes up work with a store.
    ///
    /// # Errors
    ///
    /// When the store holds no identity or is damaged.
    pub fn wake(self, store: Store) -> Result<Driver, DriverError> {
        let agent = Agent::open(self.gate.clone(), &store, rand::random())?
            .trusting(self.account.authserv_id.clone())
            .submitting(self.account.daily);
        Ok(Driver {
            rest: self,
            store,
            agent,
            keeps: false,
        })
    }

    /// Waits until something changes in INBOX, or the time is over. Where the server can't tell, or
    /// there is no connection, it waits for `poll`, and no longer than `most`.
    ///
    /// # Errors
    ///
    /// When the connection breaks; the next sync makes another one.
    pub async fn wait(&mut self, most: Duration, poll: Duration) -> Result<(), MailboxError> {
        implements!(req::FILE_IDLE);
        match self.mailbox.take() {
            Some(mailbox) if mailbox.can_idle() => {
                self.mailbox = Some(mailbox.wait(most).await?);
            }
            other => {
                self.mailbox = other;
                tokio::time::sleep(poll.min(most)).await;
            }
        }
        Ok(())
    }

    /// Ends the connection, if there is one.
    pub async fn close(self) {
        if let Some(mailbox) = self.mailbox {
            mailbox.close().await;
        }
    }
}

/// One device of one person.
pub struct Driver {
    rest: Resting,
    store: Store,
    agent: Agent,
    keeps: bool,
}

impl Driver {
    /// Opens the identity in a store.
    ///
    /// # Errors
    ///
    /// When the store holds none or is damaged.
    pub fn open(gate: Arc<dyn Gate>, store: Store, account: Account) -> Result<Self, DriverError> {
        Resting::new(gate, account).wake(store)
    }

    /// Makes an identity in an empty store. Returns the text of the recovery kit besides, which
    /// belongs anywhere but into the store.
    ///
    /// # Errors
    ///
    /// When there is an identity already, or the address or name can't be used.
    pub fn create(
        gate: Arc<dyn Gate>,
        mut store: Store,
        account: Account,
        new: &NewIdentity,
    ) -> Result<(Self, String), DriverError> {
        if let Some(own) = Own::load(&store)? {
            return Err(DriverError::Exists(own.address));
        }
        let made = Own::make(gate.as_ref(), new, rand::random())?;
        store.apply(&made.writes)?;
        Ok((Self::open(gate, store, account)?, made.recovery_kit))
    }

    /// Goes on, in an empty store, as the identity whose recovery kit this is, at another address
    /// where one is given. Returns the text of the next kit besides.
    ///
    /// # Errors
    ///
    /// When there is an identity already, or the kit is incomplete or damaged; then nothing was
    /// written.
    pub fn recover(
        gate: Arc<dyn Gate>,
        mut store: Store,
        account: Account,
        kit: &[u8],
        (compromised, to): (bool, Option<&str>),
        now: i64,
    ) -> Result<(Self, String), DriverError> {
        if let Some(own) = Own::load(&store)? {
            return Err(DriverError::Exists(own.address));
        }
        let recovered = Own::recover(gate.as_ref(), kit, compromised, to, rand::random(), now);
        let (writes, next) = recovered?;
        store.apply(&writes)?;
        Ok((Self::open(gate, store, account)?, next))
    }

    /// The core's agent.
    #[must_use]
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the person sees at a time, unix seconds.
    #[must_use]
    pub fn view(&self, now: i64) -> View<'_> {
        self.agent.view(&self.store, now)
    }

    /// Keeps the mailbox connection open between syncs, for [`Resting::wait`].
    #[must_use]
    pub fn keeping_connection(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// Ends the work and hands back the store.
    #[must_use]
    pub fn close(self) -> Store {
        self.store
    }

    /// Rests: the store can be dropped, so that another process may use it.
    #[must_use]
    pub fn rest(self) -> (Resting, Store) {
        (self.rest, self.store)
    }

    /// Writes rows, or none of them; the agent then forgets what it had planned.
    fn commit(&mut self, writes: &[Write]) -> Result<(), DriverError> {
        implements!(req::SEND_DURABLE);
        let Err(error) = self.store.apply(writes) else {
            return Ok(());
        };
        if let Ok(agent) = Agent::open(self.rest.gate.clone(), &self.store, rand::random()) {
            let account = &self.rest.account;
            self.agent = agent
                .trusting(account.authserv_id.clone())
                .submitting(account.daily);
        }
        Err(error.into())
    }

    /// Does what the person wants. What it sends waits for the next sync.
    ///
    /// # Errors
    ///
    /// [`DriverError::Act`] if it isn't possible; nothing happened then.
    pub fn act(&mut self, action: Action, now: i64) -> Result<(Done, Vec<Event>), DriverError> {
        let (done, effects) = self.agent.act(&self.store, action, now)?;
        self.commit(&effects.writes)?;
        Ok((done, effects.events))
    }

    /// Takes over own objects that were sent from elsewhere, as [`Agent::adopt`] does.
    ///
    /// # Errors
    ///
    /// [`DriverError`]; then nothing happened.
    pub fn adopt(&mut self, sent: &SentElsewhere, now: i64) -> Result<(), DriverError> {
        let effects = self.agent.adopt(&self.store, sent, now)?;
        self.commit(&effects.writes)
    }

    /// Judges a mail that was not fetched but given, and takes what it brings. The receipt's effects
    /// are in the store already.
    ///
    /// # Errors
    ///
    /// When store or core fail; nothing happened then.
    pub fn receive(&mut self, octets: &[u8], now: i64) -> Result<Receipt, DriverError> {
        let mut receipt = self.agent.receive(&self.store, Incoming { octets, now })?;
        self.commit(&std::mem::take(&mut receipt.effects.writes))?;
        Ok(receipt)
    }

    /// Fetches new mail, judges and files it, does what is due, and submits what waits.
    ///
    /// # Errors
    ///
    /// When store or core fail. What a server refuses or a broken connection prevents stands in the
    /// report's problems and is tried again at the next sync.
    pub async fn sync(&mut self, now: i64) -> Result<Report, DriverError> {
        let mut report = Report::default();
        match self.receive_mail(now, &mut report).await {
            Ok(()) => {}
            Err(Failure::Mailbox(error)) => report.problems.push(error.into()),
            Err(Failure::Driver(error)) => return Err(error),
        }
        let effects = self.agent.tick(&self.store, now)?;
        let mut writes = effects.writes;
        report.problems.extend(self.check_clock(now).err());
        writes.push(ledger::put(ledger::LAST_SYNC, &now));
        self.commit(&writes)?;
        report.events.extend(effects.events);
        match self.append_copies(now).await {
            Ok(()) => {}
            Err(Failure::Mailbox(error)) => report.problems.push(error.into()),
            Err(Failure::Driver(error)) => return Err(error),
        }
        if !self.keeps
            && let Some(mailbox) = self.rest.mailbox.take()
        {
            mailbox.close().await;
        }
        self.submit_mail(now, &mut report).await?;
        let next = self.agent.next_due(&self.store)?;
        report.next_due = next.map(|at| if at > now { at } else { now + TRY_AGAIN });
        Ok(report)
    }

    async fn receive_mail(&mut self, now: i64, report: &mut Report) -> Result<(), Failure> {
        if let Some(mut mailbox) = self.rest.mailbox.take() {
            match self.look(&mut mailbox, now, report).await {
                Ok(()) => {
                    self.rest.mailbox = Some(mailbox);
                    return Ok(());
                }
                // An old connection may have died of old age.
                Err(Failure::Mailbox(MailboxError::Lost { .. })) => {}
                other => return other,
            }
        }
        let dialer = self.dialer()?;
        let mut mailbox =
            Mailbox::open(&dialer, &self.rest.account, self.rest.gate.clone()).await?;
        self.look(&mut mailbox, now, report).await?;
        self.rest.mailbox = Some(mailbox);
        Ok(())
    }

    fn dialer(&mut self) -> Result<Dialer, ConnectError> {
        if let Some(dialer) = &self.rest.dialer {
            return Ok(dialer.clone());
        }
        let dialer = Dialer::new(&self.rest.account.roots, self.rest.account.patience)?;
        Ok(self.rest.dialer.insert(dialer).clone())
    }

    /// Compares the clock with what it said at the last sync.
    ///
    /// # Errors
    ///
    /// [`Problem::Clock`] if it went back by more than the tolerated skew.
    pub fn check_clock(&self, now: i64) -> Result<(), Problem> {
        let last: Option<i64> = ledger::read(&self.store, ledger::LAST_SYNC).unwrap_or_default();
        let skew = limit::CLOCK_SKEW_SECONDS as i64;
        match last.filter(|&last| last > now + skew) {
            Some(last) => {
                let seen = format!("the last sync was at {}", shown_time(last));
                Err(Problem::Clock {
                    clock: shown_time(now),
                    seen,
                })
            }
            None => Ok(()),
        }
    }
}

fn shown_time(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_can_be_given_to_another_thread() {
        fn sendable<T: Send>(_: T) {}
        fn check(driver: &mut Driver, resting: &mut Resting) {
            sendable(driver.sync(0));
            sendable(resting.wait(Duration::ZERO, Duration::ZERO));
        }
        let _ = check;
    }
}
