//! `adapter check` against a good adapter and careless ones.

use kith_adapter::{
    Endpoint,
    check::{Finding, check},
    client::Command,
};

async fn findings(word: &str) -> Vec<Finding> {
    check(&Endpoint::Exec(Command {
        program: env!("CARGO_BIN_EXE_faulty-adapter").into(),
        arguments: vec![word.into()],
    }))
    .await
}

fn failed(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .filter(|finding| !finding.passed)
        .map(|finding| finding.probe)
        .collect()
}

#[tokio::test]
async fn a_good_adapter_passes() {
    let findings = findings("good").await;
    assert_eq!(failed(&findings), [""; 0], "{findings:#?}");
    for probe in [
        "unknown-method",
        "unknown-action",
        "split-line",
        "not-json",
        "bye",
    ] {
        assert!(
            findings.iter().any(|finding| finding.probe == probe),
            "{probe}"
        );
    }
}

#[tokio::test]
async fn a_careless_adapter_is_told_what_to_do() {
    let findings = findings("careless").await;
    let failed = failed(&findings);
    for probe in [
        "protocol-version",
        "unknown-method",
        "unknown-action",
        "unknown-view",
        "missing-params",
        "unknown-session",
        "blank-line",
        "wrong-version",
        "notification",
        "not-json",
    ] {
        assert!(
            failed.contains(&probe),
            "{probe} should fail: {findings:#?}"
        );
    }
    // It does read lines, and it does end.
    for probe in [
        "hello",
        "two-in-one-write",
        "split-line",
        "string-id",
        "bye",
        "end-of-input",
    ] {
        assert!(
            !failed.contains(&probe),
            "{probe} should pass: {findings:#?}"
        );
    }
    let exit = findings
        .iter()
        .find(|finding| finding.probe == "not-json")
        .unwrap();
    assert!(exit.came.contains("status: 3"), "{exit}");
    let shown = exit.to_string();
    for part in ["FAIL  not-json", "EHLO example.org", "-32700", "what to do"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[tokio::test]
async fn a_bad_end_is_found() {
    assert!(failed(&findings("bad-exit").await).contains(&"bye"));
    assert!(failed(&findings("lingers").await).contains(&"bye"));
}

#[tokio::test]
async fn nobody_there_is_one_finding() {
    let findings = check(&"exec:no-such-program-here".parse().unwrap()).await;
    assert_eq!(failed(&findings), ["hello"]);
}
