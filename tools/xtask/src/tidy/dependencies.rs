//! Who may depend on whom, so that the suite judges with other eyes than the
//! reference's: it knows nothing of the reference's crates, of its MIME parser
//! or of its decoder.

use super::metadata::{Metadata, Package};
use super::{Finding, use_tree};
use crate::rust_source;
use crate::tree::Tree;

/// Who may depend on `reference/*` directly.
const MAY_USE_REFERENCE: &[&str] = &[
    "reference/",
    "conformance/adapters/",
    "benches/",
    "tools/fuzz/",
];

/// Who may reach `reference/*` through them.
const MAY_REACH_REFERENCE: &[&str] = &["conformance/cli/"];

/// Folders of members, packages they must not reach, and why.
const SEPARATE: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "conformance/runner",
            "conformance/forge",
            "conformance/cases",
            "vectors",
        ],
        &["mail-parser", "mail-builder"],
        "the suite does not read or write mail with the reference's library",
    ),
    (
        &["conformance/forge/", "vectors/"],
        &["sequoia-openpgp"],
        "forge and vectors do OpenPGP with another library than the reference",
    ),
];

/// Where the generated decoder must not be named.
const WITHOUT_DECODER: &[&str] = &[
    "conformance/runner/",
    "conformance/forge/",
    "conformance/cases/",
    "vectors/",
];

pub(super) fn check_graph(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in metadata.members() {
        reference(member, metadata, &mut findings);
        separate(member, metadata, &mut findings);
    }
    findings
}

/// Not even tests of the suite may use the reference.
fn reference(member: &Package, metadata: &Metadata, findings: &mut Vec<Finding>) {
    let may_use = MAY_USE_REFERENCE.iter().any(|may| member.is_under(may));
    let may_reach = may_use || MAY_REACH_REFERENCE.iter().any(|may| member.is_under(may));
    for (index, through) in metadata.reach(member, true) {
        let package = &metadata.packages[index];
        let allowed = if through == member.name {
            may_use
        } else {
            may_reach
        };
        if package.is_under("reference/") && !allowed {
            let why = "only the adapters for the reference, the benchmarks and the fuzzer do";
            findings.push(finding(member, package, through, why));
        }
    }
}

/// Tests may compare with the other library.
fn separate(member: &Package, metadata: &Metadata, findings: &mut Vec<Finding>) {
    let reached = metadata.reach(member, false);
    for (folders, packages, why) in SEPARATE {
        if !folders.iter().any(|folder| member.is_under(folder)) {
            continue;
        }
        for (index, through) in &reached {
            let package = &metadata.packages[*index];
            if packages.contains(&package.name.as_str()) {
                findings.push(finding(member, package, through, why));
            }
        }
    }
}

fn finding(member: &Package, package: &Package, through: &str, why: &str) -> Finding {
    let mut what = format!("{} depends on {}", member.name, package.name);
    if through != member.name {
        what.push_str(&format!(" through {through}"));
    }
    Finding::new(
        &member.manifest(),
        1,
        format!("{what}: {why}"),
        "remove the dependency",
    )
}

/// Finds sources of the suite that use the generated types and their decoder.
pub(super) fn check_sources(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_suffix(".rs") {
        if !WITHOUT_DECODER
            .iter()
            .any(|folder| path.starts_with(folder))
        {
            continue;
        }
        for (line, name) in use_tree::paths(&rust_source::without_comments_and_literals(text)) {
            if format!("{name}::").starts_with("kith_schemas::types::") {
                let what = "the suite uses the reference's generated decoder";
                let mend = "read the XML with another library";
                findings.push(Finding::new(path, line, what, mend));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::metadata::workspace;
    use crate::tidy::shown;

    #[test]
    fn the_suite_must_not_reach_the_reference() {
        let metadata = workspace(&[
            (
                "kith-core",
                "reference/core",
                &["sequoia-openpgp", "mail-parser"],
            ),
            (
                "kith-adapter-reference",
                "conformance/adapters/reference",
                &["kith-core"],
            ),
            (
                "kith-conform",
                "conformance/cli",
                &["kith-adapter-reference"],
            ),
            (
                "kith-runner",
                "conformance/runner",
                &["kith-adapter-reference", "sequoia-openpgp"],
            ),
            ("kith-forge", "conformance/forge", &["sequoia-openpgp"]),
            ("sequoia-openpgp", "", &[]),
            ("mail-parser", "", &[]),
        ]);
        assert_eq!(
            shown(&check_graph(&metadata)),
            [
                "conformance/runner/Cargo.toml:1 kith-runner depends on kith-core through \
                 kith-adapter-reference: only the adapters for the reference, the benchmarks and the fuzzer do",
                "conformance/runner/Cargo.toml:1 kith-runner depends on mail-parser through \
                 kith-core: the suite does not read or write mail with the reference's library",
                "conformance/forge/Cargo.toml:1 kith-forge depends on sequoia-openpgp: forge and \
                 vectors do OpenPGP with another library than the reference",
            ]
        );
    }

    #[test]
    fn the_program_reaches_the_reference_only_through_its_adapter() {
        let metadata = workspace(&[
            ("kith-core", "reference/core", &[]),
            ("kith-conform", "conformance/cli", &["kith-core"]),
        ]);
        assert_eq!(check_graph(&metadata).len(), 1);
    }

    #[test]
    fn the_suite_must_not_name_the_decoder() {
        let source = "//! Reads kith_schemas::types.\nuse kith_schemas::{limits, types::Object};\n";
        let tree = Tree::of(&[
            ("conformance/runner/src/judge.rs", source),
            ("reference/core/src/wire.rs", source),
            (
                "conformance/forge/src/xml.rs",
                "use kith_schemas::{validator, typescript};",
            ),
        ]);
        let expected =
            "conformance/runner/src/judge.rs:2 the suite uses the reference's generated decoder";
        assert_eq!(shown(&check_sources(&tree)), [expected]);
    }
}
