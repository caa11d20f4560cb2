//! Hashes what the suite's verdicts depend on, so that a report tells by which suite it was
//! made even between versions.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Where the suite is, from this crate.
const SOURCES: [&str; 7] = [
    "../adapter/src",
    "../cases/src",
    "../forge/src",
    "../runner/src",
    "../testbed/src",
    "../../spec/1.0",
    "../../vectors/data",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut hash = Sha256::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        let mut found = Vec::new();
        files(Path::new(folder), &mut found)?;
        found.sort();
        for path in found {
            let octets = std::fs::read(&path)?;
            hash.update(path.to_string_lossy().replace('\\', "/"));
            hash.update((octets.len() as u64).to_be_bytes());
            hash.update(octets);
        }
    }
    let hash = hex::encode(hash.finalize());
    println!("cargo::rustc-env=KITH_SUITE_HASH={}", &hash[..8]);
    Ok(())
}
