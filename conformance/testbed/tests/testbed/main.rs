//! The embedded server as its clients see it.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy takes helpers of integration tests for ordinary code"
)]

mod client;
mod clients;
mod faults;
mod fetch;
mod imap;
mod libraries;
mod random;
mod server;
mod sessions;
mod smtp;
