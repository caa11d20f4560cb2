//! A case on a mail server outside this process.
//!
//! The agent speaks to a relay of ours on loopback that ends TLS and passes everything on, so
//! that there is the same wire log, and the same record of what was submitted, as on the
//! embedded server. What people send goes in by submission at their own server and arrives as
//! mail does: [`Outside::deliver`] returns when it is in the agent's INBOX. In the end
//! [`Outside::settle`] looks whether all that the agent submitted has arrived, once.
//!
//! | file | what is there |
//! |---|---|
//! | `outside/upstream.rs` | a connection to the real server |
//! | `outside/relay.rs` | the relay in front of it |
//! | `outside/submit.rs` | submission as a person |
//! | `outside/mailbox.rs` | looking into mailboxes, and emptying them |
//! | `outside/outage.rs` | what can happen to servers that the harness has in hand |
//! | `outside/probe.rs` | what a server does to mail that others don't |

mod mailbox;
mod outage;
mod probe;
mod relay;
mod submit;
mod upstream;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use crate::authority::{Authority, Certificate};
use crate::described::{Described, DescribedAccount, DescribedDomain};
use crate::wire::{Recorder, WireLog};
use crate::world::Submission;
use crate::{Endpoints, TestbedError};
pub use mailbox::message_id;
pub use outage::{Outage, Outages};
pub use probe::Trait;
use relay::Relay;

/// A mail server outside this process, for one case.
#[derive(Debug)]
pub struct Outside {
    described: Described,
    tls: Arc<ClientConfig>,
    recorder: Arc<Recorder>,
    agent: Door,
    others: AtomicUsize,
}

/// An account for an agent, with the relay through which it reaches its server.
#[derive(Debug)]
pub struct Door {
    home: DescribedDomain,
    shared: Arc<Shared>,
    relay: Relay,
}

/// What relay and harness share.
#[derive(Debug)]
struct Shared {
    agent: DescribedAccount,
    recorder: Arc<Recorder>,
    submissions: Mutex<Vec<Submission>>,
    now: Mutex<i64>,
}

impl Shared {
    fn submissions(&self) -> std::sync::MutexGuard<'_, Vec<Submission>> {
        self.submissions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, mut submission: Submission) {
        submission.at = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        self.submissions().push(submission);
    }
}

/// The server did not do what it is needed for.
fn failed(what: impl Into<String>, reason: &dyn std::fmt::Display) -> TestbedError {
    TestbedError::Outside {
        what: what.into(),
        reason: reason.to_string(),
    }
}

impl Door {
    /// Empties the account's mailbox and opens a relay for it.
    async fn open(
        authority: &Authority,
        home: DescribedDomain,
        agent: DescribedAccount,
        tls: &Arc<ClientConfig>,
        recorder: &Arc<Recorder>,
    ) -> Result<Self, TestbedError> {
        mailbox::empty(&home, &agent, tls).await?;
        let shared = Arc::new(Shared {
            agent,
            recorder: Arc::clone(recorder),
            submissions: Mutex::default(),
            now: Mutex::default(),
        });
        let names = [home.submission.host.clone(), home.mailbox.host.clone()];
        let own = authority.server_config(&names, Certificate::Valid)?;
        let relay = Relay::open(home.clone(), Arc::clone(&shared), own, Arc::clone(tls)).await?;
        Ok(Self {
            home,
            shared,
            relay,
        })
    }

    /// The account.
    pub fn account(&self) -> &DescribedAccount {
        &self.shared.agent
    }

    /// Where the agent finds the relay. Only TLS from the first octet is offered.
    pub fn endpoints(&self) -> Endpoints {
        let [submission, mailbox]: [SocketAddr; 2] = self.relay.addresses;
        Endpoints {
            submission_tls: submission,
            submission_starttls: submission,
            imap_tls: mailbox,
            imap_starttls: mailbox,
            server_name: self.relay.host.clone(),
        }
    }

    /// The authserv-id of the account's server.
    pub fn authserv_id(&self) -> &str {
        self.home.authserv_id()
    }
}

impl Outside {
    /// Empties the agent's mailbox and opens the relay.
    ///
    /// # Errors
    /// If the mailboxes may not be emptied, or the server can't be reached.
    pub async fn open(authority: &Authority, described: Described) -> Result<Self, TestbedError> {
        let allowed = described.usable();
        allowed.map_err(|error| failed("prepare the mailboxes", &error))?;
        let tls = upstream::client_config(described.ca.as_deref())?;
        let agent = described.accounts.first().cloned();
        let agent = agent.ok_or_else(|| failed("open the agent's account", &"there is none"))?;
        let home = domain(&described, &agent)?.clone();
        let recorder = Arc::new(Recorder::new());
        let agent = Door::open(authority, home, agent, &tls, &recorder).await?;
        Ok(Self {
            described,
            tls,
            recorder,
            agent,
            others: AtomicUsize::new(0),
        })
    }

