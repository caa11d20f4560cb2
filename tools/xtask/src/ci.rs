//! `cargo xtask ci`: the commands that CI runs, in its order.

use std::io::{self, PipeWriter, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::JoinHandle;
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

/// A program and its arguments.
type Words = &'static [&'static str];

/// What is done with commands.
enum Step {
    Run(Words),
    /// Begins commands, one after another; the next steps run beside them.
    Begin(&'static [Words]),
    /// Waits for what was begun, and shows what it printed.
    Await,
}
use Step::{Await, Begin, Run};

/// The commands, in their order. What waits for packages, servers and another language's program
/// runs beside what waits for a processor.
const STEPS: &[Step] = &[
    Begin(&[&["cargo", "xtask", "images"]]),
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
    Begin(&[
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
    ]),
    Run(&["cargo", "conform", "sabotage"]),
    Await,
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
    let mut beside = Vec::new();
    for step in STEPS {
        match step {
            Run(command) => {
                anstream::eprintln!("── {}", text(command));
                let step = carry_out(command, &root, None);
                anstream::eprintln!("{}", line(&step));
                done.push(step);
            }
            Begin(commands) => {
                let root = root.clone();
                beside.push(std::thread::spawn(move || carry_out_all(commands, &root)));
            }
            Await => await_all(&mut beside, &mut done)?,
        }
        if !args.keep_going && done.iter().any(|step| step.failure.is_some()) {
            break;
        }
    }
    await_all(&mut beside, &mut done)?;
    let planned = STEPS.iter().map(Step::commands).sum();
    anstream::eprintln!("\n{}", summary(&done, planned, began.elapsed()));
    let passed = done.len() == planned && done.iter().all(|step| step.failure.is_none());
    Ok(ExitCode::from(u8::from(!passed)))
}

impl Step {
    /// How many commands this is.
    fn commands(&self) -> usize {
        match self {
            Run(_) => 1,
            Begin(commands) => commands.len(),
            Await => 0,
        }
    }
}

/// Commands that run beside others, and what each printed.
type Beside = JoinHandle<io::Result<Vec<(Done, String)>>>;

/// Runs commands one after another, whatever becomes of them.
fn carry_out_all(commands: &[&[&str]], root: &Path) -> io::Result<Vec<(Done, String)>> {
    let mut all = Vec::new();
    for command in commands {
        anstream::eprintln!("── beside: {}", text(command));
        let (mut output, printer) = io::pipe()?;
        let reading = std::thread::spawn(move || {
            let mut printed = Vec::new();
            output.read_to_end(&mut printed).map(|_| printed)
        });
        let step = carry_out(command, root, Some(printer));
        let printed = join(reading)??;
        all.push((step, String::from_utf8_lossy(&printed).into_owned()));
    }
    Ok(all)
}

/// Waits for commands that run beside others.
fn await_all(beside: &mut Vec<Beside>, done: &mut Vec<Done>) -> Result<(), tree::Error> {
    for running in beside.drain(..) {
        for (step, printed) in join(running)?? {
            anstream::eprintln!("── {}\n{printed}{}", step.command, line(&step));
            done.push(step);
        }
    }
    Ok(())
}

fn join<T>(thread: JoinHandle<T>) -> io::Result<T> {
    thread
        .join()
        .map_err(|_| io::Error::other("a thread panicked"))
}

/// Runs a command to its end. What it prints goes into a pipe, where one is given.
fn carry_out(step: &[&str], root: &Path, output: Option<PipeWriter>) -> Done {
    let mut process = match step.first() {
        Some(&"cargo") => tree::cargo(),
        first => Command::new(first.unwrap_or(&"true")),
    };
    let start = Instant::now();
    process.args(step.iter().skip(1)).current_dir(root);
    let redirected = output.map_or(Ok(()), |printer| {
        process.stdout(printer.try_clone()?).stderr(printer);
        Ok(())
    });
    let failure = match redirected.and_then(|()| process.status()) {
        Ok(status) if status.success() => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    };
    Done {
        command: text(step),
        failure,
        time: start.elapsed(),
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
    fn what_ran_beside_shows_what_it_printed() {
        let ended = carry_out_all(&[&["rustc", "--version"]], Path::new(".")).unwrap();
        let [(step, printed)] = ended.as_slice() else {
            panic!("expected one step, got {}", ended.len());
        };
        assert_eq!(step.failure, None);
        assert!(printed.starts_with("rustc "), "{printed}");
    }

    #[test]
    fn a_step_that_cannot_start_fails() {
        let step = carry_out(&["no-such-program-anywhere"], Path::new("."), None);
        assert!(step.failure.is_some());
    }
}
