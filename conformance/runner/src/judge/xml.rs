//! The general XSD validator, one for each thread and schema: loading one takes much
//! longer than using it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use kith_schemas::validator::{SchemaName, Validator};

thread_local! {
    static VALIDATORS: RefCell<HashMap<SchemaName, Validator>> = RefCell::default();
}

/// Validates a document.
///
/// # Errors
/// What is wrong with it, and in which line.
pub(super) fn validate(name: SchemaName, octets: &[u8]) -> Result<(), String> {
    VALIDATORS.with_borrow_mut(|validators| {
        let validator = match validators.entry(name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let loaded = Validator::new(name).map_err(|error| error.to_string())?;
                entry.insert(loaded)
            }
        };
        validator
            .validate(octets)
            .map_err(|error| error.to_string())
    })
}
