//! The page in headless Chromium, light and dark: a harness page opens it in a frame, does
//! what people do, and reports what is wrong.

use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{env, thread};

use tiny_http::{Header, Response, Server};

use super::page;
use crate::report::sample::report;
use crate::report::{Report, Status};

/// Names under which the browser is installed.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How long the page may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Hands what the page's console would show as an error to the page around it.
const LISTEN: &str = "<script>addEventListener('error',(event)=>parent.errors.push(String(event.message)));\
    addEventListener('securitypolicyviolation',(event)=>parent.errors.push('the policy forbids '+event.blockedURI));</script>";

fn browser() -> Option<&'static str> {
    let exists = |name: &&str| {
        let mut command = Command::new(name);
        let found = command.arg("--version").stdout(Stdio::null());
        found
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    let found = BROWSERS.into_iter().find(exists);
    if found.is_none() {
        let advice = "Chromium is not installed: install the package `chromium`";
        assert!(!env::var("CI").is_ok_and(|ci| ci == "true"), "{advice}");
        eprintln!("{advice}; this test was left out");
    }
    found
}

fn sample() -> Report {
    let mut report = report(&[
        ("wire/broken", Status::Fail),
        ("wire/also-broken", Status::Fail),
        ("wire/warned", Status::Warn),
        ("wire/skipped", Status::Skip),
        ("wire/passed", Status::Pass),
    ]);
    report.hints.push("a class works".to_owned());
    report
}

/// What is wrong in the browser: one line for each problem.
fn problems(browser: &str, scheme: &str) -> String {
    let server = Server::http("127.0.0.1:0").unwrap();
    let address = format!("http://{}/.harness", server.server_addr());
    let (sender, receiver) = channel();
    let page = page(&sample()).replacen("<head>", &format!("<head>{LISTEN}"), 1);
    thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let body = match request.url() {
                "/.harness" => include_str!("browser.html").to_owned(),
                "/report" => page.clone(),
                "/.problems" => {
                    let mut text = String::new();
                    request.as_reader().read_to_string(&mut text).unwrap();
                    let _ = sender.send(text);
                    String::new()
                }
                "/favicon.ico" => String::new(),
                other => {
                    let _ = sender.send(format!("the page asks for {other}"));
                    String::new()
                }
            };
            let kind: Header = "Content-Type: text/html; charset=utf-8".parse().unwrap();
            let _ = request.respond(Response::from_string(body).with_header(kind));
        }
    });
    let profile = tempfile::tempdir().unwrap();
    let mut child = Command::new(browser)
        // Containers have no sandbox for it; it sees our own page only.
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args([
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-extensions",
        ])
        .arg("--remote-debugging-port=0")
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let problems = receiver.recv_timeout(PATIENCE);
    let _ = child.kill();
    let _ = child.wait();
    problems.expect("the browser did not report in time")
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    for (name, scheme) in [("dark", "0"), ("light", "1")] {
        let problems = problems(browser, scheme);
        assert!(problems == format!("done in {name}"), "{name}: {problems}");
    }
}
