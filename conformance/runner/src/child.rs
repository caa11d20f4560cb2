//! One adapter, kept from case to case and started again when it is lost.

use std::sync::Arc;

use kith_adapter::client::{CallError, Limits};
use kith_adapter::client::{Client, ConnectError, Culprit, Endpoint, Options};
use kith_adapter::protocol::{About, Session};
use kith_adapter::validate::Validator;
use tokio::sync::{Mutex, MutexGuard};

use crate::case::Stop;

/// How children are made.
#[derive(Debug, Clone)]
pub struct Connector {
    /// What the user asked for, for reports.
    name: String,
    endpoint: Endpoint,
    options: Options,
}

impl Connector {
    /// A connector to this endpoint. `name` is what the user called it.
    pub fn new(name: &str, endpoint: Endpoint) -> Self {
        Self {
            name: name.to_owned(),
            endpoint,
            options: Options::default(),
        }
    }

    /// Checks every message against the published schemas.
    #[must_use]
    pub fn validated(mut self, validator: Arc<Validator>) -> Self {
        self.options.validator = Some(validator);
        self
    }

    /// With other time limits than usual.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = Some(limits);
        self
    }

    /// What the user called it.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Where the adapter is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn connect(&self) -> Result<Client, Stop> {
        let connected = Client::connect(&self.endpoint, self.options.clone()).await;
        connected.map_err(|error| match error {
            ConnectError::Hello(error) => stop(error),
            other => Stop::Adapter(other.to_string()),
        })
    }
}

/// What a failed call means for a case.
pub(crate) fn stop(error: CallError) -> Stop {
    match error {
        CallError::Failure(failure) => failure.into(),
        CallError::Fault(fault) if fault.culprit() == Culprit::Harness => Stop::harness(fault),
        CallError::Fault(fault) => Stop::Adapter(fault.to_string()),
    }
}

/// A place for one child, which is started when it is needed.
#[derive(Debug)]
pub struct Slot {
    connector: Connector,
    child: Mutex<Child>,
}

#[derive(Default)]
struct Child {
    client: Option<Client>,
    /// Why the child that was here is gone, until the next case begins.
    last_words: String,
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let running = self.client.is_some();
        f.debug_struct("Child")
            .field("running", &running)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// An empty place.
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            child: Mutex::default(),
        }
    }

    /// What the implementation says about itself.
    ///
    /// # Errors
    /// If it can't be reached or doesn't answer `hello`.
    pub async fn about(&self) -> Result<About, Stop> {
        let mut lent = self.lend().await?;
        Ok(lent.client()?.about().clone())
    }

    /// The child, started if there is none.
    ///
    /// # Errors
    /// If it can't be started.
    pub async fn lend(&self) -> Result<Lent<'_>, Stop> {
        let mut child = self.child.lock().await;
        if child.client.is_none() {
            child.client = Some(self.connector.connect().await?);
        }
        Ok(Lent(child))
    }

    /// Kills the child: the next case gets a new one. Kept stores survive.
    pub async fn kill(&self) {
        let mut child = self.child.lock().await;
        if let Some(mut client) = child.client.take() {
            client.kill().await;
        }
    }

    /// The last lines that went over the connection, and the end of standard error.
    pub(crate) async fn last_words(&self) -> (String, String) {
        let mut child = self.child.lock().await;
        match &mut child.client {
            Some(client) => {
                let transcript = client.transcript().to_string();
                (transcript, client.stderr().await)
            }
            None => (String::new(), child.last_words.clone()),
        }
    }

    /// Closes these sessions; a child that can't is killed.
    pub(crate) async fn close(&self, sessions: &[Session]) -> Result<(), Stop> {
        let mut child = self.child.lock().await;
        let Some(client) = &mut child.client else {
            return Ok(());
        };
        for session in sessions {
            if let Err(error) = client.close(*session, false).await {
                client.kill().await;
                child.client = None;
                return Err(stop(error));
            }
        }
        Ok(())
    }

    /// Says good-bye.
    pub async fn bye(&self) {
        let client = self.child.lock().await.client.take();
        if let Some(client) = client {
            // `adapter check` tests how it ends; here it only has to.
            let _ = client.bye().await;
        }
    }
}

/// A child that nobody else uses in the meantime.
#[derive(Debug)]
pub struct Lent<'a>(MutexGuard<'a, Child>);

impl Lent<'_> {
    /// Its client.
    ///
    /// # Errors
    /// If it is gone, which only a case that killed it sees.
    pub fn client(&mut self) -> Result<&mut Client, Stop> {
        let gone = || Stop::Harness("the adapter is gone".to_owned());
        self.0.client.as_mut().ok_or_else(gone)
    }

    /// The outcome of a call; a child that can't go on is given up.
    ///
    /// # Errors
    /// If the call failed.
    pub async fn settle<T>(&mut self, called: Result<T, CallError>) -> Result<T, CallError> {
        if let Err(CallError::Fault(fault)) = &called
            && fault.is_fatal()
        {
            self.0.last_words = format!("{}\n{}", fault.transcript, fault.stderr);
            if let Some(mut client) = self.0.client.take() {
                client.kill().await;
            }
        }
        called
    }
}
