//! Every RFC that the specification names stands in its chapter of references,
//! and every one there is used.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::tree::Tree;

/// The specification's texts and tables, and the schemas.
const FOLDERS: &[&str] = &["spec/", "schemas/1.0/"];

/// How the chapter that lists references ends.
const CHAPTER: &str = "-references.md";

/// The texts, with their paths, that this is about.
fn texts(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let files = tree.files.iter().filter(|file| {
        let kept = [".md", ".toml", ".xsd"];
        FOLDERS.iter().any(|folder| file.path.starts_with(folder))
            && kept.iter().any(|ending| file.path.ends_with(ending))
            && !file.path.ends_with("CHANGELOG.md")
    });
    files.filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some((chapter, list)) = texts(tree).find(|(path, _)| path.ends_with(CHAPTER)) else {
        return findings;
    };
    let listed: BTreeMap<&str, usize> = list
        .lines()
        .enumerate()
        .filter_map(|(index, line)| Some((numbers(line.strip_prefix("- **")?).next()?, index + 1)))
        .collect();
    let mut used = BTreeSet::new();
    for (path, text) in texts(tree).filter(|(path, _)| *path != chapter) {
        for (index, line) in text.lines().enumerate() {
            for number in numbers(line) {
                if !listed.contains_key(number) && used.insert(number) {
                    let what = format!("RFC {number} is not among the references");
                    let mend = format!("list it in {chapter}");
                    findings.push(Finding::new(path, index + 1, what, mend));
                }
                used.insert(number);
            }
        }
    }
    for (number, line) in listed {
        if !used.contains(number) {
            let what = format!("RFC {number} is listed and nowhere used");
            findings.push(Finding::new(chapter, line, what, "remove it"));
        }
    }
    findings
}

/// The numbers of the RFCs that a line names, in the form "RFC 5322".
fn numbers(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("RFC ").filter_map(|(at, word)| {
        let rest = &line[at + word.len()..];
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        (end == 4).then(|| &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::shown;

    #[test]
    fn references_are_used_and_uses_listed() {
        let tree = Tree::of(&[
            (
                "spec/1.0/28-references.md",
                "- **RFC 5322**: Internet Message Format.\n- **RFC 6376**: DKIM.\n",
            ),
            (
                "spec/1.0/02-mail.md",
                "A message (RFC 5322, RFC 2045).\nRFC 2045 again.\n",
            ),
            ("schemas/1.0/a.xsd", "<!-- RFC 5322 -->\n"),
        ]);
        assert_eq!(
            shown(&check(&tree)),
            [
                "spec/1.0/02-mail.md:1 RFC 2045 is not among the references",
                "spec/1.0/28-references.md:2 RFC 6376 is listed and nowhere used",
            ]
        );
    }
}
