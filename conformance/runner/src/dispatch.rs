//! Runs the cases of a plan: so many children, each with one case in flight.
//!
//! Each worker keeps its child, the adapter, from case to case and starts a new one
//! only after a crash, a hang or a breach of the protocol. A case whose needs are not
//! settled waits; one whose need failed is blocked, naming the case at the root.

mod queue;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_adapter::protocol::About;
use kith_spec::Class;
use kith_testbed::{Described, Outages};
use tokio::sync::{mpsc, oneshot};

use crate::case::{Case, Stop};
use crate::child::{Connector, Slot};
use crate::event::{Event, Reporter};
use crate::evidence;
use crate::plan::{Expected, PlanError, Selection};
use crate::report::{self, CaseResult, REPORT, Report, Status, Summary};
use crate::scene::Scene;
use crate::stage::Stage;
use queue::{Next, Queue};

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How the implementation is reached.
    pub connector: Connector,
    /// What the harness's randomness comes from.
    pub seed: u64,
    /// How many children, each with one case in flight; at least one.
    pub jobs: usize,
    /// One child, and a report without what differs between two runs of the same seed.
    pub deterministic: bool,
    /// Stop after the first rung in which a case fails.
    pub first: bool,
    /// How long one case may take.
    pub limit: Duration,
    /// Where everything that happened in each case is written, if anywhere.
    pub record: Option<PathBuf>,
    /// What is known beforehand about how cases end.
    pub expected: Expected,
    /// The version of the suite, for the report.
    pub suite: String,
    /// The implementation that the other people of a scenario use; without it the same one.
    pub partner: Option<Connector>,
    /// Servers outside this process; then only cases for such are run, one on each at a time.
    /// None: each case has an embedded one.
    pub servers: Vec<Described>,
    /// What these servers are called on the command line.
    pub named: Option<String>,
    /// What can happen to these servers, where the harness has them in hand.
    pub outages: Option<Arc<dyn Outages>>,
}

