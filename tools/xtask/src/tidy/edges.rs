//! Only the edges open sockets, touch files, read clocks and start threads:
//! the agent's program, the testbed, the adapters, the runner, the programs.

use super::{Finding, use_tree};
use crate::rust_source;
use crate::tree::Tree;

/// The folders of crates that do no input or output.
const PURE: &[&str] = &[
    "spec/src/",
    "spec/source/",
    "schemas/src/",
    "reference/core/",
    "conformance/forge/",
    "conformance/cases/",
    // Its program, `vectors/src/tool`, writes the data.
    "vectors/src/",
];

/// Paths that reach outside, or what they end in, and what they are.
const EDGES: &[(&str, &str)] = &[
    ("std::net", "the network"),
    ("tokio::net", "the network"),
    ("std::fs", "files"),
    ("tokio::fs", "files"),
    ("std::process", "processes"),
    ("tokio::process", "processes"),
    ("std::thread", "threads"),
    ("tokio::time", "a clock"),
    ("SystemTime::now", "a clock"),
    ("Instant::now", "a clock"),
    ("OffsetDateTime::now_utc", "a clock"),
    ("OffsetDateTime::now_local", "a clock"),
    ("rand::rng", "global randomness"),
    ("rand::random", "global randomness"),
    ("rand::thread_rng", "global randomness"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_suffix(".rs") {
        let pure = PURE.iter().any(|folder| path.starts_with(folder))
            && !path.starts_with("vectors/src/tool");
        if !pure || rust_source::is_test_file(path) {
            continue;
        }
        for (line, name) in use_tree::paths(&rust_source::code(text)) {
            if let Some((_, what)) = EDGES.iter().find(|(edge, _)| reaches(&name, edge)) {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("`{name}` reaches {what}, which this crate must not"),
                    "let the caller hand in what is needed, or move the code to an edge",
                ));
            }
        }
    }
    findings
}

/// Whether a path is the edge or goes through it. `SystemTime::now` may be
/// written with any path before it.
fn reaches(path: &str, edge: &str) -> bool {
    let whole = format!("::{path}::");
    let edge_path = format!("::{edge}::");
    if edge.starts_with(char::is_uppercase) {
        whole.contains(&edge_path)
    } else {
        whole.starts_with(&edge_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::shown;

    #[test]
    fn a_core_that_reaches_outside_is_found() {
        let source = "//! Module.\nuse std::{fmt, fs};\nfn a() { std::time::SystemTime::now(); }\n\
                      // std::net\n#[cfg(test)]\nmod tests { use std::net; }\n";
        let tree = Tree::of(&[
            ("reference/core/src/lib.rs", source),
            ("reference/core/tests/a.rs", source),
            ("reference/agent/src/lib.rs", source),
            (
                "conformance/forge/src/lib.rs",
                "fn a() -> u8 { rand::random() }",
            ),
        ]);
        assert_eq!(
            shown(&check(&tree)),
            [
                "reference/core/src/lib.rs:2 `std::fs` reaches files, which this crate must not",
                "reference/core/src/lib.rs:3 `std::time::SystemTime::now` reaches a clock, \
                 which this crate must not",
                "conformance/forge/src/lib.rs:1 `rand::random` reaches global randomness, \
                 which this crate must not",
            ]
        );
    }

    #[test]
    fn names_that_only_look_alike_are_left_alone() {
        let source = "use std::fmt; fn a(x: Sim) { my::std::fs(x); x.now(); std::network(); }";
        let tree = Tree::of(&[("spec/src/lib.rs", source)]);
        assert!(check(&tree).is_empty());
    }
}
