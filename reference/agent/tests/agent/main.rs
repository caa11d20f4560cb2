//! The agent's edges against a mail server in this process: the driver as a library, and the program
//! as people use it.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy takes helpers of integration tests for ordinary code"
)]

mod commits;
mod day;
mod discovery;
mod followers;
mod forms;
mod help;
mod mail_program;
mod mailbox;
mod moving;
#[cfg(unix)]
mod oauth;
mod program;
#[cfg(unix)]
mod questions;
mod sending;
mod sieve;
mod store;
mod story;
mod support;
mod transcript;
mod troubles;
mod trust;
