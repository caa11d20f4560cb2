//! The harness's side: a [`Client`] drives one adapter.
//!
//! Every call has a time limit ([`Limits`]), and whatever an adapter does wrong
//! becomes a typed [`Fault`] that names the culprit and holds the last lines
//! and the end of standard error. After a fatal fault the connection is of no
//! use: [`Client::restart`] starts the adapter again, with everything but kept
//! stores forgotten.

pub(crate) mod answer;
pub(crate) mod connection;
mod endpoint;
mod fault;
mod limits;
pub(crate) mod transcript;

use std::collections::BTreeSet;
#[cfg(feature = "validate")]
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use endpoint::{Command, Endpoint, EndpointError};
pub use fault::{CallError, ConnectError, Culprit, Fault, FaultKind};
pub use limits::Limits;
pub use transcript::{Sender, Transcript};

#[cfg(feature = "validate")]
use crate::validate::Validator;
use crate::{
    act::{Act, ActResult, Action, Perform},
    protocol::{
        About, Bye, Close, Closed, Empty, Failure, Hello, Method, Open, Opened, PROTOCOL, Receive,
        Received, Session, Sync, Synced, Timestamp,
    },
    schema,
    view::{Items, Look, Query, View, ViewResult},
};
use connection::{Connection, Request};

/// How a [`Client`] treats its adapter.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Other limits than [`Limits::usual_for`] the endpoint.
    pub limits: Option<Limits>,
    /// Checks every message in both directions.
    #[cfg(feature = "validate")]
    pub validator: Option<Arc<Validator>>,
}

/// Drives one adapter, one call at a time.
pub struct Client {
    endpoint: Endpoint,
    options: Options,
    limits: Limits,
    connection: Connection,
    about: About,
    id: u64,
    sessions: BTreeSet<Session>,
    /// A call is in flight, or went wrong.
    out_of_step: bool,
}

impl Client {
    /// Starts the adapter, or attaches to it, and says hello.
    ///
    /// # Errors
    /// If it can't be started or reached, or doesn't answer `hello` as it must.
    pub async fn connect(endpoint: &Endpoint, options: Options) -> Result<Self, ConnectError> {
        let limits = options
            .limits
            .unwrap_or_else(|| Limits::usual_for(endpoint));
        let connection = Connection::open(endpoint).await?;
        let mut client = Self {
            endpoint: endpoint.clone(),
            options,
            limits,
            connection,
            about: About::nobody(),
            id: 0,
            sessions: BTreeSet::new(),
            out_of_step: false,
        };
        client.hello().await?;
        Ok(client)
    }

    async fn hello(&mut self) -> Result<(), CallError> {
        self.about = self.call(&Hello { protocol: PROTOCOL }, None).await?;
        Ok(())
    }

