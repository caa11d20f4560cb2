//! Submission by SMTP (RFC 6409; specification, sections "Transport" and "Sending").
//!
//! One connection serves all mails of a sync. Each mail is a transaction of its own, with one
//! recipient unless it is the same for all of them.

use std::time::Duration;

use kith_core::agent::address;
use kith_core::agent::outbox::Submitted;
use kith_core::implements;
use kith_spec::req;
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use crate::account::{Account, Password};
use crate::connect::{ConnectError, Dialer, Protocol, shown};

/// What an agent calls itself, so that its computer's name stays private.
const HELLO: ClientId = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
/// How long to wait for the answer to QUIT.
const FAREWELL: Duration = Duration::from_secs(2);
/// Why an address can't be carried.
const NO_SMTPUTF8: &str = "the server can't carry such an address (no SMTPUTF8)";
/// Service not available, closing the channel (RFC 5321, section 3.8).
const CLOSING: u16 = 421;

/// Why nothing can be submitted now. The mails wait in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// There is no connection.
    #[error("submission server {0}")]
    Connect(#[from] ConnectError),
    /// User name or password is wrong.
    #[error(
        "submission server {server}: login as {user} was refused ({said}); check user name and password, some providers want an app password"
    )]
    Login {
        /// The server.
        server: String,
        /// The user name.
        user: String,
        /// What the server said.
        said: String,
    },
    /// There is no common way to log in.
    #[error(
        "submission server {server}: offers neither PLAIN nor LOGIN; ask the provider for password login"
    )]
    NoMechanism {
        /// The server.
        server: String,
    },
    /// The connection broke, or the server closes it.
    #[error(
        "submission server {server}: the connection broke ({reason}); what waits is sent at the next sync"
    )]
    Lost {
        /// The server.
        server: String,
        /// What happened.
        reason: String,
        /// Whether a mail was under way, so that the server may have taken it.
        begun: bool,
    },
}

/// A connection, logged in.
pub struct Submission {
    connection: AsyncSmtpConnection,
    server: String,
    /// The largest mail that the server takes, in octets.
    size: Option<u64>,
}

/// What the server said about the recipients of one mail.
#[derive(Default)]
struct Named {
    taken: usize,
    later: Vec<String>,
    never: Vec<(String, String)>,
}

impl Named {
    fn never(&mut self, to: &str, reason: String) {
        self.never.push((to.to_owned(), reason));
    }

    fn outcome(mut self) -> Submitted {
        match (self.taken, self.later.len(), self.never.len()) {
            (_, 0, 0) => Submitted::Taken,
            (0, _, 0) => Submitted::Later,
            (0, 0, 1) => Submitted::Never(self.never.remove(0).1),
            _ => Submitted::Partly {
                later: self.later,
                never: self.never,
            },
        }
    }
}

fn said(error: &SmtpError) -> String {
    use std::error::Error as _;
    let text = error.source().map(ToString::to_string);
    let code = error.status().map(|code| code.to_string());
    let text = [code, text]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    if text.is_empty() {
        shown(&error.to_string())
    } else {
        shown(&text)
    }
}

