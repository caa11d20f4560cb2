//! What the generated decoders call: a document's root, an element's attributes
//! in any order, and its child elements in the order of the schema.
//!
//! The tree is read-only and is walked once. Positions and paths are computed
//! only for an error.

use std::borrow::Cow;

use roxmltree::{Attribute, Document, Node};

use crate::NAMESPACE;
use crate::error::{DecodeError, DecodeReason, ValueError};
use crate::foreign::Foreign;
use crate::{markup, types};

/// The namespace of `xsi:type` and its like.
const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A value that one element holds.
pub trait Element: Sized {
    /// Reads the content and attributes of `node`, whose name is already checked.
    fn read(node: Node<'_, '_>) -> Result<Self, DecodeError>;
}

/// A value of a simple type.
pub trait Value: Sized {
    /// Reads a lexical form.
    fn parse(text: &str) -> Result<Self, ValueError>;
}

/// Decodes a document whose root is the element `name`.
pub fn document<T: Element>(octets: &[u8], name: &'static str) -> Result<T, DecodeError> {
    let text = markup::check(octets)?;
    let document = Document::parse(&text).map_err(|error| unparsed(&error))?;
    let root = document.root_element();
    if !is_named(root, name) {
        let found = name_of(root);
        let expected = name.to_owned();
        return Err(at(
            root,
            DecodeReason::UnexpectedElement { found, expected },
        ));
    }
    T::read(root)
}

fn unparsed(error: &roxmltree::Error) -> DecodeError {
    let position = error.pos();
    let reason = match error {
        roxmltree::Error::DtdDetected => DecodeReason::Doctype,
        other => DecodeReason::NotWellFormed(other.to_string()),
    };
    DecodeError {
        path: "/".to_owned(),
        line: position.row,
        column: position.col,
        reason,
    }
}

fn is_named(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name && node.tag_name().namespace() == Some(NAMESPACE)
}

/// A name for people: its namespace in braces unless that is Kith's.
fn name_of(node: Node<'_, '_>) -> String {
    let name = node.tag_name();
    match name.namespace() {
        Some(NAMESPACE) => name.name().to_owned(),
        namespace => format!("{{{}}}{}", namespace.unwrap_or_default(), name.name()),
    }
}

/// An error at an element.
fn at(node: Node<'_, '_>, reason: DecodeReason) -> DecodeError {
    let mut names: Vec<&str> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|element| element.tag_name().name())
        .collect();
    names.push("");
    names.reverse();
    let position = node.document().text_pos_at(node.range().start);
    DecodeError {
        path: names.join("/"),
        line: position.row,
        column: position.col,
        reason,
    }
}

/// An error at an attribute of `node`.
fn at_attribute(
    node: Node<'_, '_>,
    attribute: Attribute<'_, '_>,
    reason: DecodeReason,
) -> DecodeError {
    let mut error = at(node, reason);
    error.path.push_str("/@");
    error.path.push_str(attribute.name());
    let position = node.document().text_pos_at(attribute.range().start);
    error.line = position.row;
    error.column = position.col;
    error
}

/// The attributes of one element.
pub struct Attributes<'a, 'input> {
    node: Node<'a, 'input>,
    taken: usize,
}

impl<'a, 'input> Attributes<'a, 'input> {
    pub fn of(node: Node<'a, 'input>) -> Self {
        Self { node, taken: 0 }
    }

    /// The value of an attribute that must be there.
    pub fn required<T: Value>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        self.optional(name)?
            .ok_or_else(|| at(self.node, DecodeReason::MissingAttribute { name }))
    }

    /// The value of an attribute that may be there.
    pub fn optional<T: Value>(&mut self, name: &'static str) -> Result<Option<T>, DecodeError> {
        // The library's own search by name looks over the namespace.
        let named = |found: &Attribute<'_, '_>| found.name() == name && found.namespace().is_none();
        let Some(attribute) = self.node.attributes().find(named) else {
            return Ok(None);
        };
        self.taken += 1;
        match T::parse(attribute.value()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(at_attribute(self.node, attribute, error.into())),
        }
    }

    /// Refuses attributes that nobody asked for; `known` are those of the schema.
    pub fn finish(self, known: &[&str]) -> Result<(), DecodeError> {
        if self.taken == self.node.attributes().len() {
            return Ok(());
        }
        for attribute in self.node.attributes() {
            refuse_instance_attribute(self.node, attribute)?;
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                return Err(at_attribute(
                    self.node,
                    attribute,
                    DecodeReason::UnexpectedAttribute,
                ));
            }
        }
        Ok(())
    }
}

