//! `cargo xtask images`: builds the images of the mail servers that run in containers, so that
//! a run with them begins at once.
//!
//! The work is done by `cargo conform images`, so that this program builds in seconds.

use std::process::ExitCode;

use crate::tree;

/// Builds the images that aren't there.
pub(crate) fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut command = tree::cargo();
    command
        .current_dir(tree::root()?)
        .args(["conform", "images"]);
    let code = command.status()?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}
