//! What is sent, and what must come back.

use serde_json::{Value, json};

use crate::{
    client::transcript::shorten,
    protocol::{Code, PROTOCOL},
};

/// A few octets, and the answers to them.
pub(super) struct Probe {
    pub(super) name: &'static str,
    /// Written one after the other, with a pause between them.
    pub(super) pieces: Vec<Vec<u8>>,
    /// All answers, in order.
    pub(super) answers: Vec<Expected>,
    pub(super) advice: &'static str,
}

/// One answer.
pub(super) struct Expected {
    pub(super) id: Value,
    pub(super) want: Want,
}

/// What an answer must be.
pub(super) enum Want {
    Result,
    Error(Code),
    /// Error -32601, with this name in `data.unsupported`.
    Unsupported(String),
}

impl Probe {
    pub(super) fn sent(&self) -> String {
        let pieces: Vec<_> = self
            .pieces
            .iter()
            .map(|piece| shorten(&piece.escape_ascii().collect::<Vec<u8>>()))
            .collect();
        pieces.join(" and after a pause ")
    }

    pub(super) fn expected(&self) -> String {
        let answers: Vec<_> = self
            .answers
            .iter()
            .map(|Expected { id, want }| match want {
                Want::Result => format!("a result with id {id}"),
                Want::Error(code) => format!("error {} with id {id}", code.0),
                Want::Unsupported(name) => format!(
                    "error {} with id {id} and data {}",
                    Code::UNSUPPORTED.0,
                    json!({ "unsupported": name })
                ),
            })
            .collect();
        answers.join(", then ")
    }
}

fn request(id: impl Into<Value>, method: &str, params: &Value) -> Vec<u8> {
    let request = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params });
    format!("{request}\n").into_bytes()
}

fn hello(id: impl Into<Value>) -> Vec<u8> {
    request(id, "hello", &json!({ "protocol": PROTOCOL }))
}

fn expect(id: impl Into<Value>, want: Want) -> Expected {
    Expected {
        id: id.into(),
        want,
    }
}

fn unsupported(id: u64, name: &str) -> Vec<Expected> {
    vec![expect(id, Want::Unsupported(name.to_owned()))]
}

fn error(id: impl Into<Value>, code: Code) -> Vec<Expected> {
    vec![expect(id, Want::Error(code))]
}

/// All probes, in the order in which somebody who begins would want them.
pub(super) fn probes() -> Vec<Probe> {
    let mut probes = calls();
    probes.extend(parameters());
    probes.extend(framing());
    probes.extend(json_rpc());
    probes
}

/// What the adapter can't know.
fn calls() -> Vec<Probe> {
    let act = json!({ "session": 1, "now": "2026-03-01T09:00:00Z", "do": "no-such-action" });
    let view = json!({ "session": 1, "what": "no-such-view" });
    vec![
        Probe {
            name: "hello",
            pieces: vec![hello(2)],
            answers: vec![expect(2, Want::Result)],
            advice: "`hello` may come again at any time; nothing changes by it",
        },
        Probe {
            name: "protocol-version",
            pieces: vec![request(3, "hello", &json!({ "protocol": 999 }))],
            answers: unsupported(3, "protocol 999"),
            advice: "compare `protocol` with the version that the adapter was written for",
        },
        Probe {
            name: "unknown-method",
            pieces: vec![request(4, "no-such-method", &json!({}))],
            answers: unsupported(4, "no-such-method"),
            advice: "answer every unknown method so: later versions have more of them",
        },
        Probe {
            name: "unknown-action",
            pieces: vec![request(5, "act", &act)],
            answers: unsupported(5, "no-such-action"),
            advice: "look at `do` before the other parameters, the session included",
        },
        Probe {
            name: "unknown-view",
            pieces: vec![request(6, "view", &view)],
            answers: unsupported(6, "no-such-view"),
            advice: "look at `what` before the other parameters, the session included",
        },
    ]
}

