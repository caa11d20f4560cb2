//! Reads the sources of the specification, as its authors write them: chapters
//! in Markdown, state tables, exceptions and retired ids.
//!
//! `kith-spec` is built from what this crate reads; the tools that check,
//! compare and render the document read it while they run, so that they need
//! no rebuilding after a change of the text. The crate is given texts, not
//! paths, and collects every mistake it finds before it gives up.

mod parse;
mod vocabulary;

pub use parse::{
    Cell, Chapter, Directive, Exception, Insert, Limit, Pending, Place, Problem, Requirement,
    Section, Source, Spec, Table, anchor, is_kebab, is_requirement_id, parse, without_code,
};
pub use vocabulary::{CellOutcome, Class, Lack, Level, Outcome, UnknownWord, const_name};
