//! Checks messages against the published JSON Schemas (`--validate`).
//!
//! The types check much of it already. The schemas are what people who write
//! adapters in other languages hold on to, so this finds where types and
//! schemas differ, and says where in the message the mistake is.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    protocol::RpcError,
    schema::{self, params_name, result_name},
};

/// All schemas, ready for use.
pub struct Validator {
    schemas: HashMap<String, jsonschema::Validator>,
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator")
            .field("schemas", &self.schemas.len())
            .finish()
    }
}

/// A message that doesn't follow its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("doesn't follow {schema}.json: {error}")]
pub struct Wrong {
    /// The schema's name.
    pub schema: String,
    /// What is wrong, and where: a JSON Pointer into params, result or error.
    pub error: String,
}

impl Default for Validator {
    fn default() -> Self {
        Self::new()
    }
}

impl Validator {
    /// Compiles all schemas. Share one between clients.
    #[must_use]
    pub fn new() -> Self {
        let compile = |(name, schema): (String, Value)| {
            let compiled = jsonschema::validator_for(&schema)
                .expect("because a test compiles all schemas, which are fixed");
            (name, compiled)
        };
        Self {
            schemas: schema::schemas().into_iter().map(compile).collect(),
        }
    }

    /// Checks the parameters of a request.
    ///
    /// # Errors
    /// What is wrong: the harness's fault.
    pub fn request(&self, method: &str, params: &Value) -> Result<(), Wrong> {
        self.check(params_name(method), params)
    }

    /// Checks a result. `part` is the action of `act` or the view of `view`.
    ///
    /// # Errors
    /// What is wrong: the adapter's fault.
    pub fn result(&self, method: &str, part: Option<&str>, result: &Value) -> Result<(), Wrong> {
        self.check(result_name(method, part), result)
    }

    /// Checks the `error` member of an answer.
    ///
    /// # Errors
    /// What is wrong: the adapter's fault.
    pub fn error(&self, error: &RpcError) -> Result<(), Wrong> {
        self.check(schema::ERROR.to_owned(), &json!(error))
    }

    fn check(&self, schema: String, message: &Value) -> Result<(), Wrong> {
        let Some(validator) = self.schemas.get(&schema) else {
            return Err(Wrong {
                schema,
                error: "there is no such schema".to_owned(),
            });
        };
        match validator.iter_errors(message).next() {
            None => Ok(()),
            Some(error) => {
                let at = error.instance_path.to_string();
                let at = if at.is_empty() {
                    "the whole".to_owned()
                } else {
                    at
                };
                Err(Wrong {
                    schema,
                    error: format!("{at}: {error}"),
                })
            }
        }
    }
}
