//! Mailbox access: IMAP4rev1 (RFC 3501) with the extensions that [`crate::ImapCapabilities`] lists.
//!
//! imap-codec reads the commands; the replies are written by hand, which is what faults need.
//! Each session has its own view of the selected folder ([`view::Selected`]) and is brought up to
//! date at the moments when RFC 3501 section 7 allows it.

mod address;
mod command;
mod envelope;
mod fetch;
mod folders;
mod idle;
mod list;
mod login;
mod messages;
mod search;
mod section;
mod select;
mod store;
mod structure;
mod view;

use std::io;
use std::sync::Arc;

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::command::{Command, CommandBody};

use crate::connection::Connection;
use crate::faults::ImapAction;
use crate::server::Shared;
use crate::world::{Folder, World};
use command::Framed;
use view::Selected;

/// How a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    /// Say what is left to say, then close.
    Close,
    /// Close without a word.
    Drop,
}

/// The tagged status response.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    text: String,
}

impl Answer {
    fn ok(text: impl Into<String>) -> Self {
        Self {
            status: "OK",
            text: text.into(),
        }
    }

    fn no(text: impl Into<String>) -> Self {
        Self {
            status: "NO",
            text: text.into(),
        }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self {
            status: "BAD",
            text: text.into(),
        }
    }
}

/// A refusal is an answer too, so that `?` can give it.
type Answered = Result<Answer, Answer>;

struct Session {
    shared: Arc<Shared>,
    connection: Connection,
    /// The key of the account that logged in.
    account: Option<String>,
    selected: Option<Selected>,
    /// The client has shown that it understands MODSEQ (RFC 7162 section 3.1).
    condstore: bool,
}

/// Runs a session to its end.
pub(crate) async fn serve(shared: Arc<Shared>, connection: Connection) {
    let mut session = Session {
        shared,
        connection,
        account: None,
        selected: None,
        condstore: false,
    };
    match session.run().await {
        Ok(Flow::Drop) => session.connection.log.note("dropped by a fault"),
        Ok(_) => session.connection.close().await,
        Err(error) => session.connection.log.note(&format!("lost: {error}")),
    }
}

impl Session {
    async fn run(&mut self) -> io::Result<Flow> {
        let greeting = format!("* OK [CAPABILITY {}] Ready\r\n", self.capabilities());
        self.connection.put(greeting.as_bytes());
        loop {
            let flow = match self.read_command().await? {
                Framed::Eof => return Ok(Flow::Close),
                Framed::Refused => Flow::Continue,
                Framed::Hopeless => Flow::Close,
                Framed::Command(octets) => self.handle(&octets).await?,
            };
            if flow != Flow::Continue {
                return Ok(flow);
            }
        }
    }

    async fn handle(&mut self, octets: &[u8]) -> io::Result<Flow> {
        let tag = command::tag(octets);
        let Ok(([], Command { body, .. })) = CommandCodec::default().decode(octets) else {
            self.tagged(&tag, &Answer::bad("This command cannot be understood"));
            return Ok(Flow::Continue);
        };
        let mut carry_out_then_drop = false;
        match self.shared.faults.imap(body.name(), &self.concerned(&body)) {
            None => (),
            Some(ImapAction::Drop) => return Ok(Flow::Drop),
            Some(ImapAction::No(text)) => {
                self.tagged(&tag, &Answer::no(text));
                return Ok(Flow::Continue);
            }
            Some(ImapAction::Bad(text)) => {
                self.tagged(&tag, &Answer::bad(text));
                return Ok(Flow::Continue);
            }
            Some(ImapAction::CarryOutThenDrop) => carry_out_then_drop = true,
            Some(ImapAction::MovedBefore) => self.moved_before(&body),
            Some(ImapAction::Delay(time)) => tokio::time::sleep(time).await,
        }
        let flow = self.dispatch(&tag, body).await?;
        Ok(if carry_out_then_drop {
            Flow::Drop
        } else {
            flow
        })
    }

    /// The account that an address filter of a fault is compared with.
    fn concerned(&self, body: &CommandBody<'_>) -> String {
        match (&self.account, body) {
            (Some(account), _) => account.clone(),
            (None, CommandBody::Login { username, .. }) => {
                String::from_utf8_lossy(username.as_ref()).into_owned()
            }
            (
                None,
                CommandBody::Authenticate {
                    mechanism,
                    initial_response: Some(response),
                },
            ) => login::user_in(mechanism, response.declassify()),
            _ => String::new(),
        }
    }

    /// Commands that converse with the client, and all others.
    async fn dispatch(&mut self, tag: &str, body: CommandBody<'_>) -> io::Result<Flow> {
        match body {
            CommandBody::StartTLS => self.start_tls(tag).await,
            CommandBody::Authenticate {
                mechanism,
                initial_response,
            } => {
                let initial = initial_response.map(|secret| secret.declassify().to_vec());
                self.authenticate(tag, &mechanism, initial).await
            }
            CommandBody::Idle => self.idle(tag).await,
            CommandBody::Logout => {
                self.connection.put(b"* BYE Logging out\r\n");
                self.tagged(tag, &Answer::ok("Logout completed"));
                Ok(Flow::Close)
            }
            body => {
                let expunges = expunges_allowed(&body);
                let mut out = Vec::new();
                let answer = self
                    .execute(body, &mut out)
                    .unwrap_or_else(|refusal| refusal);
                self.connection.put(&out);
                Ok(self.finish(tag, &answer, expunges))
            }
        }
    }

