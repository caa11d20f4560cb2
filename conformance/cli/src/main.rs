//! The program `kith-conform` (`cargo conform`): the suite, the runner and the reference
//! adapter in one binary. Without arguments it runs everything with the reference agent.

mod args;
mod check;
mod compare;
mod explain;
mod interop;
mod list;
mod outputs;
mod reference;
mod run;
mod sabotage;
mod serve;
mod servers;
mod suite;

use std::process::ExitCode;

use clap::Parser as _;
use kith_runner::exit;

use args::{AdapterCommand, Arguments, Command};

/// Why a command could not do its work: a line for people.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The run could not be done.
    #[error(transparent)]
    Run(#[from] kith_runner::RunError),
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] kith_runner::plan::PlanError),
    /// The environment doesn't tell which shard this is.
    #[error(transparent)]
    Shard(#[from] kith_runner::plan::ShardError),
    /// A report can't be read.
    #[error("cannot read the report {0}: {1}")]
    Report(String, String),
    /// Reports don't belong together.
    #[error(transparent)]
    Merge(#[from] kith_runner::report::merge::MergeError),
    /// A record can't be judged again.
    #[error(transparent)]
    Rejudge(#[from] kith_runner::rejudge::RejudgeError),
    /// The adapter's place is not one.
    #[error(transparent)]
    Endpoint(#[from] kith_adapter::client::EndpointError),
    /// Containers fail.
    #[error(transparent)]
    Container(#[from] kith_containers::ContainerError),
    /// The description of a mail server is wrong.
    #[error(transparent)]
    Described(#[from] kith_testbed::DescribedError),
    /// There is no such mail server.
    #[error("{0}, nor `embedded`, `all`, or a file that describes a server")]
    NoServer(String),
    /// Several runs can't write to one file.
    #[error(
        "`--server all` makes a run for each server, which can't all be written to one file; name one server"
    )]
    OneFile,
    /// Somebody has had enough.
    #[error("interrupted; the containers are removed")]
    Interrupted,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something that was to be JSON is not.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Nothing has this id.
    #[error("`{0}` is neither a requirement nor a case; `list` shows the cases")]
    Unknown(String),
    /// A fault has another name.
    #[error("there is no fault `{0}`; there are {1}, `all`, and `mixtures=N`")]
    NoFault(String, String),
    /// The own mail server can't be started.
    #[error(transparent)]
    Testbed(#[from] kith_testbed::TestbedError),
    /// A person on the server can't be played.
    #[error("{0} cannot be played: {1}")]
    Person(String, String),
    /// The broken agents are not there.
    #[error(
        "there is no `kith-sabotaged` beside this program: {0}; build it with `cargo build -p kith-sabotaged`"
    )]
    NoSabotaged(String),
}

impl Trouble {
    /// Whether standard output was closed by its reader.
    fn is_closed_pipe(&self) -> bool {
        let (Self::Io(error) | Self::Run(kith_runner::RunError::Report(error))) = self else {
            return false;
        };
        error.kind() == std::io::ErrorKind::BrokenPipe
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::AdapterReference) = arguments.command {
        return reference::serve();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(obey(arguments)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        // Whoever read this has gone, and with them whom to tell.
        Err(trouble) if trouble.is_closed_pipe() => ExitCode::from(exit::COULD_NOT_RUN),
        Err(trouble) => {
            anstream::eprintln!("kith-conform: {trouble}");
            ExitCode::from(exit::COULD_NOT_RUN)
        }
    }
}

async fn obey(arguments: Arguments) -> Result<u8, Trouble> {
    match arguments.command {
        None => run::run(&args::Run::default()).await,
        Some(Command::Run(run)) => run::run(&run).await,
        Some(Command::Vectors(run)) => run::vectors(&run).await,
        Some(Command::List { select, json }) => list::list(&select, json),
        Some(Command::Explain { id }) => explain::explain(&id),
        Some(Command::Adapter(AdapterCommand::Check { adapter })) => check::check(&adapter).await,
        Some(Command::Merge { reports, outputs }) => compare::merge(&reports, &outputs),
        Some(Command::Rejudge { record, outputs }) => compare::rejudge(&record, &outputs),
        Some(Command::Diff { old, new, json }) => compare::diff(&old, &new, json.as_deref()),
        Some(Command::Interop(interop)) => interop::interop(&interop).await,
        Some(Command::Serve(serve)) => serve::serve(&serve).await,
        Some(Command::Images) => servers::images().await,
        Some(Command::Servers { write, check }) => {
            servers::compare(write.as_deref(), check.as_deref()).await
        }
        Some(Command::Sabotage(sabotage)) => sabotage::sabotage(&sabotage).await,
        Some(Command::AdapterReference) => Ok(exit::COULD_NOT_RUN),
    }
}
