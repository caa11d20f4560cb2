//! Deliberately broken reference agents, which the suite must catch (conformance, "Sabotage").
//!
//! `kith-sabotaged --list` prints the faults; `kith-sabotaged --fault ID` is an agent with that
//! fault behind the adapter protocol. The ordinary program can't be broken: this is another binary.

mod catalogue;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use kith_core::Gate;
use kith_core::agent::outgoing::Outgoing;
use kith_spec::Rule;

use catalogue::{Fault, Sabotage, UNSEEN};

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

/// A gate with one fault.
struct Broken(Fault);

impl Gate for Broken {
    fn enforces(&self, rule: Rule) -> bool {
        self.0.enforces(rule)
    }

    fn rewrite(&self, outgoing: &mut Outgoing) {
        if let Sabotage::Rewrite(rewrite) = &self.0.sabotage {
            rewrite(outgoing);
        }
    }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<&'static str>,
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
        gap: fault.gap(),
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
    match kith_adapter_reference::serve(Arc::new(Broken(fault))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