fn refuse_instance_attribute(
    node: Node<'_, '_>,
    attribute: Attribute<'_, '_>,
) -> Result<(), DecodeError> {
    if attribute.namespace() == Some(INSTANCE_NAMESPACE) {
        return Err(at_attribute(
            node,
            attribute,
            DecodeReason::InstanceAttribute,
        ));
    }
    Ok(())
}

/// The child elements of one element, in order.
pub struct Children<'a, 'input> {
    parent: Node<'a, 'input>,
    next: Option<Node<'a, 'input>>,
}

impl<'a, 'input> Children<'a, 'input> {
    /// The children of an element that holds only elements.
    pub fn of(parent: Node<'a, 'input>) -> Result<Self, DecodeError> {
        let mut children = Self { parent, next: None };
        children.advance(parent.first_child())?;
        Ok(children)
    }

    /// Moves to the first element from `node` on, over white space, comments
    /// and processing instructions.
    fn advance(&mut self, mut node: Option<Node<'a, 'input>>) -> Result<(), DecodeError> {
        while let Some(sibling) = node {
            if sibling.is_element() {
                break;
            }
            let blank = |text: &str| text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if sibling.is_text() && !blank(sibling.text().unwrap_or_default()) {
                return Err(at(self.parent, DecodeReason::UnexpectedText));
            }
            node = sibling.next_sibling();
        }
        self.next = node;
        Ok(())
    }

    /// The local name of the next element, if that is of Kith's namespace.
    pub fn name(&self) -> Option<&'a str> {
        let name = self.next?.tag_name();
        (name.namespace() == Some(NAMESPACE)).then(|| name.name())
    }

    fn take(&mut self, name: &str) -> Result<Option<Node<'a, 'input>>, DecodeError> {
        match self.next {
            Some(node) if is_named(node, name) => {
                self.advance(node.next_sibling())?;
                Ok(Some(node))
            }
            _ => Ok(None),
        }
    }

    /// An element that must be there.
    pub fn one<T: Element>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        match self.take(name)? {
            Some(node) => T::read(node),
            None => Err(self.unexpected(name)),
        }
    }

    /// An element that may be there.
    pub fn optional<T: Element>(&mut self, name: &'static str) -> Result<Option<T>, DecodeError> {
        self.take(name)?.map(T::read).transpose()
    }

    /// Between `min` and `max` elements of one name.
    pub fn repeated<T: Element>(
        &mut self,
        name: &'static str,
        min: usize,
        max: usize,
    ) -> Result<Vec<T>, DecodeError> {
        let mut values = Vec::new();
        while values.len() < max {
            let Some(node) = self.take(name)? else { break };
            values.push(T::read(node)?);
        }
        if values.len() < min {
            return Err(self.unexpected(name));
        }
        Ok(values)
    }

    /// Checks and skips between `min` and `max` elements of other namespaces.
    pub fn foreign(&mut self, min: usize, max: usize) -> Result<(), DecodeError> {
        let mut found = 0;
        while found < max && self.take_foreign()?.is_some() {
            found += 1;
        }
        if found < min {
            return Err(self.unexpected("an element of another namespace"));
        }
        Ok(())
    }

    /// Checks and skips one element of another namespace, and gives its name.
    pub fn foreign_name(&mut self) -> Result<Option<Foreign>, DecodeError> {
        let Some(node) = self.take_foreign()? else {
            return Ok(None);
        };
        let name = node.tag_name();
        let namespace = name.namespace().unwrap_or_default().to_owned();
        Ok(Some(Foreign {
            namespace,
            name: name.name().to_owned(),
        }))
    }

    /// One of several elements, which must be there.
    pub fn choice<T>(
        &mut self,
        choose: impl Fn(&mut Self) -> Result<Option<T>, DecodeError>,
        expected: &str,
    ) -> Result<T, DecodeError> {
        choose(self)?.ok_or_else(|| self.unexpected(expected))
    }

    /// Between `min` and `max` of several elements.
    pub fn choices<T>(
        &mut self,
        choose: impl Fn(&mut Self) -> Result<Option<T>, DecodeError>,
        expected: &str,
        min: usize,
        max: usize,
    ) -> Result<Vec<T>, DecodeError> {
        let mut values = Vec::new();
        while values.len() < max {
            let Some(value) = choose(self)? else { break };
            values.push(value);
        }
        if values.len() < min {
            return Err(self.unexpected(expected));
        }
        Ok(values)
    }

    fn take_foreign(&mut self) -> Result<Option<Node<'a, 'input>>, DecodeError> {
        let Some(node) = self.next else {
            return Ok(None);
        };
        if matches!(node.tag_name().namespace(), None | Some("" | NAMESPACE)) {
            return Ok(None);
        }
        lax(node)?;
        self.advance(node.next_sibling())?;
        Ok(Some(node))
    }

    /// Refuses elements that come after the last of the schema.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.next.is_some() {
            return Err(self.unexpected("no more elements"));
        }
        Ok(())
    }

    /// The error that `expected` did not come.
    pub fn unexpected(&self, expected: &str) -> DecodeError {
        let expected = expected.to_owned();
        match self.next {
            Some(node) => {
                let found = name_of(node);
                at(node, DecodeReason::UnexpectedElement { found, expected })
            }
            None => at(self.parent, DecodeReason::MissingElement { expected }),
        }
    }
}

