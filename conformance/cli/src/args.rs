//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The adapter that is used if none is named.
pub(crate) const REFERENCE: &str = "builtin:reference";

/// Does a Kith implementation do what the specification says?
#[derive(Debug, Parser)]
#[command(name = "kith-conform", version, after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const AFTER: &str = "Without a command: `run` with the reference agent.\n\
    Exit status: 0 all required passed, 1 something required failed, 2 could not run.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run cases and vectors.
    Run(Run),
    /// List the cases.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell about a requirement or a case.
    Explain {
        /// The id, such as `mail.one-envelope` or `message/sent`.
        id: String,
    },
    /// Run the vectors only.
    Vectors(Run),
    /// Test an adapter itself.
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Test the suite: run it with deliberately broken agents.
    Sabotage(Sabotage),
    /// The reference agent as an adapter, for `builtin:reference`.
    #[command(hide = true)]
    AdapterReference,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdapterCommand {
    /// Does it speak the adapter protocol?
    Check {
        /// Where the adapter is: exec:CMD ARGS…, tcp:HOST:PORT or builtin:reference.
        #[arg(long, default_value = REFERENCE)]
        adapter: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Run only cases whose id matches; `*` stays within a `/`, `**` doesn't; `@FILE` reads patterns.
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Don't run cases whose id matches.
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
    /// How many children, each with one case in flight. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Where the harness's randomness comes from. Default: 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Stop after the first rung (wire, request, handshake, message, rest) in which a case fails.
    #[arg(long)]
    pub(crate) first: bool,
    /// Where the adapter is: exec:CMD ARGS…, tcp:HOST:PORT or builtin:reference.
    #[arg(long, default_value = REFERENCE)]
    pub(crate) adapter: String,
    /// Check every message of the adapter protocol against its schema.
    #[arg(long)]
    pub(crate) validate: bool,
    /// Show mails, dialogue and transcript of each failure.
    #[arg(long)]
    pub(crate) evidence: bool,
    /// How long one case may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) limit: u64,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write everything that happened in each case into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            run: Vec::new(),
            skip: Vec::new(),
            jobs: None,
            seed: 1,
            first: false,
            adapter: REFERENCE.to_owned(),
            validate: false,
            evidence: false,
            limit: 60,
            json: None,
            junit: None,
            record: None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Sabotage {
    /// Only these faults.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// How many children at once. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Where the harness's randomness comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the result as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn nothing_means_everything() {
        let given = Arguments::try_parse_from(["kith-conform", "run"]).unwrap();
        let Some(Command::Run(run)) = given.command else {
            panic!("`run` is the command");
        };
        assert_eq!(format!("{run:?}"), format!("{:?}", Run::default()));
    }
}
