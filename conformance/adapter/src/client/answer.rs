//! Reading a line as the answer to a request.

use serde_json::{Map, Value};

use super::{FaultKind, transcript::shorten};
use crate::{protocol::RpcError, schema};

/// Reads the answer to request `id`.
pub(crate) fn read(line: &[u8], id: u64) -> Result<Result<Value, RpcError>, FaultKind> {
    let mut answer = object(line)?;
    check_id(&answer, &Value::from(id)).map_err(|found| match error_text(&answer) {
        // An adapter that couldn't read the request can't repeat its id.
        Some(error) => FaultKind::WrongId {
            expected: id,
            found: format!("{found} (error: {error})"),
        },
        None => FaultKind::WrongId {
            expected: id,
            found,
        },
    })?;
    match (answer.remove("result"), answer.remove("error")) {
        (Some(result), None | Some(Value::Null)) => Ok(Ok(result)),
        (None | Some(Value::Null), Some(error)) => match serde_json::from_value(error) {
            Ok(error) => Ok(Err(error)),
            Err(error) => Err(FaultKind::BadAnswer {
                schema: schema::ERROR.to_owned(),
                error: error.to_string(),
            }),
        },
        (None, None) => Err(FaultKind::NotAnAnswer(
            "it has neither `result` nor `error`",
        )),
        (Some(_), Some(_)) => Err(FaultKind::NotAnAnswer("it has both `result` and `error`")),
    }
}

/// Reads a line as a JSON-RPC 2.0 object.
pub(crate) fn object(line: &[u8]) -> Result<Map<String, Value>, FaultKind> {
    let text = std::str::from_utf8(line).map_err(|_| FaultKind::NotUtf8(shorten(line)))?;
    let value = serde_json::from_str(text).map_err(|error| FaultKind::NotJson {
        line: shorten(line),
        error,
    })?;
    let Value::Object(answer) = value else {
        return Err(FaultKind::NotAnAnswer("it is no JSON object"));
    };
    match answer.get("jsonrpc") {
        Some(Value::String(version)) if version == "2.0" => Ok(answer),
        Some(other) => Err(FaultKind::WrongVersion(other.to_string())),
        None => Err(FaultKind::WrongVersion("missing".to_owned())),
    }
}

/// Compares ids; the other one, as JSON, if they differ.
pub(crate) fn check_id(answer: &Map<String, Value>, expected: &Value) -> Result<(), String> {
    match answer.get("id") {
        Some(id) if id == expected => Ok(()),
        Some(other) => Err(shorten(other.to_string().as_bytes())),
        None => Err("missing".to_owned()),
    }
}

fn error_text(answer: &Map<String, Value>) -> Option<String> {
    Some(shorten(
        answer.get("error")?.get("message")?.as_str()?.as_bytes(),
    ))
}
