//! `cargo run -p kith-bench`: how fast the reference agent is, as ratios.
//!
//! A time by itself says more about the machine than about the code. Each row is therefore
//! compared with a floor, or with the same thing at a smaller size, measured in the same run.
//! Prints a table in Markdown.

use std::error::Error;

mod documents;
mod growth;
mod mail;
mod people;
mod table;

use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let mut table = Table::default();
    mail::measure(&mut table)?;
    documents::measure(&mut table)?;
    growth::measure(&mut table)?;
    anstream::print!("{table}");
    Ok(())
}
