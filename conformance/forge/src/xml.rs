//! A small XML writer: elements with attributes and text, always escaped.
//!
//! Faults that need other octets change the text that this makes.

use std::fmt::Write;

/// The namespace of Kith 1.0.
pub const NAMESPACE: &str = "urn:kith:1.0";
/// A namespace that no version will ever assign, for vectors about extensions.
pub const NEVER_ASSIGNED: &str = "urn:kith:never-assigned";

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The name as it is written.
    pub name: String,
    /// Attributes, `xmlns` included, in order.
    pub attributes: Vec<(String, String)>,
    /// What it holds.
    pub content: Vec<Node>,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, escaped when written.
    Text(String),
    /// Octets written as they stand.
    Raw(String),
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    /// With one more attribute, at the end.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl ToString) -> Self {
        self.set(name, value);
        self
    }

    /// With more text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Node::Text(text.into()));
        self
    }

    /// With one more element, at the end.
    #[must_use]
    pub fn child(mut self, element: Self) -> Self {
        self.content.push(Node::Element(element));
        self
    }

    /// With more elements, at the end.
    #[must_use]
    pub fn children(mut self, elements: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(elements.into_iter().map(Node::Element));
        self
    }

    /// Sets or adds an attribute.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "most values are small copies"
    )]
    pub fn set(&mut self, name: &str, value: impl ToString) {
        let value = value.to_string();
        match self.attributes.iter_mut().find(|(n, _)| n == name) {
            Some(attribute) => attribute.1 = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    /// The first child element of this name.
    pub fn find(&mut self, name: &str) -> Option<&mut Self> {
        self.content.iter_mut().find_map(|node| match node {
            Node::Element(element) if element.name == name => Some(element),
            _ => None,
        })
    }

    /// Removes every child element of this name.
    pub fn remove(&mut self, name: &str) {
        self.content
            .retain(|node| !matches!(node, Node::Element(element) if element.name == name));
    }

    /// Replaces all content by text.
    pub fn set_text(&mut self, text: impl Into<String>) {
        self.content = vec![Node::Text(text.into())];
    }

    /// The document with this element as its root, indented where that adds
    /// nothing to any text, in UTF-8.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        let indent = self.content.iter().all(|n| matches!(n, Node::Element(_)));
        for node in &self.content {
            if indent {
                let _ = write!(out, "\n{:width$}", "", width = 2 * (depth + 1));
            }
            match node {
                Node::Element(element) => element.write(out, depth + 1),
                Node::Text(text) => out.push_str(&escape(text)),
                Node::Raw(raw) => out.push_str(raw),
            }
        }
        if indent {
            let _ = write!(out, "\n{:width$}", "", width = 2 * depth);
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

/// Text as it stands in content and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let root = Element::new("a")
            .attribute("x", "<\"&")
            .child(Element::new("b").text("1 < 2 & \r\n]]>"))
            .child(Element::new("c"));
        let text = root.document();
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("x"), Some("<\"&"));
        let b = root.first_element_child().unwrap();
        assert_eq!(b.text(), Some("1 < 2 & \r\n]]>"));
    }
}
