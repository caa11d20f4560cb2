//! The mailbox, by IMAP (RFC 9051, RFC 3501; specification, sections "Transport" and "Filing").
//!
//! Commands are sent and answers read through async-imap's connection, but interpreted here: its
//! own helpers mix what was asked for with what the server says unasked, and drop the latter.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_imap::Session;
use async_imap::imap_proto::{
    AttributeValue, MailboxDatum, Response, ResponseCode, Status, StatusAttribute,
};
use kith_core::{Gate, implements};
use kith_spec::req;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;

use crate::account::Account;
use crate::connect::{ConnectError, Dialer, Protocol, Stream, shown};

mod fetch;
mod filing;
mod login;
mod names;

pub use fetch::Summary;
pub use filing::Landed;
use names::Names;

/// How long to wait for the answer to LOGOUT.
const FAREWELL: Duration = Duration::from_secs(2);
/// What commands are for, in the words of [`MailboxError::Refused`].
const DEEDS: [(&str, &str); 14] = [
    ("SELECT", "opening a folder (SELECT)"),
    ("STATUS", "looking at a folder (STATUS)"),
    ("LIST", "looking for folders (LIST)"),
    ("CREATE", "making a folder (CREATE)"),
    ("DELETE", "deleting a folder (DELETE)"),
    ("SUBSCRIBE", "subscribing to a folder (SUBSCRIBE)"),
    ("UID FETCH", "reading mail (FETCH)"),
    ("FETCH", "reading mail (FETCH)"),
    ("UID MOVE", "filing mail (MOVE)"),
    ("UID COPY", "filing mail (COPY)"),
    ("UID STORE", "marking mail (STORE)"),
    ("UID EXPUNGE", "taking mail away (EXPUNGE)"),
    ("APPEND", "storing a mail (APPEND)"),
    ("NOOP", "asking for news (NOOP)"),
];

/// Why the mailbox can't be used now.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// There is no connection.
    #[error("mailbox server {0}")]
    Connect(#[from] ConnectError),
    /// User name or password is wrong.
    #[error("mailbox server {server}: login as {user} was refused ({said}); {advice}")]
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
    #[error("mailbox server {server}: {advice}")]
    NoMechanism {
        /// The server.
        server: String,
        /// What it wants, and what to do.
        advice: &'static str,
    },
    /// The connection broke.
    #[error(
        "mailbox server {server}: the connection broke ({reason}); the next sync goes on where it stopped"
    )]
    Lost {
        /// The server.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The mailbox is full.
    #[error(
        "mailbox server {server}: the mailbox is full ({said}); delete something, and filing goes on at the next sync"
    )]
    Quota {
        /// The server.
        server: String,
        /// What it said.
        said: String,
    },
    /// The server refuses a command.
    #[error(
        "mailbox server {server}: {command} was refused ({said}); try later, or ask the provider"
    )]
    Refused {
        /// The server.
        server: String,
        /// What it was asked for.
        command: &'static str,
        /// What it said.
        said: String,
        /// Whether the folder is missing.
        missing: bool,
    },
}

/// The folders that matter to Kith.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// `INBOX`.
    Inbox,
    /// `Kith`.
    Kith,
    /// `Kith/Refused`.
    Refused,
}

/// How far a folder has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// UIDVALIDITY: UIDs of another validity mean nothing.
    pub validity: u32,
    /// UIDNEXT: the next mail has this UID or a higher one.
    pub next: Option<u32>,
    /// How many mails there are; not known from STATUS.
    pub exists: u32,
}

/// What the server can do.
#[derive(Debug, Clone, Copy, Default)]
struct Abilities {
    moves: bool,
    uidplus: bool,
    idle: bool,
    namespace: bool,
}

/// A connection, logged in.
pub struct Mailbox {
    gate: Arc<dyn Gate>,
    session: Session<Stream>,
    server: String,
    abilities: Abilities,
    names: Names,
    present: BTreeSet<Folder>,
    selected: Option<Folder>,
    /// Whether the server said that something is new since the last SELECT.
    stirred: bool,
}

impl Mailbox {
    /// Connects, logs in, and asks how the server names folders.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn open(
        dialer: &Dialer,
        account: &Account,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, MailboxError> {
        let server = account.mailbox.to_string();
        let stream = dialer.dial(&account.mailbox, Protocol::Imap).await?;
        let session = login::login(stream, account, &server).await?;
        let mut mailbox = Self {
            gate,
            session,
            server,
            abilities: Abilities::default(),
            names: Names::default(),
            present: BTreeSet::from([Folder::Inbox]),
            selected: None,
            stirred: false,
        };
        mailbox.abilities = mailbox.capabilities().await?;
        mailbox.names = mailbox.ask_names().await?;
        Ok(mailbox)
    }

