//! Formatting by the program rustfmt.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::Error;

/// Formats a Rust file.
pub(super) fn format(text: &str) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::Format(error.to_string());
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // rustfmt reads all of its input before it writes, so this cannot block.
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(Error::Format(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| Error::Format(error.to_string()))
}
