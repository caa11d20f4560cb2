//! A child process for the tests. `faulty-adapter good` answers everything by
//! the rules, `good-tcp` over TCP; any other word names a fault, which shows in `sync` (or, as
//! `check-…`, in what `adapter check` sends).

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

#[path = "good.rs"]
mod good;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let fault = std::env::args().nth(1).unwrap_or_default();
    if fault == "good" || fault == "good-tcp" {
        return match good::serve(fault == "good-tcp").await {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    eprintln!("about to be {fault}");
    match faulty(&fault) {
        Ok(code) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Answers like a careless program, and shows the fault in `sync`.
fn faulty(fault: &str) -> io::Result<ExitCode> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Ok(request) = serde_json::from_str::<Value>(&line) else {
            // What many programs do with input they don't expect.
            eprintln!("can't read {line:?}");
            return Ok(ExitCode::from(3));
        };
        let id = &request["id"];
        let result = match request["method"].as_str().unwrap_or_default() {
            "hello" => good::about(),
            "open" => good::opened(),
            "sync" => {
                if let Some(code) = show(fault, id)? {
                    return Ok(code);
                }
                continue;
            }
            "close" if fault == "rejects" => {
                say(&json!({
                    "jsonrpc": "2.0", "id": id, "error": { "code": -32602, "message": "no" },
                }))?;
                continue;
            }
            "bye" if fault == "lingers" => {
                answer(id, &json!({}))?;
                forever();
            }
            "bye" => {
                answer(id, &json!({}))?;
                return Ok(if fault == "bad-exit" {
                    ExitCode::from(7)
                } else {
                    ExitCode::SUCCESS
                });
            }
            _ => json!({}),
        };
        answer(id, &result)?;
        if fault == "goes-deaf" && request["method"] == "open" {
            forever();
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the fault; the exit code if that ends the process.
fn show(fault: &str, id: &Value) -> io::Result<Option<ExitCode>> {
    match fault {
        "exits" => {
            for line in 0..20_000 {
                eprintln!("stack frame {line}");
            }
            eprintln!("the last words");
            return Ok(Some(ExitCode::from(3)));
        }
        "aborts" => std::process::abort(),
        "hangs" => forever(),
        // Only a closed pipe ends these two.
        "floods" => loop {
            writeln!(
                io::stdout(),
                "DEBUG: syncing, and still syncing, and no end"
            )?;
        },
        "long-line" => {
            let chunk = [b'x'; 1 << 16];
            loop {
                io::stdout().write_all(&chunk)?;
            }
        }
        _ => show_answer(fault, id)?,
    }
    Ok(None)
}

/// Answers, in a way that may be wrong.
fn show_answer(fault: &str, id: &Value) -> io::Result<()> {
    let synced = json!({ "fetched": 0, "sent": 0, "problems": [] });
    let good = json!({ "jsonrpc": "2.0", "id": id, "result": synced });
    let with = |member: &str, value: Value| {
        let mut answer = good.clone();
        answer[member] = value;
        say(&answer)
    };
    let error =
        |id: &Value, error: Value| say(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
    match fault {
        "garbage" => writeln!(io::stdout(), "DEBUG: syncing"),
        "latin-1" => io::stdout().write_all(b"{\"jsonrpc\":\"2.0\",\"result\":\"\xfc\"}\n"),
        "wrong-id" => with("id", json!(999)),
        "string-id" => with("id", json!(id.to_string())),
        "null-id" => error(
            &Value::Null,
            json!({ "code": -32700, "message": "can't read it" }),
        ),
        "wrong-version" => with("jsonrpc", json!("1.0")),
        "neither" => say(&json!({ "jsonrpc": "2.0", "id": id })),
        "bad-result" => with("result", json!({ "fetched": "none" })),
        "bad-time" => with(
            "result",
            json!({ "fetched": 0, "sent": 0, "problems": [], "next_due": "soon" }),
        ),
        "bad-error" => error(id, json!("no")),
        "refuses" => error(id, json!({ "code": 2, "message": "554 go away" })),
        "twice" => say(&good).and_then(|()| say(&good)),
        "splits" => {
            let line = format!("{good}\n");
            let (first, second) = line.split_at(line.len() / 2);
            for piece in [first, second] {
                print!("{piece}");
                io::stdout().flush()?;
                thread::sleep(Duration::from_millis(30));
            }
            Ok(())
        }
        "blank-lines" => {
            print!("\n\r\n");
            with("later", json!(true))
        }
        _ => say(&good),
    }
}

fn answer(id: &Value, result: &Value) -> io::Result<()> {
    say(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn say(answer: &Value) -> io::Result<()> {
    println!("{answer}");
    io::stdout().flush()
}

fn forever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}
