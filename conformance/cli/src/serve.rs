//! `serve`: a mail server with people on it, for trying an agent by hand. The people accept
//! every request and answer every message.

use std::collections::BTreeSet;
use std::time::Duration;

use kith_adapter::act::private::Message;
use kith_adapter::act::publishing::Post;
use kith_adapter::act::relation::Accept;
use kith_adapter::client::{Client, Options};
use kith_adapter::protocol::{Identity, ObjectId, Timestamp};
use kith_adapter::protocol::{KeyKind, Keys, MailServer, Mode, Open, Person, Session, Store};
use kith_adapter::view::private::Messages;
use kith_adapter::view::relation::{Direction, Requests};
use kith_containers::{Confederation, Engine, Wanted};
use kith_runner::exit;
use kith_testbed::{
    Authority, Config, Described, DescribedAccount, DescribedDomain, DescribedEndpoint, Server,
    TlsMode,
};
use time::OffsetDateTime;

use crate::suite::endpoint;
use crate::{Trouble, args, servers};

/// The password of every account on the embedded server: nobody but this machine reaches it.
const PASSWORD: &str = "kith";
/// The accounts on the embedded server.
const ACCOUNTS: [&str; FREE + PEOPLE.len()] = [
    "you@a.test",
    "friend@b.test",
    "third@a.test",
    "bob@b.test",
    "carol@a.test",
];
/// The mailing list on the embedded server.
const LIST: &str = "fans@b.test";
/// So many accounts, the first ones, are free.
const FREE: usize = 3;
/// The people, who have the others.
const PEOPLE: [&str; 2] = ["Bob", "Carol"];
/// How often the people look into their mail.
const POLL: Duration = Duration::from_secs(1);

pub(crate) async fn serve(arguments: &args::Serve) -> Result<u8, Trouble> {
    let engine = match arguments.server.as_str() {
        args::EMBEDDED => None,
        _ => Some(Engine::find().await?),
    };
    let ended = tokio::select! {
        ended = keep(arguments, engine.as_ref()) => ended,
        () = servers::interrupted() => Ok(exit::PASSED),
    };
    let swept = match &engine {
        Some(engine) => engine.sweep().await,
        None => Ok(()),
    };
    // What it came to matters more.
    let code = ended?;
    swept?;
    Ok(code)
}

/// Starts what is asked for, and plays the people.
async fn keep(arguments: &args::Serve, engine: Option<&Engine>) -> Result<u8, Trouble> {
    let Some(engine) = engine else {
        let authority = Authority::new()?;
        let server = Server::start(&authority, Config::default()).await?;
        for address in ACCOUNTS {
            server.add_account(address, PASSWORD)?;
        }
        server.add_list(LIST)?;
        return live(arguments, &describe(&server, &authority)).await;
    };
    let wanted = Wanted {
        stack: arguments.server.parse().map_err(Trouble::NoServer)?,
        lanes: 1,
        people: ACCOUNTS.len() - 1,
    };
    let confederation = Confederation::start(engine, wanted, &mut servers::tell).await?;
    let described = confederation.described().into_iter().next();
    let described = described.ok_or_else(|| std::io::Error::other("no accounts were made"))?;
    live(arguments, &described).await
}

/// Plays the people, until something fails.
async fn live(arguments: &args::Serve, described: &Described) -> Result<u8, Trouble> {
    let (free, taken) = described.accounts.split_at(FREE);
    if let Some(path) = &arguments.ca {
        std::fs::write(path, described.ca.as_deref().unwrap_or_default())?;
    }
    if let Some(path) = &arguments.description {
        let free = Described {
            accounts: free.to_vec(),
            ..described.clone()
        };
        std::fs::write(path, free.to_toml().map_err(std::io::Error::other)?)?;
    }
    let mut people = Vec::new();
    for (name, account) in PEOPLE.into_iter().zip(taken) {
        let trouble = |error: String| Trouble::Person(name.to_owned(), error);
        let options = Options::default();
        let client = Client::connect(&endpoint(&arguments.adapter)?, options).await;
        let client = client.map_err(|error| trouble(error.to_string()))?;
        let someone = Someone::open(client, name, account, described).await;
        people.push(someone.map_err(trouble)?);
    }
    announce(described, free, taken);
    loop {
        for someone in &mut people {
            let lived = someone.live().await;
            lived.map_err(|error| Trouble::Person(someone.name.to_owned(), error))?;
        }
        tokio::time::sleep(POLL).await;
    }
}

