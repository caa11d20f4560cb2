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
    /// What AUTHENTICATE takes; LOGIN has no part in it. Without PLAIN there is no LOGIN command either.
    pub auth: Vec<Mechanism>,
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
            auth: vec![Mechanism::Plain],
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

/// What a client hears whose access token is refused (RFC 7628, section 3.2.2); whatever it answers,
/// the login has failed then.
pub(crate) const REFUSED: &str = r#"{"status":"invalid_token"}"#;

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The obsolete LOGIN mechanism, still wide-spread.
    Login,
    /// RFC 7628, with an access token. The password of an account is its token.
    Oauthbearer,
    /// What large providers had before, with the same token.
    Xoauth2,
}

impl Mechanism {
    /// Its name in SASL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::Oauthbearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// Whether it shows an access token, and a refusal is told in a challenge first.
    pub(crate) fn is_bearer(self) -> bool {
        matches!(self, Self::Oauthbearer | Self::Xoauth2)
    }

    /// User and password in the client's only message; LOGIN has two.
    pub(crate) fn credentials(self, message: &[u8]) -> Option<(String, String)> {
        let text = std::str::from_utf8(message).ok()?;
        let (user, rest) = match self {
            Self::Login => return None,
            Self::Plain => {
                let (identity, rest) = text.split_once('\0')?;
                let (user, password) = rest.split_once('\0')?;
                let fits = identity.is_empty() || identity == user;
                return fits.then(|| (user.to_owned(), password.to_owned()));
            }
            Self::Oauthbearer => text.strip_prefix("n,a=")?.split_once(",\x01")?,
            Self::Xoauth2 => text.strip_prefix("user=")?.split_once('\x01')?,
        };
        let pairs = rest.strip_suffix("\x01\x01")?;
        let token = pairs
            .split('\x01')
            .find_map(|pair| pair.strip_prefix("auth=Bearer "))?;
        Some((user.to_owned(), token.to_owned()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_user_and_secret() {
        let read = |mechanism: Mechanism, message: &str| {
            let read = mechanism.credentials(message.as_bytes());
            read.map(|(user, secret)| format!("{user}:{secret}"))
        };
        let known = Some("a@a.test:t".to_owned());
        assert_eq!(read(Mechanism::Plain, "\0a@a.test\0t"), known);
        assert_eq!(read(Mechanism::Plain, "b\0a@a.test\0t"), None);
        let bearer = "n,a=a@a.test,\x01host=x\x01port=1\x01auth=Bearer t\x01\x01";
        assert_eq!(read(Mechanism::Oauthbearer, bearer), known);
        let old = "user=a@a.test\x01auth=Bearer t\x01\x01";
        assert_eq!(read(Mechanism::Xoauth2, old), known);
        for wrong in ["", "n,a=a@a.test,\x01auth=Bearer t", "n,a=a\x01\x01\x01"] {
            assert_eq!(read(Mechanism::Oauthbearer, wrong), None, "{wrong:?}");
            assert_eq!(read(Mechanism::Xoauth2, wrong), None, "{wrong:?}");
        }
        assert_eq!(read(Mechanism::Login, "\0a\0t"), None);
    }
}
