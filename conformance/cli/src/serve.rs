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
use kith_runner::exit;
use kith_testbed::{
    Authority, Config, Described, DescribedAccount, DescribedDomain, DescribedEndpoint, Server,
    TlsMode,
};
use time::OffsetDateTime;

use crate::suite::endpoint;
use crate::{Trouble, args};

/// The password of every account: nobody but this machine reaches the server.
const PASSWORD: &str = "kith";
/// The accounts that are free.
const FREE: [&str; 3] = ["you@a.test", "friend@b.test", "third@a.test"];
/// The people.
const PEOPLE: [(&str, &str); 2] = [("Bob", "bob@b.test"), ("Carol", "carol@a.test")];
/// How often the people look into their mail.
const POLL: Duration = Duration::from_secs(1);

pub(crate) async fn serve(arguments: &args::Serve) -> Result<u8, Trouble> {
    let authority = Authority::new()?;
    let server = Server::start(&authority, Config::default()).await?;
    for address in FREE.into_iter().chain(PEOPLE.map(|(_, address)| address)) {
        server.add_account(address, PASSWORD)?;
    }
    if let Some(path) = &arguments.ca {
        std::fs::write(path, authority.pem())?;
    }
    if let Some(path) = &arguments.description {
        let described = describe(&server, &authority);
        let text = described.to_toml().map_err(std::io::Error::other)?;
        std::fs::write(path, text)?;
    }
    let mut people = Vec::new();
    for (name, address) in PEOPLE {
        let trouble = |error: String| Trouble::Person(name.to_owned(), error);
        let options = Options::default();
        let client = Client::connect(&endpoint(&arguments.adapter)?, options).await;
        let client = client.map_err(|error| trouble(error.to_string()))?;
        let someone = Someone::open(client, name, address, &server, &authority).await;
        people.push(someone.map_err(trouble)?);
    }
    announce(&server);
    let living = async {
        loop {
            for someone in &mut people {
                let lived = someone.live().await;
                lived.map_err(|error| Trouble::Person(someone.name.to_owned(), error))?;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        ended = living => ended,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            Ok(exit::PASSED)
        }
    }
}

fn announce(server: &Server) {
    let endpoints = server.endpoints();
    anstream::println!("host name in the certificate: {}", endpoints.server_name);
    for (what, address) in [
        ("submission, TLS", endpoints.submission_tls),
        ("submission, STARTTLS", endpoints.submission_starttls),
        ("IMAP, TLS", endpoints.imap_tls),
        ("IMAP, STARTTLS", endpoints.imap_starttls),
    ] {
        anstream::println!("{what}: {address}");
    }
    anstream::println!("authserv-id: {}", server.config().authserv_id);
    anstream::println!("your accounts: {} (password: {PASSWORD})", FREE.join(", "));
    let people = PEOPLE.map(|(name, address)| format!("{name} <{address}>"));
    anstream::println!(
        "people, who accept requests and answer messages: {}",
        people.join(", ")
    );
    anstream::println!("ready; Ctrl-C ends it and forgets everything");
}

fn describe(server: &Server, authority: &Authority) -> Described {
    let endpoints = server.endpoints();
    let listener = |address: std::net::SocketAddr, mode| DescribedEndpoint {
        host: endpoints.server_name.clone(),
        connect: Some(address.ip()),
        port: address.port(),
        mode,
    };
    let domain = |name: &String| DescribedDomain {
        name: name.clone(),
        authserv_id: Some(server.config().authserv_id.clone()),
        submission: listener(endpoints.submission_tls, TlsMode::Tls),
        mailbox: listener(endpoints.imap_starttls, TlsMode::Starttls),
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
        domains: server.config().domains.iter().map(domain).collect(),
        accounts: FREE.into_iter().map(account).collect(),
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
        address: &str,
        server: &Server,
        authority: &Authority,
    ) -> Result<Self, String> {
        let endpoints = server.endpoints();
        let at = |address: std::net::SocketAddr| MailServer {
            host: endpoints.server_name.clone(),
            connect: address.ip(),
            port: address.port(),
            mode: Mode::Tls,
        };
        let open = Open {
            person: Person {
                address: address.to_owned(),
                name: name.to_owned(),
            },
            device: "served".to_owned(),
            user: None,
            password: PASSWORD.to_owned(),
            submission: at(endpoints.submission_tls),
            mailbox: at(endpoints.imap_tls),
            ca: authority.pem().to_owned(),
            authserv_id: server.config().authserv_id.clone(),
            store: Store::Empty,
            keys: Some(Keys::Generate(KeyKind::V4)),
            durable: false,
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
