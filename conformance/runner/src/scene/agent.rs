//! The agent under test, driven through its adapter.

use std::sync::Arc;

use kith_adapter::act::Perform;
use kith_adapter::act::device::Export;
use kith_adapter::client::CallError;
use kith_adapter::protocol::{
    About, Archive, Authentication, Failure, Hash, Identity, Import, KeyKind, Keys, MailServer,
    Mode, Octets, Open, Opened, Person, Receive, Received, Recover, Session, Store, Synced,
    Timestamp,
};
use kith_adapter::view::{Look, Query, ViewResult};
use kith_forge::{Instant, Peer, Puppet};
use kith_testbed::{Door, Endpoints};
use time::OffsetDateTime;

use super::{AGENT_DOMAIN, Scene};
use crate::case::Stop;
use crate::child;
use crate::judge::recorded::Noted;
use crate::stage::Character;

/// The account, keys and session of an agent under test.
#[derive(Debug)]
pub(super) struct Account {
    address: String,
    password: String,
    name: String,
    session: Session,
    opened: Opened,
}

impl Account {
    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }
}

/// The agent under test.
#[derive(Clone, Debug)]
pub struct Agent {
    scene: Scene,
    account: Arc<Account>,
}

pub(super) fn timestamp(now: Instant) -> Result<Timestamp, Stop> {
    let time = OffsetDateTime::from_unix_timestamp(now.0).map_err(Stop::harness)?;
    Ok(Timestamp::from(time))
}

fn outcome<T>(called: Result<T, CallError>) -> Result<Result<T, Failure>, Stop> {
    match called {
        Ok(value) => Ok(Ok(value)),
        Err(CallError::Failure(failure)) => Ok(Err(failure)),
        Err(error) => Err(child::stop(error)),
    }
}

/// Every view that can be asked for without naming something.
pub(super) fn queries() -> Vec<Query> {
    let query = |name: &&str| serde_json::from_value(serde_json::json!({ "what": name })).ok();
    Query::NAMES.iter().filter_map(query).collect()
}

/// What an imported person starts with.
fn import(person: &Puppet) -> Import {
    Import {
        secret: person.secret_key_export().into(),
        chain: person
            .chain
            .iter()
            .map(|entry| entry.octets.clone().into())
            .collect(),
        contact: person.contact.octets.clone().into(),
        next: Hash::from_octets(person.next.key_hash().0),
    }
}

/// An account of an agent, and where its server is.
pub(super) struct Way {
    address: String,
    user: Option<String>,
    password: String,
    endpoints: Endpoints,
    authserv_id: String,
}

impl Way {
    /// To a server outside this process.
    pub(super) fn through(door: &Door) -> Self {
        let account = door.account();
        Self {
            address: account.address.clone(),
            user: account.user.clone(),
            password: account.password.clone(),
            endpoints: door.endpoints(),
            authserv_id: door.authserv_id().to_owned(),
        }
    }
}

impl Scene {
    /// The agent under test, opened at the first call: at a random address, with keys
    /// that it takes from the harness where it can, so that the judge sees what it sees.
    ///
    /// # Errors
    /// If it can't be opened.
    pub async fn agent(&self) -> Result<Agent, Stop> {
        self.open_agent(self.0.stage.about().can_import).await
    }

    /// The agent under test, with keys that it makes itself. To be called before
    /// anything else opens it.
    ///
    /// # Errors
    /// If it can't be opened.
    pub async fn agent_with_own_keys(&self) -> Result<Agent, Stop> {
        self.open_agent(false).await
    }

    /// The agent under test, with keys of this kind that the harness made. To be called before
    /// anything else opens it.
    ///
    /// # Errors
    /// If it can't be opened, or takes no keys.
    pub async fn agent_like(&self, kind: kith_forge::KeyKind) -> Result<Agent, Stop> {
        self.agent_made(kind, |_| {}).await
    }

    /// The same, with keys or a certificate that are changed before.
    ///
    /// # Errors
    /// As for [`agent_like`](Self::agent_like).
    pub async fn agent_made(
        &self,
        kind: kith_forge::KeyKind,
        change: impl FnOnce(&mut Puppet),
    ) -> Result<Agent, Stop> {
        let address = format!("alice-{}@{AGENT_DOMAIN}", &self.token()[3..11]);
        let mut person = self.0.stage.person("Alice", &address, kind, &self.0.seed)?;
        let person = &mut person.puppet;
        change(person);
        Arc::make_mut(&mut self.state().keyring).add_person(person)?;
        self.agent_from(&person.name, &person.address, import(person))
            .await
    }

