//! What a test server offers: domains, extensions, limits.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::Certificate;

/// How a server is set up. Everything has a default fit for most cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The mail domains of the server; mail between all of them is delivered at once.
    pub domains: Vec<String>,
    /// What is offered, and how large things may be.
    pub capabilities: Capabilities,
    /// The authserv-id in the server's Authentication-Results (RFC 8601 section 2.5).
    pub authserv_id: String,
    /// The host name in greetings, Received and the certificate.
    pub server_name: String,
    /// Where to listen. Ports are always chosen by the system.
    pub bind: IpAddr,
    /// The certificate to start with; see [`crate::Server::set_certificate`].
    pub certificate: Certificate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domains: vec!["a.test".to_owned(), "b.test".to_owned()],
            capabilities: Capabilities::default(),
            authserv_id: "mx.test".to_owned(),
            server_name: "mail.test".to_owned(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            certificate: Certificate::Valid,
        }
    }
}

/// What SMTP and IMAP offer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// The IMAP side.
    pub imap: ImapCapabilities,
    /// The SMTP side.
    pub smtp: SmtpCapabilities,
}

/// Non-synchronising literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Literals {
    /// Only synchronising ones (RFC 3501).
    Synchronizing,
    /// `LITERAL-`: non-synchronising up to 4096 octets (RFC 7888).
    Minus,
    /// `LITERAL+`: non-synchronising of any size (RFC 7888).
    #[default]
    Plus,
}

/// What IMAP offers. What is switched off is neither advertised nor understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImapCapabilities {
    /// MOVE (RFC 6851).
    pub move_: bool,
    /// UIDPLUS (RFC 4315): UID EXPUNGE, APPENDUID, COPYUID.
    pub uidplus: bool,
    /// CONDSTORE (RFC 7162).
    pub condstore: bool,
    /// IDLE (RFC 2177).
    pub idle: bool,
    /// Keywords may be made by clients: `\*` in PERMANENTFLAGS. Without it they are dropped.
    pub keywords: bool,
    /// Folders Drafts, Sent, Junk, Trash and Archive exist from the start, and LIST marks them
    /// (RFC 6154 section 2; the SPECIAL-USE capability is about extended LIST and not given).
    pub special_use: bool,
    /// UNSELECT (RFC 3691).
    pub unselect: bool,
    /// NAMESPACE (RFC 2342).
    pub namespace: bool,
    /// ID (RFC 2971).
    pub id: bool,
    /// SASL-IR (RFC 4959).
    pub sasl_ir: bool,
    /// The prefix of all folders but INBOX, as in `INBOX.`; it ends with the delimiter, or is empty.
    pub namespace_prefix: String,
    /// The hierarchy delimiter.
    pub delimiter: char,
    /// Which literals are taken.
    pub literals: Literals,
    /// The largest message that APPEND takes, in octets.
    pub append_limit: usize,
}

impl Default for ImapCapabilities {
    fn default() -> Self {
        Self {
            move_: true,
            uidplus: true,
            condstore: true,
            idle: true,
            keywords: true,
            special_use: true,
            unselect: true,
            namespace: true,
            id: true,
            sasl_ir: true,
            namespace_prefix: String::new(),
            delimiter: '/',
            literals: Literals::Plus,
            append_limit: 50 << 20,
        }
    }
}

impl ImapCapabilities {
    /// The bare minimum: IMAP4rev1 without any extension and without keywords.
    pub fn bare() -> Self {
        Self {
            move_: false,
            uidplus: false,
            condstore: false,
            idle: false,
            keywords: false,
            special_use: false,
            unselect: false,
            namespace: false,
            id: false,
            sasl_ir: false,
            literals: Literals::Synchronizing,
            ..Self::default()
        }
    }
}

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The obsolete LOGIN mechanism, still wide-spread.
    Login,
}

/// What SMTP offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SmtpCapabilities {
    /// The largest mail, in octets; it is announced with SIZE (RFC 1870).
    pub size_limit: usize,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// What AUTH offers.
    pub auth: Vec<Mechanism>,
    /// Recipients of one mail; more get 452 (RFC 5321 section 4.5.3.1.8 asks for at least 100).
    pub max_recipients: usize,
    /// Octets of a text line without CRLF; mail with longer ones is refused
    /// (RFC 5321 section 4.5.3.1.6).
    pub line_limit: usize,
}

impl Default for SmtpCapabilities {
    fn default() -> Self {
        Self {
            size_limit: 50 << 20,
            eight_bit_mime: true,
            smtputf8: true,
            pipelining: true,
            auth: vec![Mechanism::Plain, Mechanism::Login],
            max_recipients: 100,
            line_limit: 998,
        }
    }
}
