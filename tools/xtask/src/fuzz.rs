//! `cargo xtask fuzz`: mutated input for everything that reads octets.
//!
//! The work is done by the program of the crate kith-fuzz, so that this one builds in seconds.

use std::process::ExitCode;

use crate::tree;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Options of the program: `--seconds N`, `--tries N`, `--target NAME`, `--from N`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    options: Vec<String>,
}

/// Why the program could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error("cannot start cargo: {0}")]
    Cargo(std::io::Error),
}

/// Starts the program of kith-fuzz.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let status = tree::cargo()
        .current_dir(tree::root()?)
        .args(["run", "--quiet", "--bin", "kith-fuzz", "--"])
        .args(&args.options)
        .status()
        .map_err(Error::Cargo)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}
