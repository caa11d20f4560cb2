//! `cargo xtask ci`: the commands that CI runs, in its order.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use crate::tree;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run all steps, even after one has failed
    #[arg(long)]
    keep_going: bool,
}

/// How the example in Python is reached.
const EXAMPLE: &str = "exec:python3 conformance/adapters/python/adapter.py";
/// The cases that it passes.
const EXAMPLE_CASES: &str = "@conformance/adapters/python/cases.txt";

/// The cases of the core class on servers: what two friends need.
const CORE: &str = "{wire,message,together}/*";

/// What is done with a command: a program and its arguments.
enum Step {
    Run(&'static [&'static str]),
    /// Begins it; the next steps run beside it.
    Begin(&'static [&'static str]),
    /// Waits for what was begun.
    Await,
}
use Step::{Await, Begin, Run};

/// The commands, in their order. The images wait for packages rather than for a processor; they
/// begin first, because Cargo builds for one command at a time.
const STEPS: &[Step] = &[
    Begin(&["cargo", "xtask", "images"]),
    Run(&["cargo", "fmt", "--all", "--check"]),
    Run(&[
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]),
    Await,
    Run(&["cargo", "test", "--workspace"]),
    Run(&["cargo", "conform"]),
    Run(&["cargo", "conform", "run", "--server", "postfix-dovecot"]),
    Run(&[
        "cargo",
        "conform",
        "run",
        "--server",
        "exim-cyrus",
        "--run",
        CORE,
    ]),
    Run(&[
        "cargo",
        "conform",
        "run",
        "--server",
        "exim-courier",
        "--run",
        CORE,
    ]),
    Run(&["cargo", "conform", "sabotage"]),
    Run(&["cargo", "conform", "adapter", "check", "--adapter", EXAMPLE]),
    Run(&[
        "cargo",
        "conform",
        "run",
        "--adapter",
        EXAMPLE,
        "--run",
        EXAMPLE_CASES,
    ]),
    Run(&[
        "python3",
        "-m",
        "unittest",
        "discover",
        "conformance/adapters/python",
    ]),
    Run(&["cargo", "xtask", "trace"]),
    Run(&["cargo", "xtask", "spec", "check"]),
    Run(&["cargo", "xtask", "spec", "build"]),
    Run(&["cargo", "xtask", "tidy"]),
    Run(&["cargo", "xtask", "schemas", "--check"]),
    Run(&["cargo", "xtask", "vectors", "--check"]),
    Run(&["cargo", "xtask", "vectors", "--verify"]),
];

/// What became of a step.
struct Done {
    command: String,
    failure: Option<String>,
    time: Duration,
}

/// Runs the steps; fails where one of them does.
pub(crate) fn run(args: &Args) -> Result<ExitCode, tree::Error> {
    let root = tree::root()?;
    let began = Instant::now();
    let mut done = Vec::new();
    let mut beside: Option<Running> = None;
    for step in STEPS {
        let result = match step {
            Run(command) => begin(command, &root).end(),
            Begin(command) => {
                beside = Some(begin(command, &root));
                continue;
            }
            Await => match beside.take() {
                Some(running) => running.end(),
                None => continue,
            },
        };
        anstream::eprintln!("{}", line(&result));
        let failed = result.failure.is_some();
        done.push(result);
        if failed && !args.keep_going {
            break;
        }
    }
    if let Some(Ok(mut child)) = beside.map(|running| running.child) {
        // What it would say is of no use any more; that it has ended is not.
        let _ = child.kill();
        let _ = child.wait();
    }
    let planned = STEPS.iter().filter(|step| !matches!(step, Await)).count();
    anstream::eprintln!("\n{}", summary(&done, planned, began.elapsed()));
    let passed = done.len() == planned && done.iter().all(|step| step.failure.is_none());
    Ok(ExitCode::from(u8::from(!passed)))
}

/// A command under way.
struct Running {
    command: String,
    child: io::Result<Child>,
    start: Instant,
}

fn begin(step: &[&str], root: &Path) -> Running {
    let command = text(step);
    anstream::eprintln!("── {command}");
    let mut process = match step.first() {
        Some(&"cargo") => tree::cargo(),
        first => Command::new(first.unwrap_or(&"true")),
    };
    let start = Instant::now();
    process.args(step.iter().skip(1)).current_dir(root);
    Running {
        command,
        child: process.spawn(),
        start,
    }
}

impl Running {
    /// Waits for its end.
    fn end(self) -> Done {
        let failure = match self.child.and_then(|mut child| child.wait()) {
            Ok(status) if status.success() => None,
            Ok(status) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        };
        Done {
            command: self.command,
            failure,
            time: self.start.elapsed(),
        }
    }
}

/// A command as a person types it.
fn text(step: &[&str]) -> String {
    let quoted = |word: &&str| match word.contains(' ') {
        true => format!("\"{word}\""),
        false => (*word).to_owned(),
    };
    step.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn line(step: &Done) -> String {
    let seconds = step.time.as_secs_f64();
    match &step.failure {
        None => format!("ok     {seconds:7.1} s  {}", step.command),
        Some(why) => format!("FAILED {seconds:7.1} s  {} ({why})", step.command),
    }
}

fn summary(done: &[Done], planned: usize, together: Duration) -> String {
    let mut lines: Vec<String> = done.iter().map(line).collect();
    let seconds = together.as_secs_f64();
    lines.push(format!("       {seconds:7.1} s  together"));
    let failed = done.iter().filter(|step| step.failure.is_some()).count();
    let left = planned - done.len();
    lines.push(match (failed, left) {
        (0, 0) => format!("all {planned} steps passed"),
        _ => format!("{failed} of {planned} steps failed, {left} not run"),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(command: &str, failure: Option<&str>) -> Done {
        let time = Duration::from_millis(1500);
        Done {
            command: command.into(),
            failure: failure.map(Into::into),
            time,
        }
    }

    #[test]
    fn the_summary_names_what_failed_and_what_was_left_out() {
        let steps = [
            done("cargo fmt", None),
            done("cargo test", Some("exit status: 101")),
        ];
        let text = summary(&steps, 8, Duration::from_secs(2));
        assert!(text.contains("ok         1.5 s  cargo fmt\n"), "{text}");
        assert!(
            text.contains("FAILED     1.5 s  cargo test (exit status: 101)\n"),
            "{text}"
        );
        let end = "           2.0 s  together\n1 of 8 steps failed, 6 not run";
        assert!(text.ends_with(end), "{text}");
        assert!(summary(&steps[..1], 1, Duration::ZERO).ends_with("all 1 steps passed"));
    }

    #[test]
    fn a_step_that_cannot_start_fails() {
        let step = begin(&["no-such-program-anywhere"], Path::new(".")).end();
        assert!(step.failure.is_some());
    }
}
