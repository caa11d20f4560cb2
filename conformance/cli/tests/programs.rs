//! `interop` and `serve`, as somebody runs them.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kith-conform");

/// The matrix of the reference agent and another adapter, and the exit code.
fn interop(other: &str) -> (Value, String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.json");
    let done = Command::new(PROGRAM)
        .args(["interop", "--a", "builtin:reference", "--jobs", "1"])
        .args(["--b", other, "--json"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
    (
        serde_json::from_str(&text).unwrap(),
        said,
        done.status.code(),
    )
}

/// The statuses of all scenarios of a cell.
fn statuses(cell: &Value) -> Vec<&str> {
    let cases = cell["report"]["cases"].as_array().unwrap();
    cases
        .iter()
        .map(|case| case["status"].as_str().unwrap())
        .collect()
}

#[test]
fn two_implementations_meet_in_both_roles() {
    let other = format!("exec:{PROGRAM} adapter-reference");
    let (matrix, said, code) = interop(&other);
    let cells = matrix.as_array().unwrap();
    let pairs: Vec<_> = cells
        .iter()
        .map(|cell| {
            (
                cell["first"].as_str().unwrap(),
                cell["second"].as_str().unwrap(),
            )
        })
        .collect();
    let reference = "builtin:reference";
    let other = other.as_str();
    let all = [
        (reference, reference),
        (reference, other),
        (other, reference),
        (other, other),
    ];
    assert_eq!(pairs, all);
    for cell in cells {
        let statuses = statuses(cell);
        assert!(statuses.len() >= 6, "{statuses:?}");
        assert!(statuses.iter().all(|status| *status == "pass"), "{cell:#}");
    }
    assert!(said.contains("begins"), "{said}");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn an_implementation_that_dies_fails_its_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let adapter = env!("CARGO_BIN_EXE_faltering-adapter");
    let (matrix, said, code) = interop(&format!("exec:{adapter} die {}", marker.display()));
    let cells = matrix.as_array().unwrap();
    let failed = |cell: &Value| statuses(cell).contains(&"fail");
    assert!(!failed(&cells[0]), "the reference agent alone: {said}");
    assert_eq!(
        cells.iter().filter(|cell| failed(cell)).count(),
        1,
        "{said}"
    );
    assert_eq!(code, Some(1), "{said}");
}

/// A child that is ended with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It has nothing to keep.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The endpoint of a line such as `IMAP: 127.0.0.1 port 993, TLS, …`.
fn endpoint(line: &str) -> Option<SocketAddr> {
    let (host, rest) = line.split_once(": ")?.1.split_once(" port ")?;
    let port = rest.split(',').next()?;
    Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
}

#[test]
fn a_served_server_listens_and_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, description) = (
        folder.path().join("ca.pem"),
        folder.path().join("server.toml"),
    );
    let child = Command::new(PROGRAM)
        .args(["serve", "--ca"])
        .arg(&ca)
        .arg("--description")
        .arg(&description)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut served = Served(child);
    let mut endpoints: Vec<SocketAddr> = Vec::new();
    let mut said = Vec::new();
    for line in BufReader::new(served.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        endpoints.extend(endpoint(&line));
        let ready = line.starts_with("ready");
        said.push(line);
        if ready {
            break;
        }
    }
    assert_eq!(endpoints.len(), 4, "{said:?}");
    for endpoint in endpoints {
        TcpStream::connect(endpoint).unwrap();
    }
    let described = kith_testbed::Described::read(&description).unwrap();
    described.usable().unwrap();
    assert_eq!(described.accounts.len(), 3);
    let pem = std::fs::read_to_string(&ca).unwrap();
    assert_eq!(described.ca.as_deref(), Some(pem.as_str()));
}
