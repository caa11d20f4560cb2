//! The general XSD validator, one for each thread and schema: loading one takes much
//! longer than using it. Chains and contacts come again in mail after mail, so what was
//! valid is remembered.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use kith_schemas::validator::{SchemaName, Validator};

use super::read::sha256;

/// How many valid documents are remembered.
const REMEMBERED: usize = 1000;

#[derive(Default)]
struct State {
    validators: HashMap<SchemaName, Validator>,
    valid: HashSet<(SchemaName, String)>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Validates a document.
///
/// # Errors
/// What is wrong with it, and in which line.
pub(super) fn validate(name: SchemaName, octets: &[u8]) -> Result<(), String> {
    let key = (name, sha256(octets));
    STATE.with_borrow_mut(|state| {
        if state.valid.contains(&key) {
            return Ok(());
        }
        let validator = match state.validators.entry(name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let loaded = Validator::new(name).map_err(|error| error.to_string())?;
                entry.insert(loaded)
            }
        };
        validator
            .validate(octets)
            .map_err(|error| error.to_string())?;
        if state.valid.len() == REMEMBERED {
            state.valid.clear();
        }
        state.valid.insert(key);
        Ok(())
    })
}
