//! Random valid documents, made from the schemas themselves: a new kind is
//! covered without a line here.

use std::collections::HashMap;

use kith_schemas::sources;
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use roxmltree::{Document, Node};

use crate::random::Random;

const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// The parsed schema documents.
pub(crate) struct Schemas {
    documents: Vec<Document<'static>>,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let documents = sources()
            .iter()
            .map(|(_, text)| Document::parse(text).unwrap());
        Self {
            documents: documents.collect(),
        }
    }

    /// The global elements, which are the roots of documents.
    pub(crate) fn roots(&self) -> Vec<String> {
        let globals = self
            .documents
            .iter()
            .flat_map(|document| document.root_element().children());
        let elements = globals.filter(|node| node.has_tag_name((XS, "element")));
        elements
            .map(|node| node.attribute("name").unwrap().to_owned())
            .collect()
    }

    /// The elements that the choices of a root's type offer, by name; "" for wildcards.
    pub(crate) fn choices(&self, root: &str) -> Vec<String> {
        let globals = self.globals("element");
        let kind = self.globals("complexType")[globals[root].attribute("type").unwrap()];
        let choices = kind
            .descendants()
            .filter(|node| node.has_tag_name((XS, "choice")));
        let offers = choices.flat_map(|choice| choice.children().filter(Node::is_element));
        offers
            .map(|node| node.attribute("name").unwrap_or_default().to_owned())
            .collect()
    }

    fn globals(&self, tag: &str) -> HashMap<&str, Node<'_, 'static>> {
        let globals = self
            .documents
            .iter()
            .flat_map(|document| document.root_element().children());
        let named = globals.filter(|node| node.has_tag_name((XS, tag)));
        named
            .map(|node| (node.attribute("name").unwrap(), node))
            .collect()
    }

    /// A valid document; `choice` is the element to take where there is a choice.
    pub(crate) fn document(&self, root: &str, choice: Option<&str>, seed: u64) -> String {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut generator = Generator {
            simple: self.globals("simpleType"),
            complex: self.globals("complexType"),
            choice: choice.map(str::to_owned),
            random: Random::new(seed),
            runner: TestRunner::new_with_rng(Config::default(), rng),
            prefix: "",
            out: String::new(),
        };
        if generator.random.one_in(4) {
            generator.prefix = "k:";
        }
        generator.prolog();
        generator.element(self.globals("element")[root], true);
        generator.filler();
        generator.out
    }
}

struct Generator<'a> {
    simple: HashMap<&'a str, Node<'a, 'static>>,
    complex: HashMap<&'a str, Node<'a, 'static>>,
    choice: Option<String>,
    random: Random,
    runner: TestRunner,
    prefix: &'static str,
    out: String,
}

impl<'a> Generator<'a> {
    fn prolog(&mut self) {
        let declarations = [
            "",
            "<?xml version=\"1.0\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n",
        ];
        self.out.push_str(self.random.pick(&declarations));
        self.filler();
    }

    /// What may stand between elements.
    fn filler(&mut self) {
        while self.random.one_in(3) {
            let filler = [
                "\n  ",
                "\t",
                "\r\n",
                "<!-- a comment: <&> -->",
                "<?target of data?>",
            ];
            self.out.push_str(self.random.pick(&filler));
        }
    }

    fn element(&mut self, declaration: Node<'a, 'static>, is_root: bool) {
        let name = format!("{}{}", self.prefix, declaration.attribute("name").unwrap());
        self.out.push_str(&format!("<{name}"));
        if is_root {
            let colon = if self.prefix.is_empty() { "" } else { ":k" };
            self.out
                .push_str(&format!(" xmlns{colon}=\"urn:kith:1.0\""));
        }
        let type_name = declaration.attribute("type").unwrap_or_default();
        let inline = |tag| {
            declaration
                .children()
                .find(|node| node.has_tag_name((XS, tag)))
        };
        let complex = self
            .complex
            .get(type_name)
            .copied()
            .or_else(|| inline("complexType"));
        let content = match complex {
            Some(complex) => self.complex(complex),
            None => {
                self.out.push('>');
                let value = self.value(type_name, inline("simpleType"));
                self.text(&value);
                true
            }
        };
        if content {
            self.out.push_str(&format!("</{name}>"));
        } else {
            self.out.push_str("/>");
        }
    }

