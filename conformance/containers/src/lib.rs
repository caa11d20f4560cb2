//! Real mail servers for the conformance suite, in containers.
//!
//! A [`Confederation`] is two mail domains, `a.test` and `b.test`, each with a server in a
//! network of its own. A relay network joins the two, and a name server there tells them of
//! each other: MX, SPF, DKIM, DMARC, SRV, MTA-STS. A list server at `lists.test` has a mailing list for
//! each lane of accounts. Everything is encrypted, with certificates of the
//! run's authority, between the servers too. The agent's account is on `a.test`, on the
//! [`Stack`] that is asked for; the people that the harness plays are on `b.test`, on Postfix
//! and Dovecot.
//!
//! To the suite a confederation is a [`kith_testbed::Described`] server like any other. What
//! it has besides are its faults: see [`MailServer`].
//!
//! | file | what is there |
//! |---|---|
//! | `engine.rs` | the container engine, and what testcontainers doesn't do |
//! | `images.rs` | images from `conformance/testbed/images`, named by their content |
//! | `base.rs` | the image below them, where no registry gives it |
//! | `confederation.rs` | networks, name server, list server, accounts |
//! | `server.rs` | one mail server and its faults |

mod base;
mod confederation;
mod engine;
mod error;
mod images;
mod server;

pub use confederation::{AGENT_DOMAIN, Confederation, PUPPET_DOMAIN, Wanted};
pub use engine::Engine;
pub use error::ContainerError;
pub use images::{Image, Progress, prepare};
pub use server::{MailServer, Stack};
