//! The adapter protocol: how the conformance suite drives an implementation.
//!
//! An implementation in any language is connected through a small program, its
//! *adapter*, that speaks JSON-RPC 2.0: one message a line, UTF-8, on standard
//! input and output (or over TCP, for debugging). `GUIDE.md` in this folder is
//! the text for people who write one; `schema/` holds the JSON Schema of every
//! message.
//!
//! | module | what is there |
//! |---|---|
//! | [`protocol`] | the methods, their parameters and results |
//! | [`act`] | what a user does: one type per action, one file per family |
//! | [`view`] | what a user sees: one type per view, one file per family |
//! | [`schema`] | the JSON Schemas, generated from these types |
//! | [`server`] | the loop of an adapter that is written in Rust |
//! | [`client`] | the harness's side, over a child process or TCP |
//! | [`check`](mod@check) | `adapter check`: does an adapter speak the protocol? |
//! | [`validate`] | checks messages against the schemas (feature `validate`) |

pub mod act;
pub mod check;
pub mod client;
mod line;
pub mod protocol;
pub mod schema;
pub mod server;
#[cfg(feature = "validate")]
pub mod validate;
pub mod view;

pub use client::{Client, Endpoint};
pub use server::{Adapter, serve};