    /// Attributes and content; whether an end tag is needed.
    fn complex(&mut self, definition: Node<'a, 'static>) -> bool {
        let extension = definition
            .descendants()
            .find(|node| node.has_tag_name((XS, "extension")));
        let owner = extension.unwrap_or(definition);
        let attributes: Vec<_> = owner
            .children()
            .filter(|node| node.has_tag_name((XS, "attribute")))
            .collect();
        let first = self.random.below(attributes.len());
        for attribute in attributes[first..].iter().chain(&attributes[..first]) {
            let required = attribute.attribute("use") == Some("required");
            if required || self.random.one_in(2) {
                self.attribute(*attribute);
            }
        }
        if let Some(extension) = extension {
            self.out.push('>');
            let value = self.value(extension.attribute("base").unwrap(), None);
            self.text(&value);
            return true;
        }
        let group = definition
            .children()
            .find(|node| node.has_tag_name((XS, "sequence")) || node.has_tag_name((XS, "choice")));
        let Some(group) = group else {
            let close = self.random.one_in(2);
            self.out.push_str(if close { ">" } else { "" });
            return close;
        };
        self.out.push('>');
        self.filler();
        self.particle(group);
        true
    }

    fn attribute(&mut self, attribute: Node<'a, 'static>) {
        let value = self.value(attribute.attribute("type").unwrap(), None);
        let (quote, entity) = self.random.pick(&[&('"', "&quot;"), &('\'', "&#39;")]);
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace(*quote, entity);
        let value = value
            .replace('\t', "&#9;")
            .replace('\n', "&#10;")
            .replace('\r', "&#xD;");
        let space = self.random.pick(&[" ", "\n    "]);
        let name = attribute.attribute("name").unwrap();
        self.out
            .push_str(&format!("{space}{name}={quote}{value}{quote}"));
    }

    fn particle(&mut self, node: Node<'a, 'static>) {
        let bound = |name: &str, default: usize| {
            node.attribute(name)
                .map_or(default, |text| text.parse().unwrap_or(usize::MAX))
        };
        let (min, max) = (bound("minOccurs", 1), bound("maxOccurs", 1));
        let count = match self.random.below(8) {
            0 => min,
            1 => max.min(min + 40),
            _ => (min + self.random.below(3)).min(max),
        };
        for _ in 0..count {
            match node.tag_name().name() {
                "sequence" => {
                    for child in node.children().filter(Node::is_element) {
                        self.particle(child);
                    }
                }
                "choice" => self.choice(node),
                "element" => {
                    self.element(node, false);
                    self.filler();
                }
                "any" => {
                    self.foreign(0);
                    self.filler();
                }
                _ => {}
            }
        }
    }

    fn choice(&mut self, node: Node<'a, 'static>) {
        let offers: Vec<_> = node
            .children()
            .filter(|node| node.has_tag_name((XS, "element")) || node.has_tag_name((XS, "any")))
            .collect();
        let named = |offer: &&Node<'_, '_>| {
            Some(offer.attribute("name").unwrap_or_default()) == self.choice.as_deref()
        };
        let chosen = offers.iter().find(named).copied();
        let chosen = chosen.unwrap_or_else(|| offers[self.random.below(offers.len())]);
        self.particle(chosen);
    }