    /// An agent at this address, with these keys.
    pub(crate) async fn agent_from(
        &self,
        name: &str,
        address: &str,
        import: Import,
    ) -> Result<Agent, Stop> {
        if !self.0.stage.about().can_import {
            return Err(Stop::NotTested("the adapter can't import keys".to_owned()));
        }
        self.embedded("the agent has the address that there is")?;
        let _opening = self.0.opening.lock().await;
        let open = self.newcomer(name, address, Keys::Import(import))?;
        self.start(open).await
    }

    /// The agent under test, whose person wants so many mails submitted in a day at most. To be
    /// called before anything else opens it.
    ///
    /// # Errors
    /// If it can't be opened, or its limit can't be chosen.
    pub async fn agent_with_limit(&self, daily: u64) -> Result<Agent, Stop> {
        self.embedded("the limit counts the mails of one case")?;
        let _opening = self.0.opening.lock().await;
        let mut open = self.first_device(self.0.stage.about().can_import)?;
        open.daily = Some(daily);
        let agent = self.start(open).await?;
        match agent.opened().daily == Some(daily) {
            true => Ok(agent),
            false => Err(Stop::NotTested(
                "the daily limit can't be chosen".to_owned(),
            )),
        }
    }

    async fn open_agent(&self, with_import: bool) -> Result<Agent, Stop> {
        let _opening = self.0.opening.lock().await;
        if let Some(account) = self.state().agent.clone() {
            return Ok(self.handle(account));
        }
        let open = self.first_device(with_import)?;
        self.start(open).await
    }

    /// How the agent under test is opened first.
    fn first_device(&self, with_import: bool) -> Result<Open, Stop> {
        let address = match &self.0.outside {
            Some(place) => place.outside.agent().account().address.clone(),
            None => format!("alice-{}@{AGENT_DOMAIN}", &self.token()[3..11]),
        };
        let keys = self.agent_keys(&address, with_import)?;
        self.newcomer("Alice", &address, keys)
    }

    /// How a person with a new account is opened.
    fn newcomer(&self, name: &str, address: &str, keys: Keys) -> Result<Open, Stop> {
        let password = match &self.0.outside {
            Some(place) => place.outside.agent().account().password.clone(),
            None => {
                let password = self.token();
                self.server().add_account(address, &password)?;
                password
            }
        };
        self.opening(name, self.way(address, &password), keys)
    }

    /// Opens a device that is the agent under test from now on.
    async fn start(&self, open: Open) -> Result<Agent, Stop> {
        self.at("open");
        let mut lent = self.0.slot.lend().await?;
        let opened = lent.client()?.open(&open).await;
        let opened = lent.settle(opened).await.map_err(child::stop)?;
        drop(lent);
        let account = Arc::new(Account {
            address: open.person.address,
            password: open.password,
            name: open.person.name,
            session: opened.session,
            opened,
        });
        let mut state = self.state();
        state.sessions.push(account.session);
        Arc::make_mut(&mut state.keyring).add_signer(&account.opened.certificate.0)?;
        state.note(|| Noted::Signer {
            certificate: account.opened.certificate.clone(),
        });
        state.agent = Some(Arc::clone(&account));
        drop(state);
        Ok(self.handle(account))
    }

    /// The agent under test anew, on a device of its own, from a recovery kit: the sessions before
    /// are not used any more.
    ///
    /// # Errors
    /// If the agent doesn't take the kit.
    pub async fn recovered(
        &self,
        lost: &Agent,
        kit: String,
        compromised: bool,
    ) -> Result<Agent, Stop> {
        let Account {
            address,
            password,
            name,
            ..
        } = &*lost.account;
        let keys = Keys::Recover(Recover { kit, compromised });
        let open = self.opening(name, self.way(address, password), keys)?;
        self.start(open).await
    }

    /// The agent under test anew, from a recovery kit, at another address: the account that it had
    /// is gone.
    ///
    /// # Errors
    /// As [`recovered`](Self::recovered).
    pub async fn recovered_elsewhere(
        &self,
        lost: &Agent,
        kit: String,
        compromised: bool,
    ) -> Result<Agent, Stop> {
        self.embedded("the agent has the address that there is")?;
        let name = &lost.account.name;
        let address = format!("alice-again-{}@{AGENT_DOMAIN}", &self.token()[3..11]);
        let password = self.token();
        self.server().remove_account(lost.address())?;
        self.server().add_account(&address, &password)?;
        let keys = Keys::Recover(Recover { kit, compromised });
        let open = self.opening(name, self.way(&address, &password), keys)?;
        self.start(open).await
    }

