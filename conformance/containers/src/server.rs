//! One mail server in a container, and what can happen to it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kith_testbed::{DescribedDomain, DescribedEndpoint, TlsMode};
use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::images::Image;
use crate::{ContainerError, Engine};

/// How long a server has to greet.
const READY: Duration = Duration::from_secs(30);
/// The port of submission and of IMAP, TLS from the first octet.
const SUBMISSIONS: u16 = 465;
const IMAPS: u16 = 993;
/// The ports on which a server greets without TLS.
const GREETING: [u16; 2] = [143, 587];
/// ManageSieve.
const SIEVE: u16 = 4190;
/// Where they are on this machine.
const FIXED_PORTS: std::ops::Range<u16> = 10_240..32_000;
const PORTS: [u16; 5] = [143, SUBMISSIONS, 587, IMAPS, SIEVE];

/// Which programs serve the agent's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stack {
    /// Postfix with Dovecot.
    PostfixDovecot,
    /// Exim with Cyrus.
    EximCyrus,
    /// Exim with Courier.
    EximCourier,
}

impl Stack {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PostfixDovecot, Self::EximCyrus, Self::EximCourier];

    /// Its name on the command line, in reports, and of its image.
    pub fn name(self) -> &'static str {
        match self {
            Self::PostfixDovecot => "postfix-dovecot",
            Self::EximCyrus => "exim-cyrus",
            Self::EximCourier => "exim-courier",
        }
    }

    /// The folders of its image's files.
    pub(crate) fn folders(self) -> &'static [&'static str] {
        match self {
            Self::PostfixDovecot => &["postfix", "postfix-dovecot"],
            Self::EximCyrus => &["exim", "exim-cyrus"],
            Self::EximCourier => &["exim", "exim-courier"],
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stack {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|stack| stack.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{name}` is none of the server stacks: {names}")
        })
    }
}

/// What a server is started with.
pub(crate) struct Start<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) image: &'a Image,
    pub(crate) domain: &'a str,
    pub(crate) network: &'a str,
    pub(crate) relay: &'a str,
    pub(crate) name_server: &'a str,
    pub(crate) files: Vec<(&'static str, String)>,
}

/// A mail server for one domain.
///
/// Mail for a server that is paused, cut off, full or putting off waits in the sender's queue
/// and comes within some 3 seconds of the end of the fault.
#[derive(Debug)]
pub struct MailServer {
    engine: Engine,
    container: ContainerAsync<GenericImage>,
    domain: String,
    relay: String,
    /// Port in the container and on loopback.
    ports: Vec<(u16, u16)>,
    versions: String,
    paused: AtomicBool,
}

/// The host name of a domain's server.
pub(crate) fn host_of(domain: &str) -> String {
    format!("mail.{domain}")
}

/// So many ports of loopback that are free now: fixed ones outlive a restart. They are drawn
/// from below those that systems give to connections, which would take them in between.
async fn free_ports(count: usize) -> Result<Vec<u16>, ContainerError> {
    let mut ports = Vec::new();
    for _ in 0..count * 100 {
        let port = rand::random_range(FIXED_PORTS);
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        if bound.is_ok() && !ports.contains(&port) {
            ports.push(port);
        }
        if ports.len() == count {
            return Ok(ports);
        }
    }
    let none = std::io::Error::other(format!("hardly any of {FIXED_PORTS:?} is"));
    Err(ContainerError::io("cannot find a free port", none))
}

fn bind(host: &mut HostConfig, ports: &[(u16, u16)]) {
    let binding = |port: u16| PortBinding {
        host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
        host_port: Some(port.to_string()),
    };
    let bound = ports
        .iter()
        .map(|(inner, outer)| (format!("{inner}/tcp"), Some(vec![binding(*outer)])));
    host.port_bindings = Some(bound.collect());
}

impl MailServer {
    /// Starts a server; it is ready when this returns, but not known to the name server.
    pub(crate) async fn start(start: Start<'_>) -> Result<Self, ContainerError> {
        let free = free_ports(PORTS.len()).await?;
        let ports: Vec<(u16, u16)> = PORTS.into_iter().zip(free).collect();
        let bindings = ports.clone();
        let dns = start.name_server.to_owned();
        let host = host_of(start.domain);
        let mut request = start
            .image
            .generic()
            .with_network(start.network)
            .with_labels([start.engine.label()])
            .with_hostname(&host)
            .with_env_var("HOST", &host)
            .with_env_var("DOMAIN", start.domain)
            .with_host_config_modifier(move |config| {
                config.dns = Some(vec![dns.clone()]);
                bind(config, &bindings);
            });
        for (name, content) in start.files {
            request = request.with_copy_to(format!("/run/kith/{name}"), content.into_bytes());
        }
        let container = request.start().await;
        let container =
            container.map_err(|error| ContainerError::engine("start a mail server", &error))?;
        start.engine.join(start.relay, container.id()).await?;
        let mut server = Self {
            engine: start.engine.clone(),
            container,
            domain: start.domain.to_owned(),
            relay: start.relay.to_owned(),
            ports,
            versions: String::new(),
            paused: AtomicBool::new(false),
        };
        server.ready().await?;
        server.versions = server.exec(&["cat", "/versions"]).await?;
        Ok(server)
    }

    /// Waits until it greets.
    async fn ready(&self) -> Result<(), ContainerError> {
        let until = Instant::now() + READY;
        for port in GREETING {
            while !self.greets(port).await {
                if Instant::now() > until {
                    return Err(ContainerError::NotReady {
                        host: host_of(&self.domain),
                        port,
                        seconds: READY.as_secs(),
                        log: self.log().await,
                    });
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
        Ok(())
    }

    /// Whether something is said on this port.
    async fn greets(&self, port: u16) -> bool {
        let greeting = async {
            let mut stream = TcpStream::connect(self.at(port)).await.ok()?;
            let mut first = [0];
            stream.read_exact(&mut first).await.ok()
        };
        let limit = Duration::from_secs(2);
        matches!(tokio::time::timeout(limit, greeting).await, Ok(Some(_)))
    }

    /// Where a port of the server is on this machine.
    fn at(&self, port: u16) -> SocketAddr {
        let found = self.ports.iter().find(|(inner, _)| *inner == port);
        (Ipv4Addr::LOCALHOST, found.map_or(0, |(_, outer)| *outer)).into()
    }

    async fn exec(&self, command: &[&str]) -> Result<String, ContainerError> {
        let (id, host) = (self.container.id(), host_of(&self.domain));
        self.engine.exec(id, &host, command).await
    }

    /// The container's address in the relay network.
    pub(crate) async fn relay_address(&self) -> Result<String, ContainerError> {
        self.engine.address(&self.relay, self.container.id()).await
    }

    /// Its domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The packages in it that matter, with their versions, a line each.
    pub fn versions(&self) -> &str {
        &self.versions
    }

    /// Where ManageSieve listens, with STARTTLS.
    pub fn sieve(&self) -> SocketAddr {
        self.at(SIEVE)
    }

    /// The domain and its endpoints, as the suite takes them.
    pub fn described(&self) -> DescribedDomain {
        let endpoint = |port: u16| DescribedEndpoint {
            host: host_of(&self.domain),
            connect: Some(Ipv4Addr::LOCALHOST.into()),
            port: self.at(port).port(),
            mode: TlsMode::Tls,
        };
        DescribedDomain {
            name: self.domain.clone(),
            authserv_id: Some(host_of(&self.domain)),
            submission: endpoint(SUBMISSIONS),
            mailbox: endpoint(IMAPS),
        }
    }

    /// What its programs wrote.
    pub async fn log(&self) -> String {
        let out = self.container.stdout_to_vec().await.unwrap_or_default();
        let error = self.container.stderr_to_vec().await.unwrap_or_default();
        let both = [out, error].concat();
        String::from_utf8_lossy(&both).into_owned()
    }

    /// How it is to reach another domain, by that domain's policy of MTA-STS (RFC 8461), in the
    /// terms of Postfix: only its stack asks for policies.
    ///
    /// # Errors
    /// If it can't be asked, or there is no policy.
    pub async fn policy_for(&self, domain: &str) -> Result<String, ContainerError> {
        let map = "socketmap:inet:127.0.0.1:8461:postfix";
        self.exec(&["postmap", "-q", domain, map]).await
    }

    /// How many mails wait in its queue; none is known of while it is paused.
    ///
    /// # Errors
    /// If it can't be asked.
    pub async fn queued(&self) -> Result<usize, ContainerError> {
        if self.paused.load(Ordering::SeqCst) {
            return Ok(0);
        }
        let (id, host) = (self.container.id(), host_of(&self.domain));
        self.engine.queued(id, &host).await
    }

    /// Stops its processes where they are. Connections stay open and say nothing.
    ///
    /// # Errors
    /// If the engine can't.
    pub async fn pause(&self) -> Result<(), ContainerError> {
        let paused = self.container.pause().await;
        paused.map_err(|error| ContainerError::engine("pause a server", &error))?;
        self.paused.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Lets its processes go on.
    ///
    /// # Errors
    /// If the engine can't.
    pub async fn resume(&self) -> Result<(), ContainerError> {
        let resumed = self.container.unpause().await;
        resumed.map_err(|error| ContainerError::engine("resume a server", &error))?;
        self.paused.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Cuts it off from the other domain and from the name server; its own people still reach
    /// it. [`Confederation::join`](crate::Confederation::join) ends that.
    ///
    /// # Errors
    /// If the engine can't.
    pub async fn cut(&self) -> Result<(), ContainerError> {
        self.engine.leave(&self.relay, self.container.id()).await
    }

    pub(crate) async fn rejoin(&self) -> Result<(), ContainerError> {
        self.engine.join(&self.relay, self.container.id()).await
    }

    /// Ends all its programs and starts them again; mail and ports stay.
    ///
    /// # Errors
    /// If it doesn't come back.
    pub async fn restart(&self) -> Result<(), ContainerError> {
        let wrong = |error| ContainerError::engine("restart a server", &error);
        let stopped = self.container.stop_with_timeout(Some(2)).await;
        stopped.map_err(wrong)?;
        self.container.start().await.map_err(wrong)?;
        self.ready().await
    }

    /// Whether it puts off the first try of each sender and recipient.
    ///
    /// # Errors
    /// If it can't be told.
    pub async fn greylist(&self, on: bool) -> Result<(), ContainerError> {
        let how = if on { "on" } else { "off" };
        self.exec(&["greylist", how]).await.map(drop)
    }

    /// How many KiB an account may hold from now on.
    ///
    /// # Errors
    /// If it can't be told.
    pub async fn quota(&self, address: &str, kib: Option<u32>) -> Result<(), ContainerError> {
        let kib = kib.unwrap_or(0).to_string();
        self.exec(&["quota", address, &kib]).await.map(drop)
    }
}
