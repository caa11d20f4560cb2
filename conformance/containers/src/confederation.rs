//! Two domains on networks of their own, joined by a relay network with a name server.

use futures::future::BoxFuture;
use kith_testbed::{Authority, Described, DescribedAccount, Outage, Outages, TestbedError};
use testcontainers::core::WaitFor;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::engine::random_word;
use crate::images::{self, Images, Progress};
use crate::server::{Start, host_of};
use crate::{ContainerError, Engine, MailServer, Stack};

/// The domain of agents under test.
pub const AGENT_DOMAIN: &str = "a.test";
/// The domain of the people that the harness plays.
pub const PUPPET_DOMAIN: &str = "b.test";

/// The domain of the mailing lists.
const LIST_DOMAIN: &str = "lists.test";

/// What the name server writes when it is ready.
const NAME_SERVER_READY: &str = "started, version";
/// What the list server writes when it is ready.
const LIST_SERVER_READY: &str = "daemon started";

/// What a confederation is made of.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// What serves the agent's domain.
    pub stack: Stack,
    /// How many cases can be played side by side: each lane has accounts of its own.
    pub lanes: usize,
    /// How many people the harness can play in each lane.
    pub people: usize,
}

/// Two mail domains that send each other mail, and a list server. When it is dropped,
/// everything is removed.
#[derive(Debug)]
pub struct Confederation {
    engine: Engine,
    agent: MailServer,
    puppets: MailServer,
    lists: ContainerAsync<GenericImage>,
    list_versions: String,
    dns: ContainerAsync<GenericImage>,
    /// Whether all of them are removed already.
    stopped: bool,
    stack: Stack,
    ca: String,
    lanes: Vec<Vec<DescribedAccount>>,
}

/// The accounts of a lane, the agent's first.
fn accounts(lane: usize, people: usize) -> Vec<DescribedAccount> {
    let account = |address: String| DescribedAccount {
        address,
        user: None,
        password: random_word(24),
    };
    let agent = account(format!("agent-{lane}@{AGENT_DOMAIN}"));
    let played = (1..=people).map(|number| format!("p{number}-{lane}@{PUPPET_DOMAIN}"));
    std::iter::once(agent).chain(played.map(account)).collect()
}

/// The address of a lane's mailing list.
fn list(lane: usize) -> String {
    format!("fans-{lane}@{LIST_DOMAIN}")
}

impl Confederation {
    /// Starts one; images that aren't there are built first, which `progress` is told of.
    ///
    /// # Errors
    /// If an image can't be built, or a server doesn't start.
    pub async fn start(
        engine: &Engine,
        wanted: Wanted,
        progress: &mut Progress<'_>,
    ) -> Result<Self, ContainerError> {
        let started = Self::try_start(engine, wanted, progress).await;
        if started.is_err() {
            // Why it did not start is what matters.
            let _ = engine.sweep().await;
        }
        started
    }

    async fn try_start(
        engine: &Engine,
        wanted: Wanted,
        progress: &mut Progress<'_>,
    ) -> Result<Self, ContainerError> {
        let images = images::of(engine, wanted.stack, progress).await?;
        let lanes: Vec<_> = (1..=wanted.lanes.max(1))
            .map(|lane| accounts(lane, wanted.people.max(1)))
            .collect();
        let run = format!("{}-{}", engine.owner(), random_word(6));
        let relay = format!("{run}-relay");
        engine.network(&relay).await?;
        let authority = Authority::new()?;
        let dns = name_server(engine, &images, &relay, &authority).await?;
        let address = engine.address(&relay, dns.id()).await?;
        let place = Place {
            engine,
            run: &run,
            relay: &relay,
            name_server: &address,
            dns: &dns,
            authority: &authority,
            lanes: &lanes,
        };
        let (agent, puppets, lists) = tokio::try_join!(
            place.server(&images.agent, AGENT_DOMAIN),
            place.server(&images.puppets, PUPPET_DOMAIN),
            place.list_server(&images.lists),
        )?;
        let mut confederation = Self {
            engine: engine.clone(),
            agent,
            puppets,
            lists,
            list_versions: String::new(),
            dns,
            stopped: false,
            stack: wanted.stack,
            ca: authority.pem().to_owned(),
            lanes,
        };
        for server in confederation.servers() {
            confederation.announce(server).await?;
        }
        let lists = confederation.lists.id();
        let command = ["cat", "/versions"];
        let versions = engine.exec(lists, LIST_DOMAIN, &command).await?;
        let address = engine.address(&relay, lists).await?;
        confederation.list_versions = versions;
        confederation.tell_name(LIST_DOMAIN, &address).await?;
        Ok(confederation)
    }

