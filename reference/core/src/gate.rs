//! The gate: every rule of the specification is asked for here, by its requirement.
//!
//! A check reads `gate.check(&req::SEC_PURPOSE, …)?`. The violation that a peer commits, the place
//! that `cargo xtask trace` lists, and the check that a deliberately broken agent leaves out are
//! therefore the same thing. The ordinary program is built with [`Strict`] only.

use std::borrow::Cow;

use kith_spec::{Outcome, Rule};

use crate::agent::outbox::Posted;
use crate::agent::outgoing::Outgoing;

/// Decides which requirements are enforced. Everything but [`Strict`] is a broken agent.
pub trait Gate: Send + Sync {
    /// Whether the requirement is enforced.
    fn enforces(&self, rule: Rule) -> bool;

    /// May change a document that is about to be signed or sealed.
    fn document(&self, _octets: &mut Vec<u8>) {}

    /// May rewrite what is about to be signed, sealed and sent.
    fn rewrite(&self, _outgoing: &mut Outgoing) {}

    /// May change, repeat or lose a mail on its way to the outbox.
    fn post(&self, posted: Posted) -> Vec<Posted> {
        vec![posted]
    }

    /// May change or lose a mail before it is judged. What is empty is no mail.
    fn arrive<'a>(&self, mail: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(mail)
    }

    /// Whether what a sealed mail held is looked at.
    fn opens(&self, _payload: &[u8]) -> bool {
        true
    }

    /// What becomes of a mail or object that breaks a rule.
    fn outcome(&self, violation: Violation) -> Outcome {
        violation.outcome()
    }
}

/// Enforces everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strict;

impl Gate for Strict {
    fn enforces(&self, _rule: Rule) -> bool {
        true
    }
}

impl dyn Gate + '_ {
    /// Fails with the violation of `rule` unless `holds`.
    ///
    /// # Errors
    ///
    /// The violation, when the rule is broken and enforced.
    pub fn check(&self, rule: Rule, holds: bool) -> Result<(), Violation> {
        if holds || !self.enforces(rule) {
            Ok(())
        } else {
            Err(Violation(rule))
        }
    }
}

/// Names the requirements that the code around it meets without a check that could be left out.
#[macro_export]
macro_rules! implements {
    ($($rule:path),+ $(,)?) => {
        const _: &[kith_spec::Rule] = &[$(&$rule),+];
    };
}

/// What a mail or an object did wrong: the requirement it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", self.name(), self.0.text)]
pub struct Violation(pub Rule);

impl Violation {
    /// The informative name of the violation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.violation.unwrap_or(self.0.id)
    }

    /// What the receiver does.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome.unwrap_or(Outcome::Refuse)
    }
}
