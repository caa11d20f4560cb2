//! Which servers an account has: those that were given, those that its domain names, or those that
//! the person tells.

use std::path::Path;

use kith_agent::connect::Dialer;
use kith_agent::discovery::{Finder, Found, Proposal, Source};
use kith_agent::{Auth, Endpoint, Roots, TlsMode, account};
use kith_core::agent::address;

use super::Context;
use super::config::Server;
use super::failure::Failure;
use super::init::prompt;
use super::output::safe;
use super::provider::Provider;

/// The ports of a service: with TLS from the first octet, and with STARTTLS.
pub(super) type Ports = (u16, u16);
/// IMAP.
pub(super) const IMAP: Ports = (993, 143);
/// Submission.
pub(super) const SUBMISSION: Ports = (465, 587);

/// The servers of an account.
pub(super) struct Servers {
    pub(super) mailbox: Endpoint,
    pub(super) submission: Endpoint,
    /// The login name, where the domain tells it and it isn't the address.
    pub(super) user: Option<String>,
}

/// What is chosen for one service.
struct Choice<'a> {
    context: &'a Context,
    domain: &'a str,
    asked: bool,
    trusts_dns: bool,
}

/// Chooses the servers of an address. Those that aren't given are looked for, unless offline.
pub(super) async fn choose(
    context: &Context,
    provider: &mut Provider,
    of: &str,
    asked: bool,
) -> Result<Servers, Failure> {
    let domain = address::domain(of);
    let given = (provider.imap.take(), provider.smtp.take());
    let found = match given {
        (Some(_), Some(_)) => Found::default(),
        _ if context.offline => Found::default(),
        _ => look(context, provider, of).await?,
    };
    if found.other_login {
        let text = match provider.auth() {
            Auth::Password => {
                "takes no password, but an access token; set up with --auth oauth2, as \
                 `kith init --help` says, or ask the provider for an app password and the servers \
                 that take it"
            }
            Auth::Oauth2 => "takes no access token; set up with a password, without --auth",
        };
        context
            .output
            .warning(&format!("{domain} says that it {text}"));
    }
    let choice = Choice {
        context,
        domain: &domain,
        asked,
        trusts_dns: provider.trust_dns,
    };
    let user = found.mailbox.as_ref().and_then(|found| found.user.clone());
    let user = user.filter(|_| given.0.is_none());
    let mailbox = choice.one("IMAP server", given.0, found.mailbox, "imap", IMAP)?;
    let submission = choice.one(
        "Submission server",
        given.1,
        found.submission,
        "smtp",
        SUBMISSION,
    )?;
    Ok(Servers {
        mailbox,
        submission,
        user,
    })
}

/// The authorities that vouch for servers: those in a file, or those of the system.
pub(super) fn roots(ca: Option<&Path>) -> Result<Roots, Failure> {
    let Some(path) = ca else {
        return Ok(Roots::Platform);
    };
    let pem = std::fs::read_to_string(path);
    Ok(Roots::Pem(pem.map_err(|error| {
        Failure::Unreadable(path.to_owned(), error)
    })?))
}

async fn look(context: &Context, provider: &Provider, of: &str) -> Result<Found, Failure> {
    let _spinner = context.output.spinner("looking for the mail servers …");
    let dialer = Dialer::new(&roots(provider.ca.as_deref())?, account::PATIENCE)?;
    let finder = Finder::new(provider.name_server, dialer);
    Ok(finder.servers(of, provider.auth()).await)
}

impl Choice<'_> {
    fn one(
        &self,
        what: &str,
        given: Option<Server>,
        found: Option<Proposal>,
        usual: &str,
        ports: Ports,
    ) -> Result<Endpoint, Failure> {
        if let Some(server) = given {
            return Ok(server.endpoint(ports));
        }
        if let Some(found) = found {
            let line = format!("{what}: {}", shown(&found));
            self.context.output.line(&line);
            if self.may_be_used(&found)? {
                return Ok(found.endpoint);
            }
        }
        let usual = format!("{usual}.{}", self.domain);
        Ok(self.ask(what, &usual)?.endpoint(ports))
    }

    /// Whether a password may go there (RFC 6186, section 6).
    fn may_be_used(&self, found: &Proposal) -> Result<bool, Failure> {
        if found.vouched || self.trusts_dns {
            return Ok(true);
        }
        let (server, domain) = (found.endpoint.to_string(), self.domain.to_owned());
        if !self.asked {
            return Err(Failure::Unvouched { server, domain });
        }
        let question = format!(
            "It is outside {domain}, and only DNS names it, which can be forged. Is it your \
             provider's (yes/no)"
        );
        Ok(prompt(&question)? == "yes")
    }

    fn ask(&self, what: &str, usual: &str) -> Result<Server, Failure> {
        if self.asked {
            loop {
                let answer = prompt(&format!("{what} [{usual}]"))?;
                let answer = if answer.is_empty() { usual } else { &answer };
                match answer.parse() {
                    Ok(server) => return Ok(server),
                    Err(error) => self.context.output.warning(&format!("{error}")),
                }
            }
        }
        let wrong = |_| Failure::Missing("the name of a server");
        let server = usual.parse().map_err(wrong)?;
        let line = format!("{what}: {usual} (a guess; give another one if it is wrong)");
        self.context.output.line(&line);
        Ok(server)
    }
}

fn shown(found: &Proposal) -> String {
    let tls = match found.endpoint.mode {
        TlsMode::Tls => "TLS",
        TlsMode::Starttls => "STARTTLS",
    };
    let source = match &found.source {
        Source::Dns(name) => format!("DNS, {name}"),
        Source::Web(url) => url.clone(),
    };
    safe(&format!("{}, {tls} ({source})", found.endpoint))
}
