//! Words that stand in no tracked file: paths of one machine, hosts of package
//! registries, marks of unfinished work.

use super::Finding;
use crate::tree::Tree;

/// First folders of a path that exists on one machine only.
const FOLDERS: &[&str] = &["home", "root", "tmp", "work"];

/// Written in two parts, so that this file does not name them.
const HOSTS: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    // Without the slash it is the name of a Debian package.
    ("docker", ".io/"),
    ("ghcr", ".io"),
    ("quay", ".io"),
    ("proxy.golang", ".org"),
    ("rubygems", ".org"),
    ("deb.debian", ".org"),
];

const UNFINISHED: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        // Cargo's own file names the registry of each package.
        let Some(text) = file.text.as_deref().filter(|_| file.path != "Cargo.lock") else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            for (what, mend) in faults(line) {
                findings.push(Finding::new(&file.path, index + 1, what, mend));
            }
        }
    }
    findings
}

fn faults(line: &str) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    for folder in FOLDERS {
        let path = format!("/{folder}/");
        if starts_a_path(line, &path) {
            let mend = "use a relative path, or ask the system";
            faults.push((format!("`{path}` is a path of one machine"), mend));
        }
    }
    for (name, domain) in HOSTS {
        let host = format!("{name}{domain}");
        if has_word(line, &host) {
            let mend = "leave the registry to the tool's configuration";
            faults.push((format!("`{host}` is the host of a package registry"), mend));
        }
    }
    for (first, second) in UNFINISHED {
        let mark = format!("{first}{second}");
        if has_word(line, &mark) {
            faults.push((
                format!("`{mark}` marks unfinished work"),
                "do it, or open an issue",
            ));
        }
    }
    faults
}

/// Whether `path` stands in the line, and not in the middle of a longer path or URL.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./_-~*}>)$".contains(c))
    })
}

/// Whether `word` stands in the line by itself; before a host name there may be dots.
fn has_word(line: &str, word: &str) -> bool {
    let joined = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(joined) && !line[at + word.len()..].starts_with(joined)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::shown;

    #[test]
    fn planted_words_are_found() {
        let folder = FOLDERS[0];
        let text = format!(
            "a = \"/{folder}/me\"\nhttps://static.{}{}/x\n# {}{}: more\n",
            HOSTS[0].0, HOSTS[0].1, UNFINISHED[0].0, UNFINISHED[0].1
        );
        let tree = Tree::of(&[("a.toml", &text), ("Cargo.lock", &text)]);
        let found = shown(&check(&tree));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("a.toml:1 ") && found[0].ends_with("a path of one machine"));
        assert!(found[1].starts_with("a.toml:2 ") && found[1].ends_with("of a package registry"));
        assert!(found[2].starts_with("a.toml:3 ") && found[2].ends_with("marks unfinished work"));
    }

    #[test]
    fn words_inside_others_are_left_alone() {
        let (folder, mark) = (FOLDERS[3], UNFINISHED[0]);
        for line in [
            format!("https://example.org/{folder}/a"),
            format!("../{folder}/a"),
            format!("{}{}S", mark.0, mark.1),
            format!("my{}{}", HOSTS[0].0, HOSTS[0].1),
        ] {
            assert!(faults(&line).is_empty(), "{line}");
        }
    }
}
