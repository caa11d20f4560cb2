//! Every dependency's licence is one that users of this tree can live with.

use super::Finding;
use super::metadata::{Metadata, Package};

/// Licences that ask for no more than a notice, or for changed files' source.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Sequoia is under the LGPL; it and its own libraries are the only ones.
const LGPL: &[&str] = &["LGPL-2.0-or-later", "LGPL-2.1-or-later"];
const MAY_BE_LGPL: &[&str] = &["sequoia-openpgp", "buffered-reader"];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata
        .packages
        .iter()
        .filter(|package| package.member.is_none())
    {
        let (name, version) = (&package.name, &package.version);
        let what = match &package.licence {
            None => format!("{name} {version} names no licence"),
            Some(licence) if !is_allowed(licence, package) => {
                format!("{name} {version} is under {licence}")
            }
            Some(_) => continue,
        };
        let mend = "use another library, or add the licence to the list in the check";
        findings.push(Finding::new("Cargo.toml", 1, what, mend));
    }
    findings
}

fn is_allowed(expression: &str, package: &Package) -> bool {
    let may_be_lgpl = MAY_BE_LGPL.contains(&package.name.as_str());
    let allowed =
        |licence: &str| ALLOWED.contains(&licence) || may_be_lgpl && LGPL.contains(&licence);
    // Before SPDX expressions, a slash meant OR.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = any_of(&mut rest, &allowed);
    verdict && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut verdict = all_of(words, allowed);
    while take(words, "OR") {
        // Both sides have to be read, whatever the first one says.
        let other = all_of(words, allowed);
        verdict = verdict || other;
    }
    verdict
}

fn all_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut verdict = licence(words, allowed);
    while take(words, "AND") {
        let other = licence(words, allowed);
        verdict = verdict && other;
    }
    verdict
}

fn licence(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    if take(words, "(") {
        let verdict = any_of(words, allowed);
        return take(words, ")") && verdict;
    }
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    *words = rest;
    if take(words, "WITH") {
        let Some((exception, rest)) = words.split_first() else {
            return false;
        };
        *words = rest;
        return allowed(&format!("{first} WITH {exception}"));
    }
    allowed(first)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::metadata::workspace;

    fn check_one(name: &str, licence: Option<&str>) -> Vec<Finding> {
        let mut metadata = workspace(&[("kith-core", "reference/core", &[]), (name, "", &[])]);
        metadata.packages[0].licence = None;
        metadata.packages[1].licence = licence.map(str::to_owned);
        check(&metadata)
    }

    #[test]
    fn expressions_are_understood() {
        for good in [
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "GPL-3.0 OR MIT AND ISC",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(check_one("a", Some(good)).is_empty(), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT MIT",
            "",
            "MIT WITH",
            "MIT WITH X",
        ] {
            assert_eq!(check_one("a", Some(bad)).len(), 1, "{bad}");
        }
        assert_eq!(check_one("a", None)[0].what, "a 1.0.0 names no licence");
    }

    #[test]
    fn only_sequoia_is_under_the_lgpl() {
        assert!(check_one("sequoia-openpgp", Some("LGPL-2.0-or-later")).is_empty());
        assert_eq!(check_one("a", Some("LGPL-2.0-or-later")).len(), 1);
    }
}
