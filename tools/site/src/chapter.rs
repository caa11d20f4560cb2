//! A chapter's page: its Markdown with numbered headings, anchored
//! requirements, and directives carried out.

use kith_spec_source::{Chapter, Directive, Limit, Requirement, Section};
use maud::{Markup, html};
use pulldown_cmark::{Event, Parser, Tag};

use crate::input::Evidence;
use crate::inserts;
use crate::links::Links;
use crate::text::{Text, breakable, options};

/// The longest list of places that is shown whole.
const PLACES: usize = 24;

/// The chapter below its title.
pub(crate) fn body(links: &Links<'_>, chapter: &Chapter) -> Markup {
    let (body, first_line) = links.input.body(&chapter.file);
    let renderer = Renderer {
        links,
        chapter,
        text: Text::new(links, &chapter.file),
        body,
        first_line,
    };
    let events: Vec<_> = Parser::new_ext(body, options())
        .into_offset_iter()
        .collect();
    let mut parts = Vec::new();
    let mut rest = &events[..];
    while !rest.is_empty() {
        let (block, others) = rest.split_at(block_length(rest));
        parts.push(renderer.block(block));
        rest = others;
    }
    html! { @for part in parts { (part) } }
}

type Ranged<'a> = (Event<'a>, std::ops::Range<usize>);

/// How many events the first block has.
fn block_length(events: &[Ranged<'_>]) -> usize {
    let mut depth = 0usize;
    for (index, (event, _)) in events.iter().enumerate() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    events.len()
}

struct Renderer<'a> {
    links: &'a Links<'a>,
    chapter: &'a Chapter,
    text: Text<'a>,
    body: &'a str,
    first_line: usize,
}

