//! Turns the specification's Markdown and TOML into Rust, or says what is wrong with them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use kith_spec_source::Source;

#[path = "src/generate.rs"]
mod generate;

const VERSION: &str = "1.0";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = here.join(VERSION);
    // Cargo would run this every time for a folder that does not exist.
    let watched = if root.exists() { VERSION } else { "." };
    println!("cargo::rerun-if-changed={watched}");

    let mut sources = Vec::new();
    for folder in [root.clone(), root.join("state")] {
        read(&folder, &here, &mut sources)?;
    }
    match kith_spec_source::parse(&sources) {
        Ok(spec) => {
            let out = PathBuf::from(env::var("OUT_DIR")?).join("spec.rs");
            fs::write(out, generate::generate(&spec))?;
        }
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
        }
    }
    Ok(())
}

/// Reads the files directly in `folder`, if there is one.
fn read(folder: &Path, here: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let known = path
            .extension()
            .is_some_and(|ext| ext == "md" || ext == "toml" || ext == "txt");
        if path.is_file() && known {
            let relative = path.strip_prefix(here).unwrap_or(&path).to_string_lossy();
            let relative = format!("spec/{}", relative.replace('\\', "/"));
            sources.push(Source {
                path: relative,
                text: fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
}