    fn agent_keys(&self, address: &str, with_import: bool) -> Result<Keys, Stop> {
        let kind = self.keys();
        let About { keys, .. } = self.0.stage.about();
        if !keys.contains(&kind) {
            return Err(Stop::Unsupported(format!("keys of the kind {kind:?}")));
        }
        if !with_import {
            return Ok(Keys::Generate(kind));
        }
        let forged = match kind {
            KeyKind::V4 => kith_forge::KeyKind::V4,
            KeyKind::V6 => kith_forge::KeyKind::V6,
            KeyKind::Pq => kith_forge::KeyKind::Pq,
        };
        let person = self
            .0
            .stage
            .person("Alice", address, forged, &self.0.seed)?;
        let Character { puppet, secret } = person;
        let mut state = self.state();
        Arc::make_mut(&mut state.keyring).add_secret(&puppet, secret)?;
        state.note(|| Noted::person(&puppet));
        drop(state);
        Ok(Keys::Import(import(&puppet)))
    }

    /// The account of the agent under test, and where its server is.
    fn way(&self, address: &str, password: &str) -> Way {
        match &self.0.outside {
            Some(place) => Way::through(place.outside.agent()),
            None => self.embedded_way(address, password),
        }
    }

    /// An account on the embedded server.
    pub(super) fn embedded_way(&self, address: &str, password: &str) -> Way {
        Way {
            address: address.to_owned(),
            user: None,
            password: password.to_owned(),
            endpoints: self.server().endpoints(),
            authserv_id: self.server().config().authserv_id.clone(),
        }
    }

    pub(super) fn opening(&self, name: &str, way: Way, keys: Keys) -> Result<Open, Stop> {
        let endpoints = way.endpoints;
        let (mode, submission, mailbox) = match self.0.starttls {
            true => (
                Mode::Starttls,
                endpoints.submission_starttls,
                endpoints.imap_starttls,
            ),
            false => (Mode::Tls, endpoints.submission_tls, endpoints.imap_tls),
        };
        let endpoint = |at: std::net::SocketAddr| MailServer {
            host: endpoints.server_name.clone(),
            connect: at.ip(),
            port: at.port(),
            mode,
        };
        Ok(Open {
            person: Person {
                address: way.address,
                name: name.to_owned(),
            },
            device: "laptop".to_owned(),
            user: way.user,
            password: way.password,
            submission: endpoint(submission),
            mailbox: endpoint(mailbox),
            ca: self.0.stage.authority().pem().to_owned(),
            authserv_id: way.authserv_id,
            store: Store::Empty,
            keys: Some(keys),
            durable: false,
            daily: None,
            now: timestamp(self.now())?,
        })
    }

    fn handle(&self, account: Arc<Account>) -> Agent {
        Agent {
            scene: self.clone(),
            account,
        }
    }

    /// The agent's address, if it is open.
    pub(crate) fn agent_address(&self) -> Option<String> {
        self.state()
            .agent
            .as_ref()
            .map(|account| account.address.clone())
    }
}

impl Agent {
    /// Its mail address.
    pub fn address(&self) -> &str {
        &self.account.address
    }

    /// The name it claims.
    pub fn name(&self) -> &str {
        &self.account.name
    }

    /// Its password on the mail server.
    pub fn password(&self) -> &str {
        &self.account.password
    }

    /// Its identity.
    pub fn identity(&self) -> &Identity {
        &self.account.opened.identity
    }

    /// What it said when it was opened.
    pub fn opened(&self) -> &Opened {
        &self.account.opened
    }

    /// As a puppet knows it that has its certificate.
    ///
    /// # Errors
    /// If its identity is no identity.
    pub fn peer(&self) -> Result<Peer, Stop> {
        let Opened {
            identity,
            certificate,
            ..
        } = &self.account.opened;
        let id = identity.as_str().parse().map_err(Stop::harness)?;
        Ok(Peer::new(id, &self.account.address, certificate.0.clone()))
    }

    /// Another device of the same person, from an export of this one, on the same mailbox.
    ///
    /// # Errors
    /// If there is none.
    pub async fn another_device(&self, device: &str) -> Result<Agent, Stop> {
        let passphrase = self.scene.token();
        let export = Export {
            passphrase: passphrase.clone(),
        };
        let archive = self.act(export).await?.archive;
        self.device_from(device, archive, passphrase).await
    }

