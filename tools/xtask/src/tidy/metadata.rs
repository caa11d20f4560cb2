//! What `cargo metadata` says about the workspace and its dependencies.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::tree;

/// Why cargo could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot run cargo metadata: {0}")]
    Run(io::Error),
    #[error("cargo metadata failed: {0}; bring Cargo.lock up to date with `cargo check`")]
    Failed(String),
    #[error("cannot understand cargo metadata: {0}")]
    Format(#[from] serde_json::Error),
}

/// The packages that the workspace is built from.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(super) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Default, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// For a member of the workspace: its folder, from the root.
    pub(super) member: Option<String>,
    /// An SPDX expression.
    pub(super) licence: Option<String>,
    pub(super) rust_version: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

/// An edge of the dependency graph.
#[derive(Debug, Clone)]
pub(super) struct Dependency {
    /// An index into the packages.
    pub(super) package: usize,
    /// Whether only tests, examples and benches need it.
    pub(super) only_dev: bool,
}

impl Package {
    /// Whether it is a member of the workspace in this folder, written with a
    /// `/` at the end, or below it.
    pub(super) fn is_under(&self, folder: &str) -> bool {
        self.member
            .as_ref()
            .is_some_and(|member| format!("{member}/").starts_with(folder))
    }

    /// Its manifest, from the root; that of the workspace for a foreign package.
    pub(super) fn manifest(&self) -> String {
        self.member
            .as_ref()
            .map_or_else(|| "Cargo.toml".into(), |at| format!("{at}/Cargo.toml"))
    }
}

impl Metadata {
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| package.member.is_some())
    }

    /// What a member needs to be built, and with `tests` to be tested too,
    /// directly or through others: each package with the name of the one that
    /// brought it.
    pub(super) fn reach<'a>(
        &'a self,
        member: &'a Package,
        tests: bool,
    ) -> BTreeMap<usize, &'a str> {
        let mut reached = BTreeMap::new();
        let mut queue = VecDeque::from([(member, tests)]);
        while let Some((package, tests)) = queue.pop_front() {
            for dependency in package
                .dependencies
                .iter()
                .filter(|edge| tests || !edge.only_dev)
            {
                let entry = reached.entry(dependency.package);
                if let (Entry::Vacant(entry), Some(next)) =
                    (entry, self.packages.get(dependency.package))
                {
                    entry.insert(package.name.as_str());
                    queue.push_back((next, false));
                }
            }
        }
        reached
    }
}

/// Asks cargo.
pub(super) fn read(root: &Path) -> Result<Metadata, Error> {
    let output = tree::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(Error::Run)?;
    if !output.status.success() {
        return Err(Error::Failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    parse(&output.stdout)
}

#[derive(Deserialize)]
struct Raw {
    packages: Vec<RawPackage>,
    workspace_members: Vec<String>,
    workspace_root: String,
    resolve: RawResolve,
}

#[derive(Deserialize)]
struct RawPackage {
    id: String,
    name: String,
    version: String,
    manifest_path: String,
    license: Option<String>,
    rust_version: Option<String>,
}

#[derive(Deserialize)]
struct RawResolve {
    nodes: Vec<RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    id: String,
    deps: Vec<RawDependency>,
}

#[derive(Deserialize)]
struct RawDependency {
    pkg: String,
    dep_kinds: Vec<RawKind>,
}

#[derive(Deserialize)]
struct RawKind {
    kind: Option<String>,
}

fn parse(json: &[u8]) -> Result<Metadata, Error> {
    let raw: Raw = serde_json::from_slice(json)?;
    let indexes: BTreeMap<&str, usize> = raw
        .packages
        .iter()
        .enumerate()
        .map(|(index, package)| (package.id.as_str(), index))
        .collect();
    let mut packages: Vec<Package> = raw
        .packages
        .iter()
        .map(|package| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            member: raw
                .workspace_members
                .contains(&package.id)
                .then(|| folder(package, &raw)),
            licence: package.license.clone(),
            rust_version: package.rust_version.clone(),
            dependencies: Vec::new(),
        })
        .collect();
    for node in &raw.resolve.nodes {
        let dependencies = node.deps.iter().filter_map(|dependency| {
            let only_dev = dependency
                .dep_kinds
                .iter()
                .all(|kind| kind.kind.as_deref() == Some("dev"));
            Some(Dependency {
                package: *indexes.get(dependency.pkg.as_str())?,
                only_dev,
            })
        });
        if let Some(package) = indexes
            .get(node.id.as_str())
            .and_then(|at| packages.get_mut(*at))
        {
            package.dependencies = dependencies.collect();
        }
    }
    Ok(Metadata { packages })
}

fn folder(package: &RawPackage, raw: &Raw) -> String {
    let path = package.manifest_path.replace('\\', "/");
    let root = raw.workspace_root.replace('\\', "/");
    let path = path.strip_prefix(&root).unwrap_or(&path);
    path.trim_start_matches('/')
        .trim_end_matches("Cargo.toml")
        .trim_end_matches('/')
        .to_owned()
}

/// A workspace for the tests of the checks: packages as name, folder and
/// dependencies by name. A folder that is empty means a foreign package.
#[cfg(test)]
pub(super) fn workspace(packages: &[(&str, &str, &[&str])]) -> Metadata {
    let index = |name: &str| {
        packages
            .iter()
            .position(|(other, ..)| *other == name)
            .unwrap()
    };
    let package = |(name, folder, needs): &(&str, &str, &[&str])| Package {
        name: (*name).to_owned(),
        version: "1.0.0".to_owned(),
        member: (!folder.is_empty()).then(|| (*folder).to_owned()),
        licence: Some("MIT".to_owned()),
        rust_version: None,
        dependencies: needs
            .iter()
            .map(|need| Dependency {
                package: index(need),
                only_dev: false,
            })
            .collect(),
    };
    Metadata {
        packages: packages.iter().map(package).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_metadata_is_read() {
        let json = serde_json::json!({
            "packages": [
                {"id": "a", "name": "a", "version": "1.0.0", "manifest_path": "/r/x/a/Cargo.toml",
                 "license": null, "rust_version": "1.91"},
                {"id": "b", "name": "b", "version": "2.0.0", "manifest_path": "/c/b/Cargo.toml",
                 "license": "MIT", "rust_version": null},
            ],
            "workspace_members": ["a"],
            "workspace_root": "/r",
            "resolve": {"nodes": [
                {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b", "deps": []},
            ]},
        });
        let metadata = parse(json.to_string().as_bytes()).unwrap();
        let member = metadata.members().next().unwrap();
        assert_eq!(member.manifest(), "x/a/Cargo.toml");
        assert!(member.dependencies[0].only_dev);
        assert_eq!(metadata.packages[1].licence.as_deref(), Some("MIT"));
        assert!(parse(b"{}").is_err());
    }

    #[test]
    fn what_only_tests_need_is_reached_only_for_tests() {
        let mut metadata = workspace(&[("a", "a", &["b"]), ("b", "b", &["c"]), ("c", "", &[])]);
        let reach = |metadata: &Metadata, tests| -> Vec<usize> {
            metadata
                .reach(&metadata.packages[0], tests)
                .into_keys()
                .collect()
        };
        assert_eq!(reach(&metadata, false), [1, 2]);
        metadata.packages[1].dependencies[0].only_dev = true;
        assert_eq!(reach(&metadata, true), [1]);
        metadata.packages[0].dependencies[0].only_dev = true;
        assert_eq!(reach(&metadata, true), [1]);
        assert!(reach(&metadata, false).is_empty());
    }
}
