//! The gate and the adapter of an agent with one fault.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use kith_adapter::act::{Act, ActResult, Action};
use kith_adapter::protocol::{
    About, Close, Closed, Empty, Failure, Mode, Open, Opened, Receive, Received, Session, Store,
    Sync, Synced,
};
use kith_adapter::server::Adapter;
use kith_adapter::view::{Query, View, ViewResult};
use kith_adapter_reference::Reference;
use kith_core::agent::outbox::Posted;
use kith_core::agent::outgoing::Outgoing;
use kith_core::{Gate, Violation};
use kith_spec::{Outcome, Rule};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::catalogue::{Fault, Sabotage};
use crate::mail;

/// What stands before the addresses to which mail went, among what a fault remembers.
pub(crate) const SENT_TO: &str = "sent to ";

/// A gate with one fault, and what it remembers from one time to the next.
pub(crate) struct Broken {
    fault: Fault,
    heard: Mutex<Vec<String>>,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        let heard = Mutex::default();
        Self { fault, heard }
    }

    fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock();
        heard.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget(&self) {
        let heard = self.heard.lock();
        heard.unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn hear(&self, more: impl IntoIterator<Item = String>) {
        let heard = self.heard.lock();
        heard.unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    /// Remembers what the fault wants to know of a mail.
    fn listen(&self, mail: &[u8]) {
        if let Sabotage::Believe { hears, .. }
        | Sabotage::Meddle { hears, .. }
        | Sabotage::Post { hears, .. } = self.fault.sabotage
        {
            self.hear(hears(&mail::readable(mail)));
        }
    }
}

impl Gate for Broken {
    fn enforces(&self, rule: Rule) -> bool {
        self.fault.enforces(rule)
    }

    fn document(&self, octets: &mut Vec<u8>) {
        if let Sabotage::Document(change) = self.fault.sabotage
            && let Some(changed) = std::str::from_utf8(octets).ok().and_then(change)
        {
            *octets = changed.into_bytes();
        }
    }

    fn rewrite(&self, outgoing: &mut Outgoing) {
        match self.fault.sabotage {
            Sabotage::Rewrite(rewrite) => rewrite(outgoing),
            Sabotage::Leak(_) => {
                for leaked in self.heard() {
                    outgoing.fallback.push_str(&format!("\n({leaked})"));
                }
            }
            _ => {}
        }
    }

    fn post(&self, posted: Posted) -> Vec<Posted> {
        let Sabotage::Post { posts, .. } = self.fault.sabotage else {
            return vec![posted];
        };
        let to: Vec<_> = posted
            .to
            .iter()
            .map(|to| format!("{SENT_TO}{to}"))
            .collect();
        let changed = posts(posted, &self.heard());
        self.hear(to);
        changed
    }

    fn arrive<'a>(&self, mail: &'a [u8]) -> Cow<'a, [u8]> {
        let text = String::from_utf8_lossy(mail);
        if !mail::is_sealed(&text) {
            self.listen(mail);
        }
        match self.fault.sabotage {
            Sabotage::Lose(loses) if loses(&text) => Cow::Borrowed(b""),
            _ => Cow::Borrowed(mail),
        }
    }

    fn opens(&self, payload: &[u8]) -> bool {
        self.listen(payload);
        match self.fault.sabotage {
            Sabotage::LoseSealed(loses) => !loses(&mail::readable(payload)),
            _ => true,
        }
    }

    fn outcome(&self, violation: Violation) -> Outcome {
        match self.fault.sabotage {
            Sabotage::Shrug if violation.0 == self.fault.requirement => Outcome::Ignore,
            _ => violation.outcome(),
        }
    }
}

/// The reference agent behind a gate with a fault, which shows and does wrong things too.
pub(crate) struct Driven {
    agent: Reference,
    broken: Arc<Broken>,
    /// What was done unasked: each thing once.
    done: BTreeSet<String>,
    /// The sessions that started from an export.
    imported: BTreeSet<Session>,
    /// Where a mailbox is that is reached by STARTTLS, and the command that logs in there.
    mailbox: Option<(SocketAddr, String)>,
}