    /// Another device of the same person, from an export.
    ///
    /// # Errors
    /// If the agent doesn't take the export.
    pub async fn device_from(
        &self,
        device: &str,
        archive: Octets,
        passphrase: String,
    ) -> Result<Agent, Stop> {
        let Account {
            address,
            password,
            name,
            ..
        } = &*self.account;
        let keys = Keys::Generate(KeyKind::V4);
        let way = self.scene.way(address, password);
        let mut open = self.scene.opening(name, way, keys)?;
        open.keys = None;
        device.clone_into(&mut open.device);
        open.store = Store::Export(Archive {
            archive,
            passphrase,
        });
        self.scene.at(&format!("open {device}"));
        let mut lent = self.scene.0.slot.lend().await?;
        let opened = lent.client()?.open(&open).await;
        let opened = outcome(lent.settle(opened).await)??;
        drop(lent);
        let account = Arc::new(Account {
            address: address.clone(),
            password: password.clone(),
            name: name.clone(),
            session: opened.session,
            opened,
        });
        self.scene.state().sessions.push(account.session);
        Ok(self.scene.handle(account))
    }

    /// The user does something; the agent must let them.
    ///
    /// # Errors
    /// If the agent doesn't.
    pub async fn act<P: Perform>(&self, action: P) -> Result<P::Done, Stop> {
        Ok(self.try_act(action).await??)
    }

    /// The user does something that the agent may refuse.
    ///
    /// # Errors
    /// If the adapter breaks the protocol.
    pub async fn try_act<P: Perform>(&self, action: P) -> Result<Result<P::Done, Failure>, Stop> {
        self.scene.at(&format!("act {}", P::NAME));
        let now = timestamp(self.scene.tick())?;
        let session = self.account.session;
        let mut lent = self.scene.0.slot.lend().await?;
        let done = lent.client()?.act(session, now, action).await;
        let done = lent.settle(done).await;
        drop(lent);
        self.scene.judge_sent()?;
        outcome(done)
    }

    /// What the user sees.
    ///
    /// # Errors
    /// If the agent doesn't show it.
    pub async fn view<L: Look>(&self, query: L) -> Result<Vec<L::Item>, Stop> {
        self.scene.at(&format!("view {}", L::NAME));
        let session = self.account.session;
        let mut lent = self.scene.0.slot.lend().await?;
        let seen = lent.client()?.view(session, query).await;
        lent.settle(seen).await.map_err(child::stop)
    }

    /// Everything that the user can see, with the names of the views. What the adapter
    /// doesn't have is left out.
    ///
    /// # Errors
    /// If the adapter breaks the protocol.
    pub async fn everything(&self) -> Result<Vec<(&'static str, ViewResult)>, Stop> {
        let mut all = Vec::new();
        for query in queries() {
            let name = query.name();
            self.scene.at(&format!("view {name}"));
            let mut lent = self.scene.0.slot.lend().await?;
            let seen = lent.client()?.look(self.account.session, query).await;
            let seen = lent.settle(seen).await;
            drop(lent);
            match outcome(seen)? {
                Ok(result) => all.push((name, result)),
                Err(Failure::Unsupported(_)) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(all)
    }

    /// Lets it fetch new mail, process it, and send what is due. What it sent is judged.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn sync(&self) -> Result<Synced, Stop> {
        self.scene.at("sync");
        self.scene.carry().await?;
        let now = timestamp(self.scene.tick())?;
        let session = self.account.session;
        let mut lent = self.scene.0.slot.lend().await?;
        let synced = lent.client()?.sync(session, now).await;
        let synced = lent.settle(synced).await.map_err(child::stop)?;
        drop(lent);
        self.scene.judge_sent()?;
        let mut state = self.scene.state();
        state.memory.synced();
        state.note(|| Noted::Synced);
        drop(state);
        Ok(synced)
    }

    /// Lets so many days pass, then syncs.
    ///
    /// # Errors
    /// `NotTested` if its clock is real.
    pub async fn jump(&self, days: i64) -> Result<Synced, Stop> {
        self.scene.advance_days(days)?;
        self.sync().await
    }

    /// Lets it process a mail that doesn't come from the mailbox.
    ///
    /// # Errors
    /// If the adapter can't.
    pub async fn receive(&self, mail: &[u8], auth: Authentication) -> Result<Received, Stop> {
        self.receive_at(mail, auth, self.scene.tick()).await
    }

    /// Lets it process a mail that doesn't come from the mailbox, at this time.
    ///
    /// # Errors
    /// If the adapter can't.
    pub async fn receive_at(
        &self,
        mail: &[u8],
        auth: Authentication,
        now: Instant,
    ) -> Result<Received, Stop> {
        self.scene.at("receive");
        let heading = "Put before the agent by `receive`".to_owned();
        self.scene.state().show(heading, mail, false);
        let receive = Receive {
            session: self.account.session,
            now: timestamp(now)?,
            mail: mail.to_vec().into(),
            auth,
        };
        let mut lent = self.scene.0.slot.lend().await?;
        let received = lent.client()?.receive(&receive).await;
        lent.settle(received).await.map_err(child::stop)
    }
}
