//! `cargo xtask tidy`: the tree's invariants, one check a file.

use std::fmt;
use std::process::ExitCode;

use crate::tree::{self, Tree};
use metadata::Metadata;

mod dependencies;
mod edges;
mod generated;
mod licences;
mod links;
mod metadata;
mod references;
mod rust_version;
mod shape;
mod use_tree;
mod words;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Why the checks could not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error(transparent)]
    Metadata(#[from] metadata::Error),
}

/// A breach of an invariant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// From the root of the repository.
    path: String,
    /// From 1.
    line: usize,
    what: String,
    /// What to do about it.
    mend: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            mend,
        } = self;
        write!(f, "{path}:{line}: {what}; {mend}")
    }
}

/// Checks of the files alone.
const TREE_CHECKS: &[fn(&Tree) -> Vec<Finding>] = &[
    edges::check,
    dependencies::check_sources,
    shape::check,
    generated::check,
    words::check,
    links::check,
    references::check,
];

/// Checks of what cargo knows about the workspace.
const METADATA_CHECKS: &[fn(&Metadata) -> Vec<Finding>] = &[
    dependencies::check_graph,
    rust_version::check,
    licences::check,
];

/// Runs every check and prints what it finds; fails where that is something.
pub(crate) fn run(_: &Args) -> Result<ExitCode, Error> {
    let root = tree::root()?;
    let tree = Tree::read(&root)?;
    let metadata = metadata::read(&root)?;
    let mut findings: Vec<Finding> = TREE_CHECKS.iter().flat_map(|check| check(&tree)).collect();
    findings.extend(METADATA_CHECKS.iter().flat_map(|check| check(&metadata)));
    findings.sort();
    for finding in &findings {
        anstream::println!("{finding}");
    }
    anstream::println!("{}", rust_version::statement(&metadata));
    let files = tree.files.len();
    match findings.len() {
        0 => anstream::println!("{files} files and their dependencies are tidy"),
        1 => anstream::println!("1 finding in {files} files"),
        found => anstream::println!("{found} findings in {files} files"),
    }
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

/// For the tests of the checks: where findings stand, and what they say.
#[cfg(test)]
fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{}:{} {}", finding.path, finding.line, finding.what))
        .collect()
}
