//! A server, people with drivers, and people with the program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kith_agent::{Account, Auth, Driver, Endpoint, Password, Report, Roots, Store, TlsMode};
use kith_core::agent::NewIdentity;
use kith_core::kinds::post::NewPost;
use kith_core::wire::keys::KeyKind;
use kith_core::{Action, Done, Strict};
use kith_testbed::{Authority, Capabilities, Config, ImapCapabilities, Server, SmtpCapabilities};
use tempfile::TempDir;

/// One authority for all tests.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());
/// When the tests with drivers happen.
pub(crate) const NOW: i64 = 1_795_299_000;
pub(crate) const ALICE: &str = "alice@a.test";
pub(crate) const BOB: &str = "bob@b.test";

/// A server on which Alice and Bob have accounts.
pub(crate) async fn server(config: Config) -> Server {
    let server = Server::start(&AUTHORITY, config).await.unwrap();
    server.add_account(ALICE, "secret").unwrap();
    server.add_account(BOB, "secret").unwrap();
    server
}

/// A server whose clock stands still.
pub(crate) async fn still(config: Config) -> Server {
    let server = server(config).await;
    server.set_now(NOW);
    server
}

pub(crate) fn with_imap(imap: ImapCapabilities) -> Config {
    let capabilities = Capabilities {
        imap,
        ..Capabilities::default()
    };
    Config {
        capabilities,
        ..Config::default()
    }
}

pub(crate) fn with_smtp(smtp: SmtpCapabilities) -> Config {
    let capabilities = Capabilities {
        smtp,
        ..Capabilities::default()
    };
    Config {
        capabilities,
        ..Config::default()
    }
}

pub(crate) fn account(server: &Server, user: &str, mode: TlsMode) -> Account {
    let endpoints = server.endpoints();
    let (submission, mailbox) = match mode {
        TlsMode::Tls => (endpoints.submission_tls, endpoints.imap_tls),
        TlsMode::Starttls => (endpoints.submission_starttls, endpoints.imap_starttls),
    };
    let endpoint = |address: SocketAddr| Endpoint {
        host: endpoints.server_name.clone(),
        connect: Some(address.ip().to_string()),
        port: address.port(),
        mode,
    };
    Account {
        user: user.to_owned(),
        password: Password::new("secret"),
        auth: Auth::Password,
        submission: endpoint(submission),
        mailbox: endpoint(mailbox),
        roots: Roots::Pem(AUTHORITY.pem().to_owned()),
        authserv_id: Some("mx.test".to_owned()),
        daily: None,
        patience: Duration::from_secs(5),
    }
}

/// A person with a new identity, whose address is the user name.
pub(crate) fn person(account: Account) -> Driver {
    let store = Store::memory().unwrap();
    let address = account.user.clone();
    let new = NewIdentity {
        name: None,
        address,
        keys: KeyKind::V4,
        now: NOW - 1,
    };
    Driver::create(Arc::new(Strict), store, account, &new)
        .unwrap()
        .0
}

/// Syncs where nothing may go wrong.
pub(crate) async fn sync(driver: &mut Driver, now: i64) -> Report {
    let report = driver.sync(now).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

/// Alice and Bob, who are friends already.
pub(crate) async fn friends(server: &Server) -> (Driver, Driver) {
    let mut alice = person(account(server, ALICE, TlsMode::Tls));
    let mut bob = person(account(server, BOB, TlsMode::Starttls));
    befriend(&mut alice, &mut bob).await;
    (alice, bob)
}

/// The second becomes a friend of the first, by an invite.
pub(crate) async fn befriend(alice: &mut Driver, bob: &mut Driver) {
    let (done, _) = alice.act(Action::Invite, NOW).unwrap();
    let Done::Invite(invite) = done else {
        panic!("{done:?}")
    };
    let address = invite.address.clone();
    bob.act(
        Action::Befriend {
            address,
            note: None,
            invite: Some(invite),
        },
        NOW,
    )
    .unwrap();
    for _ in 0..3 {
        sync(bob, NOW).await;
        sync(alice, NOW).await;
    }
    assert_eq!(alice.view(NOW).friends().unwrap().len(), 1);
    assert_eq!(bob.view(NOW).friends().unwrap().len(), 1);
}

pub(crate) fn post(driver: &mut Driver, text: &str, now: i64) {
    driver
        .act(
            Action::Post(NewPost {
                text: text.to_owned(),
                ..NewPost::default()
            }),
            now,
        )
        .unwrap();
}

pub(crate) fn texts(driver: &Driver) -> Vec<String> {
    let posts = driver.view(NOW).timeline(usize::MAX).unwrap();
    posts.into_iter().map(|post| post.text).collect()
}

/// A person in front of a shell.
pub(crate) struct Shell {
    pub(crate) folder: TempDir,
    address: &'static str,
}

impl Shell {
    pub(crate) fn new(address: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), AUTHORITY.pem()).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "secret\n").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        Self { folder, address }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program.
    pub(crate) fn kith(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command
            .current_dir(self.folder.path())
            .arg("--home")
            .arg(self.path("home"));
        command
            .env_remove("KITH_HOME")
            .env_remove("KITH_PASSWORD_FILE")
            .env("NO_COLOR", "1");
        command
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the program, which must succeed, and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.kith(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must fail with this status, and returns what it complained of.
    pub(crate) fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.kith(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {errors}"
        );
        errors
    }

    /// The arguments that set kith up at a server.
    pub(crate) fn init(&self, server: &Server) -> Vec<String> {
        let endpoints = server.endpoints();
        [
            "init".to_owned(),
            self.address.to_owned(),
            "--imap".to_owned(),
            format!("localhost:{}", endpoints.imap_tls.port()),
            "--smtp".to_owned(),
            format!(
                "localhost:{}/starttls",
                endpoints.submission_starttls.port()
            ),
            "--ca".to_owned(),
            "ca.pem".to_owned(),
            "--password-file".to_owned(),
            "secret".to_owned(),
        ]
        .into()
    }

    /// Sets kith up.
    pub(crate) fn set_up(address: &'static str, server: &Server) -> Self {
        let shell = Self::new(address);
        let arguments = shell.init(server);
        shell.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        shell
    }
}
