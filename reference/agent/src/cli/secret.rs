//! Where the password or access token of the mail account is: in a file, or with a program such as a
//! keyring's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kith_agent::Password;

use super::failure::Failure;
use super::profile::{is_exposed, read_password};

/// Where the password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Secret {
    /// The first line of this file.
    File(PathBuf),
    /// The first line that this program prints, with its arguments.
    Command(Vec<String>),
}

impl Secret {
    /// The password.
    pub(super) fn read(&self) -> Result<Password, Failure> {
        match self {
            Self::File(path) => read_password(path),
            Self::Command(command) => run(command),
        }
    }

    /// What doctor calls it.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::File(_) => "password file",
            Self::Command(_) => "password command",
        }
    }

    /// Checks that it has a password, for its owner alone.
    pub(super) fn check(&self) -> Result<String, String> {
        self.read().map_err(|failure| failure.to_string())?;
        match self {
            Self::File(path) => {
                unexposed(path)?;
                Ok(path.display().to_string())
            }
            Self::Command(command) => Ok(command.join(" ")),
        }
    }
}

/// Checks that others can't read a file.
pub(super) fn unexposed(path: &Path) -> Result<(), String> {
    if is_exposed(path) {
        let path = path.display();
        return Err(format!(
            "{path} can be read by others; run `chmod 600 '{path}'`"
        ));
    }
    Ok(())
}

/// A program and its arguments, quoted as in a shell, which is not used to run it.
#[derive(Debug, Clone)]
pub(super) struct PasswordCommand(pub(super) Vec<String>);

impl std::str::FromStr for PasswordCommand {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = shlex::split(text).ok_or("a quotation mark has no other")?;
        if words.is_empty() {
            return Err("a program is missing");
        }
        Ok(Self(words))
    }
}

/// Runs a program. It may ask the person by other ways than standard input, which may hold a text
/// that kith reads.
fn run(command: &[String]) -> Result<Password, Failure> {
    let failed = |reason: String| Failure::PasswordCommand(command.join(" "), reason);
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| failed("it is empty".to_owned()))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8(output.stdout);
    let text = text.map_err(|_| failed("what it prints is not UTF-8".to_owned()))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Password::new(line)),
        None => Err(failed("it prints nothing".to_owned())),
    }
}
