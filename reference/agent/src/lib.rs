//! The edges of the reference agent: store, submission, mailbox, and the driver that joins them to
//! the core.
//!
//! ```text
//! Mailbox ─▶ Driver ─▶ kith_core::Agent ─▶ effects ─▶ Store, in one transaction ─▶ Submission, Mailbox
//! ```
//!
//! [`Driver`] is one device of one person. It reads no clock: every call is given the time. The
//! program `kith` is a thin layer above it.

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
