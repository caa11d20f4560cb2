//! Message submission: RFC 6409 over RFC 5321, with STARTTLS (RFC 3207) and AUTH (RFC 4954).
//!
//! Before TLS only STARTTLS is offered, before AUTH no mail is taken, and the sender must be the
//! account's own address.

mod auth;
mod data;
mod transaction;

use std::io;
use std::sync::Arc;

use smtp_proto::{Error, Request};

use crate::connection::{Connection, Line};
use crate::faults::{SmtpAction, SmtpStage};
use crate::server::Shared;
use transaction::Transaction;

/// Octets of a command line with CRLF. AUTH with an initial response may need so many
/// (RFC 4954 section 4).
const LINE_LIMIT: usize = 12_288;

/// How a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    /// Say what is left to say, then close.
    Close,
    /// Close without a word.
    Drop,
}

type Outcome = io::Result<Flow>;

struct Session {
    shared: Arc<Shared>,
    connection: Connection,
    greeted: Option<String>,
    /// The key of the account that logged in.
    account: Option<String>,
    transaction: Option<Transaction>,
}

/// Runs a session to its end.
pub(crate) async fn serve(shared: Arc<Shared>, connection: Connection) {
    let mut session = Session {
        shared,
        connection,
        greeted: None,
        account: None,
        transaction: None,
    };
    match session.run().await {
        Ok(Flow::Drop) => session.connection.log.note("dropped by a fault"),
        Ok(_) => session.connection.close().await,
        Err(error) => session.connection.log.note(&format!("lost: {error}")),
    }
}

impl Session {
    /// Whether there is TLS, or nobody minds.
    fn is_open(&self) -> bool {
        self.connection.is_tls() || self.shared.is_stripped()
    }

    fn reply(&mut self, text: &str) {
        self.connection.put(text.as_bytes());
        self.connection.put(b"\r\n");
    }

    fn say(&mut self, text: &str) -> Outcome {
        self.reply(text);
        Ok(Flow::Continue)
    }

    async fn run(&mut self) -> Outcome {
        if let Some(flow) = self.fault(SmtpStage::Greeting, &[]).await {
            return Ok(flow);
        }
        let name = self.shared.config.server_name.clone();
        self.reply(&format!("220 {name} ESMTP"));
        loop {
            let flow = match self.connection.line(LINE_LIMIT).await? {
                Line::Eof => return Ok(Flow::Close),
                Line::TooLong => self.say("500 5.5.6 Line too long")?,
                Line::Complete(line) => self.command(&line).await?,
            };
            if flow != Flow::Continue {
                return Ok(flow);
            }
        }
    }