    /// Whether the server can tell of new mail by itself (RFC 2177).
    #[must_use]
    pub fn can_idle(&self) -> bool {
        self.abilities.idle
    }

    /// Whether mail can be taken out of a folder without harm to other mail.
    #[must_use]
    pub fn can_move(&self) -> bool {
        implements!(req::FILE_NO_MOVE);
        let careful = self.gate.enforces(&req::FILE_NO_MOVE);
        self.abilities.moves || self.abilities.uidplus || !careful
    }

    /// The name of a folder at this server.
    #[must_use]
    pub fn name(&self, folder: Folder) -> String {
        self.names.of(folder)
    }

    fn lost(&self, reason: &dyn std::fmt::Display) -> MailboxError {
        MailboxError::Lost {
            server: self.server.clone(),
            reason: shown(&reason.to_string()),
        }
    }

    /// Sends a command and hands every answer to `take`.
    async fn command(
        &mut self,
        command: &str,
        take: impl FnMut(&Response<'_>),
    ) -> Result<(), MailboxError> {
        self.command_with(command, None, take).await
    }

    /// The same for a command that ends with a literal.
    async fn command_with(
        &mut self,
        command: &str,
        mut literal: Option<&[u8]>,
        mut take: impl FnMut(&Response<'_>),
    ) -> Result<(), MailboxError> {
        let id = self
            .session
            .run_command(command)
            .await
            .map_err(|error| self.lost(&error))?;
        loop {
            let answer = self
                .session
                .read_response()
                .await
                .map_err(|error| self.lost(&error))?;
            let answer = answer.ok_or_else(|| self.lost(&"the server closed the connection"))?;
            take(answer.parsed());
            match answer.parsed() {
                Response::Done {
                    tag,
                    status,
                    outcome,
                    ..
                } if *tag == id => {
                    let said = outcome.information.as_deref().unwrap_or_default();
                    return self.verdict(command, status, outcome.code.as_ref(), said);
                }
                Response::Data {
                    status: Status::Bye,
                    outcome,
                } => {
                    let said = outcome.information.as_deref().unwrap_or_default();
                    return Err(self.lost(&format!("the server said goodbye: {said}")));
                }
                Response::Continue { .. } => {
                    if let Some(literal) = literal.take() {
                        let sent = self.send_literal(literal).await;
                        sent.map_err(|error| self.lost(&error))?;
                    }
                }
                Response::MailboxData(MailboxDatum::Exists(_)) => self.stirred = true,
                _ => {}
            }
        }
    }

    async fn send_literal(&mut self, literal: &[u8]) -> std::io::Result<()> {
        let stream = self.session.get_mut();
        stream.write_all(literal).await?;
        stream.write_all(b"\r\n").await?;
        stream.flush().await
    }

    fn verdict(
        &self,
        command: &str,
        status: &Status,
        code: Option<&ResponseCode<'_>>,
        said: &str,
    ) -> Result<(), MailboxError> {
        if *status == Status::Ok {
            return Ok(());
        }
        let (server, said) = (self.server.clone(), shown(said));
        let full = |text: &str| text.to_ascii_uppercase().contains("QUOTA");
        if full(&said) {
            return Err(MailboxError::Quota { server, said });
        }
        let command = DEEDS
            .iter()
            .find_map(|(name, deed)| command.starts_with(name).then_some(*deed));
        let command = command.unwrap_or("a command");
        let missing = matches!(code, Some(ResponseCode::TryCreate));
        Err(MailboxError::Refused {
            server,
            command,
            said,
            missing,
        })
    }

    fn refused(&self, command: &'static str, said: String) -> MailboxError {
        MailboxError::Refused {
            server: self.server.clone(),
            command,
            said,
            missing: false,
        }
    }

    async fn capabilities(&mut self) -> Result<Abilities, MailboxError> {
        use async_imap::imap_proto::Capability;
        let mut abilities = Abilities::default();
        self.command("CAPABILITY", |answer| {
            let Response::Capabilities(all) = answer else {
                return;
            };
            for capability in all {
                let Capability::Atom(name) = capability else {
                    continue;
                };
                match name.to_ascii_uppercase().as_str() {
                    "MOVE" => abilities.moves = true,
                    "UIDPLUS" => abilities.uidplus = true,
                    "IDLE" => abilities.idle = true,
                    "NAMESPACE" => abilities.namespace = true,
                    _ => {}
                }
            }
        })
        .await?;
        Ok(abilities)
    }

    /// Whether a folder is there.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn has(&mut self, folder: Folder) -> Result<bool, MailboxError> {
        if self.present.contains(&folder) {
            return Ok(true);
        }
        let mut found = false;
        self.command(&format!("LIST \"\" {}", names::quoted(&self.name(folder))), |answer| {
            let Response::MailboxData(MailboxDatum::List(list)) = answer else { return };
            use async_imap::imap_proto::NameAttribute;
            found |= !list.name_attributes.contains(&NameAttribute::NoSelect)
                && !list
                    .name_attributes
                    .iter()
                    .any(|a| matches!(a, NameAttribute::Extension(n) if n.eq_ignore_ascii_case("\\NonExistent")));
        })
        .await?;
        if found {
            self.present.insert(folder);
        }
        Ok(found)
    }

    /// Makes a folder that is missing.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn ensure(&mut self, folder: Folder) -> Result<(), MailboxError> {
        if folder == Folder::Refused && !self.has(Folder::Kith).await? {
            self.create(Folder::Kith).await?;
        }
        if !self.has(folder).await? {
            self.create(folder).await?;
        }
        Ok(())
    }

