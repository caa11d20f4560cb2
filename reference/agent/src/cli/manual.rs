//! What the command line says about itself to shells and to `man`.

use std::path::Path;

use clap::CommandFactory as _;

use super::Context;
use super::args::Args;
use super::failure::Failure;

/// Prints what lets a shell complete commands.
pub(super) fn completion(shell: clap_complete::Shell) {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "kith", &mut out);
    anstream::print!("{}", String::from_utf8_lossy(&out));
}

/// Writes a manual page for the program and each of its commands.
pub(super) fn pages(context: &Context, folder: &Path) -> Result<(), Failure> {
    let written = clap_mangen::generate_to(Args::command(), folder);
    written.map_err(|error| Failure::Unwritable(folder.to_owned(), error))?;
    let line = format!(
        "Written; read them with `man -l {}/kith.1`.",
        folder.display()
    );
    context.output.line(&line);
    Ok(())
}