    async fn command(&mut self, line: &[u8]) -> Outcome {
        self.connection.log.client(&auth::masked(line));
        if !line.ends_with(b"\r\n") {
            return self.say("500 5.5.2 A line ends with CRLF");
        }
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request.into_owned(),
            Err(error) => return self.say(&refusal(&error)),
        };
        match request {
            Request::Ehlo { host } => self.ehlo(&host),
            Request::Helo { host } => self.helo(&host),
            Request::Noop { .. } => self.say("250 2.0.0 OK"),
            Request::Rset => {
                self.transaction = None;
                self.say("250 2.0.0 OK")
            }
            Request::Vrfy { .. } => self.say("252 2.5.2 Send some mail, it will be tried"),
            Request::Help { .. } => self.say("214 2.0.0 See RFC 5321"),
            Request::Quit => {
                self.reply("221 2.0.0 Bye");
                Ok(Flow::Close)
            }
            Request::StartTls => self.start_tls().await,
            _ if !self.is_open() => self.say("530 5.7.0 Must issue a STARTTLS command first"),
            Request::Auth {
                mechanism,
                initial_response,
            } => self.auth(mechanism, &initial_response).await,
            Request::Mail { from } => self.mail(from).await,
            Request::Rcpt { to } => self.rcpt(to).await,
            Request::Data => self.data().await,
            _ => self.say("502 5.5.1 Command not implemented"),
        }
    }

    fn ehlo(&mut self, host: &str) -> Outcome {
        self.transaction = None;
        self.greeted = Some(printable(host));
        let config = &self.shared.config;
        let offered = &config.capabilities.smtp;
        let mut lines = vec![config.server_name.clone(), "ENHANCEDSTATUSCODES".to_owned()];
        if offered.pipelining {
            lines.push("PIPELINING".to_owned());
        }
        if self.is_open() {
            lines.push(format!("SIZE {}", offered.size_limit));
            if offered.eight_bit_mime {
                lines.push("8BITMIME".to_owned());
            }
            if offered.smtputf8 {
                lines.push("SMTPUTF8".to_owned());
            }
            let mechanisms: Vec<&str> = offered.auth.iter().map(|auth| auth.name()).collect();
            if self.account.is_none() && !mechanisms.is_empty() {
                lines.push(format!("AUTH {}", mechanisms.join(" ")));
            }
        } else {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        for (index, line) in lines.iter().enumerate() {
            let sign = if index == last { ' ' } else { '-' };
            self.reply(&format!("250{sign}{line}"));
        }
        Ok(Flow::Continue)
    }

    fn helo(&mut self, host: &str) -> Outcome {
        self.transaction = None;
        self.greeted = Some(printable(host));
        let name = self.shared.config.server_name.clone();
        self.say(&format!("250 {name}"))
    }

    async fn start_tls(&mut self) -> Outcome {
        if self.connection.is_tls() {
            return self.say("503 5.5.1 TLS is already there");
        }
        if self.shared.is_stripped() {
            return self.say("502 5.5.1 Command not implemented");
        }
        if self.connection.has_input() {
            // RFC 3207 section 4: nothing may follow STARTTLS before the reply.
            self.reply("503 5.5.1 Nothing may follow STARTTLS in the clear");
            return Ok(Flow::Close);
        }
        self.reply("220 2.0.0 Ready to start TLS");
        self.connection.start_tls(self.shared.tls()).await?;
        self.greeted = None;
        self.transaction = None;
        Ok(Flow::Continue)
    }

    /// What a fault makes of this stage; `None` if the session goes on as if there were none.
    async fn fault(&mut self, stage: SmtpStage, addresses: &[&str]) -> Option<Flow> {
        match self.shared.faults.smtp(stage, addresses)? {
            SmtpAction::Reply(code, text) => {
                self.reply(&format!("{code} {text}"));
                (stage != SmtpStage::Greeting)
                    .then_some(Flow::Continue)
                    .or(Some(Flow::Close))
            }
            SmtpAction::ReplyAndClose(code, text) => {
                self.reply(&format!("{code} {text}"));
                Some(Flow::Close)
            }
            SmtpAction::Delay(time) => {
                tokio::time::sleep(time).await;
                None
            }
            SmtpAction::Drop | SmtpAction::AcceptThenDrop | SmtpAction::AcceptReplyThenDrop => {
                Some(Flow::Drop)
            }
        }
    }
}

fn printable(host: &str) -> String {
    host.chars()
        .filter(char::is_ascii_graphic)
        .take(255)
        .collect()
}

fn refusal(error: &Error) -> String {
    match error {
        Error::UnknownCommand => "500 5.5.1 Unknown command".to_owned(),
        Error::InvalidSenderAddress => "501 5.1.7 This is no sender address".to_owned(),
        Error::InvalidRecipientAddress => "501 5.1.3 This is no recipient address".to_owned(),
        Error::SyntaxError { syntax } => format!("501 5.5.2 Syntax: {syntax}"),
        Error::InvalidParameter { param } => format!("501 5.5.4 Bad parameter {param}"),
        Error::UnsupportedParameter { .. } => "555 5.5.4 Unsupported parameter".to_owned(),
        _ => "500 5.5.2 Cannot be understood".to_owned(),
    }
}
