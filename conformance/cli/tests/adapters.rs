//! An adapter that dies, hangs, floods or babbles in the middle of a case: the run ends, that
//! case alone fails, the adapter is named as the culprit, and the next case has a new child.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The report of a run of three cases with an adapter that falters once, and the exit code.
fn run(fault: &str) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let (marker, report) = (folder.path().join("marker"), folder.path().join("report"));
    let adapter = env!("CARGO_BIN_EXE_faltering-adapter");
    assert!(Path::new(adapter).with_file_name("kith-conform").exists());
    let adapter = format!("exec:{adapter} {fault} {}", marker.display());
    let done = Command::new(env!("CARGO_BIN_EXE_kith-conform"))
        .args(["run", "--run", "message/*", "--jobs", "1", "--limit", "20"])
        .args(["--adapter", &adapter, "--json"])
        .arg(&report)
        .output()
        .unwrap();
    let text = std::fs::read_to_string(&report);
    let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
    (serde_json::from_str(&text).unwrap(), done.status.code())
}

#[test]
fn only_the_case_in_flight_is_blamed_on_the_adapter() {
    for (fault, says) in [
        ("die", "sync"),
        ("hang", "sync"),
        ("flood", "DEBUG: syncing"),
        ("babble", "Segmentation fault"),
    ] {
        let (report, code) = run(fault);
        let cases = report["cases"].as_array().unwrap();
        let failed: Vec<&Value> = cases
            .iter()
            .filter(|case| case["status"] != "pass")
            .collect();
        let [failed] = failed[..] else {
            panic!("{fault}: {} of {} cases failed", failed.len(), cases.len());
        };
        assert_eq!(failed["status"], "fail", "{fault}");
        let reason = failed["reason"].as_str().unwrap();
        assert!(reason.starts_with("the adapter: "), "{fault}: {reason}");
        let shown = format!("{reason} {}", failed["evidence"]["stderr"]);
        assert!(shown.contains(says), "{fault}: {shown}");
        assert!(
            shown.contains(&format!("about to {fault}")),
            "{fault}: {shown}"
        );
        assert_eq!(code, Some(1), "{fault}");
        assert!(cases.len() >= 2, "{fault}");
    }
}