impl Submission {
    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// [`SubmissionError`].
    pub async fn open(dialer: &Dialer, account: &Account) -> Result<Self, SubmissionError> {
        let server = account.submission.to_string();
        let stream = dialer.dial(&account.submission, Protocol::Smtp).await?;
        let lost = |error: SmtpError| SubmissionError::Lost {
            server: server.clone(),
            reason: said(&error),
            begun: false,
        };
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &HELLO);
        let mut connection = connecting.await.map_err(lost)?;
        login(&mut connection, &account.user, &account.password, &server).await?;
        // The library forgets what SIZE said; after login it may also be another one.
        let offers = connection.command(Ehlo::new(HELLO)).await.map_err(lost)?;
        let size = offers.message().find_map(|line| {
            let (keyword, value) = line.split_once(' ')?;
            keyword
                .eq_ignore_ascii_case("SIZE")
                .then(|| value.trim().parse().ok())?
        });
        Ok(Self {
            connection,
            server,
            size: size.filter(|&size| size > 0),
        })
    }

    /// Submits one mail to its recipients.
    ///
    /// # Errors
    ///
    /// [`SubmissionError::Lost`]: whether the server took the mail is not known, and the connection
    /// is of no use any more.
    pub async fn submit(
        &mut self,
        from: &str,
        to: &[String],
        mail: &[u8],
    ) -> Result<Submitted, SubmissionError> {
        implements!(req::SEND_ONE_TRANSACTION);
        if let Some(size) = self.size.filter(|&size| mail.len() as u64 > size) {
            let reason = format!("it has {} octets, the server takes {size}", mail.len());
            return Ok(Submitted::Never(reason));
        }
        let utf8 = self
            .connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight);
        let Some(sender) = envelope(from, utf8) else {
            return Ok(Submitted::Never(NO_SMTPUTF8.to_owned()));
        };
        let mut parameters = Vec::new();
        if self.size.is_some() {
            parameters.push(MailParameter::Size(mail.len()));
        }
        let eight_bit = !mail.is_ascii();
        let ascii = from.is_ascii() && to.iter().all(|to| to.is_ascii());
        if utf8 && (eight_bit || !ascii) {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if eight_bit {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let begin = Mail::new(Some(sender), parameters);
        if let Err(error) = self.connection.command(begin).await {
            return self.refused(&error, false).await;
        }
        let mut named = Named::default();
        for recipient in to {
            match envelope(recipient, utf8) {
                None => named.never(recipient, NO_SMTPUTF8.to_owned()),
                Some(address) => {
                    let rcpt = self.connection.command(Rcpt::new(address, Vec::new()));
                    match rcpt.await {
                        Ok(_) => named.taken += 1,
                        Err(error) if is_lost(&error) => {
                            return self.refused(&error, true).await;
                        }
                        Err(error) if error.is_permanent() => named.never(recipient, said(&error)),
                        Err(_) => named.later.push(recipient.clone()),
                    }
                }
            }
        }
        if named.taken == 0 {
            // If this fails, so does the next mail, and that is told then.
            let _ = self.connection.command(Rset).await;
            return Ok(named.outcome());
        }
        // The library ends the last line itself.
        let mail = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        match self.data(mail).await {
            Ok(()) => Ok(named.outcome()),
            Err(error) => self.refused(&error, true).await,
        }
    }

    async fn data(&mut self, mail: &[u8]) -> Result<(), SmtpError> {
        self.connection.command(Data).await?;
        self.connection.message(mail).await?;
        Ok(())
    }

    async fn refused(
        &mut self,
        error: &SmtpError,
        begun: bool,
    ) -> Result<Submitted, SubmissionError> {
        let reason = said(error);
        if is_lost(error) {
            return Err(SubmissionError::Lost {
                server: self.server.clone(),
                reason,
                begun,
            });
        }
        tracing::debug!(server = self.server, reason, "mail not taken");
        // If this fails, so does the next mail, and that is told then.
        let _ = self.connection.command(Rset).await;
        Ok(if error.is_permanent() {
            Submitted::Never(reason)
        } else {
            Submitted::Later
        })
    }

    /// Takes leave of the server.
    pub async fn close(mut self) {
        // Nothing depends on the answer.
        let _ = tokio::time::timeout(FAREWELL, self.connection.quit()).await;
    }
}

/// Whether the connection is of no use any more.
fn is_lost(error: &SmtpError) -> bool {
    let closing = error
        .status()
        .is_some_and(|code| u16::from(code) == CLOSING);
    closing || !(error.is_transient() || error.is_permanent())
}

async fn login(
    connection: &mut AsyncSmtpConnection,
    user: &str,
    password: &Password,
    server: &str,
) -> Result<(), SubmissionError> {
    implements!(req::MAIL_AUTHENTICATE);
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    let server = server.to_owned();
    if connection
        .server_info()
        .get_auth_mechanism(&mechanisms)
        .is_none()
    {
        return Err(SubmissionError::NoMechanism { server });
    }
    let credentials = Credentials::new(user.to_owned(), password.reveal().to_owned());
    let Err(error) = connection.auth(&mechanisms, &credentials).await else {
        return Ok(());
    };
    let said = said(&error);
    Err(if error.is_permanent() {
        SubmissionError::Login {
            server,
            user: user.to_owned(),
            said,
        }
    } else {
        SubmissionError::Lost {
            server,
            reason: said,
            begun: false,
        }
    })
}

/// The address in the envelope: as written where the server can carry it, else with the domain in
/// A-labels, if that suffices.
fn envelope(written: &str, utf8: bool) -> Option<Address> {
    let (local, domain) = written.rsplit_once('@')?;
    let forbidden = |character: char| character.is_control() || " <>".contains(character);
    if written.contains(forbidden) {
        return None;
    }
    if utf8 || written.is_ascii() {
        return Some(Address::new_dangerous(local, domain));
    }
    local
        .is_ascii()
        .then(|| Address::new_dangerous(local, address::domain(written)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_goes_as_written_or_with_a_labels() {
        let text = |written, utf8| envelope(written, utf8).map(|address| address.to_string());
        assert_eq!(
            text("a@bücher.test", true).as_deref(),
            Some("a@bücher.test")
        );
        assert_eq!(
            text("A@bücher.test", false).as_deref(),
            Some("A@xn--bcher-kva.test")
        );
        assert_eq!(text("ž@a.test", false), None);
        assert_eq!(text("a@a.test> SIZE=1", true), None);
        assert_eq!(text("a\r\nRSET@a.test", true), None);
    }
}
