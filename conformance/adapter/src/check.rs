//! `adapter check`: does an adapter speak the protocol, before any case runs?
//!
//! Each probe sends a few octets and compares what comes back. After a probe
//! that fails, the adapter is started again, so that every finding stands for
//! itself.

mod probe;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{
        ConnectError, Endpoint, FaultKind, answer,
        connection::{Connection, Request},
    },
    protocol::{About, Bye, Code, Hello, Method, PROTOCOL, RpcError},
};
use probe::{Expected, Probe, Want};

/// How long to wait for the first answer of a started adapter.
const START: Duration = Duration::from_secs(20);
/// How long to wait for every other answer, and for the exit.
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait for more output than there should be.
const SILENCE: Duration = Duration::from_millis(50);
/// The pause within a request that is written in two pieces.
const PAUSE: Duration = Duration::from_millis(50);

/// What one probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The probe's name.
    pub probe: &'static str,
    /// Whether the adapter did as it must.
    pub passed: bool,
    /// What was sent.
    pub sent: String,
    /// What came back, or what happened instead.
    pub came: String,
    /// What should have come.
    pub expected: String,
    /// What to do about it.
    pub advice: &'static str,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.passed {
            return write!(f, "ok    {}", self.probe);
        }
        let Self {
            probe,
            sent,
            came,
            expected,
            advice,
            ..
        } = self;
        write!(
            f,
            "FAIL  {probe}\n      sent      {sent}\n      came      {came}\n      \
             expected  {expected}\n      what to do: {advice}"
        )
    }
}

/// Runs all probes.
pub async fn check(endpoint: &Endpoint) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut connection = None;
    for probe in probe::probes() {
        let mut current = match connection.take() {
            Some(current) => current,
            None => match start(endpoint).await {
                Ok(current) => current,
                Err(finding) => {
                    findings.push(*finding);
                    return findings;
                }
            },
        };
        let finding = run(&mut current, &probe).await;
        if finding.passed {
            connection = Some(current);
        } else {
            current.kill().await;
        }
        findings.push(finding);
    }
    if let Some(mut last) = connection {
        last.kill().await;
    }
    for ending in [Ending::Bye, Ending::EndOfInput] {
        match start(endpoint).await {
            Ok(current) => findings.push(end(current, ending).await),
            Err(finding) => findings.push(*finding),
        }
    }
    findings
}

/// Connects and says hello.
async fn start(endpoint: &Endpoint) -> Result<Connection, Box<Finding>> {
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": Hello::NAME, "params": { "protocol": PROTOCOL },
    });
    let finding = |came: String, advice| {
        Box::new(Finding {
            probe: "hello",
            passed: false,
            sent: hello.to_string(),
            came,
            expected: "an answer that follows hello.result.json".to_owned(),
            advice,
        })
    };
    let mut connection = Connection::open(endpoint)
        .await
        .map_err(|error: ConnectError| {
            finding(
                error.to_string(),
                "check the command or address after --adapter",
            )
        })?;
    let answer = match connection.exchange(&Request::plain(&hello), START).await {
        Ok(line) => answer::read(&line, 1),
        Err(kind) => Err(kind),
    };
    let came = match answer {
        Ok(Ok(result)) => match serde_json::from_value::<About>(result) {
            Ok(_) => return Ok(connection),
            Err(error) => format!("a result that doesn't follow the schema: {error}"),
        },
        Ok(Err(error)) => format!("error {}: {}", error.code.0, error.message),
        Err(kind) => kind.to_string(),
    };
    let stderr = connection.stderr().await;
    connection.kill().await;
    let came = if stderr.is_empty() {
        came
    } else {
        format!("{came}\n{stderr}")
    };
    Err(finding(
        came,
        "answer `hello` first of all; the guide has an example",
    ))
}

async fn run(connection: &mut Connection, probe: &Probe) -> Finding {
    let (came, passed) = match exchange(connection, probe).await {
        Ok(came) => (came, true),
        Err(came) => (came, false),
    };
    Finding {
        probe: probe.name,
        passed,
        sent: probe.sent(),
        came,
        expected: probe.expected(),
        advice: probe.advice,
    }
}