impl Renderer<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.body.as_bytes()[..offset];
        self.first_line + before.iter().filter(|octet| **octet == b'\n').count()
    }

    fn block(&self, events: &[Ranged<'_>]) -> Markup {
        let Some((first, range)) = events.first() else {
            return html! {};
        };
        let line = self.line(range.start);
        let last = self.line(range.end);
        match first {
            Event::Start(Tag::Heading { .. }) => self.heading(line),
            Event::Start(Tag::Paragraph) => {
                if let Some(directive) = self.directive(line) {
                    return inserts::insert(self.links, &self.text, &directive.insert);
                }
                match self.requirement(line) {
                    Some(found) => requirement(self.links, &self.text, found),
                    None => self.plain(events),
                }
            }
            Event::Start(Tag::Table(_)) => {
                let limits = &self.links.input.spec.limits;
                let here = |limit: &&Limit| {
                    limit.place.file == self.chapter.file
                        && (line..=last).contains(&limit.place.line)
                };
                let limits: Vec<&Limit> = limits.iter().filter(here).collect();
                if limits.is_empty() {
                    return self.plain(events);
                }
                inserts::limits(&self.text, &limits)
            }
            Event::Start(Tag::List(_)) => self.list(events, line, last),
            _ => self.plain(events),
        }
    }

    fn plain(&self, events: &[Ranged<'_>]) -> Markup {
        self.text
            .events(events.iter().map(|(event, _)| event.clone()))
    }

    /// A list may hold requirements, one an item.
    fn list(&self, events: &[Ranged<'_>], line: usize, last: usize) -> Markup {
        let found: Vec<&Requirement> = (line..=last)
            .filter_map(|line| self.requirement(line))
            .collect();
        if found.is_empty() {
            return self.plain(events);
        }
        html! { @for found in found { (requirement(self.links, &self.text, found)) } }
    }

    fn heading(&self, line: usize) -> Markup {
        let sections = &self.chapter.sections;
        // The title is the page's.
        let Some(section) = sections.iter().find(|section| section.line == line) else {
            return html! {};
        };
        let id = self.links.heading_id(&self.chapter.name, &section.anchor);
        let inner = html! {
            span.number { (section.number) } " " (self.text.inline(&section.title))
            a.anchor href={"#" (id)} aria-label={"Link to section " (section.number)} { "#" }
        };
        match depth(section) {
            2 => html! { h2 #(id) { (inner) } },
            3 => html! { h3 #(id) { (inner) } },
            _ => html! { h4 #(id) { (inner) } },
        }
    }

    fn directive(&self, line: usize) -> Option<&Directive> {
        let mut all = self.links.input.spec.directives.iter();
        all.find(|found| found.place.file == self.chapter.file && found.place.line == line)
    }

    fn requirement(&self, line: usize) -> Option<&Requirement> {
        let mut all = self.links.input.spec.requirements.iter();
        all.find(|found| found.place.file == self.chapter.file && found.place.line == line)
    }
}

/// How deep a section is: 2 below the chapter.
pub(crate) fn depth(section: &Section) -> usize {
    section.number.split('.').count()
}

/// A requirement with its anchor, and below it what stands for it.
fn requirement(links: &Links<'_>, text: &Text<'_>, found: &Requirement) -> Markup {
    let evidence = links.input.evidence.get(&found.id);
    html! {
        section.req #(found.id) data-level=(found.level) {
            p {
                a.rid href={"#" (found.id)} { (breakable(&found.id)) }
                " " (text.sentence(&found.text))
            }
            @if let Some(evidence) = evidence {
                details.evidence {
                    summary { (facts(links, found)) span.counts { (counts(evidence)) } }
                    (places(links, evidence))
                }
            } @else {
                div.evidence { (facts(links, found)) }
            }
        }
    }
}

/// Level, class, outcome and violation.
pub(crate) fn facts(links: &Links<'_>, found: &Requirement) -> Markup {
    html! {
        span.level data-level=(found.level) { (found.level.as_str().to_uppercase()) }
        span.class { (found.class) }
        @if let Some(outcome) = found.outcome {
            span.outcome data-outcome=(outcome) {
                "→ " (outcome)
                @if let Some(name) = &found.violation {
                    " "
                    @match links.violation(name) {
                        Some(href) => a.ref href=(href) { code { (name) } },
                        None => code { (name) },
                    }
                }
            }
        }
    }
}

/// The cases that are no vectors.
fn cases(evidence: &Evidence) -> Vec<&String> {
    let all = evidence.cases.iter();
    all.filter(|case| !evidence.vectors.contains(case))
        .collect()
}

fn counts(evidence: &Evidence) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {many}")),
    };
    let counted = [
        count(cases(evidence).len(), "case", "cases"),
        count(evidence.vectors.len(), "vector", "vectors"),
        count(evidence.code.len(), "place in code", "places in code"),
    ];
    let mut parts: Vec<String> = counted.into_iter().flatten().collect();
    if !evidence.pending.is_empty() {
        parts.push("pending".to_owned());
    }
    parts.join(", ")
}

fn places(links: &Links<'_>, evidence: &Evidence) -> Markup {
    let list = |places: &[&String], link: bool| {
        html! {
            @if places.is_empty() { span.none { "none" } }
            ul {
                @for place in places.iter().take(PLACES) {
                    li {
                        @match links.vector(place).filter(|_| link) {
                            Some(href) => a.ref href=(href) { code { (breakable(place)) } },
                            None => code { (breakable(place)) },
                        }
                    }
                }
                @if places.len() > PLACES { li { "and " (places.len() - PLACES) " more" } }
            }
        }
    };
    let vectors: Vec<&String> = evidence.vectors.iter().collect();
    let code: Vec<&String> = evidence.code.iter().collect();
    html! {
        dl {
            div { dt { "Cases" } dd { (list(&cases(evidence), false)) } }
            div { dt { "Vectors" } dd { (list(&vectors, true)) } }
            div { dt { "Code" } dd { (list(&code, false)) } }
            @if !evidence.pending.is_empty() {
                div { dt { "Pending" } dd { (evidence.pending.join(", ")) } }
            }
            @if let Some(reason) = &evidence.exception {
                div { dt { "Exception" } dd { (reason) } }
            }
        }
    }
}
