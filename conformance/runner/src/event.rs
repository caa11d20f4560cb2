//! What the runner tells the reporters: the only place where they meet.

use kith_adapter::protocol::About;

use crate::report::{CaseResult, Report};

/// Something happened in a run.
#[derive(Debug)]
pub enum Event {
    /// The implementation introduced itself.
    Hello(Box<About>),
    /// The plan is made: so many cases will be run, skipped ones included.
    Planned {
        /// How many.
        cases: usize,
    },
    /// A case begins.
    Started {
        /// Its id.
        id: String,
    },
    /// A case has its result.
    Finished(Box<CaseResult>),
    /// The run is over.
    Done(Box<Report>),
}

/// Takes the events of a run, in order.
pub trait Reporter {
    /// Something happened.
    ///
    /// # Errors
    /// If what it makes of the event can't be written.
    fn event(&mut self, event: &Event) -> std::io::Result<()>;
}
