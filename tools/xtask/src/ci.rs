//! `cargo xtask ci`: the commands that CI runs, in its order.

use std::path::Path;
use std::process::{Command, ExitCode};
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

/// The commands, step by step: a program and its arguments.
const STEPS: &[&[&str]] = &[
    &["cargo", "fmt", "--all", "--check"],
    &[
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ],
    &["cargo", "xtask", "images"],
    &["cargo", "test", "--workspace"],
    &["cargo", "conform"],
    &["cargo", "conform", "run", "--server", "postfix-dovecot"],
    &[
        "cargo",
        "conform",
        "run",
        "--server",
        "exim-cyrus",
        "--run",
        CORE,
    ],
    &[
        "cargo",
        "conform",
        "run",
        "--server",
        "exim-courier",
        "--run",
        CORE,
    ],
    &["cargo", "conform", "sabotage"],
    &["cargo", "conform", "adapter", "check", "--adapter", EXAMPLE],
    &[
        "cargo",
        "conform",
        "run",
        "--adapter",
        EXAMPLE,
        "--run",
        EXAMPLE_CASES,
    ],
    &[
        "python3",
        "-m",
        "unittest",
        "discover",
        "conformance/adapters/python",
    ],
    &["cargo", "xtask", "trace"],
    &["cargo", "xtask", "spec", "check"],
    &["cargo", "xtask", "spec", "build"],
    &["cargo", "xtask", "tidy"],
    &["cargo", "xtask", "schemas", "--check"],
    &["cargo", "xtask", "vectors", "--check"],
    &["cargo", "xtask", "vectors", "--verify"],
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
    let mut done = Vec::new();
    for step in STEPS {
        let text = text(step);
        anstream::eprintln!("── {text}");
        let mut process = match step.first() {
            Some(&"cargo") => tree::cargo(),
            first => Command::new(first.unwrap_or(&"true")),
        };
        process.args(step.iter().skip(1));
        let result = timed(text, &mut process, &root);
        anstream::eprintln!("{}", line(&result));
        let failed = result.failure.is_some();
        done.push(result);
        if failed && !args.keep_going {
            break;
        }
    }
    anstream::eprintln!("\n{}", summary(&done, STEPS.len()));
    let passed = done.len() == STEPS.len() && done.iter().all(|step| step.failure.is_none());
    Ok(ExitCode::from(u8::from(!passed)))
}

/// A command as a person types it.
fn text(step: &[&str]) -> String {
    let quoted = |word: &&str| match word.contains(' ') {
        true => format!("\"{word}\""),
        false => (*word).to_owned(),
    };
    step.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn timed(command: String, process: &mut Command, root: &Path) -> Done {
    let start = Instant::now();
    let failure = match process.current_dir(root).status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    };
    Done {
        command,
        failure,
        time: start.elapsed(),
    }
}

fn line(step: &Done) -> String {
    let seconds = step.time.as_secs_f64();
    match &step.failure {
        None => format!("ok     {seconds:7.1} s  {}", step.command),
        Some(why) => format!("FAILED {seconds:7.1} s  {} ({why})", step.command),
    }
}

fn summary(done: &[Done], planned: usize) -> String {
    let mut lines: Vec<String> = done.iter().map(line).collect();
    let total: Duration = done.iter().map(|step| step.time).sum();
    lines.push(format!("       {:7.1} s  together", total.as_secs_f64()));
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
        let text = summary(&steps, 8);
        assert!(text.contains("ok         1.5 s  cargo fmt\n"), "{text}");
        assert!(
            text.contains("FAILED     1.5 s  cargo test (exit status: 101)\n"),
            "{text}"
        );
        let end = "           3.0 s  together\n1 of 8 steps failed, 6 not run";
        assert!(text.ends_with(end), "{text}");
        assert!(summary(&steps[..1], 1).ends_with("all 1 steps passed"));
    }

    #[test]
    fn a_step_that_cannot_start_fails() {
        let mut process = Command::new("no-such-program-anywhere");
        let step = timed("nothing".into(), &mut process, Path::new("."));
        assert!(step.failure.is_some());
    }
}
