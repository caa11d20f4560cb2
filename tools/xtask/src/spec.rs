//! `cargo xtask spec`: renders, checks and compares the specification.
//!
//! The work is done by the crate kith-site; here the tree is read.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use kith_site::{Files, Server};
use kith_spec_source::{Problem, Spec};

use crate::trace;
use crate::tree::{self, Tree};

mod gather;
mod revision;
mod watch;

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the document as HTML
    Build {
        /// Where to
        #[arg(long, value_name = "DIR", default_value = "target/spec")]
        out: PathBuf,
    },
    /// Check links, names, sizes, examples and what each chapter has to contain
    Check {
        /// Leave out what needs the mails of the vectors opened
        #[arg(long)]
        quick: bool,
    },
    /// Tell which requirements were added, changed and removed
    Diff {
        /// A git revision, or a folder with a tree
        old: String,
        /// A git revision, or a folder with a tree
        new: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the document in a browser
    Serve {
        /// Render anew when a source changes, and reload open pages
        #[arg(long)]
        watch: bool,
        /// The port
        #[arg(long, default_value_t = 8100)]
        port: u16,
    },
}

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error(transparent)]
    Gather(#[from] gather::Error),
    #[error(transparent)]
    Revision(#[from] revision::Error),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
    #[error("cannot serve on port {0}: {1}; choose another with --port")]
    Serve(u16, io::Error),
}

/// Runs the command; fails where the document has mistakes.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let root = tree::root()?;
    match &args.command {
        Command::Build { out } => build(&root, &root.join(out)),
        Command::Check { quick } => check(&root, *quick),
        Command::Diff { old, new, json } => diff(&root, old, new, *json),
        Command::Serve { watch, port } => serve(&root, *watch, *port),
    }
}

fn build(root: &Path, out: &Path) -> Result<ExitCode, Error> {
    let opened = gather::opened(root)?;
    let tree = Tree::read(root)?;
    match render(&tree, &opened) {
        Ok(files) => {
            write(out, &files)?;
            anstream::println!("{} files in {}", files.len(), out.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => Ok(trace::faulty(&problems)),
    }
}

fn render(tree: &Tree, opened: &gather::Opened) -> Result<Files, Vec<Problem>> {
    let input = gather::input(tree, tree.specification()?, opened.clone());
    kith_site::build(&input)
}

fn write(out: &Path, files: &Files) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::Write(path, error)
    };
    std::fs::create_dir_all(out).map_err(failed(out))?;
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(())
}

fn check(root: &Path, quick: bool) -> Result<ExitCode, Error> {
    let opened = if quick {
        gather::Opened::default()
    } else {
        gather::opened(root)?
    };
    let tree = Tree::read(root)?;
    let spec = match tree.specification() {
        Ok(spec) => spec,
        Err(problems) => return Ok(trace::faulty(&problems)),
    };
    let (chapters, requirements) = (spec.chapters.len(), spec.requirements.len());
    let problems = kith_site::lint(&gather::input(&tree, spec, opened));
    if !problems.is_empty() {
        anstream::eprintln!("{} mistakes", problems.len());
        return Ok(trace::faulty(&problems));
    }
    anstream::println!("{chapters} chapters with {requirements} requirements are in order");
    Ok(ExitCode::SUCCESS)
}

fn diff(root: &Path, old: &str, new: &str, json: bool) -> Result<ExitCode, Error> {
    let read = |name: &str| -> Result<Result<Spec, Vec<Problem>>, Error> {
        Ok(kith_spec_source::parse(&revision::sources(root, name)?))
    };
    let (old, new) = match (read(old)?, read(new)?) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(problems), _) | (_, Err(problems)) => return Ok(trace::faulty(&problems)),
    };
    let diff = kith_site::diff(&old, &new);
    if json {
        let text = serde_json::to_string_pretty(&diff);
        anstream::println!("{}", text.expect("lists of strings are always JSON"));
    } else {
        anstream::print!("{diff}");
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(root: &Path, watch: bool, port: u16) -> Result<ExitCode, Error> {
    let opened = gather::opened(root)?;
    let failed = |error| Error::Serve(port, error);
    let server = Server::listen(port).map_err(failed)?;
    anstream::println!("http://{}/ (end with Ctrl-C)", server.address());
    let mut seen = None;
    let renew = || {
        if seen.is_some() && !watch {
            return None;
        }
        let now = watch::stamp(root);
        if seen.replace(now) == Some(now) {
            return None;
        }
        let tree = match Tree::read(root) {
            Ok(tree) => tree,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(render(&tree, &opened).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }))
    };
    kith_site::serve(&server, renew).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
