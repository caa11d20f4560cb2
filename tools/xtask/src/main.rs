//! What keeps the tree true: trace, tidy, ci, and what others add.
//!
//! Each command has a file of its own; this one only reads the command line.
//! Exit codes: 0 all is well, 1 something has to be mended, 2 could not run.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod ci;
mod fuzz;
mod images;
mod rust_source;
mod schemas;
mod spec;
mod tidy;
mod trace;
mod tree;
mod vectors;

/// What keeps the tree true.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Follow each requirement to its code, its cases and its vectors
    Trace(trace::Args),
    /// Render, check and compare the specification
    Spec(spec::Args),
    /// Check the tree's invariants
    Tidy(tidy::Args),
    /// Write the Rust types of the XML schemas, and the JSON Schemas
    Schemas(schemas::Args),
    /// Write the test vectors, or check them
    Vectors(vectors::Args),
    /// Feed mutated mail, documents and dialogues to everything that reads octets
    Fuzz(fuzz::Args),
    /// Build the images of the mail servers that run in containers
    Images,
    /// Run everything that CI runs, in its order
    Ci(ci::Args),
}

fn main() -> ExitCode {
    run(&Args::parse().command).unwrap_or_else(|error| {
        anstream::eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    Ok(match command {
        Command::Trace(args) => trace::run(args)?,
        Command::Spec(args) => spec::run(args)?,
        Command::Tidy(args) => tidy::run(args)?,
        Command::Schemas(args) => schemas::run(args)?,
        Command::Vectors(args) => vectors::run(args)?,
        Command::Fuzz(args) => fuzz::run(args)?,
        Command::Images => images::run()?,
        Command::Ci(args) => ci::run(args)?,
    })
}
