//! `cargo xtask schemas`: Rust types, decoders and encoders from `schemas/1.0/*.xsd`.
//!
//! The way is profile → read → print. `profile` refuses what validators are
//! known to disagree on or what the printer cannot express, and names file and
//! line. `read` takes the schemas from xsd-parser and turns them into the
//! small `model`. `print` writes Rust that calls the hand-written runtime of
//! the crate kith-schemas. The same command writes the JSON Schemas of the
//! adapter protocol and of the suite's report. The report's comes last and from
//! a program of its own, because the suite builds only once the types are right.
//!
//! Of xsd-parser's pipeline only the parser is used. Its interpreter gives up
//! the order of the declarations and whether two patterns are alternatives,
//! and its optimizer and renderer serve another runtime.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::{fs, io};

use crate::tree;

mod model;
mod pattern;
mod print;
mod profile;
mod read;
mod rustfmt;

/// The command that mends what `--check` finds.
const COMMAND: &str = "cargo xtask schemas";
/// Where the schemas are.
const SCHEMAS: &str = "schemas/1.0";
/// Where the generated code goes.
const SOURCE: &str = "schemas/src";

/// Where the JSON Schemas of the adapter protocol go.
const ADAPTER: &str = "conformance/adapter/schema";
/// The JSON Schema of the suite's report.
const REPORT: &str = "conformance/runner/schema/report.json";
/// The folders that hold nothing but generated files, and their extension.
const GENERATED: &[(&str, &str)] = &[("schemas/src/types", "rs"), (ADAPTER, "json")];

/// The command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only check that the generated files are up to date
    #[arg(long)]
    check: bool,
}

/// Why nothing could be generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Tree(#[from] tree::Error),
    #[error("cannot read {}: {error}", .path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write {}: {error}", .path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("{file}: xsd-parser cannot read this schema: {message}")]
    Parse { file: String, message: String },
    #[error("{file}: {message}")]
    Unsupported { file: String, message: String },
    #[error("cannot format with rustfmt: {0}; install it with `rustup component add rustfmt`")]
    Format(String),
    #[error("cannot make {REPORT}: {0}; mend what doesn't compile and run `{COMMAND}` again")]
    Report(String),
}

/// One schema document.
struct Schema {
    /// The name without `.xsd`.
    name: String,
    text: String,
}

/// One generated file.
struct Generated {
    /// From the root of the repository.
    path: PathBuf,
    text: String,
}

/// Writes the generated files, or checks them.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let root = tree::root()?;
    let schemas = schemas(&root)?;
    let findings: Vec<_> = schemas.iter().flat_map(profile::findings).collect();
    for finding in &findings {
        anstream::eprintln!("{finding}");
    }
    if !findings.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let mut files = generate(&schemas)?;
    files.extend(adapter_schemas());
    let stale_types = stale(&root, &files)?;
    if !args.check {
        write(&root, &files, &stale_types)?;
    }
    let report = [report_schema(&root)?];
    let stale_report: Vec<PathBuf> = differing(&root, &report).collect();
    if !args.check {
        write(&root, &report, &stale_report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stale: Vec<_> = stale_types.iter().chain(&stale_report).collect();
    for path in &stale {
        anstream::eprintln!("{}: stale; run `{COMMAND}`", path.display());
    }
    Ok(ExitCode::from(u8::from(!stale.is_empty())))
}

fn schemas(root: &Path) -> Result<Vec<Schema>, Error> {
    let mut schemas = Vec::new();
    for path in files(&root.join(SCHEMAS), "xsd")? {
        let text = fs::read_to_string(&path).map_err(|error| Error::Read {
            path: path.clone(),
            error,
        })?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        schemas.push(Schema { name, text });
    }
    Ok(schemas)
}

fn generate(schemas: &[Schema]) -> Result<Vec<Generated>, Error> {
    let modules = read::modules(schemas)?;
    print::files(&modules)
        .into_iter()
        .map(|file| {
            Ok(Generated {
                text: rustfmt::format(&file.text)?,
                ..file
            })
        })
        .collect()
}

/// The JSON Schemas of the adapter protocol, which its crate makes from its types.
fn adapter_schemas() -> impl Iterator<Item = Generated> {
    let files = kith_adapter::schema::files().into_iter();
    files.map(|(name, text)| Generated {
        path: Path::new(ADAPTER).join(name),
        text,
    })
}

/// The JSON Schema of the suite's report, printed by an example of the runner.
fn report_schema(root: &Path) -> Result<Generated, Error> {
    let output = tree::cargo()
        .current_dir(root)
        .args(["run", "--quiet", "--example", "report-schema"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::Report(error.to_string()))?;
    if !output.status.success() {
        return Err(Error::Report(output.status.to_string()));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|error| Error::Report(error.to_string()))?;
    Ok(Generated {
        path: REPORT.into(),
        text,
    })
}

/// The files that are missing or different.
fn differing(root: &Path, wanted: &[Generated]) -> impl Iterator<Item = PathBuf> {
    wanted
        .iter()
        .filter(|file| fs::read_to_string(root.join(&file.path)).ok().as_ref() != Some(&file.text))
        .map(|file| file.path.clone())
}

/// The files that are missing, different, or no longer generated.
fn stale(root: &Path, files_wanted: &[Generated]) -> Result<Vec<PathBuf>, Error> {
    let mut stale: Vec<PathBuf> = differing(root, files_wanted).collect();
    for (folder, extension) in GENERATED {
        let folder = Path::new(folder);
        if !root.join(folder).is_dir() {
            continue;
        }
        for path in files(&root.join(folder), extension)? {
            let path = folder.join(path.file_name().unwrap_or_default());
            if !files_wanted.iter().any(|file| file.path == path) {
                stale.push(path);
            }
        }
    }
    Ok(stale)
}

fn write(root: &Path, files: &[Generated], stale: &[PathBuf]) -> Result<(), Error> {
    for path in stale {
        let target = root.join(path);
        let written = match files.iter().find(|file| &file.path == path) {
            Some(file) => fs::create_dir_all(target.parent().unwrap_or(root))
                .and_then(|()| fs::write(&target, &file.text)),
            None => fs::remove_file(&target),
        };
        written.map_err(|error| Error::Write {
            path: path.clone(),
            error,
        })?;
        anstream::eprintln!("{}", path.display());
    }
    Ok(())
}

/// The files of a folder with an extension, in order of their names.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::Read {
        path: folder.to_owned(),
        error,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_what_the_schemas_say() {
        let root = tree::root().unwrap();
        let schemas = schemas(&root).unwrap();
        assert!(!schemas.is_empty());
        let mut files = generate(&schemas).unwrap();
        files.extend(adapter_schemas());
        let stale = stale(&root, &files).unwrap();
        assert!(stale.is_empty(), "{stale:?} are stale: run `{COMMAND}`");
    }

    #[test]
    fn the_schemas_keep_to_the_profile() {
        let schemas = schemas(&tree::root().unwrap()).unwrap();
        let findings: Vec<_> = schemas
            .iter()
            .flat_map(profile::findings)
            .map(|f| f.to_string())
            .collect();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}
