//! Where requirements are met and tested: in the reference's code, in cases
//! and in vectors.
//!
//! Read from the sources rather than through the crates, so that this program
//! builds in seconds and works on a tree that does not compile.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rust_source;
use crate::tree::Tree;

/// The id of a requirement or, in code, the name of its static.
type Name = String;

/// Something that bears requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// What people find it by: `file:line`, or a vector's id.
    pub(crate) at: String,
    /// The requirements' ids, or the names of their statics.
    pub(crate) requirements: Vec<Name>,
}

/// The places in the reference that name a requirement.
pub(crate) fn code(tree: &Tree) -> Vec<Evidence> {
    mentions(tree, "reference/")
}

/// The places in the suite that name a requirement: cases, the forge's faults, the cells of the
/// state tables and the vectors, each of which is a case, and the runner with the judge's lints,
/// which look at every mail in every case.
pub(crate) fn cases(tree: &Tree) -> Vec<Evidence> {
    let places = [
        "conformance/cases/src/",
        "conformance/forge/src/faults/",
        "conformance/runner/src/",
    ];
    let named = places.into_iter().flat_map(|place| mentions(tree, place));
    named
        .chain(table_cells(tree))
        .chain(vectors(tree))
        .collect()
}

/// The cells of the state tables, each of which is a case.
fn table_cells(tree: &Tree) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (path, text) in tree.with_suffix(".toml") {
        if !path.starts_with("spec/1.0/state/") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let id = line.strip_prefix("requirement = \"");
            let id = id.and_then(|rest| rest.strip_suffix('"'));
            found.extend(id.map(|id| Evidence {
                at: format!("{path}:{}", index + 1),
                requirements: vec![id.to_owned()],
            }));
        }
    }
    found
}

/// The vectors: objects with `id` and `requirements` in the JSON files under `vectors/`.
pub(crate) fn vectors(tree: &Tree) -> Vec<Evidence> {
    let mut found = BTreeMap::new();
    for (path, text) in tree.with_suffix(".json") {
        if path.starts_with("vectors/")
            && let Ok(value) = serde_json::from_str(text)
        {
            collect(&value, &mut found);
        }
    }
    found
        .into_iter()
        .map(|(at, requirements)| Evidence { at, requirements })
        .collect()
}

fn collect(value: &Value, found: &mut BTreeMap<String, Vec<Name>>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(members) => {
            if let (Some(Value::String(id)), Some(Value::Array(requirements))) =
                (members.get("id"), members.get("requirements"))
            {
                let names = requirements
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned);
                found.insert(id.clone(), names.collect());
            }
            members.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

/// Every `req::NAME` under `folder`, tests excepted, as `file:line`.
fn mentions(tree: &Tree, folder: &str) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (path, text) in tree.with_suffix(".rs") {
        if !path.starts_with(folder) || rust_source::is_test_file(path) {
            continue;
        }
        for (index, line) in rust_source::code(text).lines().enumerate() {
            let requirements = names(line);
            if !requirements.is_empty() {
                found.push(Evidence {
                    at: format!("{path}:{}", index + 1),
                    requirements,
                });
            }
        }
    }
    found
}

/// The names after `req::` in a line of code.
fn names(line: &str) -> Vec<Name> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("req::")
        .filter(|(at, _)| !line[..*at].ends_with(word))
        .filter_map(|(at, mark)| {
            let name: String = line[at + mark.len()..]
                .chars()
                .take_while(|c| word(*c))
                .collect();
            name.starts_with(|c: char| c.is_ascii_uppercase())
                .then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_outside_tests_and_comments() {
        let source = "// req::NO\nlet a = gate(&req::MAIL_A, &kith_spec::req::MAIL_B);\n\
                      my_req::NO; req::no();\n#[cfg(test)]\nmod tests { const X: Rule = &req::NO; }\n";
        let tree = Tree::of(&[
            ("reference/core/src/mail.rs", source),
            ("reference/core/tests/mail.rs", "req::NO"),
            ("conformance/cases/src/mail.rs", "\n&req::MAIL_C"),
        ]);
        let expected = Evidence {
            at: "reference/core/src/mail.rs:2".into(),
            requirements: vec!["MAIL_A".into(), "MAIL_B".into()],
        };
        assert_eq!(code(&tree), [expected]);
        assert_eq!(cases(&tree)[0].at, "conformance/cases/src/mail.rs:2");
    }

    #[test]
    fn vectors_are_found_wherever_they_stand_in_a_file() {
        let index =
            r#"{"vectors": [{"id": "a", "requirements": ["mail.a"], "flags": []}, {"id": 1}]}"#;
        let tree = Tree::of(&[
            ("vectors/1.0/index.json", index),
            ("vectors/1.0/broken.json", "{"),
            ("other/index.json", index),
        ]);
        let expected = Evidence {
            at: "a".into(),
            requirements: vec!["mail.a".into()],
        };
        assert_eq!(vectors(&tree), [expected]);
    }
}
