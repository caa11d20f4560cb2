//! Writes and checks the vectors; `cargo xtask vectors` starts it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use kith_forge::play::PlayError;

#[path = "tool/open.rs"]
mod open;
#[path = "tool/programs.rs"]
mod programs;
#[path = "tool/verify.rs"]
mod verify;
#[path = "tool/write.rs"]
mod write;

/// Write the vectors, or check them.
#[derive(Parser)]
#[command(name = "cargo xtask vectors", bin_name = "cargo xtask vectors")]
struct Args {
    /// Only check that the files are up to date
    #[arg(long, conflicts_with = "verify")]
    check: bool,
    /// Check the valid vectors with GnuPG, Python's email package and xmllint
    #[arg(long)]
    verify: bool,
    /// Only print what stands in the mails of the valid vectors, as JSON
    #[arg(long, conflicts_with_all = ["check", "verify"])]
    open: bool,
}

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Play(#[from] PlayError),
    #[error("the mail of {0} is not UTF-8: the format has no place for it")]
    NotText(String),
    #[error("{}: {error}", .path.display())]
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{program}: {error}")]
    Program {
        program: &'static str,
        error: std::io::Error,
    },
}

impl Error {
    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::File {
            path: path.to_owned(),
            error,
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = match args {
        Args { open: true, .. } => open::run(),
        Args { verify: true, .. } => verify::run(folder),
        Args { check, .. } => write::run(folder, check),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
