//! The specification's sources in another revision or folder.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use kith_spec_source::Source;

/// The folder of the sources.
const FOLDER: &str = "spec/1.0";

/// Why the sources could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot run git: {0}")]
    Git(io::Error),
    #[error("git knows no revision `{0}`, and there is no such folder: {1}")]
    Unknown(String, String),
    #[error("cannot read {0}: {1}")]
    Read(String, io::Error),
    #[error("`{0}` has no folder spec/1.0")]
    Empty(String),
}

/// The sources in a folder that holds a tree, or else in a revision.
pub(super) fn sources(root: &Path, name: &str) -> Result<Vec<Source>, Error> {
    let folder = Path::new(name);
    let sources = if folder.is_dir() {
        in_folder(folder)?
    } else {
        in_revision(root, name)?
    };
    if sources.is_empty() {
        return Err(Error::Empty(name.to_owned()));
    }
    Ok(sources)
}

fn is_source(path: &str) -> bool {
    [".md", ".toml", ".txt"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

fn in_folder(folder: &Path) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for below in [FOLDER.to_owned(), format!("{FOLDER}/state")] {
        let Ok(entries) = fs::read_dir(folder.join(&below)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(|error| Error::Read(below.clone(), error))?;
            let path = format!("{below}/{}", entry.file_name().to_string_lossy());
            if is_source(&path) && entry.path().is_file() {
                let text = fs::read_to_string(entry.path());
                let text = text.map_err(|error| Error::Read(path.clone(), error))?;
                sources.push(Source { path, text });
            }
        }
    }
    Ok(sources)
}

fn in_revision(root: &Path, revision: &str) -> Result<Vec<Source>, Error> {
    let list = git(
        root,
        revision,
        &[
            "ls-tree",
            "-r",
            "--name-only",
            "--end-of-options",
            revision,
            FOLDER,
        ],
    )?;
    list.lines()
        .filter(|path| is_source(path))
        .map(|path| {
            let text = git(
                root,
                revision,
                &["show", "--end-of-options", &format!("{revision}:{path}")],
            )?;
            let path = path.to_owned();
            Ok(Source { path, text })
        })
        .collect()
}

fn git(root: &Path, revision: &str, args: &[&str]) -> Result<String, Error> {
    let output = Command::new("git")
        .args(args)
        .current_dir(root)
        .output()
        .map_err(Error::Git)?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Unknown(revision.to_owned(), message));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_come_from_folders_and_revisions() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=A", "-c", "user.email=a@a.test"];
            let status = Command::new("git")
                .args(identity)
                .args(args)
                .current_dir(root)
                .status();
            assert!(status.unwrap().success());
        };
        fs::create_dir_all(root.join("spec/1.0/state")).unwrap();
        fs::write(root.join("spec/1.0/02-mail.md"), "old").unwrap();
        fs::write(root.join("spec/1.0/state/door.toml"), "door").unwrap();
        fs::write(root.join("spec/1.0/a.svg"), "").unwrap();
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "a"]);
        fs::write(root.join("spec/1.0/02-mail.md"), "new").unwrap();
        let texts = |name: &str| {
            let mut texts: Vec<String> = sources(root, name)
                .unwrap()
                .into_iter()
                .map(|s| s.text)
                .collect();
            texts.sort();
            texts
        };
        assert_eq!(texts("HEAD"), ["door", "old"]);
        assert_eq!(texts(root.to_str().unwrap()), ["door", "new"]);
        let error = sources(root, "gone").unwrap_err().to_string();
        assert!(error.starts_with("git knows no revision `gone`"), "{error}");
        let empty = tempfile::tempdir().unwrap();
        let error = sources(root, empty.path().to_str().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Empty(_)));
    }
}
