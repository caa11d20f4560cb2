//! What directives put in their place.

use std::collections::BTreeMap;

use kith_spec_source::{Insert, Limit, Requirement};
use maud::{Markup, html};

use crate::input::{Document, Opened};
use crate::links::Links;
use crate::state;
use crate::text::Text;
use crate::xml;

pub(crate) fn insert(links: &Links<'_>, text: &Text<'_>, insert: &Insert) -> Markup {
    let spec = &links.input.spec;
    match insert {
        Insert::Example { vector, kind } => example(links, vector, kind.as_deref()),
        Insert::State { name } => {
            let table = spec.tables.iter().find(|table| table.name == *name);
            html! { @if let Some(table) = table { (state::table(links, text, table)) } }
        }
        Insert::Violations => violations(links, text),
        Insert::Limits => limits(text, &spec.limits.iter().collect::<Vec<_>>()),
        Insert::Schemas => schemas(links),
        Insert::Attacks => attacks(links),
    }
}

/// A vector's mail: what stands in it, and how it stands on the wire.
fn example(links: &Links<'_>, id: &str, kind: Option<&str>) -> Markup {
    let empty = Opened::default();
    let vector = links.input.vectors.get(id);
    let opened = links.input.opened.get(id).unwrap_or(&empty);
    let shown = |object: &&Document| kind.is_none_or(|kind| object.kind == kind);
    let objects: Vec<&Document> = opened.objects.iter().filter(shown).collect();
    let mail = vector.and_then(|vector| vector.mail.as_deref());
    html! {
        figure.example {
            figcaption {
                "Example" @if let Some(vector) = vector { ": " (vector.title) }
                span.source {
                    " " @match links.vector(id) {
                        Some(href) => a.ref href=(href) { code { (id) } },
                        None => code { (id) },
                    }
                }
            }
            @if vector.is_none() { p.none { "The example follows with its vector." } }
            @if let (Some(delivery), None) = (&opened.delivery, kind) {
                @if delivery.contains("<self ") {
                    (document("Document of a self-copy", "self", delivery))
                } @else {
                    (document("Delivery document", "delivery", delivery))
                }
            }
            @for object in objects {
                (document("Object", &object.kind, &object.xml))
            }
            @if let Some(mail) = mail {
                details.fold { summary { "The mail as it stands on the wire" } (xml::verbatim(mail)) }
            }
        }
    }
}

fn document(what: &str, name: &str, text: &str) -> Markup {
    html! {
        div.document {
            div.label { (what) " " @if what == "Object" { code { (name) } } }
            (xml::figure(&xml::pretty(text)))
        }
    }
}

/// Limits with an anchor for each.
pub(crate) fn limits(text: &Text<'_>, limits: &[&Limit]) -> Markup {
    html! {
        div.wide tabindex="0" {
            table.limits {
                thead { tr { th { "Limit" } th.num { "Value" } th { "Meaning" } } }
                tbody {
                    @for limit in limits {
                        tr #{"limit-" (limit.id)} {
                            td { a.ref href={"#limit-" (limit.id)} { code { (limit.id) } } }
                            td.num {
                                (grouped(limit.value)) " " (limit.unit)
                                @if let Some(size) = human(limit) { span.human { (size) } }
                            }
                            td { (text.inline(&limit.meaning)) }
                        }
                    }
                }
            }
        }
    }
}

/// Digits in groups of three, with thin spaces that do not break.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Whole KiB and MiB, hours and days.
fn human(limit: &Limit) -> Option<String> {
    let whole = |value: u64, unit: u64| value >= unit && value.is_multiple_of(unit);
    let units: &[(u64, &str)] = match limit.unit.as_str() {
        "octets" => &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")],
        "seconds" => &[(86_400, "days"), (3_600, "hours"), (60, "minutes")],
        _ => return None,
    };
    let (unit, name) = units.iter().find(|(unit, _)| whole(limit.value, *unit))?;
    let count = limit.value / unit;
    let name = if count == 1 {
        name.trim_end_matches('s')
    } else {
        name
    };
    Some(format!("{} {name}", grouped(count)))
}

/// The requirements behind each violation, by its name.
fn by_violation<'a>(links: &Links<'a>) -> BTreeMap<&'a str, Vec<&'a Requirement>> {
    let mut all: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in &links.input.spec.requirements {
        if let Some(name) = &requirement.violation {
            all.entry(name).or_default().push(requirement);
        }
    }
    all
}

fn requirement_links(links: &Links<'_>, requirements: &[&Requirement]) -> Markup {
    html! {
        @for (index, requirement) in requirements.iter().enumerate() {
            @if index > 0 { ", " }
            @if let Some(href) = links.requirement(&requirement.id) {
                a.ref href=(href) { code { (requirement.id) } }
            }
        }
    }
}

/// Every violation with its outcome and requirements.
fn violations(links: &Links<'_>, text: &Text<'_>) -> Markup {
    html! {
        div.wide tabindex="0" {
            table.violations {
                thead { tr { th { "Violation" } th { "Outcome" } th { "Requirement" } } }
                tbody {
                    @for (name, requirements) in by_violation(links) {
                        tr #{"violation-" (name)} {
                            td { a.ref href={"#violation-" (name)} { code { (name) } } }
                            td { @if let Some(outcome) = requirements[0].outcome { span.outcome data-outcome=(outcome) { (outcome) } } }
                            td { @for found in &requirements { p { (requirement_links(links, &[*found])) " " (text.inline(&found.text)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Each requirement with an outcome, and the vectors that break it.
fn attacks(links: &Links<'_>) -> Markup {
    html! {
        div.wide tabindex="0" {
            table.attacks {
                thead { tr { th { "Attack" } th { "Closed by" } th { "Outcome" } } }
                tbody {
                    @for (id, vector) in links.input.vectors.iter().filter(|(_, vector)| !vector.is_valid()) {
                        @let found: Vec<&Requirement> = vector.requirements.iter().filter_map(|id| links.input.spec.requirement(id)).collect();
                        tr {
                            td { (vector.title) @if let Some(href) = links.vector(id) { " " a.ref href=(href) { code { (id) } } } }
                            td { (requirement_links(links, &found)) }
                            td { span.outcome data-outcome=(vector.outcome) { (vector.outcome) } }
                        }
                    }
                }
            }
        }
    }
}

/// The schemas, with a link to each.
fn schemas(links: &Links<'_>) -> Markup {
    html! {
        ul {
            @for (name, _) in links.input.schemas() {
                @if let Ok(crate::links::Target::Href(href)) = links.resolve("schemas/1.0/", &format!("{name}.xsd")) {
                    li { a.ref href=(href) { code { (name) ".xsd" } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kith_spec_source::Place;

    use super::*;

    fn limit(value: u64, unit: &str) -> Limit {
        Limit {
            id: "x".into(),
            value,
            unit: unit.into(),
            meaning: String::new(),
            place: Place::default(),
        }
    }

    #[test]
    fn values_are_shown_for_people() {
        assert_eq!(grouped(26_214_400), "26\u{202f}214\u{202f}400");
        assert_eq!(
            human(&limit(26_214_400, "octets")).as_deref(),
            Some("25 MiB")
        );
        assert_eq!(human(&limit(24_576, "octets")).as_deref(), Some("24 KiB"));
        assert_eq!(human(&limit(86_400, "seconds")).as_deref(), Some("1 day"));
        assert_eq!(human(&limit(1000, "octets")), None);
        assert_eq!(human(&limit(1024, "parts")), None);
    }
}
