//! The index that the search in the browser uses.

use kith_spec_source::Requirement;
use serde::Serialize;

use crate::links::Links;

/// Something that can be found.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// What people call it: an id, or a heading.
    #[serde(rename = "t")]
    title: String,
    /// Where it stands.
    #[serde(rename = "u")]
    href: String,
    /// What it is.
    #[serde(rename = "k")]
    kind: &'static str,
    /// What it says.
    #[serde(rename = "x")]
    text: String,
}

/// Everything that can be found, in the order of the text.
pub(crate) fn entries(links: &Links<'_>) -> Vec<Entry> {
    let spec = &links.input.spec;
    let mut entries = Vec::new();
    let mut add = |title: &str, href: Option<String>, kind: &'static str, text: &str| {
        entries.extend(href.map(|href| Entry {
            title: plain(title),
            href,
            kind,
            text: plain(text),
        }));
    };
    for chapter in &spec.chapters {
        let title = format!("{} {}", chapter.number, chapter.title);
        add(&title, Some(links.page(&chapter.name)), "chapter", "");
        for section in &chapter.sections {
            let title = format!("{} {}", section.number, section.title);
            let href = links.heading(&chapter.name, &section.anchor);
            add(&title, Some(href), "section", &chapter.title);
        }
    }
    for Requirement { id, text, .. } in &spec.requirements {
        add(id, links.requirement(id), "requirement", text);
    }
    for limit in &spec.limits {
        let text = format!("{} {}. {}", limit.value, limit.unit, limit.meaning);
        add(&limit.id, links.limit(&limit.id), "limit", &text);
    }
    let mut violations: Vec<(&str, &str)> = Vec::new();
    for requirement in &spec.requirements {
        if let Some(name) = &requirement.violation
            && !violations.iter().any(|(known, _)| known == name)
        {
            violations.push((name, &requirement.text));
        }
    }
    for (name, text) in violations {
        add(name, links.violation(name), "violation", text);
    }
    for (name, text) in links.types() {
        add(name, links.schema_type(name), "type", text);
    }
    entries
}

/// Without the marks of Markdown.
fn plain(markdown: &str) -> String {
    markdown
        .chars()
        .filter(|c| !matches!(c, '`' | '*'))
        .collect()
}

/// The index as a script, for pages that are opened without a server.
pub(crate) fn script(links: &Links<'_>) -> String {
    let json = serde_json::to_string(&entries(links)).expect("a list of strings is always JSON");
    // A closing tag within a string would end the script of the single file.
    format!("window.kithIndex={};\n", json.replace("</", "<\\/"))
}
