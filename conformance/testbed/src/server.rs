//! The running server: listeners, and the handles by which the harness sets it up and looks in.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::authority::{Authority, Certificate};
use crate::config::Config;
use crate::connection::Connection;
use crate::delivery::{self, Deliver, Delivered, Letter};
use crate::faults::Faults;
use crate::names;
use crate::wire::{Protocol, Recorder, WireLog};
use crate::world::{Account, FolderState, NewMessage, StoredMessage, Submission, World};
use crate::{TestbedError, imap, smtp};

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) faults: Faults,
    pub(crate) recorder: Arc<Recorder>,
    world: Mutex<World>,
    tls: Mutex<Arc<ServerConfig>>,
    /// Whether somebody on the way takes STARTTLS out of what is offered.
    stripped: AtomicBool,
}

impl Shared {
    /// Whether clients may go on in the clear, as if nobody had ever heard of STARTTLS.
    pub(crate) fn is_stripped(&self) -> bool {
        self.stripped.load(Ordering::SeqCst)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tls(&self) -> Arc<ServerConfig> {
        let tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tls)
    }
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Submission, TLS from the first octet (RFC 8314).
    pub submission_tls: SocketAddr,
    /// Submission with STARTTLS.
    pub submission_starttls: SocketAddr,
    /// IMAP, TLS from the first octet.
    pub imap_tls: SocketAddr,
    /// IMAP with STARTTLS.
    pub imap_starttls: SocketAddr,
    /// The host name that the certificate stands for.
    pub server_name: String,
}

/// Protocol and whether TLS comes first, for each listener in a fixed order.
const LISTENERS: [(Protocol, bool); 4] = [
    (Protocol::Smtp, true),
    (Protocol::Smtp, false),
    (Protocol::Imap, true),
    (Protocol::Imap, false),
];

/// A running mail server. Clones are handles on the same server; when the last one is dropped,
/// listeners and sessions end.
#[derive(Debug, Clone)]
pub struct Server(Arc<Running>);

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    addresses: [SocketAddr; 4],
    listening: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Running {
    /// Ends listeners and sessions; they are gone when the returned tasks have ended.
    fn hang_up(&self) -> Vec<JoinHandle<()>> {
        let mut listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tasks = std::mem::take(&mut *listening);
        for task in &tasks {
            task.abort();
        }
        tasks
    }

    fn listen(&self, listeners: Vec<TcpListener>) {
        let mut listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (listener, (protocol, tls)) in listeners.into_iter().zip(LISTENERS) {
            let shared = Arc::clone(&self.shared);
            let task = tokio::spawn(accept(listener, shared, protocol, tls));
            listening.push(task);
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, TestbedError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| TestbedError::Listen { address, source })
}

/// Takes connections; all its sessions end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>, protocol: Protocol, tls: bool) {
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = sessions.join_next() => {
                if ended.is_err_and(|error| error.is_panic()) {
                    shared.recorder.session(protocol).note("a session of this server panicked");
                }
                continue;
            }
        };
        match accepted {
            Ok((stream, _)) => {
                sessions.spawn(serve(stream, Arc::clone(&shared), protocol, tls));
            }
            // Out of file descriptors, most likely: some will come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, protocol: Protocol, tls: bool) {
    let log = shared.recorder.session(protocol);
    log.note("connected");
    if let Err(error) = stream.set_nodelay(true) {
        log.note(&format!("cannot set TCP_NODELAY: {error}"));
    }
    let mut connection = Connection::new(stream, log);
    if tls && connection.start_tls(shared.tls()).await.is_err() {
        return;
    }
    match protocol {
        Protocol::Smtp => smtp::serve(shared, connection).await,
        Protocol::Imap => imap::serve(shared, connection).await,
    }
}

