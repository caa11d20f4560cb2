//! A mail account: where its servers are, and how to log in.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use kith_core::agent::outbox::DAILY;

/// How long a server may be silent before it counts as gone.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// When TLS begins (specification, `mail.tls`). There is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// From the first octet.
    Tls,
    /// With STARTTLS, before anything else.
    Starttls,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The name that its certificate must stand for.
    pub host: String,
    /// The name or IP address to connect to, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<String>,
    /// The port.
    pub port: u16,
    /// When TLS begins.
    pub mode: TlsMode,
}

impl Endpoint {
    /// The name or IP address to connect to.
    #[must_use]
    pub fn target(&self) -> &str {
        self.connect.as_deref().unwrap_or(&self.host)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// With a password.
    #[default]
    Password,
    /// With an access token of OAuth2 (RFC 6750), which stands in the password's place.
    Oauth2,
}

/// A password, or an access token. Its `Debug` form doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password as a line for the file that holds it.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}\n", self.0)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Which authorities are trusted to vouch for servers (specification, `mail.certificate-check`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system.
    Platform,
    /// Only these, as PEM.
    Pem(String),
}

/// A mail account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The login name, often the address.
    pub user: String,
    /// The password, or the access token.
    pub password: Password,
    /// Which of them it is.
    pub auth: Auth,
    /// The submission server (SMTP).
    pub submission: Endpoint,
    /// The mailbox server (IMAP).
    pub mailbox: Endpoint,
    /// Trusted authorities.
    pub roots: Roots,
    /// The server whose Authentication-Results are believed (RFC 8601).
    pub authserv_id: Option<String>,
    /// Most mails that are submitted in a day, if it isn't [`DAILY`].
    pub daily: Option<u64>,
    /// How long a server may be silent before it counts as gone; [`PATIENCE`] fits people.
    pub patience: Duration,
}
