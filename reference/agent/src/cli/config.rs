//! The configuration file.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use kith_agent::account::{DAILY, PATIENCE};
use kith_agent::{Account, Auth, Endpoint, Password, Roots, TlsMode};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::secret::Secret;
use super::servers::Ports;

/// The configuration, as TOML.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The mail address.
    pub(super) address: String,
    /// The login name, if it isn't the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    /// How to log in.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub(super) auth: Auth,
    /// The file with the password; relative paths begin at the configuration's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_file: Option<PathBuf>,
    /// Or the program that prints the password, and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) password_command: Vec<String>,
    /// The only trusted authorities, PEM; relative paths likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<PathBuf>,
    /// The server whose Authentication-Results are believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authserv_id: Option<String>,
    /// Most mails that are submitted in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) daily: Option<u64>,
    /// The submission server.
    pub(super) submission: Endpoint,
    /// The mailbox server.
    pub(super) mailbox: Endpoint,
    /// The filter server, where kith installed its script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sieve: Option<Endpoint>,
}

fn is_usual(auth: &Auth) -> bool {
    *auth == Auth::Password
}

impl Config {
    /// The login name.
    pub(super) fn user(&self) -> &str {
        self.user.as_ref().unwrap_or(&self.address)
    }

    /// The account that is configured.
    pub(super) fn account(&self, password: Password, roots: Roots) -> Account {
        Account {
            user: self.user().to_owned(),
            password,
            auth: self.auth,
            submission: self.submission.clone(),
            mailbox: self.mailbox.clone(),
            roots,
            authserv_id: self.authserv_id.clone(),
            daily: self.daily,
            patience: PATIENCE,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::NoConfig(path.to_owned()),
            _ => Failure::Unreadable(path.to_owned(), error),
        })?;
        let wrong = |reason: String| Failure::Config(path.to_owned(), reason);
        let config: Self = toml::from_str(&text).map_err(|error| {
            let end = error.span().map_or(0, |span| span.start);
            let line = text.get(..end).unwrap_or_default().matches('\n').count() + 1;
            wrong(format!("near line {line}, {}", error.message()))
        })?;
        if config.password_file.is_some() != config.password_command.is_empty() {
            let reason = "either password_file or password_command must be there";
            return Err(wrong(reason.to_owned()));
        }
        Ok(config)
    }

    /// Keeps where the password is.
    pub(super) fn set_secret(&mut self, secret: Secret) {
        (self.password_file, self.password_command) = match secret {
            Secret::File(path) => (Some(path), Vec::new()),
            Secret::Command(command) => (None, command),
        };
    }

    pub(super) fn text(&self) -> String {
        let head = format!(
            "# Written by `kith init`. `kith doctor` checks it. `daily = N` makes kith submit N \
             mails in a day at most, not {DAILY}.\n"
        );
        let body = toml::to_string(self).expect("strings and numbers have a TOML form");
        format!("{head}{body}")
    }
}

/// A server on the command line: `HOST`, `HOST:PORT` or `HOST:PORT/starttls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
    port: Option<u16>,
    mode: Option<TlsMode>,
}

/// Why a text is no server.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server is HOST, HOST:PORT, or HOST:PORT/starttls, such as mail.example.org:993")]
pub(super) struct NoServer;

impl FromStr for Server {
    type Err = NoServer;

    fn from_str(text: &str) -> Result<Self, NoServer> {
        let (server, mode) = match text.rsplit_once('/') {
            Some((server, "tls")) => (server, Some(TlsMode::Tls)),
            Some((server, "starttls")) => (server, Some(TlsMode::Starttls)),
            Some(_) => return Err(NoServer),
            None => (text, None),
        };
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| NoServer)?)),
            None => (server, None),
        };
        let part = |octet: u8| octet.is_ascii_alphanumeric() || b"-.".contains(&octet);
        if host.is_empty() || port == Some(0) || !host.bytes().all(part) {
            return Err(NoServer);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            mode,
        })
    }
}

impl Server {
    /// As a filter server, which begins with STARTTLS unless told otherwise (RFC 5804).
    pub(super) fn sieve(self) -> Endpoint {
        Endpoint {
            host: self.host,
            connect: None,
            port: self.port.unwrap_or(kith_agent::sieve::PORT),
            mode: self.mode.unwrap_or(TlsMode::Starttls),
        }
    }

    pub(super) fn endpoint(self, (tls_port, starttls_port): Ports) -> Endpoint {
        let mode = self.mode.unwrap_or(match self.port {
            Some(port) if port == starttls_port => TlsMode::Starttls,
            _ => TlsMode::Tls,
        });
        let usual = if mode == TlsMode::Tls {
            tls_port
        } else {
            starttls_port
        };
        let port = self.port.unwrap_or(usual);
        Endpoint {
            host: self.host,
            connect: None,
            port,
            mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::servers::IMAP;
    use super::*;

    #[test]
    fn servers_have_usual_ports() {
        let endpoint = |text: &str| {
            let endpoint = text.parse::<Server>().unwrap().endpoint(IMAP);
            (endpoint.host, endpoint.port, endpoint.mode)
        };
        let host = || "mail.example.org".to_owned();
        assert_eq!(endpoint("mail.example.org"), (host(), 993, TlsMode::Tls));
        assert_eq!(
            endpoint("mail.example.org:143"),
            (host(), 143, TlsMode::Starttls)
        );
        assert_eq!(
            endpoint("mail.example.org/starttls"),
            (host(), 143, TlsMode::Starttls)
        );
        assert_eq!(
            endpoint("mail.example.org:7/starttls"),
            (host(), 7, TlsMode::Starttls)
        );
        assert_eq!(
            endpoint("mail.example.org:143/tls"),
            (host(), 143, TlsMode::Tls)
        );
        for wrong in ["", ":993", "a:b", "a:0", "a/plain", "a b", "imap://a"] {
            assert_eq!(wrong.parse::<Server>(), Err(NoServer), "{wrong}");
        }
    }
}
