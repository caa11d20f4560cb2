//! A good adapter, without an implementation behind it.

use std::collections::{BTreeMap, BTreeSet};

use kith_adapter::{
    Adapter,
    act::{Act, ActResult, Action, Created, Invited},
    protocol::{
        About, Class, Clock, Close, Closed, Empty, Extent, Failure, Hash, Identity, KeyKind,
        ObjectId, ObjectOutcome, Open, Opened, Outcome, Receive, Received, Session, Store, Sync,
        Synced,
    },
    server::ServeError,
    view::{Query, View, ViewResult, relation::Friend},
};
use serde_json::{Value, json};

/// Serves one harness, over TCP after saying where.
pub(super) async fn serve(tcp: bool) -> Result<(), ServeError> {
    if !tcp {
        return kith_adapter::serve(tokio::io::stdin(), tokio::io::stdout(), Good::default()).await;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (mut stream, _) = listener.accept().await?;
    let (reader, writer) = stream.split();
    kith_adapter::serve(reader, writer, Good::default()).await
}

/// A `hello` result, as JSON.
pub(super) fn about() -> Value {
    json!({
        "name": "faulty", "version": "1", "language": "Rust", "spec": ["1.0"],
        "classes": { "core": "partial" }, "clock": "set", "keys": ["v4"], "can_import": false,
    })
}

/// An `open` result, as JSON.
pub(super) fn opened() -> Value {
    json!({ "session": 1, "identity": "a1".repeat(32), "certificate": "", "chain": [] })
}

#[derive(Default)]
struct Good {
    last: Session,
    open: BTreeSet<Session>,
}

impl Good {
    fn check(&self, session: Session) -> Result<(), Failure> {
        if self.open.contains(&session) {
            return Ok(());
        }
        Err(Failure::InvalidParams(format!(
            "session {session} isn't open"
        )))
    }
}

impl Adapter for Good {
    async fn hello(&mut self) -> Result<About, Failure> {
        Ok(About {
            name: "good".to_owned(),
            version: "1".to_owned(),
            language: "Rust".to_owned(),
            homepage: None,
            issues: None,
            spec: vec!["1.0".to_owned()],
            classes: BTreeMap::from([(Class::Core, Extent::Full)]),
            clock: Clock::Set,
            keys: vec![KeyKind::V4],
            can_import: false,
            errors: BTreeMap::new(),
        })
    }

    async fn open(&mut self, open: Open) -> Result<Opened, Failure> {
        if let Store::Export(_) = open.store {
            return Err(Failure::Unsupported("store export".to_owned()));
        }
        self.last += 1;
        self.open.insert(self.last);
        Ok(Opened {
            session: self.last,
            identity: Identity::from_octets([0xA1; 32]),
            certificate: vec![1, 2, 3].into(),
            chain: vec![vec![4, 5].into()],
            kept: open.durable.then(|| "store-1".to_owned()),
            daily: None,
            kit: None,
        })
    }

    async fn sync(&mut self, sync: Sync) -> Result<Synced, Failure> {
        self.check(sync.session)?;
        Ok(Synced {
            next_due: Some(sync.now),
            ..Synced::default()
        })
    }

    async fn act(&mut self, act: Act) -> Result<ActResult, Failure> {
        self.check(act.session)?;
        match act.action {
            Action::Invite(_) => Ok(ActResult::Invited(Invited {
                uri: "kith:example".to_owned(),
            })),
            Action::Message(message) if message.text.is_empty() => {
                Err(Failure::Refused("a message needs a text".to_owned()))
            }
            Action::Message(_) => Ok(ActResult::Created(Created {
                id: ObjectId::from_octets([0xB2; 16]),
            })),
            Action::Block(_) => Ok(ActResult::Empty(Empty {})),
            other => Err(Failure::Unsupported(other.name().to_owned())),
        }
    }

    async fn view(&mut self, view: View) -> Result<ViewResult, Failure> {
        self.check(view.session)?;
        match view.query {
            Query::Friends(_) => Ok(vec![Friend {
                identity: Identity::from_octets([0xC3; 32]),
                address: "bob@example.org".to_owned(),
                name: "Bob".to_owned(),
                since: "2026-03-01T09:00:00Z".parse().map_err(
                    |error: kith_adapter::protocol::value::ValueError| {
                        Failure::Internal(error.to_string())
                    },
                )?,
            }]
            .into()),
            other => Err(Failure::Unsupported(other.name().to_owned())),
        }
    }

    async fn receive(&mut self, receive: Receive) -> Result<Received, Failure> {
        self.check(receive.session)?;
        Ok(Received {
            outcome: Outcome::Refuse,
            violation: Some("too-large".to_owned()),
            objects: vec![ObjectOutcome {
                hash: Hash::from_octets([0xD4; 32]),
                outcome: Outcome::Hold,
                violation: None,
            }],
        })
    }

    async fn close(&mut self, close: Close) -> Result<Closed, Failure> {
        self.check(close.session)?;
        self.open.remove(&close.session);
        Ok(Closed {
            kept: close.keep.then(|| "store-1".to_owned()),
        })
    }

    async fn bye(&mut self) -> Result<(), Failure> {
        self.open.clear();
        Ok(())
    }
}
