//! What can go wrong in setting up or using the test servers.

use std::net::SocketAddr;

/// An error of the testbed itself, never one that a mail client caused.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// A certificate could not be made.
    #[error("the test certificate for {names} could not be made: {source}")]
    Certificate {
        /// The names it was to stand for.
        names: String,
        /// The cause.
        source: rcgen::Error,
    },
    /// TLS refused the certificate or key.
    #[error("TLS could not be set up for {names}: {source}")]
    Tls {
        /// The names of the certificate.
        names: String,
        /// The cause.
        source: rustls::Error,
    },
    /// A listener could not be opened.
    #[error("cannot listen on {address}: {source}; is the port taken by another program?")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The address has no `@`, or its domain is no domain name.
    #[error("`{0}` is not a mail address; write local-part@domain")]
    Address(String),
    /// The address's domain is not among those of the server.
    #[error("`{0}` is in no domain of this server; add it to Config::domains")]
    Domain(String),
    /// There is no such account.
    #[error("there is no account `{0}`; call add_account first")]
    Account(String),
    /// The account is there already.
    #[error("the account `{0}` is there already")]
    AccountExists(String),
    /// The folder's name cannot be used on this server.
    #[error("`{0}` cannot be the name of a folder on this server")]
    Folder(String),
    /// A server outside this process did not do what it is needed for.
    #[error("the mail server, asked to {what}: {reason}")]
    Outside {
        /// What it was needed for.
        what: String,
        /// What happened.
        reason: String,
    },
}
