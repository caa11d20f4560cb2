//! The repository's files, as the checks see them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use kith_spec_source::{Problem, Source, Spec};

/// Why the tree could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot tell where the repository is: {0}; run this as `cargo xtask`")]
    Root(io::Error),
    #[error(
        "cannot list the repository's files with git: {0}; install git and run this in a clone"
    )]
    Git(String),
    #[error("cannot read {0}: {1}")]
    Read(String, io::Error),
    #[error("cannot read what a command prints: {0}")]
    Output(#[from] io::Error),
}

/// The root of the repository: two folders above this crate.
pub(crate) fn root() -> Result<PathBuf, Error> {
    if let Some(here) = env::var_os("CARGO_MANIFEST_DIR")
        && let Some(root) = Path::new(&here).ancestors().nth(2)
    {
        return Ok(root.to_owned());
    }
    env::current_dir().map_err(Error::Root)
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A file that belongs to the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// `None` for what is not UTF-8.
    pub(crate) text: Option<String>,
}

/// Every file that git tracks or would track.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .map_err(|error| Error::Git(error.to_string()))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Git(message));
        }
        let names = String::from_utf8_lossy(&output.stdout);
        let mut names: Vec<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        let mut files = Vec::new();
        for name in names {
            let octets = match fs::read(root.join(name)) {
                Ok(octets) => octets,
                // Deleted, but not yet from git's index; or a link to a folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => continue,
                Err(error) => return Err(Error::Read(name.to_owned(), error)),
            };
            files.push(File {
                path: name.to_owned(),
                text: String::from_utf8(octets).ok(),
            });
        }
        Ok(Self { files })
    }

    /// The text files whose path ends in `suffix`.
    pub(crate) fn with_suffix(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(suffix))
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// The sources of the specification.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let folder = "spec/1.0/";
        let mut sources = Vec::new();
        for suffix in [".md", ".toml", ".txt"] {
            let found = self.with_suffix(suffix);
            let found = found.filter(|(path, _)| path.starts_with(folder));
            sources.extend(found.map(|(path, text)| Source {
                path: path.to_owned(),
                text: text.to_owned(),
            }));
        }
        sources
    }

    /// The specification, or what is wrong with its sources.
    pub(crate) fn specification(&self) -> Result<Spec, Vec<Problem>> {
        kith_spec_source::parse(&self.sources())
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: Some((*text).to_owned()),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_what_git_tracks_or_would_track() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = Command::new("git")
            .arg("init")
            .arg("--quiet")
            .current_dir(root)
            .status();
        assert!(git.unwrap().success());
        fs::create_dir_all(root.join("target")).unwrap();
        fs::write(root.join(".gitignore"), "/target/\n").unwrap();
        fs::write(root.join("target/built"), "").unwrap();
        fs::write(root.join("picture"), [0xff, 0xfe]).unwrap();
        let tree = Tree::read(root).unwrap();
        let paths: Vec<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".gitignore", "picture"]);
        assert!(tree.files[1].text.is_none());
    }

    #[test]
    fn a_folder_without_git_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tree::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("git"), "{error}");
    }
}
