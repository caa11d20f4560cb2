//! `run`, `interop` and `serve`, as somebody runs them.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::ffi::OsStr;
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

#[test]
fn deterministic_runs_of_a_failing_implementation_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let adapter = concat!("exec:", env!("CARGO_BIN_EXE_faltering-adapter"), " blind");
    let run = || {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--deterministic", "--adapter", adapter, "--json"]);
        command.arg(&path).args(["--run", "message/*"]);
        command.args(["--run", "delivery/bounced"]);
        command.output().unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    let (one, other) = (run(), run());
    let report: Value = serde_json::from_str(&one).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let dialogues = cases
        .iter()
        .filter_map(|case| case["evidence"]["dialogue"].as_str());
    let sealed = dialogues.filter(|text| text.contains("-BEGIN PGP MESSAGE-"));
    assert!(sealed.count() > 1, "{one}");
    let mut lines = one.lines().zip(other.lines());
    let differs = lines.find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(one, other);
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

/// Starts `serve` with these arguments; returns what it says until it is ready.
fn serve(arguments: &[&OsStr]) -> (Served, Vec<String>) {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(arguments).stdout(Stdio::piped());
    let mut served = Served(command.spawn().unwrap());
    let mut said = Vec::new();
    for line in BufReader::new(served.0.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().unwrap().starts_with("ready") {
            break;
        }
    }
    (served, said)
}

#[test]
fn a_served_server_listens_and_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, description) = (
        folder.path().join("ca.pem"),
        folder.path().join("server.toml"),
    );
    let (_served, said) = serve(&[
        "--ca".as_ref(),
        ca.as_ref(),
        "--description".as_ref(),
        description.as_ref(),
    ]);
    let endpoints: Vec<SocketAddr> = said.iter().filter_map(|line| endpoint(line)).collect();
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

#[test]
fn cases_run_on_a_server_that_a_file_describes() {
    let folder = tempfile::tempdir().unwrap();
    let description = folder.path().join("server.toml");
    let report = folder.path().join("report.json");
    let (_served, _) = serve(&["--description".as_ref(), description.as_ref()]);
    let run = |cases: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--server"]).arg(&description);
        command.args(cases.iter().flat_map(|case| ["--run", *case]));
        command.arg("--json").arg(&report).output().unwrap()
    };
    let done = run(&["message/*", "page/list/*", "together/friends"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    let text = std::fs::read_to_string(&report).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap();
    assert!(cases.len() >= 6, "{said}");
    for case in cases {
        assert_eq!(case["status"], "pass", "{said}");
        assert_eq!(case["axes"]["server"], "served", "{said}");
        let repeat = case["repeat"].as_str().unwrap();
        let named = format!("--server '{}'", description.display());
        assert!(repeat.ends_with(&named), "{repeat}");
    }

    let text = std::fs::read_to_string(&description).unwrap();
    let refused = text.replace("may-empty-the-mailboxes = true", "");
    std::fs::write(&description, refused).unwrap();
    let done = run(&["message/*"]);
    assert_eq!(done.status.code(), Some(2));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(told.contains("may not be emptied"), "{told}");
}
