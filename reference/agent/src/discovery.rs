//! Where the servers of a mail account are: what its domain says in DNS (RFC 6186, RFC 8314) and on
//! its web server (the autoconfig file of Thunderbird).
//!
//! An answer of DNS can be forged on its way, so a host outside the domain that only DNS names is a
//! proposal that a person confirms (RFC 6186, section 6). What the domain's web server says came by
//! HTTPS under the domain's certificate. Nobody but the domain is asked.

use std::net::SocketAddr;

use kith_core::agent::address;
use tracing::debug;

use crate::account::{Auth, Endpoint, TlsMode};
use crate::connect::Dialer;

mod autoconfig;
mod dns;
mod web;

/// Who named a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The SRV record of this name.
    Dns(String),
    /// The file at this address.
    Web(String),
}

/// A server that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The login name, if it isn't the address.
    pub user: Option<String>,
    /// Who named it.
    pub source: Source,
    /// Whether a password may go there without asking the person: the server is in the domain, for
    /// which its certificate must stand, or the domain's web server named it.
    pub vouched: bool,
}

/// What was found for an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The mailbox server (IMAP).
    pub mailbox: Option<Proposal>,
    /// The submission server (SMTP).
    pub submission: Option<Proposal>,
    /// The domain names servers, but none for this way to log in.
    pub other_login: bool,
}

/// A service, as DNS knows it: with TLS from the first octet, which comes first (RFC 8314), and with
/// STARTTLS.
struct Service {
    names: &'static [(&'static str, TlsMode)],
}

const MAILBOX: Service = Service {
    names: &[("_imaps", TlsMode::Tls), ("_imap", TlsMode::Starttls)],
};
const SUBMISSION: Service = Service {
    names: &[
        ("_submissions", TlsMode::Tls),
        ("_submission", TlsMode::Starttls),
    ],
};
const SIEVE: Service = Service {
    names: &[("_sieve", TlsMode::Starttls)],
};

/// Finds servers.
pub struct Finder {
    dns: dns::Resolver,
    web: Dialer,
    web_at: Option<SocketAddr>,
}

impl Finder {
    /// A finder that asks this name server, or those of the system, and trusts the authorities of
    /// the dialer.
    #[must_use]
    pub fn new(name_server: Option<SocketAddr>, web: Dialer) -> Self {
        Self {
            dns: dns::Resolver::new(name_server),
            web,
            web_at: None,
        }
    }

    /// Connects to this address whatever web server is asked, which must show the right certificate
    /// all the same.
    #[must_use]
    pub fn with_web_at(mut self, address: SocketAddr) -> Self {
        self.web_at = Some(address);
        self
    }

    /// The servers of a mail address where one can log in so. What can't be reached names none.
    pub async fn servers(&self, of: &str, auth: Auth) -> Found {
        let domain = address::domain(of);
        let (mailbox, submission) =
            tokio::join!(self.srv(&domain, &MAILBOX), self.srv(&domain, &SUBMISSION));
        let vouched = |found: &Option<Proposal>| found.as_ref().is_some_and(|found| found.vouched);
        let mut found = Found {
            mailbox,
            submission,
            other_login: false,
        };
        if vouched(&found.mailbox) && vouched(&found.submission) {
            return found;
        }
        let Some((url, told)) = self.autoconfig(of, &domain, auth).await else {
            return found;
        };
        found.other_login = told.other_login;
        for (known, told) in [
            (&mut found.mailbox, told.mailbox),
            (&mut found.submission, told.submission),
        ] {
            if let Some((endpoint, user)) = told.filter(|_| !vouched(known)) {
                *known = Some(Proposal {
                    endpoint,
                    user,
                    source: Source::Web(url.clone()),
                    vouched: true,
                });
            }
        }
        found
    }

    /// The server of an address that takes Sieve scripts (RFC 5804, section 1.8).
    pub async fn sieve(&self, of: &str) -> Option<Proposal> {
        self.srv(&address::domain(of), &SIEVE).await
    }

    async fn srv(&self, domain: &str, service: &Service) -> Option<Proposal> {
        for &(name, mode) in service.names {
            let name = format!("{name}._tcp.{domain}");
            if let Some((host, port)) = self.dns.first(&name).await {
                return Some(Proposal {
                    vouched: is_within(&host, domain),
                    endpoint: endpoint(host, port, mode),
                    user: None,
                    source: Source::Dns(name),
                });
            }
        }
        None
    }

    async fn autoconfig(
        &self,
        of: &str,
        domain: &str,
        auth: Auth,
    ) -> Option<(String, autoconfig::Told)> {
        let urls = [
            format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
            format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
        ];
        for url in urls {
            let got = web::get(&self.web, self.web_at, &url).await;
            let octets = got.inspect_err(|error| debug!(url, %error, "no autoconfig"));
            let Ok(octets) = octets else { continue };
            match autoconfig::read(&octets, of, auth) {
                Ok(told) => return Some((url, told)),
                Err(error) => debug!(url, %error, "autoconfig can't be used"),
            }
        }
        None
    }
}

fn endpoint(host: String, port: u16, mode: TlsMode) -> Endpoint {
    Endpoint {
        host,
        connect: None,
        port,
        mode,
    }
}

/// Whether a host is a domain or lies within it.
fn is_within(host: &str, domain: &str) -> bool {
    let rest = host.to_ascii_lowercase();
    let rest = rest.strip_suffix(&domain.to_ascii_lowercase());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A host name that can stand in a configuration, without its final dot.
fn host_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let part = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(part);
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_within_its_domain_only() {
        for host in ["example.org", "mail.example.org", "IMAP.Example.Org"] {
            assert!(is_within(host, "example.org"), "{host}");
        }
        for host in ["badexample.org", "example.org.evil.test", "org", ""] {
            assert!(!is_within(host, "example.org"), "{host}");
        }
    }

    #[test]
    fn only_names_of_hosts_are_taken() {
        assert_eq!(
            host_name("Mail.Example.org."),
            Some("mail.example.org".to_owned())
        );
        let long = format!("{}.org", "a".repeat(64));
        for wrong in ["", ".", "a..b", "a b", "a/b", "[::1]", "-\u{1b}", &long] {
            assert_eq!(host_name(wrong), None, "{wrong:?}");
        }
    }
}
