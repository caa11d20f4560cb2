//! The guide's examples are messages that follow the schemas: in each JSON
//! block a request and its answer take turns, one a line.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeSet;

use kith_adapter::{
    protocol::{METHODS, RpcError},
    validate::Validator,
};
use serde_json::Value;

/// The JSON code blocks, each with the number of its first line.
fn blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if inside && line == "```" {
            inside = false;
        } else if line == "```json" {
            inside = true;
            blocks.push((number + 2, Vec::new()));
        } else if inside && let Some((_, lines)) = blocks.last_mut() {
            lines.push(line);
        }
    }
    blocks
}

#[test]
fn every_example_follows_the_schemas() {
    let validator = Validator::new();
    let mut methods = BTreeSet::new();
    for (start, lines) in blocks(include_str!("../GUIDE.md")) {
        assert!(
            lines.len().is_multiple_of(2),
            "line {start}: request and answer take turns"
        );
        for pair in lines.chunks(2) {
            let [request, answer]: [Value; 2] = [pair[0], pair[1]].map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
            });
            for message in [&request, &answer] {
                assert_eq!(message["jsonrpc"], "2.0", "{message}");
                assert_eq!(message["id"], request["id"], "{message}");
            }
            methods.insert(check(&validator, &request, &answer));
        }
    }
    let all = METHODS.iter().map(|method| (*method).to_owned()).collect();
    assert_eq!(methods, all, "every method needs an example");
}

/// Checks a request and its answer; the method.
fn check(validator: &Validator, request: &Value, answer: &Value) -> String {
    let method = request["method"].as_str().unwrap();
    let params = &request["params"];
    let part = match method {
        "act" => params["do"].as_str(),
        "view" => params["what"].as_str(),
        _ => None,
    };
    if let Some(error) = answer.get("error") {
        let error: RpcError = serde_json::from_value(error.clone()).unwrap();
        validator.error(&error).unwrap();
    } else {
        validator
            .request(method, params)
            .unwrap_or_else(|wrong| panic!("{request}: {wrong}"));
        validator
            .result(method, part, &answer["result"])
            .unwrap_or_else(|wrong| panic!("{answer}: {wrong}"));
    }
    method.to_owned()
}
