//! The driver against a mail server in this process.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kith_agent::account::{Account, Endpoint, Password, Roots, TlsMode};
use kith_agent::driver::{Driver, Problem, Report};
use kith_agent::{MailboxError, Store, SubmissionError};
use kith_core::agent::{DAY, NewIdentity};
use kith_core::store::Read as _;
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Done, Event, Strict};
use kith_testbed::{
    Authority, Capabilities, Config, Deliver, Fault, ImapCapabilities, Server, SmtpAction, SmtpStage,
};

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());
const NOW: i64 = 1_795_299_000;

async fn server(config: Config) -> Server {
    let server = Server::start(&AUTHORITY, config).await.unwrap();
    server.add_account("alice@a.test", "secret").unwrap();
    server.add_account("bob@b.test", "secret").unwrap();
    server.set_now(NOW);
    server
}

fn imap(imap: ImapCapabilities) -> Config {
    let capabilities = Capabilities { imap, ..Capabilities::default() };
    Config { capabilities, ..Config::default() }
}

fn account(server: &Server, user: &str, mode: TlsMode) -> Account {
    let endpoints = server.endpoints();
    let (submission, mailbox) = match mode {
        TlsMode::Tls => (endpoints.submission_tls, endpoints.imap_tls),
        TlsMode::Starttls => (endpoints.submission_starttls, endpoints.imap_starttls),
    };
    let endpoint = |address: std::net::SocketAddr| Endpoint {
        host: endpoints.server_name.clone(),
        connect: Some(address.ip().to_string()),
        port: address.port(),
        mode,
    };
    Account {
        user: user.to_owned(),
        password: Password::new("secret"),
        submission: endpoint(submission),
        mailbox: endpoint(mailbox),
        roots: Roots::Pem(AUTHORITY.pem().to_owned()),
        authserv_id: Some("mx.test".to_owned()),
        patience: Duration::from_secs(5),
    }
}

fn person(account: Account) -> Driver {
    let new = NewIdentity {
        name: None,
        address: account.user.clone(),
        keys: KeyKind::V4,
        now: NOW - 1,
    };
    Driver::create(Arc::new(Strict), Store::memory().unwrap(), account, &new).unwrap().0
}

async fn sync(driver: &mut Driver, now: i64) -> Report {
    let report = driver.sync(now).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

async fn befriend(alice: &mut Driver, bob: &mut Driver, now: i64) {
    let (Done::Invite(invite), _) = alice.act(Action::Invite, now).unwrap() else { panic!() };
    let ask = Action::Befriend { address: invite.address.clone(), note: None, invite: Some(invite) };
    bob.act(ask, now).unwrap();
    for _ in 0..2 {
        sync(bob, now).await;
        sync(alice, now).await;
    }
    sync(bob, now).await;
    assert_eq!(alice.view(now).friends().unwrap().len(), 1);
    assert_eq!(bob.view(now).friends().unwrap().len(), 1);
}

#[tokio::test]
async fn two_people_become_friends_and_post() {
    for mode in [TlsMode::Tls, TlsMode::Starttls] {
        let server = server(Config::default()).await;
        let mut alice = person(account(&server, "alice@a.test", mode));
        let mut bob = person(account(&server, "bob@b.test", mode));
        befriend(&mut alice, &mut bob, NOW).await;
        alice.act(Action::Post { text: "The first snow!".to_owned() }, NOW).unwrap();
        assert_eq!(sync(&mut alice, NOW).await.sent, 1);
        let report = sync(&mut bob, NOW).await;
        assert!(matches!(report.events[..], [Event::Post { .. }]), "{:?}", report.events);
        assert_eq!(bob.view(NOW).timeline(10).unwrap()[0].text, "The first snow!");
        assert!(server.messages("bob@b.test", "INBOX").unwrap().is_empty());
        assert!(!server.messages("bob@b.test", "Kith").unwrap().is_empty());
        assert_eq!(sync(&mut bob, NOW).await.fetched, 0);
    }
}