impl Server {
    /// Starts a server. It needs a tokio runtime with I/O and time, on which its tasks run.
    pub async fn start(authority: &Authority, config: Config) -> Result<Self, TestbedError> {
        for domain in &config.domains {
            names::domain_key(domain).ok_or_else(|| TestbedError::Domain(domain.clone()))?;
        }
        let names = certificate_names(&config);
        let tls = authority.server_config(&names, config.certificate)?;
        let mut listeners = Vec::new();
        let mut addresses = [SocketAddr::new(config.bind, 0); 4];
        for address in &mut addresses {
            let listener = bind(*address).await?;
            *address = listener
                .local_addr()
                .map_err(|source| TestbedError::Listen {
                    address: *address,
                    source,
                })?;
            listeners.push(listener);
        }
        let running = Running {
            shared: Arc::new(Shared {
                config,
                faults: Faults::default(),
                recorder: Arc::new(Recorder::new()),
                world: Mutex::new(World::new()),
                tls: Mutex::new(tls),
                stripped: AtomicBool::new(false),
            }),
            addresses,
            listening: Mutex::default(),
        };
        running.listen(listeners);
        Ok(Self(Arc::new(running)))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Where it listens.
    pub fn endpoints(&self) -> Endpoints {
        let [submission_tls, submission_starttls, imap_tls, imap_starttls] = self.0.addresses;
        Endpoints {
            submission_tls,
            submission_starttls,
            imap_tls,
            imap_starttls,
            server_name: self.config().server_name.clone(),
        }
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.shared().config
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.shared().faults
    }

    /// Shows another certificate from the next handshake on.
    pub fn set_certificate(
        &self,
        authority: &Authority,
        certificate: Certificate,
    ) -> Result<(), TestbedError> {
        let names = certificate_names(self.config());
        let tls = authority.server_config(&names, certificate)?;
        *self
            .shared()
            .tls
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = tls;
        Ok(())
    }

    /// From the next command on, offers no STARTTLS and takes passwords and mail in the clear, as
    /// it looks when somebody on the way takes STARTTLS out (RFC 3207 section 6); or no longer.
    pub fn strip_starttls(&self, on: bool) {
        self.shared().stripped.store(on, Ordering::SeqCst);
    }

    /// Closes listeners and sessions: connections are refused until [`Server::come_back`].
    pub async fn go_away(&self) {
        for task in self.0.hang_up() {
            // It ends with the error that says it was aborted.
            let _ = task.await;
        }
    }

    /// Listens again on the same ports.
    pub async fn come_back(&self) -> Result<(), TestbedError> {
        self.go_away().await;
        let mut listeners = Vec::new();
        for address in self.0.addresses {
            listeners.push(bind(address).await?);
        }
        self.0.listen(listeners);
        Ok(())
    }

    /// Sets the server's clock, Unix seconds: INTERNALDATE, Received and notifications follow it.
    pub fn set_now(&self, now: i64) {
        self.shared().world().set_now(Some(now));
    }

    /// Lets the server use the real clock again, as it does at the start.
    pub fn use_real_clock(&self) {
        self.shared().world().set_now(None);
    }

    /// Makes an account. The address is also the user name.
    pub fn add_account(&self, address: &str, password: &str) -> Result<(), TestbedError> {
        let domain = names::domain_of(address);
        let domain = domain.ok_or_else(|| TestbedError::Address(address.to_owned()))?;
        if !is_local(self.config(), &domain) {
            return Err(TestbedError::Domain(address.to_owned()));
        }
        let mut world = self.shared().world();
        world.add_account(address, password, self.config())
    }

    /// Makes a mailing list, if it isn't there: what comes for this address goes to all accounts
    /// but that of its author, changed as lists change mail.
    pub fn add_list(&self, address: &str) -> Result<(), TestbedError> {
        let key = names::address_key(address)?;
        self.shared().world().lists.insert(key);
        Ok(())
    }

    /// The addresses of all accounts, as they were given.
    pub fn accounts(&self) -> Vec<String> {
        let world = self.shared().world();
        let accounts = world.accounts.values();
        accounts.map(|account| account.address.clone()).collect()
    }

    /// Changes a password. Open sessions go on.
    pub fn change_password(&self, address: &str, password: &str) -> Result<(), TestbedError> {
        let mut world = self.shared().world();
        password.clone_into(&mut world.account_mut(address)?.password);
        Ok(())
    }

    /// Removes an account with all its mail. Its open IMAP sessions end at the next command.
    pub fn remove_account(&self, address: &str) -> Result<(), TestbedError> {
        let mut world = self.shared().world();
        world.account(address)?;
        world.accounts.remove(&names::address_key(address)?);
        Ok(())
    }

    /// Limits the octets of all an account's mail; `None` lifts the limit.
    pub fn set_quota(&self, address: &str, octets: Option<u64>) -> Result<(), TestbedError> {
        self.shared().world().account_mut(address)?.quota = octets;
        Ok(())
    }

    /// Delivers a mail to a local address, through the faults but without SMTP.
    pub fn deliver(
        &self,
        to: &str,
        octets: &[u8],
        how: &Deliver,
    ) -> Result<Delivered, TestbedError> {
        let shared = self.shared();
        let mut how = how.clone();
        how.folder = names::check_path(&how.folder, &shared.config.capabilities.imap)?;
        let mut world = shared.world();
        if world.recipient(to).is_none() && !world.is_list(to) {
            return Err(TestbedError::Account(to.to_owned()));
        }
        let origin = names::domain_of(&how.envelope_from);
        let origin = origin.unwrap_or_else(|| "unknown.invalid".to_owned());
        let letter = Letter {
            to: to.to_owned(),
            octets: octets.into(),
            how,
            received: format!("from mail.{origin} "),
        };
        Ok(delivery::route(shared, &mut world, letter))
    }

    /// Delivers what [`crate::DeliveryAction::Hold`] and [`crate::DeliveryAction::Reorder`] keep,
    /// in the order it came. Returns how many mails that were.
    pub fn release_held(&self) -> usize {
        delivery::release(self.shared(), &mut self.shared().world())
    }

    /// How many mails are kept by faults.
    pub fn held(&self) -> usize {
        let world = self.shared().world();
        world.held.len() + world.reorder.len()
    }

    /// All that was submitted and accepted, in order.
    pub fn submissions(&self) -> Vec<Submission> {
        self.submissions_since(0)
    }

    /// What was submitted after the first `known` mails.
    pub fn submissions_since(&self, known: usize) -> Vec<Submission> {
        let world = self.shared().world();
        world.submissions.get(known..).unwrap_or_default().to_vec()
    }

    /// Waits until more than `known` mails have been submitted, and returns those after the first
    /// `known`; after the timeout, none.
    pub async fn wait_submissions(&self, known: usize, timeout: Duration) -> Vec<Submission> {
        let mut watch = self.shared().world().watch_submissions();
        let enough = watch.wait_for(|count| *count > known);
        // Whether it came or not, what is there is the answer.
        let _ = tokio::time::timeout(timeout, enough).await.map(|_| ());
        self.submissions_since(known)
    }

    /// A counter that rises with every change of any mailbox, for waiting.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared().world().watch_changes()
    }

