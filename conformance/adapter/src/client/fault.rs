//! What can go wrong between harness and adapter, and whose fault it is.

use std::{fmt, io, process::ExitStatus, time::Duration};

use super::{EndpointError, Transcript};
use crate::protocol::{Failure, MAX_LINE};

/// Why there is no connection to an adapter.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The text names no endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The program can't be started.
    #[error("can't start `{command}`: {error}")]
    Start {
        /// The command.
        command: String,
        /// Why not.
        error: io::Error,
    },
    /// Nobody listens there.
    #[error("can't connect to {address}: {error}; is the adapter running?")]
    Tcp {
        /// Host and port.
        address: String,
        /// Why not.
        error: io::Error,
    },
    /// Adapters in containers are started by the container testbed.
    #[error("docker:{0} can't be used here: it comes with the container testbed")]
    Docker(String),
    /// A built-in adapter that nobody resolved to a command.
    #[error("there is no built-in adapter `{0}`")]
    Builtin(String),
    /// There is an adapter, but `hello` failed.
    #[error(transparent)]
    Hello(#[from] CallError),
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The adapter answered that it can't. The connection is good.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Somebody broke the protocol.
    #[error(transparent)]
    Fault(#[from] Box<Fault>),
}

impl CallError {
    /// The name of what the adapter doesn't support, if that is the answer.
    #[must_use]
    pub fn unsupported(&self) -> Option<&str> {
        match self {
            Self::Failure(Failure::Unsupported(name)) => Some(name),
            _ => None,
        }
    }
}

/// Who broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culprit {
    /// The adapter, or the implementation behind it.
    Adapter,
    /// The harness: a bug of the suite.
    Harness,
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adapter => "adapter",
            Self::Harness => "harness",
        })
    }
}

/// A broken protocol, with what is needed to understand it. `{}` shows what
/// happened; `{:#}` adds the last lines and standard error.
#[derive(Debug)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// The method in flight.
    pub method: String,
    /// The last lines on the connection.
    pub transcript: Transcript,
    /// The end of what the adapter wrote to standard error.
    pub stderr: String,
}

impl Fault {
    /// Who broke the protocol.
    #[must_use]
    pub fn culprit(&self) -> Culprit {
        self.kind.culprit()
    }

    /// Whether the connection can't be used any more.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.kind.is_fatal()
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, in `{}`: {}", self.culprit(), self.method, self.kind)?;
        if f.alternate() {
            write!(f, "\n{}", self.transcript)?;
            if !self.stderr.is_empty() {
                write!(f, "standard error:\n{}", self.stderr)?;
            }
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug, thiserror::Error)]
pub enum FaultKind {
    /// The adapter's process ended.
    #[error("the process ended before it answered ({0}); only `bye` may end it")]
    Exited(ExitStatus),
    /// Standard output, or the TCP connection, was closed.
    #[error("the connection was closed before there was an answer; only `bye` may end it")]
    Closed,
    /// Reading or writing failed.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// There was no answer in time.
    #[error(
        "no answer within {} s; does it flush its output after every line?", .0.as_secs_f32()
    )]
    Hung(Duration),
    /// It went on running after `bye`.
    #[error("still running {} s after `bye`", .0.as_secs_f32())]
    Lingers(Duration),
    /// The exit status after `bye` was not 0.
    #[error("after `bye` the process must end with status 0, not {0}")]
    BadExit(ExitStatus),
    /// A line is not JSON.
    #[error("not a line of JSON: {line:?} ({error}); write logs to standard error")]
    NotJson {
        /// The line, cut.
        line: String,
        /// What the parser says.
        error: serde_json::Error,
    },
    /// A line is not UTF-8.
    #[error("not UTF-8: {0:?}")]
    NotUtf8(String),
    /// A line is too long.
    #[error("a line of more than {MAX_LINE} octets")]
    LongLine,
    /// Much output that nobody asked for.
    #[error("{octets} octets of output that nobody asked for, beginning with {line:?}")]
    Flood {
        /// How much was read before giving up.
        octets: usize,
        /// The first line, cut.
        line: String,
    },
    /// The answer has another id than the request, or none.
    #[error("the answer's `id` must be {expected}, not {found}; one answer for each request")]
    WrongId {
        /// The request's id.
        expected: u64,
        /// What the answer has, as JSON; `null` if it has none.
        found: String,
    },
    /// The answer's `jsonrpc` is not "2.0".
    #[error("the answer's `jsonrpc` must be \"2.0\", not {0}")]
    WrongVersion(String),
    /// The line is JSON, but no answer.
    #[error("not a JSON-RPC answer: {0}")]
    NotAnAnswer(&'static str),
    /// The result or error is not as the method's schema has it.
    #[error("the answer doesn't follow {schema}.json: {error}")]
    BadAnswer {
        /// The schema's name.
        schema: String,
        /// What is wrong, and where.
        error: String,
    },
    /// The adapter calls valid parameters invalid.
    #[error("valid parameters were answered with -32602: {0}")]
    RejectedParams(String),
    /// The harness made a request that is not as the schema has it.
    #[error("the request doesn't follow {schema}.json: {error}")]
    BadRequest {
        /// The schema's name.
        schema: String,
        /// What is wrong, and where.
        error: String,
    },
    /// The harness named a session that it didn't open, or has closed.
    #[error("session {0} isn't open")]
    NoSession(u32),
    /// The harness gave up waiting for an answer, or went on after a fault.
    #[error("the connection is out of step after an earlier fault; restart the adapter first")]
    OutOfStep,
}

impl FaultKind {
    /// Who broke the protocol.
    #[must_use]
    pub fn culprit(&self) -> Culprit {
        match self {
            Self::BadRequest { .. } | Self::NoSession(_) | Self::OutOfStep => Culprit::Harness,
            _ => Culprit::Adapter,
        }
    }

    /// Whether the connection can't be used any more.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::BadAnswer { .. }
                | Self::RejectedParams(_)
                | Self::BadRequest { .. }
                | Self::NoSession(_)
        )
    }
}
