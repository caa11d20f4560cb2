//! The protocol core of the reference agent: no socket, file, clock or thread.
//!
//! ```text
//! octets ─▶ wire (MIME, OpenPGP) ─▶ kinds ─▶ agent ─▶ effects: rows to write, mail to send, events
//! ```
//!
//! [`Agent`] is one person's end of Kith. It reads a [`store::Read`] and returns what to write; the
//! driver does the rest. Randomness comes from the caller's seed, except inside the OpenPGP library,
//! which draws its own for keys, session keys and salts.

pub mod agent;
pub mod gate;
pub mod kinds;
pub mod store;
pub mod wire;

pub use agent::{ActError, Action, Agent, AgentError, Done, Effects, Event, Incoming, Receipt};
pub use gate::{Gate, Strict, Violation};
