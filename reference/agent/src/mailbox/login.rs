//! Logging in with SASL where the server has it (`mail.authenticate`).

use async_imap::error::Error;
use async_imap::{Authenticator, Client, Session};
use kith_core::implements;
use kith_spec::req;
use tokio::io::AsyncWriteExt as _;

use super::MailboxError;
use crate::account::{Account, Auth};
use crate::connect::{Stream, line, shown};
use crate::sasl;

/// Response codes of a refusal that says nothing about user and password (RFC 5530).
const PASSING: [&str; 3] = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]"];

/// Answers the challenges of a mechanism.
struct Answers(std::vec::IntoIter<String>);

impl Authenticator for Answers {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.next().unwrap_or_default()
    }
}

pub(super) async fn login(
    mut stream: Stream,
    account: &Account,
    server: &str,
) -> Result<Session<Stream>, MailboxError> {
    let lost = |error: std::io::Error| MailboxError::Lost {
        server: server.to_owned(),
        reason: error.to_string(),
    };
    implements!(req::MAIL_AUTHENTICATE);
    let offered = capabilities(&mut stream).await.map_err(lost)?;
    let offers = |name: &str| offered.iter().any(|offer| offer.eq_ignore_ascii_case(name));
    let exchange = sasl::exchange(account, &account.mailbox, |name| {
        offers(&format!("AUTH={name}"))
    });
    let client = Client::new(stream);
    let outcome = match exchange {
        Ok(exchange) => {
            let answers = Answers(exchange.answers.into_iter());
            client.authenticate(exchange.name, answers).await
        }
        Err(_) if account.auth == Auth::Password && !offers("LOGINDISABLED") => {
            let password = account.password.reveal();
            client.login(&account.user, password).await
        }
        Err(advice) => {
            let server = server.to_owned();
            return Err(MailboxError::NoMechanism { server, advice });
        }
    };
    outcome.map_err(|(error, _)| match error {
        Error::No(said) | Error::Bad(said) => {
            let (server, said) = (server.to_owned(), shown(information(&said)));
            if PASSING.iter().any(|code| said.starts_with(code)) {
                let (command, missing) = ("the login", false);
                return MailboxError::Refused {
                    server,
                    command,
                    said,
                    missing,
                };
            }
            MailboxError::Login {
                server,
                user: account.user.clone(),
                said,
                advice: sasl::advice(account.auth),
            }
        }
        other => MailboxError::Lost {
            server: server.to_owned(),
            reason: shown(&other.to_string()),
        },
    })
}

async fn capabilities(stream: &mut Stream) -> std::io::Result<Vec<String>> {
    stream.write_all(b"able CAPABILITY\r\n").await?;
    stream.flush().await?;
    let mut offered = Vec::new();
    loop {
        let line = line(stream).await?;
        if line.starts_with("able ") {
            return Ok(offered);
        }
        if line
            .get(..13)
            .is_some_and(|start| start.eq_ignore_ascii_case("* CAPABILITY "))
        {
            offered.extend(line[13..].split_whitespace().map(str::to_owned));
        }
    }
}

/// The server's words in the library's error text, `code: …, info: Some("…")`.
pub(super) fn information(said: &str) -> &str {
    let words = said
        .split_once("info: Some(\"")
        .map(|(_, rest)| rest.trim_end_matches("\")"));
    words.unwrap_or(said)
}
