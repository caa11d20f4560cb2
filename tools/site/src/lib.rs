//! Checks, compares and renders the specification. `cargo xtask spec` calls it.
//!
//! Everything works on an [`Input`] that the caller has read: the sources and
//! what the tree knows about each requirement. Only [`serve`] opens a socket.

mod chapter;
mod diff;
mod index;
mod input;
mod inserts;
mod links;
mod lint;
mod page;
mod schema;
mod search;
mod serve;
mod site;
mod state;
mod text;
mod xml;

pub use diff::{Change, Diff, Side, diff};
pub use input::{Document, Evidence, Input, Opened, Vector};
pub use lint::lint;
pub use serve::{Server, serve};
pub use site::{Files, build};