    /// The servers: of the agent's domain, and of the others'.
    pub fn servers(&self) -> [&MailServer; 2] {
        [&self.agent, &self.puppets]
    }

    /// The server of a domain.
    ///
    /// # Errors
    /// If there is none.
    pub fn server(&self, domain: &str) -> Result<&MailServer, ContainerError> {
        let servers = self.servers();
        let found = servers.into_iter().find(|server| server.domain() == domain);
        found.ok_or_else(|| ContainerError::Domain(domain.to_owned()))
    }

    fn server_of(&self, address: &str) -> Result<&MailServer, ContainerError> {
        self.server(address.rsplit('@').next().unwrap_or_default())
    }

    /// What runs in it: packages with their versions.
    pub fn versions(&self) -> Vec<String> {
        let [agent, puppets] = self.servers().map(MailServer::versions);
        let lines = [agent, puppets, &self.list_versions];
        let lines = lines.into_iter().flat_map(str::lines);
        let mut lines: Vec<String> = lines.map(ToOwned::to_owned).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// Each lane as the suite takes it: a server with accounts.
    pub fn described(&self) -> Vec<Described> {
        let describe = |(lane, accounts): (usize, &Vec<DescribedAccount>)| Described {
            name: self.stack.to_string(),
            may_empty_the_mailboxes: true,
            ca: Some(self.ca.clone()),
            ca_file: None,
            versions: self.versions(),
            domains: self.servers().map(MailServer::described).to_vec(),
            accounts: accounts.clone(),
            list: Some(list(lane)),
        };
        (1..).zip(&self.lanes).map(describe).collect()
    }

    /// Ends [`MailServer::cut`].
    ///
    /// # Errors
    /// If the engine can't.
    pub async fn join(&self, server: &MailServer) -> Result<(), ContainerError> {
        server.rejoin().await?;
        self.announce(server).await
    }

    async fn announce(&self, server: &MailServer) -> Result<(), ContainerError> {
        let address = server.relay_address().await?;
        self.tell_name(server.domain(), &address).await
    }

    /// Tells the name server where a domain's server is.
    async fn tell_name(&self, domain: &str, address: &str) -> Result<(), ContainerError> {
        let host = host_of(domain);
        let command = format!("echo '{address} {host}' > /run/kith/hosts/{domain}");
        let command = ["sh", "-c", &command];
        let told = self.engine.exec(self.dns.id(), "the name server", &command);
        told.await.map(drop)
    }

    /// Removes everything that its engine has made.
    ///
    /// The containers are not left to remove their networks when they are dropped: testcontainers
    /// blocks the thread for that, and what is awaited beside it then misses that it is woken,
    /// and goes on only when its time is up.
    ///
    /// # Errors
    /// If something can't be removed.
    pub async fn stop(mut self) -> Result<(), ContainerError> {
        self.stopped = true;
        self.engine.sweep().await
    }
}

impl Drop for Confederation {
    fn drop(&mut self) {
        let Ok(handle) = Handle::try_current() else {
            return;
        };
        // Only there can a thread wait for something that takes its time.
        if !self.stopped && handle.runtime_flavor() == RuntimeFlavor::MultiThread {
            let swept = tokio::task::block_in_place(|| handle.block_on(self.engine.sweep()));
            // What is left bears the label of its engine; nobody is here to be told.
            drop(swept);
        }
    }
}

impl From<ContainerError> for TestbedError {
    fn from(error: ContainerError) -> Self {
        Self::Outside {
            what: "go through an outage".to_owned(),
            reason: error.to_string(),
        }
    }
}

impl Outages for Confederation {
    fn begin<'a>(
        &'a self,
        outage: Outage,
        address: &'a str,
    ) -> BoxFuture<'a, Result<(), TestbedError>> {
        Box::pin(async move {
            let server = self.server_of(address)?;
            match outage {
                Outage::Cut => server.cut().await?,
                Outage::Pause => server.pause().await?,
                Outage::Full => server.quota(address, Some(1)).await?,
                Outage::Greylist => server.greylist(true).await?,
                Outage::Restart => server.restart().await?,
            }
            Ok(())
        })
    }

    fn end<'a>(
        &'a self,
        outage: Outage,
        address: &'a str,
    ) -> BoxFuture<'a, Result<(), TestbedError>> {
        Box::pin(async move {
            let server = self.server_of(address)?;
            match outage {
                Outage::Cut => self.join(server).await?,
                Outage::Pause => server.resume().await?,
                Outage::Full => server.quota(address, None).await?,
                Outage::Greylist => server.greylist(false).await?,
                Outage::Restart => {}
            }
            Ok(())
        })
    }

    fn queued(&self) -> BoxFuture<'_, Result<usize, TestbedError>> {
        Box::pin(async move {
            let [agent, puppets] = self.servers();
            let (agent, puppets) = tokio::try_join!(agent.queued(), puppets.queued())?;
            // Afterwards: it gets its mail from them.
            let lists = self.engine.queued(self.lists.id(), LIST_DOMAIN).await?;
            Ok(agent + puppets + lists)
        })
    }
}

