//! `open`: one device of one person, with its mail account and its keys.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Identity, KeyKind, Method, Octets, Session, Timestamp};

/// Opens one device of one person. A case may open several persons, or several
/// devices of one, beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    /// Whose device it is.
    pub person: Person,
    /// The device's name, such as `laptop`.
    pub device: String,
    /// The login name on both servers. Absent: the person's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password on both servers.
    pub password: String,
    /// The submission server (RFC 6409).
    pub submission: MailServer,
    /// The mailbox server: IMAP (RFC 3501, RFC 9051).
    pub mailbox: MailServer,
    /// The certificate authority that both servers' certificates are checked
    /// against: PEM, one or more certificates. No other authority counts.
    pub ca: String,
    /// The authserv-id of the mailbox's own server: the only one whose
    /// `Authentication-Results` counts (RFC 8601).
    pub authserv_id: String,
    /// What the device starts with.
    pub store: Store,
    /// The keys of a person who starts with an empty store; absent otherwise,
    /// because a kept store or an export brings them along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    /// How many mails the device may submit in a day at most. Absent: the agent's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<u64>,
    /// Whether the store must survive a killed adapter. If so, the answer
    /// carries `kept`. Otherwise the store may live in memory.
    #[serde(default)]
    pub durable: bool,
    /// The time.
    pub now: Timestamp,
}

impl Method for Open {
    const NAME: &'static str = "open";
}

impl Open {
    /// Whether store and keys fit together, which the types can't say.
    ///
    /// # Errors
    /// What is wrong, for a person to read.
    pub fn check(&self) -> Result<(), &'static str> {
        match (&self.store, &self.keys) {
            (Store::Empty, None) => Err("an empty store needs `keys`"),
            (Store::Kept(_) | Store::Export(_), Some(_)) => {
                Err("a kept store or an export brings its keys along: leave `keys` out")
            }
            _ => Ok(()),
        }
    }
}

/// A person, as others know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The mail address.
    pub address: String,
    /// The name the person claims.
    pub name: String,
}

/// A mail server, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailServer {
    /// The name that the server's certificate is checked for. It is never
    /// looked up.
    pub host: String,
    /// The IP address to connect to.
    pub connect: IpAddr,
    /// The TCP port.
    pub port: u16,
    /// When TLS starts.
    pub mode: Mode,
}

/// When TLS starts on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// At once (RFC 8314).
    Tls,
    /// By STARTTLS (RFC 3207, RFC 9051), before anything else is said.
    Starttls,
}

/// Where a person's keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// Make new ones, with a chain of one entry.
    Generate(KeyKind),
    /// Take these.
    Import(Import),
    /// Go on as the identity of which only this is left (specification, section "Recovery kit" of
    /// chapter "Identity").
    Recover(Recover),
}

/// A recovery kit, by which a person goes on as the same identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recover {
    /// The text of the kit.
    pub kit: String,
    /// Whether somebody else may have the lost key.
    pub compromised: bool,
}

/// Keys made by the harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// The transferable secret key, binary, without a passphrase.
    pub secret: Octets,
    /// The key chain: the `identity` objects, first epoch first.
    pub chain: Vec<Octets>,
    /// The `contact` object.
    pub contact: Octets,
    /// The commitment to the next key, as the last entry of the chain has it.
    pub next: Hash,
}

/// What a device starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Nothing: a new person.
    Empty,
    /// What `close` with `keep` left, or what a killed adapter's durable store
    /// holds; by the token in `kept`.
    Kept(String),
    /// An export of another device of the same person.
    Export(Archive),
}

/// An export, as the action `export` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// The archive.
    pub archive: Octets,
    /// The passphrase that protects it.
    pub passphrase: String,
}

/// The answer to [`Open`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The handle for all later calls; no other open device has it.
    pub session: Session,
    /// The person's identity id.
    pub identity: Identity,
    /// The person's OpenPGP certificate, binary.
    pub certificate: Octets,
    /// The key chain: the `identity` objects, first epoch first.
    pub chain: Vec<Octets>,
    /// With `durable`: the token by which the store is opened again after the
    /// adapter was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// The `daily` that was asked for, if the agent keeps it. Absent: its limit can't be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<u64>,
    /// With keys that the agent made, or recovered: the text of the recovery kit. Absent: the
    /// adapter can't show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<String>,
}
