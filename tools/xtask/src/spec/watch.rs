//! Whether a source of the document has changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The folders of what the document is made from.
const FOLDERS: [&str; 3] = ["spec/1.0", "schemas/1.0", "vectors/data"];

/// A number that changes with the names, sizes and times of the sources.
pub(super) fn stamp(root: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(metadata) = fs::metadata(&path) {
                (&path, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_changes_with_the_sources() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("spec/1.0/state")).unwrap();
        let empty = stamp(root);
        assert_eq!(stamp(root), empty);
        fs::write(root.join("spec/1.0/state/a.toml"), "a").unwrap();
        let one = stamp(root);
        assert_ne!(one, empty);
        fs::write(root.join("spec/1.0/state/a.toml"), "ab").unwrap();
        assert_ne!(stamp(root), one);
        fs::write(root.join("README.md"), "a").unwrap();
        let other = stamp(root);
        fs::write(root.join("README.md"), "abc").unwrap();
        assert_eq!(stamp(root), other);
    }
}
