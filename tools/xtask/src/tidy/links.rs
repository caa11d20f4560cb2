//! Relative links in Markdown lead to files and headings that exist.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut places: BTreeSet<String> = BTreeSet::from([String::new()]);
    for file in &tree.files {
        places.insert(file.path.clone());
        places.extend(
            file.path
                .match_indices('/')
                .map(|(at, _)| file.path[..at].to_owned()),
        );
    }
    let mut findings = Vec::new();
    for (path, text) in tree.with_suffix(".md") {
        for (line, link) in links(text) {
            if let Some((what, mend)) = fault(&link, path, text, tree, &places) {
                findings.push(Finding::new(path, line, what, mend));
            }
        }
    }
    findings
}

/// Every link and image, with its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
            let line = 1 + text[..range.start]
                .bytes()
                .filter(|octet| *octet == b'\n')
                .count();
            found.push((line, dest_url.into_string()));
        }
    }
    found
}

fn fault(
    link: &str,
    path: &str,
    text: &str,
    tree: &Tree,
    places: &BTreeSet<String>,
) -> Option<(String, &'static str)> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    if target
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        return None; // a URL
    }
    let Some(target) = resolve(path, target).filter(|target| places.contains(target)) else {
        return Some((
            format!("the link `{link}` leads nowhere"),
            "correct or remove it",
        ));
    };
    let other = tree.with_suffix(".md").find(|(path, _)| *path == target);
    let (_, text) = if target == path { (path, text) } else { other? };
    if anchor.is_empty() || anchors(text).contains(anchor) || has_requirement(text, anchor) {
        return None;
    }
    Some((
        format!("the link `{link}` leads to no heading"),
        "correct or remove its anchor",
    ))
}

/// Whether a chapter of the specification gives this id; the rendered document
/// has an anchor there.
fn has_requirement(text: &str, id: &str) -> bool {
    text.contains(&format!("**`{id}`**"))
}

/// The path from the root that `target` in the file `path` means.
fn resolve(path: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(path.to_owned());
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a file's headings, as renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap_or_default());
                let again = (1..).map(|number| format!("{anchor}-{number}"));
                let free = std::iter::once(anchor.clone())
                    .chain(again)
                    .find(|candidate| !anchors.contains(candidate));
                anchors.extend(free);
            }
            _ => {}
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::shown;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "# A `b`, c\n\n# A b c\n\n[1](other.md) [2](../README.md#top) [3](#a-b-c-1)\n\
                    [4](https://example.org/x) [5](sub)\n\n[6](gone.md)\n[7](other.md#gone)\n\
                    [8](../../x) [9](other.md#other.one)\n\n```\n[9](gone)\n```\n";
        let tree = Tree::of(&[
            ("docs/a.md", text),
            ("docs/other.md", "# Other\n\n**`other.one`** It MUST be.\n"),
            ("docs/sub/x.txt", ""),
            ("README.md", "# Top\n\n[a](docs/a.md#a-b-c) [b](/docs/)\n"),
        ]);
        assert_eq!(
            shown(&check(&tree)),
            [
                "docs/a.md:8 the link `gone.md` leads nowhere",
                "docs/a.md:9 the link `other.md#gone` leads to no heading",
                "docs/a.md:10 the link `../../x` leads nowhere",
            ]
        );
    }
}
