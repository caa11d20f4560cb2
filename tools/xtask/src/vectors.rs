//! `cargo xtask vectors`: writes and checks the vectors.
//!
//! The work is done by the program of the crate kith-vectors, so that this one
//! builds in seconds and works on a tree that does not compile.

use std::io;
use std::process::ExitCode;

use crate::tree;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only check that the files are up to date
    #[arg(long, conflicts_with = "verify")]
    check: bool,
    /// Check the valid vectors with GnuPG, Python's email package and xmllint
    #[arg(long)]
    verify: bool,
}

/// Why the vectors could not be written or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error("cannot start cargo: {0}")]
    Cargo(io::Error),
}

/// Starts the program of kith-vectors.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let mut command = tree::cargo();
    command
        .current_dir(tree::root()?)
        .args(["run", "--quiet", "--bin", "kith-vectors"])
        .args(["--features", "kith-vectors/tool", "--"]);
    for (flag, set) in [("--check", args.check), ("--verify", args.verify)] {
        if set {
            command.arg(flag);
        }
    }
    let status = command.status().map_err(Error::Cargo)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}