    async fn create(&mut self, folder: Folder) -> Result<(), MailboxError> {
        let name = names::quoted(&self.name(folder));
        let created = self.command(&format!("CREATE {name}"), |_| {}).await;
        // Another device may have been faster.
        if created.is_err() && !self.has(folder).await? {
            return created;
        }
        self.present.insert(folder);
        // So that it shows in ordinary mail programs; some servers don't know subscriptions.
        match self.command(&format!("SUBSCRIBE {name}"), |_| {}).await {
            Err(error @ MailboxError::Lost { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes a folder that holds nothing any more.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn remove(&mut self, folder: Folder) -> Result<(), MailboxError> {
        let name = names::quoted(&self.name(folder));
        // Some servers don't delete the folder that is selected.
        self.select(Folder::Inbox).await?;
        self.present.remove(&folder);
        if let Err(error @ MailboxError::Lost { .. }) =
            self.command(&format!("UNSUBSCRIBE {name}"), |_| {}).await
        {
            return Err(error);
        }
        self.command(&format!("DELETE {name}"), |_| {}).await
    }

    /// Selects a folder for reading and filing.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn select(&mut self, folder: Folder) -> Result<Position, MailboxError> {
        let mut position = Position::default();
        let command = format!("SELECT {}", names::quoted(&self.name(folder)));
        self.selected = None;
        self.command(&command, |answer| match answer {
            Response::MailboxData(MailboxDatum::Exists(exists)) => position.exists = *exists,
            Response::Data { outcome, .. } => match outcome.code {
                Some(ResponseCode::UidValidity(validity)) => position.validity = validity,
                Some(ResponseCode::UidNext(next)) => position.next = Some(next),
                _ => {}
            },
            _ => {}
        })
        .await?;
        self.selected = Some(folder);
        self.stirred = false;
        Ok(position)
    }

    /// How far a folder has grown, without selecting it.
    ///
    /// # Errors
    ///
    /// [`MailboxError`].
    pub async fn status(&mut self, folder: Folder) -> Result<Position, MailboxError> {
        let mut position = Position::default();
        let name = names::quoted(&self.name(folder));
        self.command(&format!("STATUS {name} (UIDNEXT UIDVALIDITY)"), |answer| {
            let Response::MailboxData(MailboxDatum::Status { status, .. }) = answer else {
                return;
            };
            for attribute in status {
                match attribute {
                    StatusAttribute::UidNext(next) => position.next = Some(*next),
                    StatusAttribute::UidValidity(validity) => position.validity = *validity,
                    _ => {}
                }
            }
        })
        .await?;
        Ok(position)
    }

    /// Waits until INBOX, which must be selected, changes, or the time is over.
    ///
    /// # Errors
    ///
    /// [`MailboxError`]; the connection is gone then.
    pub async fn wait(mut self, most: Duration) -> Result<Self, MailboxError> {
        // What came while the last mails were judged would otherwise wait for the next one.
        self.command("NOOP", |_| {}).await?;
        if self.stirred {
            return Ok(self);
        }
        let server = self.server.clone();
        let lost = |error: async_imap::error::Error| MailboxError::Lost {
            server: server.clone(),
            reason: shown(&error.to_string()),
        };
        let patience = self.session.get_mut().set_patience(None);
        let mut idle = self.session.idle();
        idle.init().await.map_err(lost)?;
        {
            let (changed, _interrupt) = idle.wait_with_timeout(most);
            changed.await.map_err(lost)?;
        }
        idle.as_mut().set_patience(patience);
        self.session = idle.done().await.map_err(lost)?;
        Ok(self)
    }

    /// Takes leave of the server.
    pub async fn close(mut self) {
        // Nothing depends on the answer.
        let _ = tokio::time::timeout(FAREWELL, self.command("LOGOUT", |_| {})).await;
    }
}

fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}