    /// Brings the client up to date and ends the command.
    fn finish(&mut self, tag: &str, answer: &Answer, expunges: bool) -> Flow {
        let mut out = Vec::new();
        let there = self.update(&mut out, expunges);
        self.connection.put(&out);
        self.tagged(tag, answer);
        if there {
            return Flow::Continue;
        }
        self.connection
            .put(b"* BYE The selected mailbox has gone\r\n");
        Flow::Close
    }

    /// Tells the client what has changed in the selected folder. False if the folder has gone.
    fn update(&mut self, out: &mut Vec<u8>, expunges: bool) -> bool {
        let (Some(selected), Some(account)) = (&mut self.selected, &self.account) else {
            return true;
        };
        let mut world = self.shared.world();
        let folder = folder_by_id(&mut world, account, selected.folder);
        let there = folder.map(|folder| selected.update(folder, out, expunges, self.condstore));
        there.is_some()
    }

    fn tagged(&mut self, tag: &str, answer: &Answer) {
        let line = format!("{tag} {} {}\r\n", answer.status, answer.text);
        self.connection.put(line.as_bytes());
    }

    /// Commands that are answered at once.
    fn execute(&mut self, body: CommandBody<'_>, out: &mut Vec<u8>) -> Answered {
        match body {
            CommandBody::Capability => {
                let line = format!("* CAPABILITY {}\r\n", self.capabilities());
                out.extend_from_slice(line.as_bytes());
                Ok(Answer::ok("Capability completed"))
            }
            CommandBody::Noop => Ok(Answer::ok("Noop completed")),
            CommandBody::Id { .. } => self.id(out),
            CommandBody::Login { username, password } => {
                self.login(username.as_ref(), password.declassify().as_ref())
            }
            body if self.account.is_some() => self.execute_authenticated(body, out),
            _ => Err(Answer::bad("Log in first")),
        }
    }

    fn execute_authenticated(&mut self, body: CommandBody<'_>, out: &mut Vec<u8>) -> Answered {
        match body {
            CommandBody::Enable { capabilities } => self.enable(capabilities.as_ref(), out),
            CommandBody::Namespace => self.namespace(out),
            CommandBody::Select {
                mailbox,
                parameters,
            } => self.select(&mailbox, &parameters, false, out),
            CommandBody::Examine {
                mailbox,
                parameters,
            } => self.select(&mailbox, &parameters, true, out),
            CommandBody::Create { mailbox } => self.create(&mailbox),
            CommandBody::Delete { mailbox } => self.delete(&mailbox),
            CommandBody::Rename { from, to } => self.rename(&from, &to),
            CommandBody::Subscribe { mailbox } => self.subscribe(&mailbox, true),
            CommandBody::Unsubscribe { mailbox } => self.subscribe(&mailbox, false),
            CommandBody::List {
                reference,
                mailbox_wildcard,
            } => self.list(&reference, &mailbox_wildcard, out),
            CommandBody::Lsub {
                reference,
                mailbox_wildcard,
            } => self.lsub(&reference, &mailbox_wildcard, out),
            CommandBody::Status {
                mailbox,
                item_names,
            } => self.status(&mailbox, &item_names, out),
            CommandBody::Append {
                mailbox,
                flags,
                date,
                message,
            } => self.append(&mailbox, &flags, date, &message),
            body if self.selected.is_some() => self.execute_selected(body, out),
            _ => Err(Answer::bad("Select a mailbox first, or not offered here")),
        }
    }

    fn execute_selected(&mut self, body: CommandBody<'_>, out: &mut Vec<u8>) -> Answered {
        match body {
            CommandBody::Check => Ok(Answer::ok("Check completed")),
            CommandBody::Close => self.close(),
            CommandBody::Unselect => self.unselect(),
            CommandBody::Expunge => self.expunge(None),
            CommandBody::ExpungeUid { sequence_set } => self.expunge(Some(&sequence_set)),
            CommandBody::Search {
                charset,
                criteria,
                uid,
            } => self.search(charset.as_ref(), criteria.as_ref(), uid, out),
            CommandBody::Fetch {
                sequence_set,
                macro_or_item_names,
                uid,
                modifiers,
            } => self.fetch(&sequence_set, macro_or_item_names, uid, &modifiers, out),
            CommandBody::Store {
                sequence_set,
                kind,
                response,
                flags,
                uid,
                modifiers,
            } => {
                let change = store::Change {
                    kind,
                    silent: response == imap_codec::imap_types::flag::StoreResponse::Silent,
                    flags: &flags,
                    unchanged_since: store::unchanged_since(&modifiers),
                };
                self.store(&sequence_set, &change, uid, out)
            }
            CommandBody::Copy {
                sequence_set,
                mailbox,
                uid,
            } => self.copy(&sequence_set, &mailbox, uid),
            CommandBody::Move {
                sequence_set,
                mailbox,
                uid,
            } => self.move_(&sequence_set, &mailbox, uid, out),
            _ => Err(Answer::bad("Not offered here")),
        }
    }
}

/// EXPUNGE may not be sent in answer to FETCH, STORE and SEARCH with sequence numbers
/// (RFC 3501 section 7.4.1).
fn expunges_allowed(body: &CommandBody<'_>) -> bool {
    !matches!(
        body,
        CommandBody::Fetch { uid: false, .. }
            | CommandBody::Store { uid: false, .. }
            | CommandBody::Search { uid: false, .. }
    )
}

fn folder_by_id<'a>(world: &'a mut World, account: &str, id: u64) -> Option<&'a mut Folder> {
    world.accounts.get_mut(account)?.folder_by_id(id)
}