fn announce(described: &Described, free: &[DescribedAccount], taken: &[DescribedAccount]) {
    for domain in &described.domains {
        anstream::println!("{}", domain.name);
        for (what, at) in [
            ("submission", &domain.submission),
            ("IMAP", &domain.mailbox),
        ] {
            let address = at.connect.map_or_else(String::new, |ip| ip.to_string());
            let mode = match at.mode {
                TlsMode::Tls => "TLS",
                TlsMode::Starttls => "STARTTLS",
            };
            let (port, host) = (at.port, &at.host);
            anstream::println!("  {what}: {address} port {port}, {mode}, certificate for {host}");
        }
        anstream::println!("  authserv-id: {}", domain.authserv_id());
    }
    anstream::println!("your accounts:");
    for account in free {
        anstream::println!("  {}, password {}", account.address, account.password);
    }
    if let Some(list) = &described.list {
        anstream::println!("a mailing list of all accounts: {list}");
    }
    anstream::println!("people, who accept requests and answer messages:");
    for (name, account) in PEOPLE.into_iter().zip(taken) {
        anstream::println!("  {name} <{}>", account.address);
    }
    anstream::println!("ready; Ctrl-C ends it and forgets everything");
}

fn describe(server: &Server, authority: &Authority) -> Described {
    let endpoints = server.endpoints();
    let listener = |address: std::net::SocketAddr| DescribedEndpoint {
        host: endpoints.server_name.clone(),
        connect: Some(address.ip()),
        port: address.port(),
        mode: TlsMode::Tls,
    };
    let domain = |name: &String| DescribedDomain {
        name: name.clone(),
        authserv_id: Some(server.config().authserv_id.clone()),
        submission: listener(endpoints.submission_tls),
        mailbox: listener(endpoints.imap_tls),
    };
    let account = |address: &str| DescribedAccount {
        address: address.to_owned(),
        user: None,
        password: PASSWORD.to_owned(),
    };
    Described {
        name: "served".to_owned(),
        may_empty_the_mailboxes: true,
        ca: Some(authority.pem().to_owned()),
        ca_file: None,
        versions: Vec::new(),
        domains: server.config().domains.iter().map(domain).collect(),
        accounts: ACCOUNTS.into_iter().map(account).collect(),
        list: Some(LIST.to_owned()),
    }
}

/// Somebody on the server.
struct Someone {
    name: &'static str,
    client: Client,
    session: Session,
    own: Identity,
    answered: BTreeSet<ObjectId>,
}

fn now() -> Timestamp {
    Timestamp::from(OffsetDateTime::now_utc())
}

impl Someone {
    async fn open(
        mut client: Client,
        name: &'static str,
        account: &DescribedAccount,
        described: &Described,
    ) -> Result<Self, String> {
        let home = described.domain_of(account);
        let home = home.map_err(|error| error.to_string())?;
        let at = |endpoint: &DescribedEndpoint| -> Result<MailServer, String> {
            Ok(MailServer {
                host: endpoint.host.clone(),
                connect: endpoint.ip().map_err(|error| error.to_string())?,
                port: endpoint.port,
                mode: match endpoint.mode {
                    TlsMode::Tls => Mode::Tls,
                    TlsMode::Starttls => Mode::Starttls,
                },
            })
        };
        let open = Open {
            person: Person {
                address: account.address.clone(),
                name: name.to_owned(),
            },
            device: "served".to_owned(),
            user: account.user.clone(),
            password: account.password.clone(),
            submission: at(&home.submission)?,
            mailbox: at(&home.mailbox)?,
            ca: described.ca.clone().unwrap_or_default(),
            authserv_id: home.authserv_id().to_owned(),
            store: Store::Empty,
            keys: Some(Keys::Generate(KeyKind::V4)),
            durable: false,
            daily: None,
            now: now(),
        };
        let opened = client
            .open(&open)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            client,
            session: opened.session,
            own: opened.identity,
            answered: BTreeSet::new(),
        })
    }

    /// Looks into the mail, accepts who asks, and answers what came.
    async fn live(&mut self) -> Result<(), String> {
        let session = self.session;
        let told = |error: kith_adapter::client::CallError| error.to_string();
        self.client.sync(session, now()).await.map_err(told)?;
        let requests = self.client.view(session, Requests {}).await.map_err(told)?;
        for request in requests {
            if request.direction != Direction::Incoming {
                continue;
            }
            anstream::println!("{} accepts the request of {}", self.name, request.address);
            let accept = Accept {
                request: request.request,
            };
            self.client
                .act(session, now(), accept)
                .await
                .map_err(told)?;
            let post = Post {
                text: format!("{} has a new friend: {}", self.name, request.name),
                ..Post::default()
            };
            self.client.act(session, now(), post).await.map_err(told)?;
        }
        let messages = self.client.view(session, Messages {}).await.map_err(told)?;
        for message in messages {
            if message.author == self.own || !self.answered.insert(message.id) {
                continue;
            }
            anstream::println!("{} answers “{}”", self.name, message.text);
            let answer = Message {
                to: message.author,
                text: format!("You wrote: {}", message.text),
                parent: None,
                media: Vec::new(),
            };
            self.client
                .act(session, now(), answer)
                .await
                .map_err(told)?;
        }
        Ok(())
    }
}