/// Lax assessment of an element that the schema does not declare: what is below
/// it and declared there must be valid, all else is free. No deeper than
/// [`XML_DEPTH`](crate::limits::XML_DEPTH).
fn lax(node: Node<'_, '_>) -> Result<(), DecodeError> {
    for attribute in node.attributes() {
        refuse_instance_attribute(node, attribute)?;
    }
    let root = node.document().root_element();
    for child in node.children().filter(Node::is_element) {
        if child.tag_name() == root.tag_name() {
            types::check_root(child)?;
        } else {
            lax(child)?;
        }
    }
    Ok(())
}

/// Refuses any content: for elements that have only attributes.
pub fn empty(node: Node<'_, '_>) -> Result<(), DecodeError> {
    for child in node.children() {
        if child.is_text() && child.text() != Some("") {
            return Err(at(node, DecodeReason::UnexpectedText));
        }
        if child.is_element() {
            let found = name_of(child);
            let expected = "no elements".to_owned();
            return Err(at(
                child,
                DecodeReason::UnexpectedElement { found, expected },
            ));
        }
    }
    Ok(())
}

/// The value of an element of a simple type, which has no attributes.
pub fn simple<T: Value>(node: Node<'_, '_>) -> Result<T, DecodeError> {
    Attributes::of(node).finish(&[])?;
    content(node)
}

/// The text of an element as a value.
pub fn content<T: Value>(node: Node<'_, '_>) -> Result<T, DecodeError> {
    T::parse(&text_of(node)?).map_err(|error| at(node, error.into()))
}

fn text_of<'a>(node: Node<'a, '_>) -> Result<Cow<'a, str>, DecodeError> {
    let mut text = Cow::Borrowed("");
    for child in node.children() {
        if child.is_element() {
            let found = name_of(child);
            let expected = "text only".to_owned();
            return Err(at(
                child,
                DecodeReason::UnexpectedElement { found, expected },
            ));
        }
        if child.is_text() {
            text += child.text().unwrap_or_default();
        }
    }
    Ok(text)
}