    /// The agent's account.
    pub fn agent(&self) -> &Door {
        &self.agent
    }

    /// The next account that nobody has yet, for another agent.
    ///
    /// # Errors
    /// If there is none left, or the server can't be reached.
    pub async fn next_agent(&self, authority: &Authority) -> Result<Option<Door>, TestbedError> {
        let Some(account) = self.next_person() else {
            return Ok(None);
        };
        let home = domain(&self.described, account)?.clone();
        let door = Door::open(authority, home, account.clone(), &self.tls, &self.recorder);
        door.await.map(Some)
    }

    /// The next account that nobody has yet, for a person that the harness plays.
    pub fn next_person(&self) -> Option<&DescribedAccount> {
        let taken = self.others.fetch_add(1, Ordering::Relaxed);
        self.described.accounts.get(1 + taken)
    }

    /// The time that is noted for submissions, Unix seconds.
    pub fn set_now(&self, now: i64) {
        let clock = &self.agent.shared.now;
        *clock.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The address of the server's mailing list, if it has one.
    pub fn list(&self) -> Option<&str> {
        self.described.list.as_deref()
    }

    /// Submits a mail as the account with this address, to the agent or to the mailing list, and
    /// waits until it is in the agent's INBOX.
    ///
    /// # Errors
    /// If it isn't taken, or doesn't arrive.
    pub async fn deliver(&self, from: &str, to: &str, octets: &[u8]) -> Result<(), TestbedError> {
        let account = self.described.account(from);
        let account = account.ok_or_else(|| TestbedError::Account(from.to_owned()))?;
        let theirs = domain(&self.described, account)?;
        let (home, agent) = (&self.agent.home, self.agent.account());
        let mut inbox = mailbox::Inbox::open(home, agent, &self.tls).await?;
        let id = message_id(octets)
            .ok_or_else(|| failed("recognise a mail", &"it has no Message-ID"))?;
        let before = inbox.with_id(&id).await?;
        submit::submit(theirs, account, to, octets, &self.tls).await?;
        inbox.wait(&id, before.len() + 1).await?;
        inbox.close().await;
        Ok(())
    }

    /// A mail as it came into the INBOX of an account that the harness plays: the one with the
    /// Message-ID of this one. Waits for it.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn received(&self, by: &str, mail: &[u8]) -> Result<Vec<u8>, TestbedError> {
        let account = self.described.account(by);
        let account = account.ok_or_else(|| TestbedError::Account(by.to_owned()))?;
        let theirs = domain(&self.described, account)?;
        let id =
            message_id(mail).ok_or_else(|| failed("recognise a mail", &"it has no Message-ID"))?;
        let mut inbox = mailbox::Inbox::open(theirs, account, &self.tls).await?;
        inbox.wait(&id, 1).await?;
        let received = inbox.mail(&id).await?;
        inbox.close().await;
        Ok(received)
    }

    /// What the agent submitted after the first `known` mails.
    pub fn submissions_since(&self, known: usize) -> Vec<Submission> {
        let shared = &self.agent.shared;
        shared
            .submissions()
            .get(known..)
            .unwrap_or_default()
            .to_vec()
    }

    /// Waits until everything that the agent submitted is in the mailboxes of those that the
    /// harness plays; returns what is not there, or there more often than it was sent. Empties
    /// these mailboxes.
    ///
    /// # Errors
    /// If a mailbox can't be looked into.
    pub async fn settle(&self) -> Result<Vec<String>, TestbedError> {
        let mut wrong = Vec::new();
        let submissions = self.submissions_since(0);
        for account in self.described.accounts.iter().skip(1) {
            let mut sent: Vec<String> = Vec::new();
            for submission in &submissions {
                let mut recipients = submission.recipients.iter();
                if recipients.any(|to| to.eq_ignore_ascii_case(&account.address)) {
                    sent.extend(message_id(&submission.octets));
                }
            }
            if sent.is_empty() {
                continue;
            }
            let domain = domain(&self.described, account)?;
            let mut inbox = mailbox::Inbox::open(domain, account, &self.tls).await?;
            wrong.extend(inbox.compare(&sent).await?);
            inbox.close().await;
            mailbox::empty(domain, account, &self.tls).await?;
        }
        Ok(wrong)
    }

    /// The folders of the agent's mailbox that hold a message which ends like this.
    ///
    /// # Errors
    /// If the mailbox can't be looked into.
    pub async fn folders_with(&self, end: &[u8]) -> Result<Vec<String>, TestbedError> {
        let (home, agent) = (&self.agent.home, self.agent.account());
        mailbox::folders_with(home, agent, &self.tls, end).await
    }

    /// All that was said over the relay, in order.
    pub fn wire_log(&self) -> WireLog {
        self.recorder.log()
    }
}

fn domain<'a>(
    described: &'a Described,
    account: &DescribedAccount,
) -> Result<&'a DescribedDomain, TestbedError> {
    let found = described.domain_of(account);
    found.map_err(|error| failed("use the description", &error))
}