impl Driven {
    pub(crate) fn new(broken: Broken) -> Self {
        let broken = Arc::new(broken);
        Self {
            agent: Reference::new(broken.clone()),
            broken,
            done: BTreeSet::new(),
            imported: BTreeSet::new(),
            mailbox: None,
        }
    }

    fn sabotage(&self) -> Sabotage {
        self.broken.fault.sabotage.clone()
    }

    /// What a view shows, without any fault.
    async fn look(&mut self, session: Session, what: &str) -> Vec<Value> {
        let query: Result<Query, _> = serde_json::from_value(json!({ "what": what }));
        let Ok(query) = query else { return Vec::new() };
        let seen = self.agent.view(View { session, query }).await;
        let seen = seen.ok().and_then(|seen| serde_json::to_value(seen).ok());
        items(seen.unwrap_or_default())
    }

    async fn surroundings(&mut self, session: Session) -> Surroundings {
        Surroundings {
            friends: self.look(session, "friends").await,
            groups: self.look(session, "groups").await,
            introductions: self.look(session, "introductions").await,
            timeline: self.look(session, "timeline").await,
            heard: self.broken.heard(),
        }
    }

    /// Does what nobody asked for, each thing once.
    async fn meddle(&mut self, session: Session, now: Value) {
        let Sabotage::Meddle { does, .. } = self.sabotage() else {
            return;
        };
        for action in does(&self.surroundings(session).await) {
            if self.done.insert(action.to_string())
                && let Ok(act) = asked(session, &now, action)
            {
                // What can't be done is left.
                let _ = self.agent.act(act).await;
            }
        }
    }

    async fn instead(&mut self, act: Act, change: Change) -> Result<ActResult, Failure> {
        let (session, action) = (act.session, value(&act.action)?);
        let now = value(&act.now)?;
        let surroundings = self.surroundings(session).await;
        let mut result = None;
        for action in change(action, &surroundings) {
            let done = self.agent.act(asked(session, &now, action)?).await;
            // What can't be done besides is left.
            if result.is_none() {
                result = Some(done?);
            }
        }
        Ok(result.unwrap_or_else(|| nothing(&act.action)))
    }

    async fn answer(
        &mut self,
        act: Act,
        change: fn(&Value, &mut Value),
    ) -> Result<ActResult, Failure> {
        let action = act.action.clone();
        let result = self.agent.act(act).await?;
        let mut changed = value(&result)?;
        change(&value(&action)?, &mut changed);
        Ok(action.read_result(changed).unwrap_or(result))
    }
}

/// Logs in without TLS, with this command.
async fn log_in(at: SocketAddr, login: &str) -> std::io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(at).await?);
    stream.write_all(login.as_bytes()).await?;
    stream.flush().await?;
    let mut lines = stream.lines();
    // The greeting comes first.
    while let Some(line) = lines.next_line().await? {
        if line.starts_with("x ") {
            break;
        }
    }
    Ok(())
}

/// What a fault may look at before it does something else.
pub(crate) struct Surroundings {
    pub(crate) friends: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    pub(crate) introductions: Vec<Value>,
    pub(crate) timeline: Vec<Value>,
    /// What was heard from mail.
    pub(crate) heard: Vec<String>,
}

/// The result of an action that was not done.
fn nothing(action: &Action) -> ActResult {
    let made_up = action.read_result(json!({"id": "0".repeat(32)}));
    made_up.unwrap_or(ActResult::Empty(Empty {}))
}

/// What is done instead of an action.
pub(crate) type Change = fn(Value, &Surroundings) -> Vec<Value>;

fn value(of: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(of).map_err(|error| Failure::Refused(error.to_string()))
}

