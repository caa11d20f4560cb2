//! Deliberately broken reference agents, which the suite must catch (conformance, "Sabotage").
//!
//! `kith-sabotaged --list` prints the faults; `kith-sabotaged --fault ID` is an agent with that
//! fault behind the adapter protocol. The ordinary program can't be broken: this is another binary.

mod broken;
mod catalogue;
mod mail;

use std::process::ExitCode;

use clap::Parser;

use broken::{Broken, Driven};
use catalogue::UNSEEN;

/// Deliberately broken Kith agents, for testing the conformance suite
#[derive(Parser)]
struct Args {
    /// Print the faults as JSON
    #[arg(long, conflicts_with = "fault")]
    list: bool,
    /// Be the agent with this fault, behind the adapter protocol
    #[arg(long, value_name = "ID")]
    fault: Option<String>,
}

/// What `--list` prints.
#[derive(serde::Serialize)]
struct Catalogue {
    faults: Vec<Listed>,
    unseen: Vec<Unseen>,
}

#[derive(serde::Serialize)]
struct Listed {
    id: &'static str,
    requirement: &'static str,
    title: String,
    /// The rules that are skipped to this end.
    skipped: Vec<&'static str>,
}

#[derive(serde::Serialize)]
struct Unseen {
    requirement: &'static str,
    reason: &'static str,
}

fn listed() -> Catalogue {
    let faults = catalogue::faults().into_iter().map(|fault| Listed {
        id: fault.id(),
        requirement: fault.requirement.id,
        title: fault.title(),
        skipped: fault.skipped().iter().map(|rule| rule.id).collect(),
    });
    let unseen = UNSEEN.iter().map(|(rule, reason)| Unseen {
        requirement: rule.id,
        reason,
    });
    Catalogue {
        faults: faults.collect(),
        unseen: unseen.collect(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let Some(id) = args.fault else {
        let list = serde_json::to_string_pretty(&listed()).unwrap_or_default();
        println!("{list}");
        return ExitCode::SUCCESS;
    };
    let fault = catalogue::faults()
        .into_iter()
        .find(|fault| fault.id() == id);
    let Some(fault) = fault else {
        eprintln!("there is no fault {id}; --list prints those there are");
        return ExitCode::from(2);
    };
    let agent = Driven::new(Broken::new(fault));
    let (input, output) = kith_adapter::server::stdio();
    match kith_adapter::server::serve(input, output, agent).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
