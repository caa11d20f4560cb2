//! The embedded server as its clients see it.

mod client;
mod clients;
mod faults;
mod imap;
mod libraries;
mod random;
mod server;
mod sessions;
mod smtp;
