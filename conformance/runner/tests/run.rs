//! The runner with an adapter that only says hello: statuses, blocking, reports.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::collections::BTreeMap;
use std::time::Duration;

use kith_adapter::act::{Act, ActResult};
use kith_adapter::client::Endpoint;
use kith_adapter::protocol::{
    About, Class, Clock, Close, Closed, Extent, Failure, KeyKind, Open, Opened, Receive, Received,
    Sync, Synced,
};
use kith_adapter::server::{Adapter, serve};
use kith_adapter::view::{View, ViewResult};
use kith_runner::child::Connector;
use kith_runner::event::{Event, Reporter};
use kith_runner::plan::Selection;
use kith_runner::report::human::Human;
use kith_runner::report::junit::Junit;
use kith_runner::report::{Report, Status};
use kith_runner::{Case, Options, RunError, Rung, Stop, exit};
use kith_spec::req;
use tokio::net::TcpListener;

/// An adapter that has nothing but `hello`.
struct Hollow {
    extent: Extent,
}

fn unsupported<T>(name: &str) -> Result<T, Failure> {
    Err(Failure::Unsupported(name.to_owned()))
}

impl Adapter for Hollow {
    async fn hello(&mut self) -> Result<About, Failure> {
        Ok(About {
            name: "Hollow".to_owned(),
            version: "0".to_owned(),
            language: "Rust".to_owned(),
            homepage: None,
            issues: None,
            spec: vec!["1.0".to_owned()],
            classes: BTreeMap::from([(Class::Core, self.extent)]),
            clock: Clock::Real,
            keys: vec![KeyKind::V4],
            can_import: false,
            errors: BTreeMap::new(),
        })
    }

    async fn open(&mut self, _: Open) -> Result<Opened, Failure> {
        unsupported("open")
    }

    async fn sync(&mut self, _: Sync) -> Result<Synced, Failure> {
        unsupported("sync")
    }

    async fn act(&mut self, _: Act) -> Result<ActResult, Failure> {
        unsupported("act")
    }

    async fn view(&mut self, _: View) -> Result<ViewResult, Failure> {
        unsupported("view")
    }

    async fn receive(&mut self, _: Receive) -> Result<Received, Failure> {
        unsupported("receive")
    }

    async fn close(&mut self, _: Close) -> Result<Closed, Failure> {
        unsupported("close")
    }