/// Wrong parameters.
fn parameters() -> Vec<Probe> {
    let advice = "answer missing and wrong parameters with -32602, and go on";
    let sync = |session: Value| json!({ "session": session, "now": "2026-03-01T09:00:00Z" });
    vec![
        Probe {
            name: "missing-params",
            pieces: vec![request(7, "open", &json!({}))],
            answers: error(7, Code::INVALID_PARAMS),
            advice,
        },
        Probe {
            name: "wrong-params",
            pieces: vec![request(8, "sync", &sync(json!("first")))],
            answers: error(8, Code::INVALID_PARAMS),
            advice,
        },
        Probe {
            name: "unknown-session",
            pieces: vec![request(9, "sync", &sync(json!(4_000_000_000_u32)))],
            answers: error(9, Code::INVALID_PARAMS),
            advice,
        },
        Probe {
            name: "extra-params",
            pieces: vec![request(
                10,
                "hello",
                &json!({ "protocol": PROTOCOL, "later": [1] }),
            )],
            answers: vec![expect(10, Want::Result)],
            advice: "ignore parameters that you don't know: later versions have more of them",
        },
    ]
}

/// How octets become lines.
fn framing() -> Vec<Probe> {
    let mut two = hello(11);
    two.extend(hello(12));
    let mut first = hello(13);
    let second = first.split_off(first.len() / 2);
    let padding = "x".repeat(2 * 1024 * 1024);
    vec![
        Probe {
            name: "two-in-one-write",
            pieces: vec![two],
            answers: vec![expect(11, Want::Result), expect(12, Want::Result)],
            advice: "split the input at line feeds; one read may give several requests",
        },
        Probe {
            name: "split-line",
            pieces: vec![first, second],
            answers: vec![expect(13, Want::Result)],
            advice: "collect the input up to the line feed; one read may give half a request",
        },
        Probe {
            name: "blank-line",
            pieces: vec![[b"\n\r\n".to_vec(), hello(14)].concat()],
            answers: vec![expect(14, Want::Result)],
            advice: "skip blank lines silently",
        },
        Probe {
            name: "long-line",
            pieces: vec![request(
                15,
                "no-such-method",
                &json!({ "padding": padding }),
            )],
            answers: unsupported(15, "no-such-method"),
            advice: "lines may have up to 48 MiB; a mail of many kilobytes is on one line",
        },
        Probe {
            name: "utf-8",
            pieces: vec![request(16, "größe-大きさ", &json!({}))],
            answers: unsupported(16, "größe-大きさ"),
            advice: "read and write UTF-8, whatever the locale says; escapes are fine, too",
        },
    ]
}

/// What is no proper request.
fn json_rpc() -> Vec<Probe> {
    let old = json!({ "jsonrpc": "1.0", "id": 17, "method": "hello", "params": { "protocol": 1 } });
    let notification = json!({ "jsonrpc": "2.0", "method": "hello", "params": { "protocol": 1 } });
    vec![
        Probe {
            name: "wrong-version",
            pieces: vec![format!("{old}\n").into_bytes()],
            answers: error(17, Code::INVALID_REQUEST),
            advice: "take only `jsonrpc` \"2.0\"; answer -32600 otherwise",
        },
        Probe {
            name: "notification",
            pieces: vec![[format!("{notification}\n").into_bytes(), hello(18)].concat()],
            answers: vec![expect(18, Want::Result)],
            advice: "a request without `id` is a notification: never answer it",
        },
        Probe {
            name: "string-id",
            pieces: vec![hello("nineteen")],
            answers: vec![expect("nineteen", Want::Result)],
            advice: "give the request's `id` back as it is, number or string",
        },
        Probe {
            name: "not-json",
            pieces: vec![b"EHLO example.org\n".to_vec()],
            answers: error(Value::Null, Code::PARSE),
            advice: "answer -32700 with id null, and go on with the next line",
        },
        Probe {
            name: "not-an-object",
            pieces: vec![b"[]\n".to_vec()],
            answers: error(Value::Null, Code::INVALID_REQUEST),
            advice: "answer -32600 with id null, and go on; there are no batches here",
        },
    ]
}
