//! A child process for the tests: the reference agent's adapter, which falters once, at the
//! first `sync`. `faltering-adapter FAULT MARKER`; the file MARKER says that it has happened.
//! With `faltering-adapter blind` its person never sees a message, nor what became of one.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let fault = arguments.next().unwrap_or_default();
    let marker = arguments.next().unwrap_or_default();
    let program = std::env::current_exe()?.with_file_name("kith-conform");
    let mut child = Command::new(program)
        .arg("adapter-reference")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut answers = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
    let mut requests = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let has = |what: &str| line.contains(what);
        let first = || !marker.is_empty() && File::create_new(&marker).is_ok();
        if has("\"method\":\"sync\"") && first() {
            eprintln!("about to {fault}");
            return falter(&fault, &mut child);
        }
        writeln!(requests, "{line}")?;
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            break;
        }
        let hidden = has("\"what\":\"messages\"") || has("\"what\":\"deliveries\"");
        if fault == "blind"
            && hidden
            && let Some((before, _)) = answer.split_once("\"items\":[")
        {
            answer = format!("{before}\"items\":[]}}}}\n");
        }
        print!("{answer}");
        io::stdout().flush()?;
    }
    drop(requests);
    child.wait()?;
    Ok(ExitCode::SUCCESS)
}

fn falter(fault: &str, child: &mut Child) -> io::Result<ExitCode> {
    child.kill()?;
    child.wait()?;
    match fault {
        "die" => std::process::abort(),
        "hang" => loop {
            thread::sleep(Duration::from_secs(60));
        },
        // Only a closed pipe ends it.
        "flood" => loop {
            writeln!(
                io::stdout(),
                "DEBUG: syncing, and still syncing, and no end"
            )?;
        },
        _ => {
            println!("Segmentation fault (core not dumped)");
            io::stdout().flush()?;
            loop {
                thread::sleep(Duration::from_secs(60));
            }
        }
    }
}
