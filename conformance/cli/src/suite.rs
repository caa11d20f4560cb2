//! Everything there is to run, and how an adapter is reached.

use std::path::PathBuf;

use kith_adapter::client::{Command, Endpoint};
use kith_runner::Case;
use kith_runner::child::Connector;

use crate::Trouble;

/// The version of the suite, with a hash of its sources: by it `diff` tells whether the suite
/// changed.
pub(crate) const SUITE: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("KITH_SUITE_HASH"));

/// Cases and vectors.
pub(crate) fn suite() -> Vec<Case> {
    let mut suite = kith_cases::suite();
    suite.extend(kith_runner::vectors::cases());
    suite
}

/// How many children at once: one for each core. While a child works its harness waits, and the
/// other way round, so a core is always busy.
pub(crate) fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The command of a program with arguments.
pub(crate) fn command(program: PathBuf, arguments: &[&str]) -> Command {
    Command {
        program: program.into_os_string(),
        arguments: arguments.iter().map(Into::into).collect(),
    }
}

/// A connector to the adapter that the user named. `builtin:reference` is this program
/// again.
pub(crate) fn connector(name: &str) -> Result<Connector, Trouble> {
    let own = std::env::current_exe()?;
    let endpoint: Endpoint = name.parse()?;
    let endpoint = endpoint
        .resolve(|builtin| (builtin == "reference").then(|| command(own, &["adapter-reference"])));
    Ok(Connector::new(name, endpoint))
}

/// The endpoint of the adapter that the user named.
pub(crate) fn endpoint(name: &str) -> Result<Endpoint, Trouble> {
    Ok(connector(name)?.endpoint().clone())
}
