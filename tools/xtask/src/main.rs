//! What keeps the tree true: trace, tidy, schemas, vectors, ci.
//!
//! Each command has a file of its own; this one only reads the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod ci;
mod tree;

/// What keeps the tree true.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything that CI runs, in its order.
    Ci(ci::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Ci(args) => ci::run(&args),
    };
    result.unwrap_or_else(|error| {
        anstream::eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
