//! What can happen to a real server, where the harness has it in hand.

use std::fmt;

use futures::future::BoxFuture;

use crate::TestbedError;

/// Something that happens to the server of the agent's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It is cut off from the other domain; its own people still reach it.
    Cut,
    /// Its processes stand still, and connections stay open and say nothing.
    Pause,
    /// The agent's mailbox takes no mail.
    Full,
    /// It puts off the first try of each sender and recipient.
    Greylist,
    /// Its programs end in the middle, and start again.
    Restart,
}

/// Servers outside this process that things can happen to.
pub trait Outages: fmt::Debug + Send + Sync {
    /// It happens from now on, to the server of the account with this address.
    fn begin<'a>(
        &'a self,
        outage: Outage,
        address: &'a str,
    ) -> BoxFuture<'a, Result<(), TestbedError>>;

    /// It is over.
    fn end<'a>(
        &'a self,
        outage: Outage,
        address: &'a str,
    ) -> BoxFuture<'a, Result<(), TestbedError>>;

    /// How many mails wait in the queues of all servers.
    fn queued(&self) -> BoxFuture<'_, Result<usize, TestbedError>>;
}