    async fn bye(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Serves the hollow adapter on a port until the test ends.
async fn listen(extent: Extent) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reader, writer) = stream.split();
                serve(reader, writer, Hollow { extent }).await
            });
        }
    });
    Endpoint::Tcp {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn options(endpoint: Endpoint) -> Options {
    Options {
        jobs: 2,
        limit: Duration::from_secs(1),
        ..Options::new(Connector::new("hollow", endpoint))
    }
}

fn suite() -> Vec<Case> {
    let rules = [&req::MAIL_LINES];
    let case = |id: &str, play: fn(kith_runner::Scene) -> Result<(), Stop>| {
        Case::new(id, "a case", Rung::Wire, &rules, move |scene| async move {
            play(scene)
        })
    };
    vec![
        case("pass", |scene| {
            scene.expect(&req::MAIL_LINES, true, String::new);
            Ok(())
        }),
        case("fail", |scene| {
            scene.require(&req::MAIL_LINES, false, || "expected a, seen b".to_owned())
        }),
        case("warn", |scene| {
            scene.expect(&req::MAIL_LINES, true, String::new);
            scene.expect(&req::LOOP_BOUNCE_SHOWN, false, || {
                "expected c, seen d".to_owned()
            });
            Ok(())
        }),
        case("silent", |_| Ok(())),
        case("panics", |_| panic!("on purpose")),
        case("timed", |scene| scene.advance_days(1).map(drop)),
        case("leaf", |_| Ok(())).needs(&["middle"]),
        case("middle", |_| Ok(())).needs(&["fail"]),
        case("groups", |_| Ok(())).class(kith_spec::Class::Groups),
        Case::new(
            "opens",
            "needs an agent",
            Rung::Request,
            &rules,
            |scene| async move { scene.agent().await.map(drop) },
        ),
        Case::new(
            "hangs",
            "never ends",
            Rung::Request,
            &rules,
            |_| async move { std::future::pending().await },
        ),
    ]
}

async fn run(extent: Extent, reporters: &mut [Box<dyn Reporter>]) -> Report {
    let options = options(listen(extent).await);
    let selection = Selection::default();
    kith_runner::run(&suite(), &selection, &options, reporters)
        .await
        .unwrap()
}

fn status(report: &Report, id: &str) -> Status {
    report
        .cases
        .iter()
        .find(|case| case.id == id)
        .unwrap()
        .status
}

#[tokio::test]
async fn each_case_gets_its_status() {
    let report = run(Extent::Partial, &mut []).await;
    let expected = [
        ("pass", Status::Pass),
        ("fail", Status::Fail),
        ("warn", Status::Warn),
        ("silent", Status::HarnessError),
        ("panics", Status::HarnessError),
        ("timed", Status::NotTested),
        ("leaf", Status::Blocked),
        ("middle", Status::Blocked),
        ("groups", Status::Skip),
        ("opens", Status::Unsupported),
        ("hangs", Status::Fail),
    ];
    for (id, expected) in expected {
        assert_eq!(status(&report, id), expected, "{id}");
    }
    let leaf = report.cases.iter().find(|case| case.id == "leaf").unwrap();
    assert_eq!(leaf.blocked_by.as_deref(), Some("fail"));
    assert_eq!(report.summary.harness_error, 2);
    assert_eq!(report.covered["mail.lines"].failed, 1);
    assert_eq!(exit::code(&report), exit::FAILED);
    let fail = report.cases.iter().find(|case| case.id == "fail").unwrap();
    assert_eq!(fail.failures[0].link, "spec/1.0/02-mail.md#every-kith-mail");
    assert_eq!(
        fail.repeat,
        "cargo conform run --run 'fail' --seed 1 --adapter 'hollow'"
    );
}

#[tokio::test]
async fn what_a_full_class_lacks_is_a_failure() {
    let report = run(Extent::Full, &mut []).await;
    assert_eq!(status(&report, "opens"), Status::Fail);
}

#[tokio::test]
async fn nobody_at_the_other_end_is_an_error() {
    let endpoint = Endpoint::Tcp {
        host: "127.0.0.1".to_owned(),
        port: 1,
    };
    let selection = Selection::default();
    let ran = kith_runner::run(&suite(), &selection, &options(endpoint), &mut []).await;
    assert!(matches!(ran, Err(RunError::Hello { .. })), "{ran:?}");
}

#[derive(Clone, Default)]
struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts what the reporters are told.
#[derive(Default)]
struct Counter(BTreeMap<&'static str, usize>, Shared);

impl Reporter for Counter {
    fn event(&mut self, event: &Event) -> std::io::Result<()> {
        let name = match event {
            Event::Hello(_) => "hello",
            Event::Planned { .. } => "planned",
            Event::Started { .. } => "started",
            Event::Finished(_) => "finished",
            Event::Done(_) => "done",
        };
        *self.0.entry(name).or_default() += 1;
        if name == "done" {
            use std::io::Write as _;
            write!(self.1, "{:?}", self.0)?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn reporters_hear_everything() {
    let (counted, text) = (Shared::default(), Shared::default());
    let path = std::env::temp_dir().join(format!("kith-junit-{}.xml", std::process::id()));
    let mut reporters: Vec<Box<dyn Reporter>> = vec![
        Box::new(Counter(BTreeMap::new(), counted.clone())),
        Box::new(Human::new(text.clone(), Some(60), true)),
        Box::new(Junit::new(path.clone())),
    ];
    run(Extent::Partial, &mut reporters).await;
    let counted = String::from_utf8(counted.0.lock().unwrap().clone()).unwrap();
    // Blocked cases are finished without having been started.
    let expected = r#"{"done": 1, "finished": 11, "hello": 1, "planned": 1, "started": 9}"#;
    assert_eq!(counted, expected);
    let text = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("mail.lines: expected a, seen b"), "{text}");
    assert!(text.contains("2 blocked"), "{text}");
    let xml = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(xml.contains("<testcase name=\"fail\""), "{xml}");
    assert!(xml.contains("errors=\"2\""), "{xml}");
}
