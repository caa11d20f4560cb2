//! A page about the XML schemas, made from the schemas.

use std::collections::BTreeMap;

use maud::{Markup, html};
use roxmltree::{Document, Node};

use crate::input::Input;
use crate::links::Links;
use crate::text::breakable;
use crate::xml;

const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// What the schemas define.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// The named types with what they are for.
    types: BTreeMap<String, String>,
    /// The kinds: the elements that an object may carry.
    kinds: Vec<String>,
    /// File and message of schemas that are no XML.
    pub(crate) faulty: Vec<(String, String)>,
}

impl Schemas {
    pub(crate) fn read(input: &Input) -> Self {
        let mut schemas = Self::default();
        for (name, text) in input.schemas() {
            match Document::parse(text) {
                Ok(document) => schemas.take(name, document.root_element()),
                Err(error) => schemas
                    .faulty
                    .push((format!("schemas/1.0/{name}.xsd"), error.to_string())),
            }
        }
        schemas
    }

    fn take(&mut self, file: &str, root: Node<'_, '_>) {
        for node in children(root) {
            if is_type(node) {
                let name = node.attribute("name").map(str::to_owned);
                let about = documentation(node).unwrap_or_default();
                self.types.extend(name.map(|name| (name, about)));
            }
        }
        if file == "object" {
            let payload = root.descendants().find(|node| {
                node.has_tag_name((XS, "choice")) && node.attribute("id") == Some("payload")
            });
            let elements = payload.into_iter().flat_map(children);
            let elements = elements.filter(|node| node.has_tag_name((XS, "element")));
            self.kinds
                .extend(elements.filter_map(|node| node.attribute("name").map(str::to_owned)));
        }
    }

    pub(crate) fn has_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// The named types, and what they are for.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        let types = self.types.iter();
        types.map(|(name, about)| (name.as_str(), about.as_str()))
    }

    /// The kinds of object, in the schema's order.
    pub(crate) fn kinds(&self) -> &[String] {
        &self.kinds
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn is_type(node: Node<'_, '_>) -> bool {
    node.has_tag_name((XS, "complexType")) || node.has_tag_name((XS, "simpleType"))
}

/// The name of an element of the schema language; `None` for others.
fn construct<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    (node.tag_name().namespace() == Some(XS)).then(|| node.tag_name().name())
}

/// The files in the order of reading: those of the roots first.
fn files(input: &Input) -> Vec<(&str, &str)> {
    let first = ["object", "delivery", "common"];
    let mut files: Vec<(&str, &str)> = input.schemas().collect();
    files.sort_by_key(|(name, _)| {
        let rank = first.iter().position(|found| found == name);
        (rank.unwrap_or(first.len()), *name)
    });
    files
}

/// The page's sections: id and title.
pub(crate) fn sections(input: &Input) -> Vec<(String, String)> {
    files(input)
        .into_iter()
        .map(|(name, _)| (format!("file-{name}"), format!("{name}.xsd")))
        .collect()
}

/// The page below its title.
pub(crate) fn page(links: &Links<'_>) -> Markup {
    let files = files(links.input);
    html! {
        p {
            "Made from the schemas in " code { "schemas/1.0" } ", which are what counts. All names belong to the namespace "
            code { "urn:kith:1.0" } ". " code { "0–1" } " and the like say how often an element stands; without it, once."
        }
        @for (name, text) in files {
            @if let Ok(document) = Document::parse(text) {
                (file(links, name, text, document.root_element()))
            }
        }
    }
}

fn file(links: &Links<'_>, name: &str, text: &str, root: Node<'_, '_>) -> Markup {
    html! {
        h2 #{"file-" (name)} { (name) ".xsd" a.anchor href={"#file-" (name)} aria-label="Link to this schema" { "#" } }
        @if let Some(doc) = documentation(root) { p { (doc) } }
        @for node in children(root) {
            @match construct(node) {
                Some("element") => (root_element(links, node)),
                Some("complexType" | "simpleType") => (named_type(links, node)),
                _ => {}
            }
        }
        details.fold { summary { "The schema " code { (name) ".xsd" } } (xml::figure(&xml::highlight(text))) }
    }
}

fn root_element(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let name = node.attribute("name").unwrap_or_default();
    html! {
        section.type #{"element-" (name)} {
            h3 { "Root element " code { "<" (name) ">" } }
            (description(node))
            p { "Type " (type_link(links, node.attribute("type").unwrap_or_default())) "." }
        }
    }
}

fn named_type(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let name = node.attribute("name").unwrap_or_default();
    html! {
        section.type #{"type-" (name)} {
            h3 { code { (name) } a.anchor href={"#type-" (name)} aria-label="Link to this type" { "#" } }
            (description(node))
            (content(links, node))
        }
    }
}

/// What a type consists of.
fn content(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let attributes: Vec<_> = node
        .descendants()
        .filter(|found| found.has_tag_name((XS, "attribute")) && owner(*found) == Some(node))
        .collect();
    html! {
        @for child in children(node) {
            @match construct(child) {
                Some("restriction") => (restriction(links, child)),
                Some("extension") => {
                    p { "Extends " (type_link(links, child.attribute("base").unwrap_or_default())) "." }
                    (content(links, child))
                }
                Some("simpleContent" | "complexContent") => (content(links, child)),
                Some("sequence" | "choice" | "all") => ul.particles { (particle(links, child)) },
                Some("list") => p { "A list of " (type_link(links, child.attribute("itemType").unwrap_or_default())) ", separated by spaces." },
                _ => {}
            }
        }
        @if !attributes.is_empty() {
            div.wide tabindex="0" {
                table.attributes {
                    thead { tr { th { "Attribute" } th { "Type" } th { "Meaning" } } }
                    tbody { @for node in attributes { (attribute(links, node)) } }
                }
            }
        }
    }
}

