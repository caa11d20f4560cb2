//! The edges of the reference agent: store, submission, mailbox, and the driver that joins them to
//! the core.
//!
//! ```text
//! Mailbox ─▶ Driver ─▶ kith_core::Agent ─▶ effects ─▶ Store, in one transaction ─▶ Submission, Mailbox
//! ```
//!
//! [`Driver`] is one device of one person. It reads no clock: every call is given the time. The
//! program `kith` is a thin layer above it, and another program can be, too: what a person does and
//! sees are the actions and views of `kith-core`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use kith_agent::account::PATIENCE;
//! use kith_agent::{Account, Auth, Driver, Endpoint, Password, Roots, Store, TlsMode};
//! use kith_core::agent::NewIdentity;
//! use kith_core::wire::keys::KeyKind;
//! use kith_core::{Action, Event, Strict};
//!
//! # use kith_testbed::{Authority, Config, Server};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # // The provider: a mail server in this process.
//! # let authority = Authority::new()?;
//! # let server = Server::start(&authority, Config::default()).await?;
//! # let server_of = |port: std::net::SocketAddr| Endpoint {
//! #     host: "mail.test".to_owned(),
//! #     connect: Some(port.ip().to_string()),
//! #     port: port.port(),
//! #     mode: TlsMode::Tls,
//! # };
//! # let ports = server.endpoints();
//! # let (imap, smtp) = (server_of(ports.imap_tls), server_of(ports.submission_tls));
//! # let ca = authority.pem().to_owned();
//! # for person in ["alice@a.test", "bob@b.test"] {
//! #     server.add_account(person, "secret")?;
//! # }
//! // `imap` and `smtp` say where the servers are; `Roots::Platform` trusts whom the system trusts.
//! let account = |user: &str| Account {
//!     user: user.to_owned(),
//!     password: Password::new("secret"),
//!     auth: Auth::Password,
//!     mailbox: imap.clone(),
//!     submission: smtp.clone(),
//!     roots: Roots::Pem(ca.clone()),
//!     authserv_id: None,
//!     daily: None,
//!     patience: PATIENCE,
//! };
//! let person = |address: &str, now| {
//!     // `Store::open(path)` keeps it; next time, `Driver::open` goes on.
//!     let store = Store::memory()?;
//!     let address = address.to_owned();
//!     let new = NewIdentity { name: None, address, keys: KeyKind::V4, now };
//!     Driver::create(Arc::new(Strict), store, account(&new.address), &new)
//! };
//!
//! let now = 1_800_000_000;
//! // The kit is for the person to keep elsewhere: it replaces a key that is lost or stolen.
//! let (mut alice, _kit) = person("alice@a.test", now)?;
//! let (mut bob, _kit) = person("bob@b.test", now)?;
//!
//! // An action changes the store; what it sends waits there for the next sync.
//! let (address, note) = ("bob@b.test".to_owned(), Some("We met in Oslo".to_owned()));
//! alice.act(Action::Befriend { address, note, invite: None }, now)?;
//! let report = alice.sync(now).await?;
//! assert_eq!(report.sent, 1);
//! // What a server refused or a broken connection prevented is no error, but stands here, and is
//! // tried again at the next sync.
//! assert!(report.problems.is_empty());
//!
//! // A sync fetches, judges and files mail, does what is due, and submits. Events say what is new.
//! let report = bob.sync(now).await?;
//! assert!(matches!(report.events[..], [Event::Request { .. }]));
//! assert_eq!(bob.view(now).requests()?[0].note.as_deref(), Some("We met in Oslo"));
//! # Ok(())
//! # }
//! ```

pub mod account;
pub mod calendar;
pub mod connect;
pub mod discovery;
pub mod driver;
pub mod mailbox;
pub mod media;
pub mod readable;
mod sasl;
pub mod sieve;
pub mod store;
pub mod submission;

pub use account::{Account, Auth, Endpoint, Password, Roots, TlsMode};
pub use connect::ConnectError;
pub use driver::{Driver, DriverError, Problem, Report};
pub use mailbox::{Mailbox, MailboxError};
pub use store::{Store, StoreError};
pub use submission::{Submission, SubmissionError};
