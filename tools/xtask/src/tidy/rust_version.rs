//! The workspace asks for no older Rust than its dependencies do.

use super::Finding;
use super::metadata::{Metadata, Package};

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let Some(most) = most_demanding(metadata) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for member in metadata.members() {
        let own = member.rust_version.as_deref();
        if own.is_none_or(|own| number(own) < version(most)) {
            findings.push(Finding::new(
                &member.manifest(),
                1,
                format!(
                    "{} asks for Rust {}, but {}",
                    member.name,
                    own.unwrap_or("of any version"),
                    needs(most)
                ),
                "raise rust-version in the root Cargo.toml, and inherit it here",
            ));
        }
    }
    findings
}

/// A line that says which Rust the tree needs, and because of whom.
pub(super) fn statement(metadata: &Metadata) -> String {
    let own = metadata
        .members()
        .filter_map(|member| member.rust_version.as_deref())
        .next();
    let own = own.unwrap_or("unknown");
    most_demanding(metadata).map_or_else(
        || format!("rust-version {own}; no dependency asks for any"),
        |most| format!("rust-version {own}; {}", needs(most)),
    )
}

fn needs(package: &Package) -> String {
    let needed = package.rust_version.as_deref().unwrap_or_default();
    format!("{} {} needs {needed}", package.name, package.version)
}

/// The dependency, of those needed to build, that asks for the newest Rust.
fn most_demanding(metadata: &Metadata) -> Option<&Package> {
    let mut needed = vec![false; metadata.packages.len()];
    for member in metadata.members() {
        for index in metadata.reach(member, false).into_keys() {
            needed[index] = true;
        }
    }
    let packages = metadata.packages.iter().zip(needed);
    packages
        .filter(|(package, needed)| *needed && package.member.is_none())
        .map(|(package, _)| package)
        .filter(|package| package.rust_version.is_some())
        .max_by_key(|package| version(package))
}

fn version(package: &Package) -> Vec<u32> {
    number(package.rust_version.as_deref().unwrap_or_default())
}

/// `1.91` as numbers, three of them.
fn number(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    parts.resize(3, 0);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::metadata::workspace;

    fn with(own: Option<&str>, dependency: &str) -> Metadata {
        let mut metadata = workspace(&[("a", "a", &["b", "c"]), ("b", "", &[]), ("c", "", &[])]);
        for (package, version) in
            metadata
                .packages
                .iter_mut()
                .zip([own, Some("1.9"), Some(dependency)])
        {
            package.rust_version = version.map(str::to_owned);
        }
        metadata
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_found() {
        let findings = check(&with(Some("1.91"), "1.91.1"));
        assert_eq!(
            findings[0].what,
            "a asks for Rust 1.91, but c 1.0.0 needs 1.91.1"
        );
        assert_eq!(check(&with(None, "1.2")).len(), 1);
        assert!(check(&with(Some("1.91"), "1.91.0")).is_empty());
        assert_eq!(
            statement(&with(Some("1.91"), "1.85")),
            "rust-version 1.91; c 1.0.0 needs 1.85"
        );
    }

    #[test]
    fn what_only_tests_need_does_not_count() {
        let mut metadata = with(Some("1.91"), "1.99");
        metadata.packages[0].dependencies[1].only_dev = true;
        assert!(check(&metadata).is_empty());
    }
}