/// The type, or the part of one, whose attribute this is.
fn owner<'a, 'i>(attribute: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    attribute.parent()
}

fn attribute(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let fixed = node.attribute("fixed");
    let default = node.attribute("default");
    let own = documentation(node);
    let of_type = node
        .attribute("type")
        .and_then(|name| links.about_type(name));
    html! {
        tr {
            td { code { (node.attribute("name").unwrap_or_default()) } }
            td { (type_of(links, node)) }
            td {
                @if let Some(doc) = own { (doc) }
                @else if let Some(doc) = of_type { span.inherited { (doc) } }
                @if node.attribute("use") != Some("required") { " Optional." }
                @if let Some(value) = fixed { " Always " code { (value) } "." }
                @if let Some(value) = default { " Else " code { (value) } "." }
            }
        }
    }
}

/// A particle as a list item.
fn particle(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    html! {
        @match construct(node) {
            Some("element") => li {
                code.element { "<" (node.attribute("name").or(node.attribute("ref")).unwrap_or_default()) ">" }
                " " (type_of(links, node)) " " (cardinality(node))
                @if let Some(doc) = documentation(node) { span.doc { (doc) } }
                @for child in children(node).filter(|child| is_type(*child)) { (content(links, child)) }
            },
            Some("choice") => li { em { "one of" } " " (cardinality(node)) ul.particles { @for child in children(node) { (particle(links, child)) } } },
            Some("sequence") if node.parent().is_some_and(|parent| construct(parent) == Some("choice")) =>
                li { em { "in this order" } " " (cardinality(node)) ul.particles { @for child in children(node) { (particle(links, child)) } } },
            Some("sequence" | "all") => { @for child in children(node) { (particle(links, child)) } },
            Some("any") => li { em { "any element of another namespace" } " " (cardinality(node)) },
            _ => {}
        }
    }
}

fn cardinality(node: Node<'_, '_>) -> Markup {
    let least = node.attribute("minOccurs").unwrap_or("1");
    let most = match node.attribute("maxOccurs").unwrap_or("1") {
        "unbounded" => "∞",
        most => most,
    };
    html! {
        @if (least, most) != ("1", "1") {
            span.cardinality { @if least == most { (least) } @else { (least) "–" (most) } }
        }
    }
}

fn type_of(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let anonymous = children(node).find(|child| child.has_tag_name((XS, "simpleType")));
    html! {
        @if let Some(name) = node.attribute("type") { (type_link(links, name)) }
        @else if let (Some(simple), true) = (anonymous, node.has_tag_name((XS, "attribute"))) { (content(links, simple)) }
    }
}

fn type_link(links: &Links<'_>, name: &str) -> Markup {
    match links.schema_type(name) {
        Some(href) => html! { a.ref href=(href) { code { (name) } } },
        None => html! { code { (name) } },
    }
}

fn restriction(links: &Links<'_>, node: Node<'_, '_>) -> Markup {
    let facets: Vec<_> = children(node).collect();
    let values: Vec<&str> = facets
        .iter()
        .filter(|facet| construct(**facet) == Some("enumeration"))
        .filter_map(|facet| facet.attribute("value"))
        .collect();
    html! {
        dl.facets {
            div { dt { "base" } dd { (type_link(links, node.attribute("base").unwrap_or_default())) } }
            @if !values.is_empty() {
                div { dt { "one of" } dd { @for (index, value) in values.iter().enumerate() { @if index > 0 { ", " } code { (value) } } } }
            }
            @for facet in &facets {
                @if let (Some(name), Some(value)) = (facet_name(*facet), facet.attribute("value")) {
                    div { dt { (name) } dd { code { (breakable(value)) } } }
                }
            }
        }
    }
}

fn facet_name(facet: Node<'_, '_>) -> Option<&'static str> {
    Some(match construct(facet)? {
        "pattern" => "pattern",
        "length" => "length",
        "minLength" => "shortest",
        "maxLength" => "longest",
        "minInclusive" => "smallest",
        "maxInclusive" => "largest",
        "minExclusive" => "above",
        "maxExclusive" => "below",
        "totalDigits" => "digits",
        "fractionDigits" => "decimals",
        "whiteSpace" => "white space",
        _ => return None,
    })
}

fn description(node: Node<'_, '_>) -> Markup {
    html! { @if let Some(doc) = documentation(node) { p { (doc) } } }
}

/// The text of a node's own documentation.
pub(crate) fn documentation(node: Node<'_, '_>) -> Option<String> {
    let annotation = children(node).find(|child| child.has_tag_name((XS, "annotation")))?;
    let parts: Vec<&str> = annotation
        .descendants()
        .filter(|found| found.has_tag_name((XS, "documentation")))
        .filter_map(|found| found.text())
        .collect();
    let text = parts.join(" ");
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}
