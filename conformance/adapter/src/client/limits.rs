//! How long the harness waits for an answer.

use std::time::Duration;

use super::Endpoint;
use crate::{
    act::Act,
    protocol::{Bye, Close, Hello, Method, Open, Receive, Sync},
    view::View,
};

/// How long the harness waits for the answer to each method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Includes the program's start: 20 s.
    pub hello: Duration,
    /// Includes the making of keys: 20 s.
    pub open: Duration,
    /// Includes all mail to be fetched and sent: 30 s.
    pub sync: Duration,
    /// May include the sending of mail: 20 s.
    pub act: Duration,
    /// 10 s.
    pub view: Duration,
    /// 10 s.
    pub receive: Duration,
    /// 10 s.
    pub close: Duration,
    /// For the answer, and as much again for the process to end: 5 s.
    pub bye: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            hello: seconds(20),
            open: seconds(20),
            sync: seconds(30),
            act: seconds(20),
            view: seconds(10),
            receive: seconds(10),
            close: seconds(10),
            bye: seconds(5),
        }
    }
}

impl Limits {
    /// The same limit for everything.
    #[must_use]
    pub fn all(limit: Duration) -> Self {
        Self {
            hello: limit,
            open: limit,
            sync: limit,
            act: limit,
            view: limit,
            receive: limit,
            close: limit,
            bye: limit,
        }
    }

    /// The usual limits, or an hour for `tcp:`, where somebody may sit in a
    /// debugger.
    #[must_use]
    pub fn usual_for(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Tcp { .. } => Self::all(Duration::from_secs(3600)),
            _ => Self::default(),
        }
    }

    /// The limit for a method.
    pub(crate) fn of(&self, method: &str) -> Duration {
        match method {
            Hello::NAME => self.hello,
            Open::NAME => self.open,
            Sync::NAME => self.sync,
            Act::NAME => self.act,
            View::NAME => self.view,
            Receive::NAME => self.receive,
            Close::NAME => self.close,
            Bye::NAME => self.bye,
            _ => self.view,
        }
    }
}
