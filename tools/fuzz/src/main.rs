//! `cargo xtask fuzz`: plays every target in turn for some time.
//!
//! Exit codes: 0 nothing found, 1 something found, 2 could not run.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use kith_fuzz::{Target, all, play};

/// Feeds mutated mail, documents and dialogues to everything that reads octets.
#[derive(Parser)]
#[command(name = "cargo xtask fuzz", bin_name = "cargo xtask fuzz")]
struct Args {
    /// How long, all targets together
    #[arg(long, value_name = "N", default_value_t = 60, conflicts_with = "tries")]
    seconds: u64,
    /// Instead of a time: so many tries of each target
    #[arg(long, value_name = "N")]
    tries: Option<u64>,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// The number of the first try; the same number makes the same input
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let targets = match all() {
        Ok(targets) => targets,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let names: Vec<_> = targets.iter().map(|target| target.name()).collect();
    let wanted = |name: &str| args.target.as_ref().is_none_or(|wanted| wanted == name);
    let targets = targets.into_iter();
    let mut targets: Vec<_> = targets.filter(|target| wanted(target.name())).collect();
    if targets.is_empty() {
        anstream::eprintln!(
            "error: there is no such target; there are {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    }
    let share = Duration::from_secs(args.seconds) / u32::try_from(targets.len()).unwrap_or(1);
    let mut found = 0;
    for target in &mut targets {
        found += run(target.as_mut(), &args, share);
    }
    ExitCode::from(u8::from(found > 0))
}

/// Plays one target; how much it found.
fn run(target: &mut dyn Target, args: &Args, share: Duration) -> usize {
    let start = Instant::now();
    let (mut number, mut found) = (args.from, 0);
    let more = |number: u64| match args.tries {
        Some(tries) => number < args.from.saturating_add(tries),
        None => start.elapsed() < share,
    };
    while more(number) {
        if let Err(finding) = play(target, number) {
            anstream::println!("{finding}");
            found += 1;
        }
        number += 1;
    }
    let (name, tries) = (target.name(), number - args.from);
    let seconds = start.elapsed().as_secs_f64();
    anstream::println!("{name:<17} {tries:>7} tries {seconds:>6.1} s  {found} found");
    found
}