/// An action as the user's.
fn asked(session: Session, now: &Value, action: Value) -> Result<Act, Failure> {
    let action: Result<Action, _> = serde_json::from_value(action);
    let now = serde_json::from_value(now.clone());
    let unfit = |error: serde_json::Error| Failure::Refused(error.to_string());
    Ok(Act {
        session,
        now: now.map_err(unfit)?,
        action: action.map_err(unfit)?,
    })
}

fn items(result: Value) -> Vec<Value> {
    match result {
        Value::Object(mut result) => match result.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

impl Adapter for Driven {
    async fn hello(&mut self) -> Result<About, Failure> {
        self.agent.hello().await
    }

    async fn open(&mut self, open: Open) -> Result<Opened, Failure> {
        let imported = matches!(open.store, Store::Export(_));
        if open.store == Store::Empty {
            // Another case begins.
            self.broken.forget();
            self.done.clear();
        }
        let open = match self.sabotage() {
            Sabotage::Open(change) => {
                let changed = change(value(&open)?);
                serde_json::from_value(changed)
                    .map_err(|error| Failure::Refused(error.to_string()))?
            }
            _ => open,
        };
        let now = value(&open.now)?;
        self.mailbox = (open.mailbox.mode == Mode::Starttls).then(|| {
            let user = open.user.as_ref().unwrap_or(&open.person.address);
            let login = format!("x LOGIN {user} {}\r\n", open.password);
            ((open.mailbox.connect, open.mailbox.port).into(), login)
        });
        let opened = self.agent.open(open).await?;
        if imported {
            self.imported.insert(opened.session);
        }
        self.meddle(opened.session, now).await;
        Ok(opened)
    }

    async fn sync(&mut self, sync: Sync) -> Result<Synced, Failure> {
        let (session, now) = (sync.session, value(&sync.now)?);
        let synced = self.agent.sync(sync).await;
        if let (Sabotage::Plain, Some((at, login))) = (self.sabotage(), &self.mailbox) {
            // Whether anybody listens is no matter.
            let _ = log_in(*at, login).await;
        }
        if matches!(self.sabotage(), Sabotage::Quiet) {
            let quiet = Synced {
                fetched: 0,
                sent: 0,
                next_due: None,
                problems: Vec::new(),
            };
            return Ok(synced.map_or(quiet, |synced| Synced {
                problems: Vec::new(),
                ..synced
            }));
        }
        let synced = synced?;
        self.meddle(session, now).await;
        Ok(synced)
    }

    async fn act(&mut self, act: Act) -> Result<ActResult, Failure> {
        match self.sabotage() {
            Sabotage::Leak(hears) => {
                self.broken.hear(hears(&value(&act.action)?));
                self.agent.act(act).await
            }
            Sabotage::Instead(change) => self.instead(act, change).await,
            Sabotage::Return(change) => self.answer(act, change).await,
            Sabotage::Idle(idle) if idle.contains(&act.action.name()) => Ok(nothing(&act.action)),
            _ => self.agent.act(act).await,
        }
    }

    async fn view(&mut self, view: View) -> Result<ViewResult, Failure> {
        let (what, query) = (view.query.name(), view.query.clone());
        let imported = self.imported.contains(&view.session);
        let seen = self.agent.view(view).await?;
        let show = match self.sabotage() {
            Sabotage::Show(show) => show,
            Sabotage::Believe { shows, .. } => shows,
            Sabotage::ShowImported(show) if imported => show,
            _ => return Ok(seen),
        };
        let mut items = items(value(&seen)?);
        show(what, &mut items, &self.broken.heard());
        let shown = query.read_result(json!({ "items": items }));
        Ok(shown.unwrap_or(seen))
    }

    async fn receive(&mut self, receive: Receive) -> Result<Received, Failure> {
        self.agent.receive(receive).await
    }

    async fn close(&mut self, close: Close) -> Result<Closed, Failure> {
        self.agent.close(close).await
    }

    async fn bye(&mut self) -> Result<(), Failure> {
        self.agent.bye().await
    }
}