    /// What the adapter said in `hello`.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Where the adapter is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The last lines on the connection.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.connection.transcript
    }

    /// The end of what the adapter wrote to standard error.
    pub async fn stderr(&mut self) -> String {
        self.connection.stderr().await
    }

    /// Opens one device of one person.
    ///
    /// # Errors
    /// As for every call: a [`CallError`] that says whether the adapter
    /// answered that it can't, or somebody broke the protocol.
    pub async fn open(&mut self, open: &Open) -> Result<Opened, CallError> {
        let name = schema::params_name(Open::NAME);
        if let Err(what) = open.check() {
            let kind = FaultKind::BadRequest {
                schema: name,
                error: what.to_owned(),
            };
            return Err(self.fault(Open::NAME, kind).await);
        }
        let opened: Opened = self.call(open, None).await?;
        if !self.sessions.insert(opened.session) {
            let error = format!("session {} is open already", opened.session);
            let schema = schema::result_name(Open::NAME, None);
            return Err(self
                .fault(Open::NAME, FaultKind::BadAnswer { schema, error })
                .await);
        }
        Ok(opened)
    }

    /// Fetches new mail, processes it, sends what is due.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn sync(&mut self, session: Session, now: Timestamp) -> Result<Synced, CallError> {
        self.check_session(Sync::NAME, session).await?;
        self.call(&Sync { session, now }, None).await
    }

    /// Does what a user does.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn act<P: Perform>(
        &mut self,
        session: Session,
        now: Timestamp,
        action: P,
    ) -> Result<P::Done, CallError> {
        self.check_session(Act::NAME, session).await?;
        let act = Act {
            session,
            now,
            action: action.into(),
        };
        self.call(&act, Some(P::NAME)).await
    }

    /// Does what a user does, where the kind of action isn't known beforehand.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn perform(
        &mut self,
        session: Session,
        now: Timestamp,
        action: Action,
    ) -> Result<ActResult, CallError> {
        self.check_session(Act::NAME, session).await?;
        let act = Act {
            session,
            now,
            action,
        };
        let part = act.action.name();
        let result = self.call(&act, Some(part)).await?;
        let read = act.action.read_result(result);
        self.read(read, Act::NAME, Some(part)).await
    }

    /// Shows what a user sees.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn view<L: Look>(
        &mut self,
        session: Session,
        query: L,
    ) -> Result<Vec<L::Item>, CallError> {
        self.check_session(View::NAME, session).await?;
        let view = View {
            session,
            query: query.into(),
        };
        let items: Items<L::Item> = self.call(&view, Some(L::NAME)).await?;
        Ok(items.items)
    }

    /// Shows what a user sees, where the view isn't known beforehand.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn look(&mut self, session: Session, query: Query) -> Result<ViewResult, CallError> {
        self.check_session(View::NAME, session).await?;
        let view = View { session, query };
        let part = view.query.name();
        let result = self.call(&view, Some(part)).await?;
        let read = view.query.read_result(result);
        self.read(read, View::NAME, Some(part)).await
    }

    /// Processes one mail.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn receive(&mut self, receive: &Receive) -> Result<Received, CallError> {
        self.check_session(Receive::NAME, receive.session).await?;
        self.call(receive, None).await
    }

    /// Closes a device.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn close(&mut self, session: Session, keep: bool) -> Result<Closed, CallError> {
        self.check_session(Close::NAME, session).await?;
        self.sessions.remove(&session);
        self.call(&Close { session, keep }, None).await
    }

    /// Ends the adapter: `bye`, then the end of its input, then its exit.
    ///
    /// # Errors
    /// As [`open`](Self::open); also if the process doesn't end, or not with
    /// status 0.
    pub async fn bye(mut self) -> Result<(), CallError> {
        let Empty {} = self.call(&Bye {}, None).await?;
        self.connection.finish_input().await;
        match self.connection.end(self.limits.bye).await {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.fault(Bye::NAME, kind).await),
        }
    }

    /// Kills the adapter's process at once, or drops the connection.
    pub async fn kill(&mut self) {
        self.connection.kill().await;
        self.out_of_step = true;
        self.sessions.clear();
    }

    /// Kills the adapter and starts it again.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn restart(&mut self) -> Result<(), ConnectError> {
        self.kill().await;
        self.connection = Connection::open(&self.endpoint).await?;
        self.out_of_step = false;
        Ok(self.hello().await?)
    }

    /// One call. `part` is the action of `act` or the view of `view`.
    async fn call<P: Method, R: DeserializeOwned>(
        &mut self,
        params: &P,
        part: Option<&str>,
    ) -> Result<R, CallError> {
        match self.exchange(params, part).await {
            Ok(Ok(result)) => {
                self.read(serde_json::from_value(result), P::NAME, part)
                    .await
            }
            Ok(Err(failure)) => Err(failure.into()),
            Err(kind) => Err(self.fault(P::NAME, kind).await),
        }
    }

    async fn exchange<P: Method>(
        &mut self,
        params: &P,
        part: Option<&str>,
    ) -> Result<Result<Value, Failure>, FaultKind> {
        if self.out_of_step {
            return Err(FaultKind::OutOfStep);
        }
        let method = P::NAME;
        self.id += 1;
        let request = self
            .validate_request(params)
            .and_then(|()| Request::new(self.id, method, params).map_err(|e| e.to_string()))
            .map_err(|error| FaultKind::BadRequest {
                schema: schema::params_name(method),
                error,
            })?;
        // Stays so if this future is dropped, or the answer is none.
        self.out_of_step = true;
        let limit = self.limits.of(method);
        let line = self.connection.exchange(&request, limit).await?;
        let answer = match answer::read(&line, self.id) {
            Ok(answer) => answer,
            Err(kind) if kind.is_fatal() => {
                return Err(self.connection.flood(&line).await.unwrap_or(kind));
            }
            Err(kind) => {
                self.out_of_step = false;
                return Err(kind);
            }
        };
        self.out_of_step = false;
        self.validate_answer(method, part, &answer)?;
        match answer.map_err(Failure::from) {
            // Sessions are checked here, and the types make sure of the rest.
            Err(Failure::InvalidParams(message)) => Err(FaultKind::RejectedParams(message)),
            answer => Ok(answer),
        }
    }

    async fn read<R>(
        &mut self,
        result: serde_json::Result<R>,
        method: &str,
        part: Option<&str>,
    ) -> Result<R, CallError> {
        match result {
            Ok(result) => Ok(result),
            Err(error) => {
                let schema = schema::result_name(method, part);
                let kind = FaultKind::BadAnswer {
                    schema,
                    error: error.to_string(),
                };
                Err(self.fault(method, kind).await)
            }
        }
    }

    async fn check_session(&mut self, method: &str, session: Session) -> Result<(), CallError> {
        if self.out_of_step || self.sessions.contains(&session) {
            return Ok(());
        }
        Err(self.fault(method, FaultKind::NoSession(session)).await)
    }

    async fn fault(&mut self, method: &str, kind: FaultKind) -> CallError {
        let stderr = self.connection.stderr().await;
        let transcript = self.connection.transcript.clone();
        CallError::Fault(Box::new(Fault {
            kind,
            method: method.to_owned(),
            transcript,
            stderr,
        }))
    }
}

#[cfg(feature = "validate")]
impl Client {
    fn validate_request<P: Method>(&self, params: &P) -> Result<(), String> {
        let Some(validator) = &self.options.validator else {
            return Ok(());
        };
        let params = serde_json::to_value(params).map_err(|error| error.to_string())?;
        let valid = validator.request(P::NAME, &params);
        valid.map_err(|wrong| wrong.error)
    }

    fn validate_answer(
        &self,
        method: &str,
        part: Option<&str>,
        answer: &Result<Value, crate::protocol::RpcError>,
    ) -> Result<(), FaultKind> {
        let Some(validator) = &self.options.validator else {
            return Ok(());
        };
        match answer {
            Ok(result) => validator.result(method, part, result),
            Err(error) => validator.error(error),
        }
        .map_err(|wrong| FaultKind::BadAnswer {
            schema: wrong.schema,
            error: wrong.error,
        })
    }
}

#[cfg(not(feature = "validate"))]
#[expect(clippy::unused_self, reason = "same form as with the feature")]
impl Client {
    fn validate_request<P: Method>(&self, _: &P) -> Result<(), String> {
        let _ = &self.options;
        Ok(())
    }

    fn validate_answer(
        &self,
        _: &str,
        _: Option<&str>,
        _: &Result<Value, crate::protocol::RpcError>,
    ) -> Result<(), FaultKind> {
        Ok(())
    }
}
