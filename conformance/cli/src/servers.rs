//! Runs on mail servers outside this process: in containers, or somebody's own.

use std::path::Path;

use kith_containers::{Confederation, Engine, Stack, Wanted};
use kith_runner::exit;
use kith_testbed::Described;
use tokio::signal::unix::{SignalKind, signal};

use crate::Trouble;
use crate::args::{EMBEDDED, Run};

/// How many cases are played side by side in containers unless told otherwise: most of a case
/// is waiting for mail.
const LANES: usize = 6;
/// How many people the harness can play in one case.
const PEOPLE: usize = 8;

/// Builds all images, telling what goes on.
pub(crate) async fn images() -> Result<u8, Trouble> {
    let engine = Engine::find().await?;
    kith_containers::prepare(&engine, &Stack::ALL, &mut tell).await?;
    Ok(exit::PASSED)
}

fn tell(line: &str) {
    anstream::eprintln!("{line}");
}

/// Plays on the servers that the command line names, one stack after the other.
pub(crate) async fn run<F, Fut>(arguments: &Run, play: F) -> Result<u8, Trouble>
where
    F: Fn(Vec<Described>) -> Fut,
    Fut: Future<Output = Result<u8, Trouble>>,
{
    let name = arguments.server.as_str();
    if name == EMBEDDED {
        return play(Vec::new()).await;
    }
    if Path::new(name).is_file() {
        return play(vec![described(Path::new(name))?]).await;
    }
    let stacks = match name {
        "all" if arguments.outputs.writes_over() => {
            return Err(Trouble::OneFile);
        }
        "all" => Stack::ALL.to_vec(),
        name => vec![name.parse().map_err(Trouble::NoServer)?],
    };
    let lanes = arguments.jobs.unwrap_or(LANES);
    // What is dropped by an interruption removes its containers.
    tokio::select! {
        ended = on_stacks(&stacks, lanes, play) => ended,
        () = interrupted() => Err(Trouble::Interrupted),
    }
}

/// The description of a mail server of the user's own, with what they should know before.
fn described(path: &Path) -> Result<Described, Trouble> {
    let server = Described::read(path)?;
    server.usable()?;
    tell(&format!(
        "WARNING: all mail in these accounts of {} is deleted, now and before each case:",
        server.name
    ));
    for account in &server.accounts {
        tell(&format!("  {}", account.address));
    }
    tell(
        "The suite asks the agent to write to these addresses only. Whether it keeps to that \
         is up to the agent. Use a test server, or accounts made for this.",
    );
    Ok(server)
}

async fn on_stacks<F, Fut>(stacks: &[Stack], lanes: usize, play: F) -> Result<u8, Trouble>
where
    F: Fn(Vec<Described>) -> Fut,
    Fut: Future<Output = Result<u8, Trouble>>,
{
    let engine = Engine::find().await?;
    let mut worst = exit::PASSED;
    for &stack in stacks {
        let wanted = Wanted {
            stack,
            lanes,
            people: PEOPLE,
        };
        let confederation = Confederation::start(&engine, wanted, &mut tell).await?;
        let version = engine.version();
        tell(&format!(
            "{stack}, container engine {version}: {}",
            confederation.versions().replace('\n', ", ")
        ));
        let ended = play(confederation.described()).await;
        confederation.stop().await?;
        worst = worst.max(ended?);
    }
    Ok(worst)
}

/// Waits for Ctrl-C, or for being told to end.
async fn interrupted() {
    let heard = |kind| async move {
        match signal(kind) {
            Ok(mut told) => drop(told.recv().await),
            // Where a signal can't be had, nobody waits for it.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => {}
        () = heard(SignalKind::terminate()) => {}
    }
}