impl Options {
    /// The usual way to run: one child, seed 1, a minute for each case.
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            seed: 1,
            jobs: 1,
            deterministic: false,
            first: false,
            limit: Duration::from_secs(60),
            record: None,
            expected: Expected::default(),
            servers: Vec::new(),
            named: None,
            outages: None,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            partner: None,
        }
    }

    fn partner_slot(&self) -> Option<Arc<Slot>> {
        let partner = self.partner.as_ref();
        partner.map(|connector| Arc::new(Slot::new(connector.clone())))
    }
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The implementation did not introduce itself.
    #[error("the adapter {adapter} did not answer `hello`: {reason}")]
    Hello {
        /// How it was to be reached.
        adapter: String,
        /// What happened.
        reason: Stop,
    },
    /// The harness's own mail server could not be prepared.
    #[error(transparent)]
    Testbed(#[from] kith_testbed::TestbedError),
    /// A report could not be written.
    #[error("a report could not be written: {0}")]
    Report(#[from] std::io::Error),
    /// The system has no thread left.
    #[error("no thread could be started: {0}; try fewer with --jobs")]
    Thread(std::io::Error),
}

/// Runs the selected cases of a suite and tells the reporters.
///
/// # Errors
/// If there is nothing to run or nobody to run it with.
pub async fn run(
    suite: &[Case],
    selection: &Selection,
    options: &Options,
    reporters: &mut [Box<dyn Reporter>],
) -> Result<Report, RunError> {
    let began = Instant::now();
    let mut cases = selection.plan(suite)?;
    cases.retain(|case| {
        (case.on_servers || options.servers.is_empty())
            && (!case.outage || options.outages.is_some())
    });
    if cases.is_empty() {
        return Err(PlanError::Empty.into());
    }
    let (about, first) = First::start(options).await?;
    tell(reporters, &Event::Hello(Box::new(about.clone())))?;
    tell(reporters, &Event::Planned { cases: cases.len() })?;
    let order: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
    let stage = Arc::new(Stage::new(options.seed, about.clone())?.on(options));
    let hidden = undeclared(&cases, &about);
    let mut results = play_all(cases, first, &stage, options, reporters).await?;
    results.sort_by_key(|result| order.iter().position(|id| *id == result.id));
    let hints = hints(hidden, &stage, options).await;
    let mut report = make_report(results, about, options, hints, began.elapsed());
    report.suite_cases = suite.len();
    if options.deterministic {
        report::steady::durations(&mut report);
    }
    if let Some(folder) = &options.record {
        report::json::write(&report, &folder.join(evidence::REPORT))?;
    }
    let done = Event::Done(Box::new(report));
    tell(reporters, &done)?;
    match done {
        Event::Done(report) => Ok(*report),
        _ => unreachable!("`done` was made with this variant above"),
    }
}

async fn play_all(
    cases: Vec<Case>,
    first: First,
    stage: &Arc<Stage>,
    options: &Options,
    reporters: &mut [Box<dyn Reporter>],
) -> Result<Vec<CaseResult>, RunError> {
    let most = match (options.deterministic, options.servers.len()) {
        (true, _) => 1,
        (false, 0) => cases.len(),
        (false, servers) => servers.min(cases.len()),
    };
    let jobs = options.jobs.clamp(1, most);
    let queue = Arc::new(Queue::new(cases, options.first));
    let (events, mut inbox) = mpsc::unbounded_channel();
    let worker = |slot| Worker {
        queue: Arc::clone(&queue),
        stage: Arc::clone(stage),
        slot,
        partner: options.partner_slot(),
        options: options.clone(),
        events: events.clone(),
    };
    for _ in 1..jobs {
        let slot = Arc::new(Slot::new(options.connector.clone()));
        on_own_thread(worker(slot).work())?;
    }
    // It waits for this, and for nothing else.
    let _ = first.begin.send(worker(first.slot));
    drop(events);
    let mut results = Vec::new();
    while let Some(event) = inbox.recv().await {
        tell(reporters, &event)?;
        if let Event::Finished(result) = event {
            results.push(*result);
        }
    }
    Ok(results)
}

fn tell(reporters: &mut [Box<dyn Reporter>], event: &Event) -> std::io::Result<()> {
    reporters
        .iter_mut()
        .try_for_each(|reporter| reporter.event(event))
}

/// The first case of each class that the implementation doesn't declare.
fn undeclared(cases: &[Case], about: &About) -> BTreeMap<Class, Case> {
    let mut first = BTreeMap::new();
    for case in cases.iter().filter(|case| verdict::skipped(case, about)) {
        first.entry(case.class).or_insert_with(|| case.clone());
    }
    first
}

/// Tries one case of each undeclared class: what works should be declared.
async fn hints(cases: BTreeMap<Class, Case>, stage: &Arc<Stage>, options: &Options) -> Vec<String> {
    let (events, _) = mpsc::unbounded_channel();
    let worker = Worker {
        queue: Arc::new(Queue::new(Vec::new(), false)),
        stage: Arc::clone(stage),
        slot: Arc::new(Slot::new(options.connector.clone())),
        partner: options.partner_slot(),
        options: options.clone(),
        events,
    };
    let mut hints = Vec::new();
    for (class, case) in cases {
        let result = worker.play_anyway(&case).await;
        if result.status == Status::Pass {
            let id = &case.id;
            hints.push(format!(
                "the class {class} is not declared, but its case {id} passes"
            ));
        }
    }
    worker.slot.bye().await;
    hints
}

fn make_report(
    cases: Vec<CaseResult>,
    about: About,
    options: &Options,
    hints: Vec<String>,
    took: Duration,
) -> Report {
    Report {
        report: REPORT.to_owned(),
        suite: options.suite.clone(),
        suite_cases: cases.len(),
        spec: "1.0".to_owned(),
        seed: options.seed,
        adapter: options.connector.name(),
        implementation: Some(about),
        milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        summary: Summary::of_all(&cases),
        covered: report::coverage(&cases),
        cases,
        hints,
        servers: options
            .servers
            .iter()
            .map(|server| (server.name.clone(), server.versions.clone()))
            .collect(),
    }
}

/// Works on a thread of its own. Whoever waits in a case waits for somebody on the same thread, such
/// as the mail server, or for the child, and nobody is woken on another core.
fn on_own_thread(work: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(RunError::Thread)?;
    std::thread::Builder::new()
        .name("worker".to_owned())
        .spawn(move || runtime.block_on(work))
        .map_err(RunError::Thread)?;
    Ok(())
}

/// The first child, which has introduced itself, and the thread that waits to play with it.
struct First {
    slot: Arc<Slot>,
    begin: oneshot::Sender<Worker>,
}

impl First {
    async fn start(options: &Options) -> Result<(About, Self), RunError> {
        let slot = Arc::new(Slot::new(options.connector.clone()));
        let (hello, about) = oneshot::channel();
        let (begin, beginning) = oneshot::channel::<Worker>();
        let child = Arc::clone(&slot);
        on_own_thread(async move {
            let _ = hello.send(child.about().await);
            if let Ok(worker) = beginning.await {
                worker.work().await;
            }
        })?;
        let lost = |_| Err(Stop::Harness("its thread ended".to_owned()));
        let about = about.await.unwrap_or_else(lost);
        let about = about.map_err(|reason| RunError::Hello {
            adapter: options.connector.name(),
            reason,
        })?;
        Ok((about, Self { slot, begin }))
    }
}

/// One child, and the cases it plays one after the other.
struct Worker {
    queue: Arc<Queue>,
    stage: Arc<Stage>,
    slot: Arc<Slot>,
    partner: Option<Arc<Slot>>,
    options: Options,
    events: mpsc::UnboundedSender<Event>,
}

impl Worker {
    async fn work(self) {
        // Nobody listens any more only when the run was given up.
        while !self.events.is_closed() {
            let (case, result) = match self.queue.next().await {
                Next::Play(case) => {
                    self.tell(Event::Started {
                        id: case.id.clone(),
                    });
                    let mut result = self.play_again(&case).await;
                    self.options.expected.apply(&mut result);
                    (case, result)
                }
                Next::Blocked(case, root) => {
                    let mut result = report::blank(&case, self.repeat(&case));
                    result.status = Status::Blocked;
                    result.reason = Some(format!("it needs what {root} tests"));
                    result.blocked_by = Some(root);
                    (case, result)
                }
                Next::Nothing => break,
            };
            self.queue.settle(&case.id, &result);
            self.tell(Event::Finished(Box::new(result)));
        }
        self.slot.bye().await;
        if let Some(partner) = &self.partner {
            partner.bye().await;
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn repeat(&self, case: &Case) -> String {
        let adapter = match self.options.connector.name() {
            name if name == "builtin:reference" => String::new(),
            name => format!(" --adapter '{name}'"),
        };
        let server = self.options.named.as_ref();
        let server = server.map_or_else(String::new, |name| format!(" --server '{name}'"));
        let Case { id, .. } = case;
        format!(
            "cargo conform run --run '{id}' --seed {}{adapter}{server}",
            self.options.seed
        )
    }

    /// Plays a case, and once more as long as it fails and may be retried. What is reported of
    /// one that passes in the end is what was seen when it failed.
    async fn play_again(&self, case: &Case) -> CaseResult {
        let failed = |status| matches!(status, Status::Fail | Status::HarnessError);
        let mut result = self.play(case).await;
        let retries = self.options.expected.retries(&case.id);
        while failed(result.status) && result.attempts <= retries {
            let again = self.play(case).await;
            result.attempts += 1;
            result.microseconds += again.microseconds;
            if !failed(again.status) {
                self.options.expected.flaked(&mut result);
                break;
            }
        }
        result
    }

    async fn play(&self, case: &Case) -> CaseResult {
        if verdict::skipped(case, self.stage.about()) {
            let mut result = report::blank(case, self.repeat(case));
            result.status = Status::Skip;
            result.reason = Some(format!("the class {} is not declared", case.class));
            return result;
        }
        self.play_anyway(case).await
    }

    async fn play_anyway(&self, case: &Case) -> CaseResult {
        let _alone = self.stage.turn(case.outage).await;
        let began = Instant::now();
        let mut result = report::blank(case, self.repeat(case));
        if let Some(server) = self.options.servers.first() {
            result.axes.insert("server".to_owned(), server.name.clone());
        }
        match Scene::open(
            &self.stage,
            case,
            Arc::clone(&self.slot),
            self.partner.clone(),
        )
        .await
        {
            Ok(scene) => {
                let ended = self.act(case, &scene).await;
                let ended = ended.and(scene.judge_rest());
                let about = self.stage.about();
                verdict::judge(case, &scene, &ended, about, &mut result).await;
                if self.options.deterministic {
                    report::steady::texts(&mut result);
                }
                if let Some(evidence) = &mut result.evidence {
                    evidence::cut(evidence);
                }
                self.record(&scene, &mut result).await;
                if let Err(stop) = scene.close(&ended).await {
                    result.status = Status::Fail;
                    result.reason = Some(stop.to_string());
                }
            }
            Err(stop) => {
                result.status = Status::HarnessError;
                result.reason = Some(stop.to_string());
            }
        }
        result.microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        result
    }

    /// Plays the case to its end, whatever happens in it.
    async fn act(&self, case: &Case, scene: &Scene) -> Result<(), Stop> {
        let mut task = tokio::spawn(case.play(scene.clone()));

        match tokio::time::timeout(self.options.limit, &mut task).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => Err(Stop::Harness(format!("the case panicked: {error}"))),
            Err(_) => {
                task.abort();
                let seconds = self.options.limit.as_secs();
                let doing = scene.doing();
                Err(Stop::Adapter(format!(
                    "not done after {seconds} s; it was at {doing}"
                )))
            }
        }
    }

    async fn record(&self, scene: &Scene, result: &mut CaseResult) {
        let Some(folder) = &self.options.record else {
            return;
        };
        if let Err(error) = evidence::record(folder, scene, result).await {
            result.status = Status::HarnessError;
            result.reason = Some(format!("cannot record to {}: {error}", folder.display()));
        }
    }
}
