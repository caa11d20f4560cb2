//! The paths that Rust code names, with `use a::{b, c::d}` written out.

/// The paths and words of a source without comments, literals and tests, each
/// with its line, from 1. The paths of one `use` all have its first line.
pub(super) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        line += newlines(&rest[..start]);
        rest = &rest[start..];
        let length = path_length(rest);
        let path = compact(&rest[..length]);
        let after = rest[length..].trim_start();
        if path == "use" {
            let end = rest.find(';').unwrap_or(rest.len());
            let mut expanded = Vec::new();
            expand("", &compact(&rest[length..end]), &mut expanded);
            found.extend(expanded.into_iter().map(|path| (line, path)));
            line += newlines(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        if !after.starts_with('!') {
            found.push((line, path));
        }
        line += newlines(&rest[..length]);
        rest = &rest[length..];
    }
    found
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|octet| *octet == b'\n').count()
}

fn compact(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" :: ", "::")
}

/// The length of the path that `text` begins with: words joined by `::`.
fn path_length(text: &str) -> usize {
    let word = |text: &str| {
        text.find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len())
    };
    let mut length = word(text);
    while let Some(rest) = text[length..].strip_prefix("::") {
        let next = word(rest);
        if next == 0 {
            break;
        }
        length += 2 + next;
    }
    length
}

/// Writes out `{…}` groups; a nested group goes through the same again.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        let path = format!("{prefix}{path}");
        found.push(path.strip_suffix("::self").unwrap_or(&path).to_owned());
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let inside = &tree[open + 1..];
    let mut depth = 0usize;
    let mut start = 0;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                if !inside[start..at].trim().is_empty() {
                    expand(&prefix, &inside[start..at], found);
                }
                start = at + 1;
                if c == '}' {
                    return;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_written_out() {
        let code =
            "use std::{\n    fs,\n    net::{self, TcpStream as T},\n};\nlet a = std::env::var(x);";
        let found = paths(code);
        let uses: Vec<&str> = found
            .iter()
            .filter(|(line, _)| *line == 1)
            .map(|(_, path)| path.as_str())
            .collect();
        assert_eq!(uses, ["std::fs", "std::net", "std::net::TcpStream"]);
        assert!(found.contains(&(5, "std::env::var".into())), "{found:?}");
    }

    #[test]
    fn unfinished_code_ends_the_search() {
        for code in ["use a::{b, {", "use", "a::", "use a::{b}}", "é::ü"] {
            assert!(paths(code).len() < 4, "{code}");
        }
    }
}
