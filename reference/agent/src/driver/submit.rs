//! From the outbox to the submission server (specification, section "Sending").

use kith_core::agent::outbox::Submitted;

use super::{Driver, DriverError, Problem, Report};
use crate::submission::{Submission, SubmissionError};

/// Mails submitted in one sync at most.
const MOST: usize = 2000;
/// After how many broken connections a sync gives up submitting.
const LOSSES: u32 = 3;

impl Driver {
    /// Submits what waits, each mail once, and records how each ended before the next one.
    pub(super) async fn submit_mail(
        &mut self,
        now: i64,
        report: &mut Report,
    ) -> Result<(), DriverError> {
        let mut connection = None;
        let mut losses = 0;
        let mut put_off = None;
        for mail in self.agent.outbox(&self.store, now, MOST)? {
            let outcome = loop {
                let used = connection.is_some();
                let mut submission = match connection.take() {
                    Some(submission) => submission,
                    None => match self.connect().await {
                        Ok(submission) => submission,
                        // No mail was tried: all of them wait, without a longer pause.
                        Err(error) => {
                            report.problems.push(error.into());
                            return Ok(());
                        }
                    },
                };
                match submission.submit(&mail.from, &mail.to, &mail.octets).await {
                    Ok(outcome) => {
                        put_off = submission.take_put_off().or(put_off);
                        connection = Some(submission);
                        break outcome;
                    }
                    // Some servers end a connection after a number of mails.
                    Err(SubmissionError::Lost { begun: false, .. }) if used => {}
                    Err(error) => {
                        losses += 1;
                        report.problems.push(error.into());
                        break Submitted::Later;
                    }
                }
            };
            report.sent += u64::from(matches!(outcome, Submitted::Taken));
            let effects = self
                .agent
                .submitted(&self.store, mail.number, outcome, now)?;
            self.commit(&effects.writes)?;
            report.events.extend(effects.events);
            if losses >= LOSSES {
                break;
            }
        }
        if let Some(submission) = connection {
            submission.close().await;
        }
        if let Some(said) = put_off {
            let server = self.rest.account.submission.to_string();
            report.problems.push(Problem::PutOff { server, said });
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<Submission, SubmissionError> {
        let dialer = self.dialer()?;
        Submission::open(&dialer, &self.rest.account).await
    }
}