    /// Waits until a folder holds a message that fits, and returns the first such.
    pub async fn wait_message(
        &self,
        address: &str,
        folder: &str,
        timeout: Duration,
        fits: impl Fn(&StoredMessage) -> bool,
    ) -> Result<Option<StoredMessage>, TestbedError> {
        let mut changes = self.changes();
        let found = async {
            loop {
                let messages = match self.messages(address, folder) {
                    Err(TestbedError::Folder(_)) => Vec::new(),
                    messages => messages?,
                };
                if let Some(message) = messages.into_iter().find(&fits) {
                    return Ok(Some(message));
                }
                if changes.changed().await.is_err() {
                    return Ok(None);
                }
            }
        };
        tokio::time::timeout(timeout, found)
            .await
            .unwrap_or(Ok(None))
    }

    /// The folders of an account, by name.
    pub fn folders(&self, address: &str) -> Result<Vec<FolderState>, TestbedError> {
        let capabilities = &self.config().capabilities.imap;
        let world = self.shared().world();
        let account = world.account(address)?;
        let state = |(name, folder): (&String, &crate::world::Folder)| FolderState {
            name: name.clone(),
            wire_name: names::path_to_wire(name, capabilities),
            subscribed: account.subscribed.contains(name),
            uid_validity: folder.uid_validity,
            uid_next: folder.uid_next,
            highest_modseq: folder.highest_modseq,
            messages: folder.messages.len(),
        };
        Ok(account.folders.iter().map(state).collect())
    }

    /// Numbers the messages of a folder anew, under another UIDVALIDITY (RFC 9051 section 2.3.1.1).
    /// To a session that has it selected the folder is gone.
    pub fn renumber(&self, address: &str, folder: &str) -> Result<(), TestbedError> {
        let mut world = self.shared().world();
        let mut fresh = world.new_folder();
        let account = world.account_mut(address)?;
        let old = account.folders.get_mut(folder);
        let old = old.ok_or_else(|| TestbedError::Folder(folder.to_owned()))?;
        for message in std::mem::take(&mut old.messages) {
            fresh.add(NewMessage {
                flags: message.flags,
                internal_date: message.internal_date,
                octets: message.octets,
                envelope_from: message.envelope_from,
            });
        }
        *old = fresh;
        Ok(())
    }

    /// The messages of a folder, by UID. `folder` is a path as in [`FolderState::name`].
    pub fn messages(
        &self,
        address: &str,
        folder: &str,
    ) -> Result<Vec<StoredMessage>, TestbedError> {
        let world = self.shared().world();
        let account: &Account = world.account(address)?;
        let found = account.folders.get(folder);
        let found = found.ok_or_else(|| TestbedError::Folder(folder.to_owned()))?;
        let message = |message: &crate::world::Message| StoredMessage {
            uid: message.uid,
            flags: message.flags.iter().cloned().collect(),
            internal_date: message.internal_date,
            modseq: message.modseq,
            octets: Arc::clone(&message.octets),
            envelope_from: message.envelope_from.clone(),
        };
        Ok(found.messages.iter().map(message).collect())
    }

    /// All that was said so far, in order.
    pub fn wire_log(&self) -> WireLog {
        self.shared().recorder.log()
    }
}

fn certificate_names(config: &Config) -> Vec<String> {
    vec![config.server_name.clone(), "localhost".to_owned()]
}

/// Whether a domain, in A-labels, is one of the server's.
pub(crate) fn is_local(config: &Config, domain: &str) -> bool {
    let mut domains = config.domains.iter();
    domains.any(|local| names::domain_key(local).as_deref() == Some(domain))
}