    /// Any element of another namespace.
    fn foreign(&mut self, depth: usize) {
        let start = self.random.pick(&[
            "x xmlns=\"urn:x\"",
            "y:x xmlns:y=\"http://example.org/y\" y:a=\"1\" b=\"&lt;\"",
            "x xmlns='urn:x-2' xml:lang='\u{e9}'",
        ]);
        let name = start.split(' ').next().unwrap();
        self.out.push_str(&format!("<{start}"));
        if self.random.one_in(2) {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        while self.random.one_in(2) {
            match self.random.below(4) {
                0 => self.out.push_str("text &amp; <![CDATA[more]]>"),
                1 => self
                    .out
                    .push_str("<post xmlns=\"urn:kith:1.0\" any=\"1\">thing</post>"),
                2 if depth < 5 => self.foreign(depth + 1),
                _ => self.filler(),
            }
        }
        self.out.push_str(&format!("</{name}>"));
    }

    fn text(&mut self, value: &str) {
        if self.random.one_in(6) && !value.contains("]]>") && !value.contains('\r') {
            self.out.push_str(&format!("<![CDATA[{value}]]>"));
            return;
        }
        let comment = self
            .random
            .one_in(6)
            .then(|| self.random.below(value.chars().count()));
        for (i, c) in value.chars().enumerate() {
            if comment == Some(i) {
                self.out.push_str("<!-- - -->");
            }
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str("&#13;"),
                c if self.random.one_in(200) => {
                    self.out.push_str(&format!("&#x{:X};", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
    }

    /// A lexical form of a simple type.
    fn value(&mut self, name: &str, inline: Option<Node<'a, 'static>>) -> String {
        match name {
            "xs:boolean" => return self.random.pick(&["true", "0", " false ", "1"]).to_owned(),
            name if name.starts_with("xs:") => panic!("no generator for {name}"),
            _ => {}
        }
        let mut facets: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut base = name.to_owned();
        let mut definition = inline;
        while let Some(found) = definition
            .take()
            .or_else(|| self.simple.get(base.as_str()).copied())
        {
            let restriction = found
                .children()
                .find(|node| node.has_tag_name((XS, "restriction")))
                .unwrap();
            for facet in restriction
                .children()
                .filter(|node| node.has_attribute("value"))
            {
                let values = facets.entry(facet.tag_name().name()).or_default();
                values.push(facet.attribute("value").unwrap());
            }
            restriction.attribute("base").unwrap().clone_into(&mut base);
        }
        let facet = |name: &str| facets.get(name).map(|values| values[0]);
        match base.as_str() {
            "xs:int" | "xs:long" => {
                let positive = i64::from(facet("pattern") == Some("[1-9][0-9]*"));
                let bound = |name: &str| facet(name).map(|text| text.parse().unwrap());
                let highest = if base == "xs:int" {
                    i64::from(i32::MAX)
                } else {
                    i64::MAX
                };
                self.number(
                    bound("minInclusive").unwrap_or(positive),
                    bound("maxInclusive").unwrap_or(highest),
                )
            }
            "xs:dateTime" => self.time(),
            _ => match facets.get("enumeration") {
                Some(values) => self.random.pick(values).to_owned(),
                None => {
                    let length = |name: &str| facet(name).and_then(|text| text.parse().ok());
                    self.string(facet("pattern"), length("minLength"), length("maxLength"))
                }
            },
        }
    }

    fn number(&mut self, min: i64, max: i64) -> String {
        let span = max.abs_diff(min).saturating_add(1);
        let inside = min.saturating_add_unsigned(self.random.next() % span);
        let number = [min, max, inside][self.random.below(3)];
        let space = self.random.pick(&["", "", "", " ", "\n"]);
        format!("{space}{number}{space}")
    }

    fn time(&mut self) -> String {
        let year = [1000, 1970, 2000, 2026, 2100, 9999][self.random.below(6)];
        let month = self.random.below(12) + 1;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + usize::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let day = if self.random.one_in(2) {
            days
        } else {
            self.random.below(days) + 1
        };
        let (hour, minute, second) = (
            self.random.below(24),
            self.random.below(60),
            self.random.below(60),
        );
        let space = self.random.pick(&["", "", " ", "\n "]);
        format!("{space}{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    fn string(&mut self, pattern: Option<&str>, min: Option<usize>, max: Option<usize>) -> String {
        let (min, max) = (min.unwrap_or(0), max.unwrap_or(10_000));
        let Some(pattern) = pattern else {
            let length = match self.random.below(12) {
                0 => max,
                1 => min,
                _ => min + self.random.below(40).min(max - min),
            };
            let alphabet = [
                'a',
                'b',
                ' ',
                '\n',
                '\t',
                '\r',
                '&',
                '<',
                '>',
                '"',
                '\u{e9}',
                '\u{1f600}',
            ];
            let mut text: String = (0..length)
                .map(|_| alphabet[self.random.below(alphabet.len())])
                .collect();
            // All that one document may hold is limited, too.
            if text.len() > 30_000 {
                text = "a".repeat(length);
            }
            return text;
        };
        let strategy = string_regex(pattern).unwrap();
        loop {
            let text = strategy.new_tree(&mut self.runner).unwrap().current();
            let length = text.chars().count();
            let carried =
                |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
            if (min..=max).contains(&length) && text.chars().all(carried) {
                return text;
            }
        }
    }
}
