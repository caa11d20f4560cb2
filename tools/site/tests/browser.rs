//! The rendered document in a browser: search, anchors, console, width.
//!
//! Headless Chromium opens a page that loads all others in frames, tries what
//! people do, and reports what is wrong. Examples and evidence are stand-ins;
//! the text is the real one.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{env, fs, thread};

use kith_site::{Document, Evidence, Files, Input, Opened, Vector, build};
use kith_spec_source::{Insert, Source, parse};
use serde::Deserialize;
use tiny_http::{Header, Request, Response, Server};

/// Names under which the browser is installed.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How long all pages may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Hands what a page's console would show as an error to the page around it.
const LISTEN: &str = "<script>{const tell=(what)=>parent.kithErrors?.push(`${location.pathname}: ${what}`);\
                      addEventListener('error',(event)=>tell(event.message||event.target?.outerHTML),true);\
                      addEventListener('unhandledrejection',(event)=>tell(event.reason));\
                      console.error=(...what)=>tell(what.join(' '))}</script>";

#[derive(Deserialize)]
struct Report {
    loads: usize,
    links: usize,
    problems: Vec<String>,
}

#[test]
fn the_document_works_in_a_browser() {
    let Some(browser) = BROWSERS.into_iter().find(|name| exists(name)) else {
        let advice = "Chromium is not installed: install the package `chromium`";
        assert!(!env::var("CI").is_ok_and(|ci| ci == "true"), "{advice}");
        eprintln!("{advice}; this test was left out");
        return;
    };
    let input = input();
    let requirement = input.spec.requirements.last().unwrap().id.clone();
    let files = build(&input).unwrap_or_else(|problems| panic!("{problems:?}"));
    let pages: Vec<&String> = files
        .keys()
        .filter(|name| name.ends_with(".html"))
        .collect();
    let count = pages.len();
    let plan = serde_json::json!({ "pages": pages, "requirement": requirement }).to_string();
    let server = Server::http("127.0.0.1:0").unwrap();
    let address = server.server_addr().to_ip().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || serve(&server, &files, &plan, &sender));
    let profile = tempfile::tempdir().unwrap();
    let mut child = start(
        browser,
        profile.path(),
        &format!("http://{address}/.harness"),
    );
    let report = wait(&receiver);
    let _ = child.kill();
    let _ = child.wait();
    let report = report.expect("the browser did not report in time");
    assert!(report.problems.is_empty(), "{}", report.problems.join("\n"));
    assert_eq!(report.loads, 2 * count);
    assert!(report.links > count);
}

fn exists(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

fn start(browser: &str, profile: &Path, address: &str) -> Child {
    let profile = format!("--user-data-dir={}", profile.display());
    Command::new(browser)
        // Containers have no sandbox for it; it sees our own pages only.
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--no-first-run",
            "--remote-debugging-port=0",
            "--disable-extensions",
        ])
        .args([profile.as_str(), address])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait(receiver: &Receiver<String>) -> Option<Report> {
    let text = receiver.recv_timeout(PATIENCE).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn serve(server: &Server, files: &Files, plan: &str, report: &Sender<String>) {
    for mut request in server.incoming_requests() {
        let path = request
            .url()
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned();
        match path.as_str() {
            ".harness" => answer(request, "text/html", include_str!("browser/harness.html")),
            ".plan" => answer(request, "application/json", plan),
            ".report" => {
                let mut text = String::new();
                request.as_reader().read_to_string(&mut text).unwrap();
                answer(request, "text/plain", "");
                let _ = report.send(text);
            }
            name => match files.get(name) {
                Some(text) if name.ends_with(".html") => {
                    answer(
                        request,
                        "text/html",
                        &text.replacen("<head>", &format!("<head>{LISTEN}"), 1),
                    );
                }
                Some(text) if name.ends_with(".css") => answer(request, "text/css", text),
                Some(text) => answer(request, "text/javascript", text),
                None => {
                    let _ = request.respond(Response::empty(404));
                }
            },
        }
    }
}

fn answer(request: Request, kind: &str, text: &str) {
    let kind = format!("Content-Type: {kind}; charset=utf-8");
    let response = Response::from_string(text).with_header(kind.parse::<Header>().unwrap());
    let _ = request.respond(response);
}

/// The real text, with stand-ins for everything that others make.
fn input() -> Input {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeMap::new();
    for folder in [
        "spec/1.0",
        "spec/1.0/state",
        "spec/1.0/pictures",
        "schemas/1.0",
    ] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy();
                files.insert(
                    format!("{folder}/{name}"),
                    fs::read_to_string(&path).unwrap(),
                );
            }
        }
    }
    let sources = files.iter().filter(|(path, _)| path.starts_with("spec/"));
    let sources: Vec<Source> = sources
        .map(|(path, text)| Source {
            path: path.clone(),
            text: text.clone(),
        })
        .collect();
    let spec = parse(&sources).unwrap();
    let mut input = Input {
        files,
        ..Input::default()
    };
    for directive in &spec.directives {
        if let Insert::Example { vector, kind } = &directive.insert {
            let entry = input.vectors.entry(vector.clone()).or_default();
            *entry = stand_in();
            let kind = kind.clone().unwrap_or_else(|| "post".to_owned());
            let xml = format!(
                "<object author=\"{}\" id=\"1\"><{kind}/></object>",
                "0".repeat(64)
            );
            let opened: &mut Opened = input.opened.entry(vector.clone()).or_default();
            opened.delivery = Some("<delivery/>".to_owned());
            opened.objects.push(Document { kind, xml });
        }
    }
    let evidence = Evidence {
        code: vec!["reference/core/src/a.rs:1".to_owned()],
        cases: vec!["conformance/cases/src/a.rs:1".to_owned()],
        vectors: input.vectors.keys().take(3).cloned().collect(),
        ..Evidence::default()
    };
    let ids = spec.requirements.iter().map(|found| found.id.clone());
    input.evidence = ids.map(|id| (id, evidence.clone())).collect();
    input.spec = spec;
    input
}

fn stand_in() -> Vector {
    Vector {
        title: "an example".to_owned(),
        outcome: "accept".to_owned(),
        mail: Some(format!("From: a@a.test\n\n{}", "x".repeat(200))),
        ..Vector::default()
    }
}
