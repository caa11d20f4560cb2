//! The targets, and what they begin with.

mod adapter;
mod core;
mod judge;
mod schemas;
mod seeds;
mod testbed;

use crate::Target;

/// All targets.
///
/// # Errors
///
/// When one can't be set up.
pub fn all() -> Result<Vec<Box<dyn Target>>, Box<dyn std::error::Error>> {
    Ok(vec![
        Box::new(core::Mail::new()?),
        Box::new(core::Sealed::new()?),
        Box::new(core::OpenPgp::new()),
        Box::new(core::Archive::new()?),
        Box::new(core::Link),
        Box::new(schemas::Documents::new()),
        Box::new(judge::Reader::new()),
        Box::new(adapter::Requests::new()),
        Box::new(adapter::Answers::new()?),
        Box::new(testbed::Dialogue::new(testbed::Protocol::Imap)?),
        Box::new(testbed::Dialogue::new(testbed::Protocol::Smtp)?),
    ])
}