/// Sends the pieces and compares the answers; what came, if as expected or not.
async fn exchange(connection: &mut Connection, probe: &Probe) -> Result<String, String> {
    for (index, piece) in probe.pieces.iter().enumerate() {
        if index > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        connection
            .send(piece, ANSWER)
            .await
            .map_err(|kind| kind.to_string())?;
    }
    let mut came = Vec::new();
    for expected in &probe.answers {
        let line = connection
            .receive(ANSWER)
            .await
            .map_err(|kind| kind.to_string())?;
        came.push(String::from_utf8_lossy(&line).into_owned());
        if let Err(wrong) = compare(&line, expected) {
            return Err(format!("{} ({wrong})", came.join(" and then ")));
        }
    }
    match connection.receive(SILENCE).await {
        Err(FaultKind::Hung(_)) => Ok(came.join(" and then ")),
        Ok(line) => Err(format!(
            "{} and then, unasked, {}",
            came.join(" and then "),
            String::from_utf8_lossy(&line)
        )),
        Err(kind) => Err(kind.to_string()),
    }
}

fn compare(line: &[u8], expected: &Expected) -> Result<(), String> {
    let answer = answer::object(line).map_err(|kind| kind.to_string())?;
    answer::check_id(&answer, &expected.id)
        .map_err(|found| format!("`id` is {found}, not {}", expected.id))?;
    let error = answer.get("error").filter(|error| !error.is_null());
    match (&expected.want, error) {
        (Want::Result, None) if answer.contains_key("result") => Ok(()),
        (Want::Result, None) => Err("there is no `result`".to_owned()),
        (Want::Result, Some(_)) => Err("an error instead of a result".to_owned()),
        (_, None) => Err("a result instead of an error".to_owned()),
        (want, Some(error)) => compare_error(want, error),
    }
}

fn compare_error(want: &Want, error: &Value) -> Result<(), String> {
    let error: RpcError = serde_json::from_value(error.clone())
        .map_err(|wrong| format!("`error` doesn't follow error.json: {wrong}"))?;
    let code = match want {
        Want::Error(code) => *code,
        _ => Code::UNSUPPORTED,
    };
    if error.code != code {
        return Err(format!("the code is {}, not {}", error.code.0, code.0));
    }
    if let Want::Unsupported(name) = want {
        let found = error.data.as_ref().map(|data| &data["unsupported"]);
        if found != Some(&Value::from(name.as_str())) {
            return Err(format!("`error.data.unsupported` is not {name:?}"));
        }
    }
    Ok(())
}

/// The two ways in which an adapter is told to end.
#[derive(Clone, Copy)]
enum Ending {
    Bye,
    EndOfInput,
}

async fn end(mut connection: Connection, ending: Ending) -> Finding {
    let bye = json!({ "jsonrpc": "2.0", "id": 2, "method": Bye::NAME, "params": {} });
    let (probe, sent, expected, advice) = match ending {
        Ending::Bye => (
            "bye",
            format!("{bye}, and the end of input"),
            "an answer to `bye`, then exit with status 0",
            "answer first, flush, then exit with status 0; keep no thread running",
        ),
        Ending::EndOfInput => (
            "end-of-input",
            "the end of input, without `bye`".to_owned(),
            "exit with status 0, silently",
            "leave the loop when reading a line gives the end of file; the harness may crash, too",
        ),
    };
    let mut outcome = Ok(());
    if let Ending::Bye = ending {
        outcome = match connection.exchange(&Request::plain(&bye), ANSWER).await {
            Ok(line) => answer::read(&line, 2).and_then(|answer| match answer {
                Ok(_) => Ok(()),
                Err(_) => Err(FaultKind::NotAnAnswer("`bye` was answered with an error")),
            }),
            Err(kind) => Err(kind),
        };
    }
    if outcome.is_ok() {
        connection.finish_input().await;
        outcome = connection.end(ANSWER).await;
    }
    connection.kill().await;
    Finding {
        probe,
        passed: outcome.is_ok(),
        sent,
        came: outcome.map_or_else(|kind| kind.to_string(), |()| "as expected".to_owned()),
        expected: expected.to_owned(),
        advice,
    }
}
