//! Mail servers for the conformance suite.
//!
//! [`Server`] is a mail server in the harness's own process, on loopback: submission (RFC 6409)
//! and IMAP4rev1 (RFC 3501), each with TLS from the first octet and with STARTTLS, for many
//! domains and accounts, in memory. It starts in well under a millisecond, so each case has its
//! own, and with it its own mailboxes and its own wire log.
//!
//! Puppets put mail straight into mailboxes ([`Server::deliver`]); the judge reads what was
//! submitted ([`Server::submissions`]), what stands where ([`Server::messages`]) and what was said
//! ([`Server::wire_log`]). [`Faults`] makes the server misbehave in small, documented ways.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use kith_testbed::{Authority, Config, Deliver, Server};
//! let authority = Authority::new()?; // once for a run
//! let server = Server::start(&authority, Config::default()).await?;
//! server.add_account("alice@a.test", "secret")?;
//! let mail = b"From: bob@b.test\r\nSubject: hello\r\n\r\nHi.\r\n";
//! let delivered = server.deliver("alice@a.test", mail, &Deliver::from("bob@b.test"))?;
//! assert_eq!(server.messages("alice@a.test", "INBOX")?[0].uid, delivered.uid().unwrap());
//! # Ok::<(), kith_testbed::TestbedError>(()) }).unwrap();
//! ```
//!
//! How it is built: [`server`](Server) listens and holds the handles; `world` is the state behind
//! one lock; `smtp` and `imap` are the sessions, over `connection`; `delivery` carries mail from
//! acceptance to mailbox; `mime` finds the structure that FETCH needs.

mod authority;
mod config;
mod connection;
mod delivery;
mod described;
mod dsn;
mod error;
mod faults;
mod imap;
mod mime;
mod names;
mod octets;
mod outside;
mod server;
mod smtp;
pub mod transforms;
mod wire;
mod world;

pub use authority::{Authority, Certificate};
pub use config::{Capabilities, Config, ImapCapabilities, Literals, Mechanism, SmtpCapabilities};
pub use delivery::{AuthResult, Deliver, Delivered};
pub use described::{
    Described, DescribedAccount, DescribedDomain, DescribedEndpoint, DescribedError, TlsMode,
};
pub use error::TestbedError;
pub use faults::{DeliveryAction, Fault, FaultId, Faults, ImapAction, SmtpAction, SmtpStage};
pub use outside::{Door, Outage, Outages, Outside, Trait, message_id};
pub use server::{Endpoints, Server};
pub use wire::{Direction, Protocol, WireEvent, WireLog, readable};
pub use world::{FolderState, MailParams, StoredMessage, Submission, Uid};
