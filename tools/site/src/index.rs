//! The pages that list things: requirements and vectors.

use kith_spec_source::{Class, Level, Requirement};
use maud::{Markup, html};

use crate::chapter;
use crate::input::Vector;
use crate::links::{Links, vector_id};
use crate::text::{Text, breakable};

/// Every requirement, with filters.
pub(crate) fn requirements(links: &Links<'_>) -> Markup {
    let spec = &links.input.spec;
    let used = |class: &&Class| spec.requirements.iter().any(|found| found.class == **class);
    html! {
        p {
            (spec.requirements.len()) " requirements. Each has an id that is never used for anything else."
        }
        form.filters role="search" aria-label="Filter requirements" data-filters {
            label { "Words" input type="search" name="words" autocomplete="off"; }
            label { "Class"
                select name="class" {
                    option value="" { "all" }
                    @for class in Class::ALL.iter().filter(used) { option value=(class) { (class) } }
                }
            }
            label { "Level"
                select name="level" {
                    option value="" { "all" }
                    @for level in Level::ALL { option value=(level) { (level.as_str().to_uppercase()) } }
                }
            }
            output data-count {}
        }
        @for chapter in &spec.chapters {
            @let found: Vec<&Requirement> = spec.requirements.iter().filter(|found| found.chapter == chapter.name).collect();
            @if !found.is_empty() {
                section.group data-group {
                    h2 { span.number { (chapter.number) } " " a href=(links.page(&chapter.name)) { (chapter.title) } }
                    ul.requirements { @for found in found { (row(links, &chapter.file, found)) } }
                }
            }
        }
    }
}

fn row(links: &Links<'_>, file: &str, found: &Requirement) -> Markup {
    let text = Text::new(links, file);
    html! {
        li data-class=(found.class) data-level=(found.level) {
            p {
                @if let Some(href) = links.requirement(&found.id) { a.rid href=(href) { (breakable(&found.id)) } }
                " " (text.sentence(&found.text))
            }
            div.evidence { (chapter::facts(links, found)) }
        }
    }
}

/// Every vector.
pub(crate) fn vectors(links: &Links<'_>) -> Markup {
    let vectors = &links.input.vectors;
    html! {
        p {
            (vectors.len()) " vectors, as JSON below " code { "vectors/data" }
            ". Each is one mail, what happened before it, and what must become of it."
        }
        div.wide tabindex="0" {
            table.vectors {
                thead { tr { th { "Vector" } th { "Outcome" } th { "Requirements" } } }
                tbody { @for (id, vector) in vectors { (vector_row(links, id, vector)) } }
            }
        }
    }
}

fn vector_row(links: &Links<'_>, id: &str, vector: &Vector) -> Markup {
    html! {
        tr #(vector_id(id)) {
            td { code { (breakable(id)) } div.title { (vector.title) } }
            td {
                span.outcome data-outcome=(vector.outcome) { (vector.outcome) }
                @if let Some(name) = &vector.violation { " " code { (name) } }
            }
            td {
                @for (index, id) in vector.requirements.iter().enumerate() {
                    @if index > 0 { ", " }
                    @match links.requirement(id) {
                        Some(href) => a.ref href=(href) { code { (id) } },
                        None => code { (id) },
                    }
                }
            }
        }
    }
}

/// The table of contents of the first page.
pub(crate) fn contents(links: &Links<'_>) -> Markup {
    let spec = &links.input.spec;
    html! {
        ol.contents {
            @for chapter in &spec.chapters {
                @let count = spec.requirements.iter().filter(|found| found.chapter == chapter.name).count();
                li {
                    a href=(links.page(&chapter.name)) { span.number { (chapter.number) } " " (chapter.title) }
                    span.class {
                        @if count > 0 { (chapter.class) ", " (count) @if count == 1 { " requirement" } @else { " requirements" } }
                    }
                }
            }
        }
    }
}
