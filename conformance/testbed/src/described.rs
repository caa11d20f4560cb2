//! A mail server outside this process, as a description: domains, endpoints, accounts, the
//! certificate authority. A person writes it as TOML for a server of their own; containers
//! yield it for the servers in them. What the suite knows of such a server is only this.
//!
//! ```
//! let text = r#"
//!     name = "my-server"
//!     may-empty-the-mailboxes = true
//!     list = "fans@lists.example.org"
//!
//!     [[domain]]
//!     name = "example.org"
//!     authserv-id = "mx.example.org"
//!     submission = { host = "smtp.example.org", port = 465, mode = "tls" }
//!     mailbox = { host = "imap.example.org", port = 143, mode = "starttls" }
//!
//!     [[account]]
//!     address = "kith-1@example.org"
//!     password = "…"
//!
//!     [[account]]
//!     address = "kith-2@example.org"
//!     password = "…"
//!     user = "kith-2"
//! "#;
//! let described = kith_testbed::Described::parse(text)?;
//! assert_eq!(described.domain_of(&described.accounts[1])?.name, "example.org");
//! # Ok::<(), kith_testbed::DescribedError>(())
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::names::{address_key, domain_key, domain_of};

/// The fewest accounts with which anything can be tried: one for the agent, one for somebody
/// it has to do with.
pub(crate) const FEWEST_ACCOUNTS: usize = 2;

/// A mail server outside this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Described {
    /// What reports call it: the value of the axis `server`.
    pub name: String,
    /// Whether all mail in all the accounts may be deleted. The suite empties them before each
    /// case, and does nothing without this.
    #[serde(default)]
    pub may_empty_the_mailboxes: bool,
    /// The certificate authority of the servers' certificates, PEM, one or more certificates.
    /// Absent: those that this machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// A file with the same. A relative path starts at the description's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// What runs there, for reports: names with versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// The address of a mailing list whose members are all the accounts, and which takes mail
    /// from each of them. Absent: cases that need a list are not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The mail domains, each with its servers.
    #[serde(rename = "domain")]
    pub domains: Vec<DescribedDomain>,
    /// The accounts. The first is the agent's, the others are those of people that the harness
    /// plays. No mail is sent to any other address.
    #[serde(rename = "account")]
    pub accounts: Vec<DescribedAccount>,
}

/// A mail domain and its servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescribedDomain {
    /// Its name: what stands after the `@`.
    pub name: String,
    /// The authserv-id in its Authentication-Results (RFC 8601 section 2.5). Absent: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authserv_id: Option<String>,
    /// Where mail is submitted (RFC 6409).
    pub submission: DescribedEndpoint,
    /// Where mail is read: IMAP.
    pub mailbox: DescribedEndpoint,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescribedEndpoint {
    /// The name that its certificate stands for.
    pub host: String,
    /// The address to connect to. Absent: the name is looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<IpAddr>,
    /// The TCP port.
    pub port: u16,
    /// When TLS starts.
    pub mode: TlsMode,
}

/// When TLS starts. There is no way without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// At once (RFC 8314).
    Tls,
    /// By STARTTLS.
    Starttls,
}

/// A mail account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescribedAccount {
    /// Its address.
    pub address: String,
    /// The login name. Absent: the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password.
    pub password: String,
}

impl fmt::Debug for DescribedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescribedAccount")
            .field("address", &self.address)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl DescribedAccount {
    /// The login name.
    pub fn login(&self) -> &str {
        self.user.as_deref().unwrap_or(&self.address)
    }
}

impl DescribedDomain {
    /// The authserv-id.
    pub fn authserv_id(&self) -> &str {
        self.authserv_id.as_deref().unwrap_or(&self.name)
    }
}

