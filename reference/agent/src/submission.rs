//! Submission by SMTP (RFC 6409; specification, sections "Transport" and "Sending").
//!
//! One connection serves all mails of a sync. Each mail is a transaction of its own, with one
//! recipient unless it is the same for all of them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kith_core::agent::address;
use kith_core::agent::outbox::Submitted;
use kith_core::implements;
use kith_spec::req;
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use crate::account::{Account, Auth};
use crate::connect::{ConnectError, Dialer, Protocol, shown};
use crate::sasl;

/// What an agent calls itself, so that its computer's name stays private.
const HELLO: ClientId = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
/// How long to wait for the answer to QUIT.
const FAREWELL: Duration = Duration::from_secs(2);
/// Why an address can't be carried.
const NO_SMTPUTF8: &str = "the server can't carry such an address (no SMTPUTF8)";
/// Service not available, closing the channel (RFC 5321, section 3.8).
const CLOSING: u16 = 421;
/// The server waits for an answer in AUTH (RFC 4954, section 4).
const CHALLENGE: u16 = 334;

/// Why nothing can be submitted now. The mails wait in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// There is no connection.
    #[error("submission server {0}")]
    Connect(#[from] ConnectError),
    /// User name or password is wrong.
    #[error("submission server {server}: login as {user} was refused ({said}); {advice}")]
    Login {
        /// The server.
        server: String,
        /// The user name.
        user: String,
        /// What the server said.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// There is no common way to log in.
    #[error("submission server {server}: {advice}")]
    NoMechanism {
        /// The server.
        server: String,
        /// What it wants, and what to do.
        advice: &'static str,
    },
    /// It takes no mail of this address from the account.
    #[error(
        "submission server {server}: takes no mail of {from} from you ({said}); allow that address at your provider, or, if it is the account's own, ask what is wrong"
    )]
    Sender {
        /// The server.
        server: String,
        /// The address.
        from: String,
        /// What the server said.
        said: String,
    },
    /// It logs nobody in now.
    #[error(
        "submission server {server}: put the login off ({said}); what waits is sent at a later sync"
    )]
    Later {
        /// The server.
        server: String,
        /// What it said.
        said: String,
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
    /// What the server said when it last put off a mail.
    put_off: Option<String>,
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
        let mut connection = connecting.await.map_err(|error| {
            let turned_away = error.is_transient() || error.is_permanent();
            if turned_away {
                let (server, said) = (server.clone(), said(&error));
                return ConnectError::TurnedAway { server, said }.into();
            }
            lost(error)
        })?;
        login(&mut connection, account, &server).await?;
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
            put_off: None,
        })
    }

    /// Finds out whether the server takes mail of this address, without sending any.
    ///
    /// # Errors
    ///
    /// [`SubmissionError::Sender`] if it doesn't, and [`SubmissionError::Lost`].
    pub async fn try_sender(&mut self, from: &str) -> Result<(), SubmissionError> {
        let refused = |said: String| SubmissionError::Sender {
            server: self.server.clone(),
            from: from.to_owned(),
            said,
        };
        let features = self.connection.server_info();
        let utf8 = features.supports_feature(Extension::SmtpUtfEight);
        let sender = envelope(from, utf8).ok_or_else(|| refused(NO_SMTPUTF8.to_owned()))?;
        let parameters = match from.is_ascii() || !utf8 {
            true => Vec::new(),
            false => vec![MailParameter::SmtpUtfEight],
        };
        let begin = Mail::new(Some(sender), parameters);
        let begun = self.connection.command(begin).await;
        match begun.map_err(|error| (said(&error), error)) {
            Err((said, error)) if error.is_permanent() => return Err(refused(said)),
            Err((reason, error)) if is_lost(&error) => {
                return Err(SubmissionError::Lost {
                    server: self.server.clone(),
                    reason,
                    begun: false,
                });
            }
            _ => {}
        }
        // If this fails, so does what follows, and that is told then.
        let _ = self.connection.command(Rset).await;
        Ok(())
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
                        Err(error) => {
                            self.put_off = Some(said(&error));
                            named.later.push(recipient.clone());
                        }
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
            self.put_off = Some(reason);
            Submitted::Later
        })
    }

    /// What the server said, if it put off the last mail or some of its recipients.
    pub fn take_put_off(&mut self) -> Option<String> {
        self.put_off.take()
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
    account: &Account,
    server: &str,
) -> Result<(), SubmissionError> {
    implements!(req::MAIL_AUTHENTICATE);
    let refused = |error: SmtpError| {
        let (server, said) = (server.to_owned(), said(&error));
        if error.is_permanent() {
            SubmissionError::Login {
                server,
                user: account.user.clone(),
                said,
                advice: sasl::advice(account.auth),
            }
        } else if !is_lost(&error) {
            SubmissionError::Later { server, said }
        } else {
            SubmissionError::Lost {
                server,
                reason: said,
                begun: false,
            }
        }
    };
    let knows = connection.server_info();
    let mut offered: Vec<String> = [Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2]
        .into_iter()
        .filter(|mechanism| knows.supports_auth_mechanism(*mechanism))
        .map(|mechanism| mechanism.to_string())
        .collect();
    if account.auth == Auth::Oauth2 {
        // The library forgets mechanisms that it doesn't have.
        let offers = connection
            .command(Ehlo::new(HELLO))
            .await
            .map_err(refused)?;
        offered.extend(offers.message().flat_map(mechanisms));
    }
    let offers = |name: &str| offered.iter().any(|offer| offer == name);
    let exchange = sasl::exchange(account, &account.submission, offers);
    let exchange = exchange.map_err(|advice| SubmissionError::NoMechanism {
        server: server.to_owned(),
        advice,
    })?;
    let mut answers = exchange.answers.iter().map(|answer| BASE64.encode(answer));
    let first = if exchange.begins {
        answers.next()
    } else {
        None
    };
    let first = first.map_or_else(String::new, |first| format!(" {first}"));
    let mut line = format!("AUTH {}{first}", exchange.name);
    loop {
        let reply = connection.command(format!("{line}\r\n")).await;
        if !reply.map_err(refused)?.has_code(CHALLENGE) {
            return Ok(());
        }
        line = answers.next().ok_or_else(|| SubmissionError::Lost {
            server: server.to_owned(),
            reason: sasl::ASKS_ON.to_owned(),
            begun: false,
        })?;
    }
}

/// The mechanisms in a line of the answer to EHLO.
fn mechanisms(line: &str) -> Vec<String> {
    let mut words = line.split(' ').map(str::to_ascii_uppercase);
    let is_auth = words.next().is_some_and(|keyword| keyword == "AUTH");
    words.filter(|_| is_auth).collect()
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
