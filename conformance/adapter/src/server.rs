//! The adapter's side: a loop that reads requests and calls an [`Adapter`].
//!
//! Everything that JSON-RPC asks for is done here: an implementation sees only
//! valid parameters, one request at a time.

use std::{future::Future, io};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::{
    act::{Act, ActResult, Action},
    line::{Line, Lines},
    protocol::{
        About, Bye, Close, Closed, Code, Empty, Failure, Hello, MAX_LINE, Method, Open, Opened,
        PROTOCOL, Receive, Received, RpcError, Sync, Synced,
    },
    view::{Query, View, ViewResult},
};

/// An implementation, as the suite drives it. Write the methods as `async fn`.
///
/// What is not supported is answered with [`Failure::Unsupported`] and the name
/// of the method, action, view or option.
pub trait Adapter: Send {
    /// Says who is there.
    fn hello(&mut self) -> impl Future<Output = Result<About, Failure>> + Send;

    /// Opens one device of one person. Store and keys fit together
    /// ([`Open::check`]).
    fn open(&mut self, open: Open) -> impl Future<Output = Result<Opened, Failure>> + Send;

    /// Fetches new mail, processes it, sends what is due.
    fn sync(&mut self, sync: Sync) -> impl Future<Output = Result<Synced, Failure>> + Send;

    /// Does what a user does.
    fn act(&mut self, act: Act) -> impl Future<Output = Result<ActResult, Failure>> + Send;

    /// Shows what a user sees.
    fn view(&mut self, view: View) -> impl Future<Output = Result<ViewResult, Failure>> + Send;

    /// Processes one mail.
    fn receive(
        &mut self,
        receive: Receive,
    ) -> impl Future<Output = Result<Received, Failure>> + Send;

    /// Closes a device.
    fn close(&mut self, close: Close) -> impl Future<Output = Result<Closed, Failure>> + Send;

    /// Closes everything: after `bye`, or when the harness has gone.
    fn bye(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Why the loop ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The harness can't be read from or written to.
    #[error("the connection to the harness broke: {0}")]
    Connection(#[from] io::Error),
    /// The harness sent a line that is longer than the limit.
    #[error("the harness sent a line of more than {MAX_LINE} octets")]
    LineTooLong,
}

mod stdio;

pub use stdio::stdio;

/// Serves until `bye` or the end of the input, and closes everything.
///
/// For standard input and output: `let (input, output) = stdio();` and then
/// `serve(input, output, adapter)`.
///
/// # Errors
/// If the connection breaks, or a line is too long.
pub async fn serve<R, W, A>(reader: R, mut writer: W, mut adapter: A) -> Result<(), ServeError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    A: Adapter,
{
    let mut lines = Lines::new(reader);
    loop {
        let line = match lines.next().await? {
            Line::Full(line) => line,
            Line::End(_) => {
                // Nobody is left who could be told of a failure.
                let _ = adapter.bye().await;
                return Ok(());
            }
            Line::TooLong => return Err(ServeError::LineTooLong),
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let request = match read_request(&line) {
            Ok(Some(request)) => request,
            Ok(None) => continue,
            Err((id, error)) => {
                write(&mut writer, &id, Err(error.into())).await?;
                continue;
            }
        };
        let result = call(&mut adapter, &request.method, request.params).await;
        let last = request.method == Bye::NAME && result.is_ok();
        write(&mut writer, &request.id, result).await?;
        if last {
            return Ok(());
        }
    }
}

struct Request {
    id: Value,
    method: String,
    params: Value,
}

/// A line that is no request, with the id to answer to.
enum NoRequest {
    Json(serde_json::Error),
    Shape(&'static str),
}

impl From<NoRequest> for RpcError {
    fn from(error: NoRequest) -> Self {
        let (code, message) = match error {
            NoRequest::Json(error) => (Code::PARSE, format!("the line is not JSON: {error}")),
            NoRequest::Shape(what) => (Code::INVALID_REQUEST, what.to_owned()),
        };
        Self {
            code,
            message,
            data: None,
        }
    }
}

/// Reads a request; none if it is a notification, which gets no answer.
fn read_request(line: &[u8]) -> Result<Option<Request>, (Value, NoRequest)> {
    let value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return Err((Value::Null, NoRequest::Json(error))),
    };
    let Value::Object(mut request) = value else {
        return Err((
            Value::Null,
            NoRequest::Shape("a request is a JSON object; no batches here"),
        ));
    };
    let id = request.remove("id");
    let bad = |what| (id.clone().unwrap_or(Value::Null), NoRequest::Shape(what));
    if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(bad("`jsonrpc` must be \"2.0\""));
    }
    let Some(Value::String(method)) = request.remove("method") else {
        return Err(bad("`method` must be a string"));
    };
    let params = request.remove("params").unwrap_or_else(|| json!({}));
    if !params.is_object() {
        return Err(bad("`params` must be an object"));
    }
    Ok(id.map(|id| Request { id, method, params }))
}

async fn call<A: Adapter>(adapter: &mut A, method: &str, params: Value) -> Result<Value, RpcError> {
    let result = match method {
        Hello::NAME => {
            let hello: Hello = read(params)?;
            if hello.protocol != PROTOCOL {
                return Err(unsupported(format!("protocol {}", hello.protocol)));
            }
            finish(adapter.hello().await)
        }
        Open::NAME => {
            let open: Open = read(params)?;
            open.check()
                .map_err(|what| Failure::InvalidParams(what.to_owned()))?;
            finish(adapter.open(open).await)
        }
        Sync::NAME => finish(adapter.sync(read(params)?).await),
        Act::NAME => {
            known(&params, "do", Action::NAMES)?;
            finish(adapter.act(read(params)?).await)
        }
        View::NAME => {
            known(&params, "what", Query::NAMES)?;
            finish(adapter.view(read(params)?).await)
        }
        Receive::NAME => finish(adapter.receive(read(params)?).await),
        Close::NAME => finish(adapter.close(read(params)?).await),
        Bye::NAME => finish(adapter.bye().await.map(|()| Empty {})),
        other => return Err(unsupported(other.to_owned())),
    };
    result.map_err(RpcError::from)
}

/// An unknown action or view is unsupported, whatever else is wrong with the
/// parameters.
fn known(params: &Value, field: &str, names: &[&str]) -> Result<(), RpcError> {
    match params.get(field).and_then(Value::as_str) {
        Some(name) if !names.contains(&name) => Err(unsupported(name.to_owned())),
        _ => Ok(()),
    }
}

fn unsupported(name: String) -> RpcError {
    Failure::Unsupported(name).into()
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Failure> {
    serde_json::from_value(params).map_err(|error| Failure::InvalidParams(error.to_string()))
}

fn finish<T: Serialize>(result: Result<T, Failure>) -> Result<Value, Failure> {
    serde_json::to_value(result?).map_err(|error| Failure::Internal(error.to_string()))
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    id: &Value,
    result: Result<Value, RpcError>,
) -> io::Result<()> {
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Outcome {
        Result(Value),
        Error(RpcError),
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        jsonrpc: &'a str,
        id: &'a Value,
        #[serde(flatten)]
        outcome: Outcome,
    }
    let answer = Answer {
        jsonrpc: "2.0",
        id,
        outcome: result.map_or_else(Outcome::Error, Outcome::Result),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}