async fn name_server(
    engine: &Engine,
    images: &Images,
    relay: &str,
    authority: &Authority,
) -> Result<ContainerAsync<GenericImage>, ContainerError> {
    // The hosts of the policies of MTA-STS (RFC 8461 section 3.3).
    let domains = [AGENT_DOMAIN, PUPPET_DOMAIN, LIST_DOMAIN];
    let certificate = authority.server_pem(&domains.map(|domain| format!("mta-sts.{domain}")))?;
    let ready = WaitFor::message_on_stderr(NAME_SERVER_READY);
    let image = images.dns.generic().with_wait_for(ready);
    let started = image
        .with_network(relay)
        .with_labels([engine.label()])
        .with_env_var("DOMAINS", format!("{AGENT_DOMAIN} {PUPPET_DOMAIN}"))
        .with_env_var("LISTS", LIST_DOMAIN)
        .with_copy_to("/run/kith/server.pem", certificate.into_bytes())
        .start()
        .await;
    started.map_err(|error| ContainerError::engine("start the name server", &error))
}

/// What both servers are started with.
struct Place<'a> {
    engine: &'a Engine,
    run: &'a str,
    relay: &'a str,
    name_server: &'a str,
    dns: &'a ContainerAsync<GenericImage>,
    authority: &'a Authority,
    lanes: &'a [Vec<DescribedAccount>],
}

impl Place<'_> {
    async fn server(
        &self,
        image: &images::Image,
        domain: &str,
    ) -> Result<MailServer, ContainerError> {
        let key = format!("/run/kith/dkim/{domain}.key");
        let dkim = self
            .engine
            .exec(self.dns.id(), "the name server", &["cat", &key])
            .await?;
        let here = format!("@{domain}");
        let all = self.lanes.iter().flatten();
        let accounts: String = all
            .filter(|account| account.address.ends_with(&here))
            .map(|account| format!("{} {}\n", account.address, account.password))
            .collect();
        let certificate = self.authority.server_pem(&[host_of(domain)])?;
        let network = format!("{}-{}", self.run, domain.replace('.', "-"));
        self.engine.network(&network).await?;
        MailServer::start(Start {
            engine: self.engine,
            image,
            domain,
            network: &network,
            relay: self.relay,
            name_server: self.name_server,
            files: vec![
                ("accounts", accounts),
                ("ca.pem", self.authority.pem().to_owned()),
                ("dkim.key", dkim),
                ("server.pem", certificate),
            ],
        })
        .await
    }

    /// The server of the mailing lists, one for each lane; its accounts are the members.
    async fn list_server(
        &self,
        image: &images::Image,
    ) -> Result<ContainerAsync<GenericImage>, ContainerError> {
        let host = host_of(LIST_DOMAIN);
        let certificate = self.authority.server_pem(std::slice::from_ref(&host))?;
        let lines = (1..).zip(self.lanes).map(|(lane, accounts)| {
            let members: Vec<_> = accounts.iter().map(|one| one.address.as_str()).collect();
            format!("{} {}\n", list(lane), members.join(","))
        });
        let lists: String = lines.collect();
        let dns = self.name_server.to_owned();
        let mut request = image
            .generic()
            .with_wait_for(WaitFor::message_on_stdout(LIST_SERVER_READY))
            .with_network(self.relay)
            .with_labels([self.engine.label()])
            .with_hostname(&host)
            .with_env_var("HOST", &host)
            .with_env_var("DOMAIN", LIST_DOMAIN)
            .with_host_config_modifier(move |config| config.dns = Some(vec![dns.clone()]));
        for (name, content) in [
            ("ca.pem", self.authority.pem().to_owned()),
            ("lists", lists),
            ("server.pem", certificate),
        ] {
            request = request.with_copy_to(format!("/run/kith/{name}"), content.into_bytes());
        }
        let started = request.start().await;
        started.map_err(|error| ContainerError::engine("start the list server", &error))
    }
}
