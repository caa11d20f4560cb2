//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kith_runner::plan::{Asked, Selection, ShardError};

/// The adapter that is used if none is named.
pub(crate) const REFERENCE: &str = "builtin:reference";

/// The mail server that is used if none is named.
pub(crate) const EMBEDDED: &str = "embedded";

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
        #[command(flatten)]
        select: Select,
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
    /// Join the JSON reports of several shards, or write another form of one.
    Merge {
        /// Reports as JSON.
        #[arg(required = true, value_name = "REPORT")]
        reports: Vec<PathBuf>,
        #[command(flatten)]
        outputs: Outputs,
    },
    /// Judge the mail of a recorded run again, without running it: what the suite says of it now.
    Rejudge {
        /// The folder of `run --record`.
        #[arg(value_name = "DIR")]
        record: PathBuf,
        #[command(flatten)]
        outputs: Outputs,
    },
    /// Tell what changed between two JSON reports, and who changed it: 1 if something got worse.
    Diff {
        /// The earlier report.
        old: PathBuf,
        /// The later one.
        new: PathBuf,
        /// Write what changed as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Run scenarios between implementations, in both roles: a matrix of each with each.
    Interop(Interop),
    /// Keep a mail server with people on it running, until Ctrl-C.
    Serve(Serve),
    /// Build the images of the mail servers that run in containers.
    Images,
    /// Find out what mail servers in containers do differently, and print it as a table.
    Servers {
        /// Write the table to this file.
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
        /// Compare the table with that in this file: 1 if they differ.
        #[arg(long, value_name = "FILE", conflicts_with = "write")]
        check: Option<PathBuf>,
    },
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

/// Which cases.
#[derive(Debug, Default, Args)]
pub(crate) struct Select {
    /// Only cases whose id matches; `*` stays within a `/`, `**` doesn't; `@FILE` reads patterns.
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Not the cases whose id matches; `@FILE` reads patterns.
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
    /// Only the I-th of N parts of what is selected; `auto` takes both from the variables of
    /// GitLab, CircleCI, Buildkite, Semaphore or a Kubernetes indexed job, `auto/N` only I.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Asked>,
}

impl Select {
    /// The selection; a shard may be told by the environment.
    ///
    /// # Errors
    /// If it is to tell and doesn't.
    pub(crate) fn selection(&self) -> Result<Selection, ShardError> {
        let shard = self
            .shard
            .map(|asked| asked.resolve(|name| std::env::var(name).ok()));
        Ok(Selection {
            run: self.run.clone(),
            skip: self.skip.clone(),
            shard: shard.transpose()?,
        })
    }
}

/// What is written besides the text on the terminal.
#[derive(Debug, Default, Args)]
pub(crate) struct Outputs {
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the report as one HTML page that needs nothing else.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Append a summary in Markdown to a file, such as that of a CI job's page.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write a badge as SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) badge: Option<PathBuf>,
    /// Show mails, dialogue and transcript of each failure.
    #[arg(long)]
    pub(crate) evidence: bool,
}

impl Outputs {
    /// Whether a second run would replace a file of the first.
    pub(crate) fn writes_over(&self) -> bool {
        [&self.json, &self.junit, &self.html, &self.badge]
            .iter()
            .any(|path| path.is_some())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) select: Select,
    /// How many children, each with one case in flight. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Where the harness's randomness comes from. Default: 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// One child, and reports in which nothing differs between two runs of the same seed: without
    /// durations, ports and sizes of mail, with ids labelled by their first appearance.
    #[arg(long, conflicts_with = "jobs")]
    pub(crate) deterministic: bool,
    /// Stop after the first rung (wire, request, handshake, message, rest) in which a case fails.
    #[arg(long)]
    pub(crate) first: bool,
    /// Where the adapter is: exec:CMD ARGS…, tcp:HOST:PORT or builtin:reference.
    #[arg(long, default_value = REFERENCE)]
    pub(crate) adapter: String,
    /// Check every message of the adapter protocol against its schema.
    #[arg(long)]
    pub(crate) validate: bool,
    /// How long one case may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) limit: u64,
    /// Run scenarios between agents under faults instead: names of faults, `all`, and
    /// `mixtures=N` for so many seeded mixtures. The end must be that of a run without faults.
    #[arg(
        long,
        value_name = "FAULT,…",
        value_delimiter = ',',
        conflicts_with = "server"
    )]
    pub(crate) faults: Vec<String>,
    /// What serves the mail: `embedded` in this process; `postfix-dovecot`, `exim-cyrus`,
    /// `exim-courier` in containers, or `all` of them; or a TOML file that describes a server of your own. There, all
    /// mail in the listed accounts is deleted, and mail is sent among them only.
    #[arg(long, value_name = "SERVER", default_value = EMBEDDED)]
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) expect: Expect,
    #[command(flatten)]
    pub(crate) outputs: Outputs,
    /// Write everything that happened in each case into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
}

/// What is known beforehand.
#[derive(Debug, Default, Args)]
pub(crate) struct Expect {
    /// Cases that are known to fail, `GLOB  # reason` a line: one that passes fails the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failing: Option<PathBuf>,
    /// Cases that fail at times, `GLOB  # reason` a line: they are tried again, and no others may.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_flaky: Option<PathBuf>,
    /// How often a case that fails is tried again; one that passes then is `flaky`.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retries: u32,
    /// Write what fails as a list for `--known-failing`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline_write: Option<PathBuf>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            select: Select::default(),
            jobs: None,
            seed: 1,
            deterministic: false,
            first: false,
            adapter: REFERENCE.to_owned(),
            validate: false,
            server: EMBEDDED.to_owned(),
            limit: 60,
            faults: Vec::new(),
            expect: Expect::default(),
            outputs: Outputs::default(),
            record: None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Interop {
    /// Where an implementation's adapter is: exec:CMD ARGS…, tcp:HOST:PORT or builtin:reference.
    #[arg(long, default_value = REFERENCE)]
    pub(crate) a: String,
    /// Where another's is.
    #[arg(long)]
    pub(crate) b: String,
    /// Where further ones are.
    #[arg(long, value_name = "ADAPTER")]
    pub(crate) also: Vec<String>,
    /// Where the harness's randomness comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many children of each at once. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Write the matrix with all reports as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// What serves the mail: `embedded` in this process, or `postfix-dovecot`, `exim-cyrus`,
    /// `exim-courier` in containers.
    #[arg(long, value_name = "SERVER", default_value = EMBEDDED)]
    pub(crate) server: String,
    /// Write a description of the server with its free accounts, as `run --server` takes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) description: Option<PathBuf>,
    /// Write the certificate authority, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The agent that the people on the server use.
    #[arg(long, default_value = REFERENCE)]
    pub(crate) adapter: String,
}

#[derive(Debug, Args)]
pub(crate) struct Sabotage {
    /// List the faults, and the requirements that no agent breaks, with the reason where there is
    /// one; run nothing.
    #[arg(long, conflicts_with = "fault")]
    pub(crate) list: bool,
    /// Only these faults.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// Run the whole suite against each fault: hours, for the last word on what else it breaks.
    #[arg(long)]
    pub(crate) full: bool,
    /// How many faults at once. Default: the number of cores.
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
