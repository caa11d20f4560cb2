//! Programs of others that check the vectors.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::Error;

/// Whether a program can be started.
pub(crate) fn exists(program: &'static str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// GnuPG with a home folder of its own.
pub(crate) struct GnuPg {
    home: tempfile::TempDir,
}

impl Drop for GnuPg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.env("GNUPGHOME", self.home.path());
        command.args(["--kill", "all"]).stderr(Stdio::null());
        // GnuPG's agent ends by itself too, once its folder is gone.
        let _ = command.status();
    }
}

impl GnuPg {
    /// A home without keys.
    pub(crate) fn new() -> Result<Self, Error> {
        let home = tempfile::Builder::new().prefix("kith-gpg").tempdir();
        let home = home.map_err(|error| Error::Program {
            program: "gpg",
            error,
        })?;
        Ok(Self { home })
    }

    /// Imports keys; what they are is read from the octets.
    pub(crate) fn import(&self, octets: &[u8]) -> Result<bool, Error> {
        Ok(self.run(&["--import"], octets)?.status.success())
    }

    /// The payload of a message and the fingerprint of who signed it; an error
    /// in words where GnuPG finds anything wrong.
    pub(crate) fn decrypt(
        &self,
        message: &[u8],
    ) -> Result<Result<(Vec<u8>, String), String>, Error> {
        let output = self.run(&["--status-fd", "2", "--decrypt"], message)?;
        let status = String::from_utf8_lossy(&output.stderr).into_owned();
        let signed = status.lines().find_map(|line| {
            let rest = line.strip_prefix("[GNUPG:] VALIDSIG ")?;
            rest.split(' ').next().map(str::to_lowercase)
        });
        let intact = status.contains("[GNUPG:] GOODMDC") && output.status.success();
        Ok(match signed {
            Some(fingerprint) if intact => Ok((output.stdout, fingerprint)),
            _ => Err(status),
        })
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Result<Output, Error> {
        let mut command = Command::new("gpg");
        command
            .env("GNUPGHOME", self.home.path())
            .args(["--batch", "--quiet"]);
        command.args(["--trust-model", "always", "--no-auto-key-retrieve"]);
        // The secret keys have no passphrase, and the vectors play at their own time.
        command.args(["--faked-system-time", "20261121T100000"]);
        command.args(["--pinentry-mode", "loopback", "--passphrase", ""]);
        command.args(args);
        feed(&mut command, input, "gpg")
    }
}

/// The tree of media types that Python's email package sees, one part a line,
/// indented by depth, with the SHA-256 of the content of leaves.
pub(crate) fn python_tree(mail: &[u8]) -> Result<String, Error> {
    const SCRIPT: &str = r#"
import email, email.policy, hashlib, sys
def show(part, depth):
    line = "  " * depth + part.get_content_type()
    if not part.is_multipart():
        line += " " + hashlib.sha256(part.get_payload(decode=True)).hexdigest()
    print(line)
    if part.is_multipart():
        for child in part.get_payload():
            show(child, depth + 1)
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
show(message, 0)
"#;
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT]);
    let output = feed(&mut command, mail, "python3")?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Ok(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// What xmllint says against documents, by the schema; nothing where all are valid.
pub(crate) fn xmllint(schema: &Path, documents: &[(String, Vec<u8>)]) -> Result<String, Error> {
    let folder = tempfile::tempdir().map_err(|error| Error::Program {
        program: "xmllint",
        error,
    })?;
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(schema);
    for (number, (name, octets)) in documents.iter().enumerate() {
        let path = folder
            .path()
            .join(format!("{number}-{}.xml", name.replace('/', "-")));
        fs::write(&path, octets).map_err(Error::file(&path))?;
        command.arg(path);
    }
    let output = feed(&mut command, b"", "xmllint")?;
    match output.status.success() {
        true => Ok(String::new()),
        false => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let wrong = text.lines().filter(|line| !line.ends_with(" validates"));
            Ok(wrong.collect::<Vec<_>>().join("\n"))
        }
    }
}

fn feed(command: &mut Command, input: &[u8], program: &'static str) -> Result<Output, Error> {
    let failed = |error| Error::Program { program, error };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut stdin = child.stdin.take();
    let input = input.to_vec();
    // In a thread of its own, so that neither side waits for the other.
    let writer = std::thread::spawn(move || match &mut stdin {
        // Who stops reading early says why in its output.
        Some(stdin) => stdin.write_all(&input).is_ok(),
        None => false,
    });
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writer.join();
    Ok(output)
}
