//! What an adapter answers when it can't do what was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The codes of errors. JSON-RPC 2.0 gives the negative ones; 1 to 99 belong to
/// this protocol, and everything else is the adapter's own and read as
/// [`Code::INTERNAL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Code(pub i64);

impl Code {
    /// The line was not JSON.
    pub const PARSE: Self = Self(-32700);
    /// The line was JSON, but no JSON-RPC 2.0 request.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// A method, action, view or option that the adapter doesn't have.
    pub const UNSUPPORTED: Self = Self(-32601);
    /// Missing or wrong parameters, such as a session that isn't open.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// Something broke in the adapter or the implementation.
    pub const INTERNAL: Self = Self(-32603);
    /// The implementation doesn't let the user do this.
    pub const REFUSED: Self = Self(1);
    /// A mail server could not be reached or said no.
    pub const SERVER: Self = Self(2);
}

/// The `error` member of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RpcError {
    /// What kind of error it is.
    pub code: Code,
    /// What happened, for a person to read.
    pub message: String,
    /// With code -32601: `{"unsupported": NAME}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Why an adapter could not do what was asked. This is an answer, not a fault:
/// the adapter goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no such method, action, view or option.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The implementation doesn't let the user do this, and tells them why.
    #[error("refused: {0}")]
    Refused(String),
    /// A mail server could not be reached or said no.
    #[error("mail server: {0}")]
    Server(String),
    /// Missing or wrong parameters: the harness's fault.
    #[error("invalid parameters: {0}")]
    InvalidParams(String),
    /// Something broke in the adapter or the implementation.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<Failure> for RpcError {
    fn from(failure: Failure) -> Self {
        let (code, message) = match failure {
            Failure::Unsupported(name) => {
                return Self {
                    code: Code::UNSUPPORTED,
                    message: format!("unsupported: {name}"),
                    data: Some(json!({ "unsupported": name })),
                };
            }
            Failure::Refused(message) => (Code::REFUSED, message),
            Failure::Server(message) => (Code::SERVER, message),
            Failure::InvalidParams(message) => (Code::INVALID_PARAMS, message),
            Failure::Internal(message) => (Code::INTERNAL, message),
        };
        Self {
            code,
            message,
            data: None,
        }
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        let RpcError {
            code,
            message,
            data,
        } = error;
        match code {
            Code::UNSUPPORTED => {
                let name = data.as_ref().and_then(|data| data["unsupported"].as_str());
                Self::Unsupported(name.map_or(message, str::to_owned))
            }
            Code::REFUSED => Self::Refused(message),
            Code::SERVER => Self::Server(message),
            Code::PARSE | Code::INVALID_REQUEST | Code::INVALID_PARAMS => {
                Self::InvalidParams(message)
            }
            Code::INTERNAL => Self::Internal(message),
            Code(own) => Self::Internal(format!("{message} (the adapter's own code {own})")),
        }
    }
}
