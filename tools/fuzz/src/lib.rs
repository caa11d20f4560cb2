//! Feeds mutated mail, documents and dialogues to everything that reads octets, and looks for
//! panics and for inputs that take too long.
//!
//! A [`Target`] is one reader; it makes its inputs itself, from the test vectors and a
//! [`Mutator`]. Try number N of a target always gets the same input, so a finding is repeated by
//! its number. It runs on stable Rust and needs no coverage: what reaches deep into the readers
//! are mails that the forge signs and seals after the mutation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

mod mutate;
mod targets;

pub use mutate::Mutator;
pub use targets::all;

/// One try may take so long, on a slow machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that reads octets from elsewhere.
pub trait Target {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Makes one input and reads it; the input as it was read. A panic is a finding.
    ///
    /// # Errors
    ///
    /// What is wrong without a panic.
    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String>;
}

/// What was found.
#[derive(Debug)]
pub struct Finding {
    /// The target.
    pub target: &'static str,
    /// The number of the try.
    pub number: u64,
    /// What happened.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            target,
            number,
            what,
        } = self;
        write!(
            f,
            "{target}: try {number}: {what}\n  repeat: cargo xtask fuzz --target {target} --from {number} --tries 1"
        )
    }
}

/// Plays one try of a target.
///
/// # Errors
///
/// The finding.
pub fn play(target: &mut dyn Target, number: u64) -> Result<(), Finding> {
    let name = target.name();
    let start = Instant::now();
    let mut mutator = Mutator::new(name, number);
    let result = catch_unwind(AssertUnwindSafe(|| target.play(&mut mutator)));
    let finding = |what| Finding {
        target: name,
        number,
        what,
    };
    match result {
        Err(panic) => Err(finding(format!("panicked: {}", message(&*panic)))),
        Ok(Err(what)) => Err(finding(what)),
        Ok(Ok(())) if start.elapsed() > PATIENCE => {
            Err(finding(format!("took {:?}", start.elapsed())))
        }
        Ok(Ok(())) => Ok(()),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
