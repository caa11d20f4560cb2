//! Every file is what its JSON Schema says, and names what the specification has.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

use std::fs;
use std::path::{Path, PathBuf};

use kith_vectors::{Outcome, all};
use serde_json::Value;

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_file_is_valid_by_its_schema() {
    let schema = |name: &str| read(&folder().join("schema").join(name));
    let opening = schema("opening.json");
    let resource = jsonschema::Resource::from_contents(opening.clone()).unwrap();
    let vectors = jsonschema::options()
        .with_resource("urn:kith:1.0:vectors:opening", resource)
        .build(&schema("vector.json"))
        .unwrap();
    let openings = jsonschema::validator_for(&opening).unwrap();
    let index = read(&folder().join("data/index.json"));
    let check = |validator: &jsonschema::Validator, file: &str| {
        let value = read(&folder().join("data").join(file));
        if let Err(error) = validator.validate(&value) {
            panic!("{file}: {error} at {}", error.instance_path);
        }
    };
    for entry in index["vectors"].as_array().unwrap() {
        check(&vectors, entry["file"].as_str().unwrap());
    }
    for file in index["openings"].as_array().unwrap() {
        check(&openings, file.as_str().unwrap());
    }
}

#[test]
fn every_vector_names_requirements_and_their_violation() {
    for vector in all() {
        let rules: Vec<_> = vector
            .requirements
            .iter()
            .map(|id| kith_spec::requirement(id).unwrap_or_else(|| panic!("{}: {id}", vector.id)))
            .collect();
        let objects = vector.expected.objects.iter();
        let seen = std::iter::once(&vector.expected.mail.violation);
        let seen = seen
            .chain(objects.map(|object| &object.violation))
            .flatten();
        let known = kith_spec::requirements();
        for violation in seen {
            let violation = Some(violation.as_str());
            assert!(
                known.iter().any(|rule| rule.violation == violation),
                "{}",
                vector.id
            );
        }
        let accepted = vector.expected.mail.outcome == Outcome::Accept;
        assert!(accepted || rules[0].outcome.is_some(), "{}", vector.id);
        assert!(
            accepted || vector.expected.objects.is_empty(),
            "{}",
            vector.id
        );
    }
}
