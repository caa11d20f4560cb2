//! The program `kith`: a thin layer over the driver. Here, and nowhere else in the agent, the
//! system's clock is read.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
