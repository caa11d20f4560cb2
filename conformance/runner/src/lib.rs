//! The conformance runner: plan → dispatch → judge → report.
//!
//! | module | what is there |
//! |---|---|
//! | [`case`] | what a case is; [`scene`] what it plays in |
//! | [`plan`] | which cases, in which order |
//! | [`dispatch`] | children, time limits, statuses |
//! | [`judge`] | what is right about a mail, from its octets |
//! | [`rejudge`] | judges the mail of a recorded run again |
//! | [`event`] | the only place where runner and reporters meet |
//! | [`report`] | the result model, and what is made of it |
//! | [`vectors`] | the test vectors as cases |
//! | [`exit`] | exit codes |

pub mod case;
pub mod child;
pub mod dispatch;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod judge;
mod ledger;
pub mod plan;
pub mod rejudge;
pub mod report;
pub mod scene;
pub mod stage;
pub mod vectors;

pub use case::{Case, Rung, Stop};
pub use dispatch::{Options, RunError, run};
pub use ledger::Ledger;
pub use scene::Scene;