/// What is wrong with a description.
#[derive(Debug, thiserror::Error)]
pub enum DescribedError {
    /// It, or its certificate authority, can't be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML of this form.
    #[error("the description of the mail server is wrong: {0}")]
    Form(#[from] toml::de::Error),
    /// Its parts don't fit together.
    #[error("the description of the mail server is wrong: {0}")]
    Content(String),
    /// A mailbox may not be emptied.
    #[error(
        "the mailbox of {0} may not be emptied, so nothing can be tried there; if all mail in it \
         may be deleted, say `may-empty-the-mailboxes = true` in the description"
    )]
    NotAllowed(String),
    /// A host isn't found.
    #[error("cannot find the address of {host}: {source}; `connect` may give it")]
    Host {
        /// The host.
        host: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl DescribedEndpoint {
    /// The address to connect to.
    ///
    /// # Errors
    /// If the name has none.
    pub fn ip(&self) -> Result<IpAddr, DescribedError> {
        if let Some(ip) = self.connect {
            return Ok(ip);
        }
        let bad = |source| DescribedError::Host {
            host: self.host.clone(),
            source,
        };
        let mut found = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(bad)?;
        let none = || bad(std::io::Error::other("the name has no address"));
        Ok(found.next().ok_or_else(none)?.ip())
    }
}

impl Described {
    /// Reads a description, and the file with the certificate authority that it names.
    ///
    /// # Errors
    /// If a file can't be read, or the description is wrong.
    pub fn read(path: &Path) -> Result<Self, DescribedError> {
        let mut described = Self::parse(&read(path)?)?;
        if let Some(file) = &described.ca_file {
            let folder = path.parent().unwrap_or(Path::new(""));
            described.ca = Some(read(&folder.join(file))?);
        }
        Ok(described)
    }

    /// Takes a description from its text. `ca-file` is left for [`read`](Self::read).
    ///
    /// # Errors
    /// If it is wrong.
    pub fn parse(text: &str) -> Result<Self, DescribedError> {
        let described: Self = toml::from_str(text)?;
        described.check()?;
        Ok(described)
    }

    /// The description as TOML.
    ///
    /// # Errors
    /// If it has something that TOML can't say; there is nothing such.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    /// Whether the parts fit together.
    ///
    /// # Errors
    /// What doesn't.
    pub fn check(&self) -> Result<(), DescribedError> {
        let wrong = |what: String| Err(DescribedError::Content(what));
        if self.accounts.len() < FEWEST_ACCOUNTS {
            let there = self.accounts.len();
            return wrong(format!(
                "it needs {FEWEST_ACCOUNTS} accounts at least, and has {there}"
            ));
        }
        if self.ca.is_some() && self.ca_file.is_some() {
            return wrong("it has both `ca` and `ca-file`; leave one out".to_owned());
        }
        if let Some(list) = &self.list
            && address_key(list).is_err()
        {
            return wrong(format!("the list `{list}` is no mail address"));
        }
        let mut seen = BTreeSet::new();
        for account in &self.accounts {
            let address = &account.address;
            let Ok(key) = address_key(address) else {
                return wrong(format!("`{address}` is no mail address"));
            };
            if !seen.insert(key) {
                return wrong(format!("the account {address} stands in it twice"));
            }
            self.domain_of(account)?;
        }
        Ok(())
    }

    /// Whether the suite can be run there: whether mailboxes may be emptied.
    ///
    /// # Errors
    /// If not.
    pub fn usable(&self) -> Result<(), DescribedError> {
        if self.may_empty_the_mailboxes {
            return Ok(());
        }
        let addresses: Vec<_> = self.accounts.iter().map(|a| a.address.as_str()).collect();
        Err(DescribedError::NotAllowed(addresses.join(", ")))
    }

    /// The domain that an account is in.
    ///
    /// # Errors
    /// If it isn't described.
    pub fn domain_of(
        &self,
        account: &DescribedAccount,
    ) -> Result<&DescribedDomain, DescribedError> {
        let address = &account.address;
        let wanted = domain_of(address);
        let here =
            |domain: &&DescribedDomain| wanted.is_some() && domain_key(&domain.name) == wanted;
        self.domains.iter().find(here).ok_or_else(|| {
            DescribedError::Content(format!("the domain of {address} has no [[domain]]"))
        })
    }

    /// The account with this address, if it is one of the server's.
    pub fn account(&self, address: &str) -> Option<&DescribedAccount> {
        let wanted = address_key(address).ok()?;
        let same = |account: &&DescribedAccount| {
            address_key(&account.address).ok().as_ref() == Some(&wanted)
        };
        self.accounts.iter().find(same)
    }
}

fn read(path: &Path) -> Result<String, DescribedError> {
    std::fs::read_to_string(path).map_err(|source| DescribedError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(accounts: &str) -> String {
        format!(
            "name = \"mine\"\n[[domain]]\nname = \"A.test\"\n\
             submission = {{ host = \"mail.test\", connect = \"127.0.0.1\", port = 465, mode = \"tls\" }}\n\
             mailbox = {{ host = \"mail.test\", port = 143, mode = \"starttls\" }}\n{accounts}"
        )
    }

    fn account(address: &str) -> String {
        format!("[[account]]\naddress = \"{address}\"\npassword = \"hush-hush\"\n")
    }

    #[test]
    fn a_description_survives_writing() {
        let text = text(&(account("one@a.test") + &account("two@a.test")));
        let described = Described::parse(&text).unwrap();
        assert!(!described.may_empty_the_mailboxes);
        assert_eq!(described.domains[0].authserv_id(), "A.test");
        assert_eq!(
            described.account("TWO@a.test").unwrap().login(),
            "two@a.test"
        );
        assert!(described.account("three@a.test").is_none());
        let again = Described::parse(&described.to_toml().unwrap()).unwrap();
        assert_eq!(again, described);
        assert!(!format!("{described:?}").contains("hush"));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let wrong = |accounts: &[&str]| {
            let accounts: String = accounts.iter().map(|address| account(address)).collect();
            Described::parse(&text(&accounts)).unwrap_err().to_string()
        };
        assert!(wrong(&["one@a.test"]).contains("needs 2 accounts"));
        assert!(wrong(&["one@a.test", "One@A.test"]).contains("twice"));
        assert!(wrong(&["one@a.test", "two@b.test"]).contains("no [[domain]]"));
        assert!(wrong(&["one@a.test", "two"]).contains("no mail address"));
    }
}
