//! The decoder and encoder against the schemas, the general validator, and libxml2.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod agreement;
mod facets;
mod generate;
mod hostile;
mod mutate;
mod random;
