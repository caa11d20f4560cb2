//! The reference agent behind the adapter protocol.
//!
//! The program `kith-conform` starts itself again as a child that runs [`serve`]; broken agents
//! do the same with another gate. The agent talks to the mail servers by itself, as `kith` does.

mod act;
mod convert;
mod session;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use kith_adapter::act::{Act, ActResult, Action};
use kith_adapter::protocol::{
    About, Class, Clock, Close, Closed, Extent, Failure, KeyKind, Open, Opened, Receive, Received,
    Store as Where, Sync, Synced,
};
use kith_adapter::server::{Adapter, ServeError};
use kith_adapter::view::{View, ViewResult};
use kith_agent::Store;
use kith_core::{Gate, Strict};

use session::Session;

/// The reference agent as an adapter.
pub struct Reference {
    gate: Arc<dyn Gate>,
    sessions: BTreeMap<u32, Session>,
    kept: BTreeMap<String, Kept>,
    opened: u32,
}

/// What a closed device leaves for its next start.
struct Kept {
    store: Store,
}

/// Serves the adapter protocol on standard input and output.
///
/// # Errors
///
/// When the connection to the harness breaks.
pub async fn serve(gate: Arc<dyn Gate>) -> Result<(), ServeError> {
    let adapter = Reference::new(gate);
    let (input, output) = kith_adapter::server::stdio();
    kith_adapter::server::serve(input, output, adapter).await
}

/// Serves the reference agent as it is, with every requirement enforced.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_strict() -> Result<(), ServeError> {
    serve(Arc::new(Strict)).await
}

impl Reference {
    /// The agent with this gate.
    pub fn new(gate: Arc<dyn Gate>) -> Self {
        Self {
            gate,
            sessions: BTreeMap::new(),
            kept: BTreeMap::new(),
            opened: 0,
        }
    }

    fn session(&mut self, id: u32) -> Result<&mut Session, Failure> {
        let unknown = || Failure::InvalidParams(format!("there is no session {id}"));
        self.sessions.get_mut(&id).ok_or_else(unknown)
    }
}

impl Adapter for Reference {
    async fn hello(&mut self) -> Result<About, Failure> {
        let full = [
            Class::Core,
            Class::Social,
            Class::Groups,
            Class::Events,
            Class::Mailbox,
            Class::Pq,
        ];
        let partial = [Class::Pages, Class::Apps, Class::Devices];
        Ok(About {
            name: "Kith reference agent".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: "Rust".to_owned(),
            homepage: None,
            issues: None,
            spec: vec!["1.0".to_owned()],
            classes: full
                .into_iter()
                .map(|class| (class, Extent::Full))
                .chain(partial.into_iter().map(|class| (class, Extent::Partial)))
                .collect(),
            clock: Clock::Set,
            keys: vec![KeyKind::V4, KeyKind::V6, KeyKind::Pq],
            can_import: true,
            errors: BTreeMap::new(),
        })
    }

    async fn open(&mut self, open: Open) -> Result<Opened, Failure> {
        let store = match &open.store {
            Where::Empty => Store::memory().map_err(convert::internal)?,
            Where::Kept(token) => {
                let kept = self.kept.remove(token);
                kept.ok_or_else(|| Failure::Refused(format!("there is no kept store {token}")))?
                    .store
            }
            Where::Export(_) => Store::memory().map_err(convert::internal)?,
        };
        if open.durable {
            return Err(Failure::Unsupported("durable".to_owned()));
        }
        let (session, opened) = Session::open(self.gate.clone(), store, &open)?;
        self.opened += 1;
        self.sessions.insert(self.opened, session);
        Ok(Opened {
            session: self.opened,
            ..opened
        })
    }

    async fn sync(&mut self, sync: Sync) -> Result<Synced, Failure> {
        self.session(sync.session)?
            .sync(convert::seconds(sync.now))
            .await
    }

    async fn act(&mut self, act: Act) -> Result<ActResult, Failure> {
        let now = convert::seconds(act.now);
        if let Action::Adopt(adopt) = &act.action {
            return self.session(act.session)?.adopt(now, adopt);
        }
        match &act.action {
            Action::Export(export) => self.session(act.session)?.export(now, export),
            Action::ExportReadable(_) => self.session(act.session)?.export_readable(now),
            Action::Import(import) => self.session(act.session)?.import(now, import),
            Action::CalendarExport(_) => self.session(act.session)?.calendar(now),
            Action::CalendarImport(import) => {
                let session = self.session(act.session)?;
                session.make_events(now, &import.calendar)
            }
            Action::RestoreMailbox(_) => self.session(act.session)?.restore(now).await,
            action => {
                let action = act::action(action)?;
                self.session(act.session)?.act(now, action)
            }
        }
    }

    async fn view(&mut self, view: View) -> Result<ViewResult, Failure> {
        view::show(self.session(view.session)?, &view.query)
    }

    async fn receive(&mut self, receive: Receive) -> Result<Received, Failure> {
        self.session(receive.session)?.receive(&receive)
    }

    async fn close(&mut self, close: Close) -> Result<Closed, Failure> {
        let unknown = || Failure::InvalidParams(format!("there is no session {}", close.session));
        let session = self.sessions.remove(&close.session).ok_or_else(unknown)?;
        let store = session.close().await;
        if !close.keep {
            return Ok(Closed::default());
        }
        let token = format!("store-{}", close.session);
        self.kept.insert(token.clone(), Kept { store });
        Ok(Closed { kept: Some(token) })
    }

    async fn bye(&mut self) -> Result<(), Failure> {
        self.sessions.clear();
        Ok(())
    }
}
