//! What the document is made from, out of the tree.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;

use kith_site::{Evidence, Input, Vector};
use kith_spec_source::Spec;
use serde_json::Value;

use crate::trace;
use crate::tree::{self, Tree};

/// What stands in the mails of the valid vectors, by id.
pub(super) type Opened = BTreeMap<String, kith_site::Opened>;

/// Why the vectors could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot start cargo: {0}")]
    Cargo(io::Error),
    #[error("the vectors cannot be opened: `cargo run -p kith-vectors` failed, see above")]
    Failed,
    #[error("the opened vectors cannot be understood: {0}")]
    Format(#[from] serde_json::Error),
}

/// Has the program of kith-vectors open the mails, so that this one builds in
/// seconds.
pub(super) fn opened(root: &Path) -> Result<Opened, Error> {
    let output = tree::cargo()
        .current_dir(root)
        .args(["run", "--quiet", "--bin", "kith-vectors"])
        .args(["--features", "kith-vectors/tool", "--", "--open"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::Cargo)?;
    if !output.status.success() {
        return Err(Error::Failed);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Puts everything together.
pub(super) fn input(tree: &Tree, spec: Spec, opened: Opened) -> Input {
    let coverage = trace::coverage(&spec, tree);
    let evidence = coverage.rows.iter().map(|row| {
        let pending = row.waits_for();
        let evidence = Evidence {
            code: row.code.clone(),
            cases: row.cases.clone(),
            vectors: row.vectors.clone(),
            pending: pending.iter().map(ToString::to_string).collect(),
            exception: row.exception.map(|exception| exception.reason.clone()),
        };
        (row.rule.id.clone(), evidence)
    });
    let evidence = evidence.collect();
    let texts = tree.files.iter();
    let files = texts.filter_map(|file| Some((file.path.clone(), file.text.clone()?)));
    Input {
        files: files.filter(|(path, _)| is_part(path)).collect(),
        vectors: vectors(tree),
        evidence,
        opened,
        spec,
    }
}

/// What the document shows or links to; of everything else only the name counts.
fn is_part(path: &str) -> bool {
    !path.starts_with("vectors/data/")
}

/// The vectors, from their files.
fn vectors(tree: &Tree) -> BTreeMap<String, Vector> {
    let files = tree.with_suffix(".json");
    let files = files.filter(|(path, _)| path.starts_with("vectors/data/"));
    files
        .filter_map(|(_, text)| vector(&serde_json::from_str(text).ok()?))
        .collect()
}

/// `None` for files that are no vectors: the index and what vectors begin with.
fn vector(value: &Value) -> Option<(String, Vector)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mail = value.get("mail")?;
    let expected = value.get("expected")?.get("mail")?;
    let requirements = value.get("requirements")?.as_array()?;
    let lines: Option<Vec<&str>> = mail
        .as_array()
        .and_then(|lines| lines.iter().map(Value::as_str).collect());
    let vector = Vector {
        title: text(value.get("title")?)?,
        outcome: text(expected.get("outcome")?)?,
        violation: expected.get("violation").and_then(text),
        requirements: requirements.iter().filter_map(text).collect(),
        mail: lines.map(|lines| lines.join("\n")),
    };
    Some((text(value.get("id")?)?, vector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_read_and_other_files_passed_over() {
        let vector = r#"{"id": "a/b", "title": "A.", "requirements": ["mail.a"], "mail": ["From: x", "", "y"],
            "expected": {"mail": {"outcome": "refuse", "violation": "z"}, "objects": []}}"#;
        let compact = r#"{"id": "a/c", "title": "C.", "requirements": [], "mail": [{"repeat": "x", "times": 9}],
            "expected": {"mail": {"outcome": "accept"}, "objects": []}}"#;
        let tree = Tree::of(&[
            ("vectors/data/a/b.json", vector),
            ("vectors/data/a/c.json", compact),
            ("vectors/data/index.json", r#"{"vectors": []}"#),
            ("other/a.json", vector),
        ]);
        let found = vectors(&tree);
        assert_eq!(found.len(), 2);
        assert_eq!(found["a/b"].mail.as_deref(), Some("From: x\n\ny"));
        assert_eq!(found["a/b"].violation.as_deref(), Some("z"));
        assert!(found["a/c"].is_valid() && found["a/c"].mail.is_none());
    }

    #[test]
    fn the_evidence_is_that_of_trace() {
        let chapter = "+++\ntitle = \"Mail\"\n+++\n# Mail\n\n**`mail.a`** It MUST be.\n";
        let tree = Tree::of(&[
            ("spec/1.0/02-mail.md", chapter),
            ("reference/core/src/a.rs", "//! A.\ngate(&req::MAIL_A)"),
        ]);
        let input = input(&tree, tree.specification().unwrap(), Opened::new());
        assert_eq!(input.evidence["mail.a"].code, ["reference/core/src/a.rs:2"]);
        assert!(input.files.contains_key("spec/1.0/02-mail.md"));
    }
}
