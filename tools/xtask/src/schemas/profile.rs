//! The profile: the part of XML Schema that all validators agree on, and that
//! the printer knows.
//!
//! Elements and attributes are listed one by one, so whatever is not listed is
//! outside of it: unions, lists, mixed content, defaults, nil, substitution,
//! identity constraints, imports, document type declarations, `xml:*` and
//! attributes of other namespaces.

use std::fmt;

use roxmltree::{Document, Node};

use super::print::type_case;
use super::{SCHEMAS, Schema, pattern};

const XS: &str = "http://www.w3.org/2001/XMLSchema";
const NAMESPACE: &str = "urn:kith:1.0";

/// The elements of XML Schema that may be used, each with its attributes.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "schema",
        &[
            "targetNamespace",
            "elementFormDefault",
            "attributeFormDefault",
            "version",
        ],
    ),
    ("annotation", &[]),
    ("documentation", &[]),
    ("include", &["schemaLocation"]),
    ("element", &["name", "type", "minOccurs", "maxOccurs"]),
    ("attribute", &["name", "type", "use"]),
    (
        "any",
        &["namespace", "processContents", "minOccurs", "maxOccurs"],
    ),
    ("simpleType", &["name"]),
    ("complexType", &["name"]),
    ("simpleContent", &[]),
    ("restriction", &["base"]),
    ("extension", &["base"]),
    ("sequence", &[]),
    ("choice", &["id", "minOccurs", "maxOccurs"]),
    ("minLength", &["value"]),
    ("maxLength", &["value"]),
    ("minInclusive", &["value"]),
    ("maxInclusive", &["value"]),
    ("pattern", &["value"]),
    ("enumeration", &["value"]),
];

/// The built-in types that may be used.
const BUILT_IN: &[&str] = &["string", "int", "long", "dateTime", "boolean"];

/// Something outside of the profile.
#[derive(Debug)]
pub(super) struct Finding {
    file: String,
    line: u32,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What of a schema is outside of the profile.
pub(super) fn findings(schema: &Schema) -> Vec<Finding> {
    let file = format!("{SCHEMAS}/{}.xsd", schema.name);
    let document = match Document::parse(&schema.text) {
        Ok(document) => document,
        Err(error) => {
            return vec![Finding {
                file,
                line: error.pos().row,
                message: error.to_string(),
            }];
        }
    };
    let main = type_case(&schema.name);
    let mut findings = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let mut messages = Vec::new();
        check(node, &mut messages);
        check_documented(node, &main, &mut messages);
        let line = document.text_pos_at(node.range().start).row;
        findings.extend(messages.into_iter().map(|message| Finding {
            file: file.clone(),
            line,
            message,
        }));
    }
    findings
}

fn check(node: Node<'_, '_>, messages: &mut Vec<String>) {
    let name = node.tag_name().name();
    let allowed = ALLOWED.iter().find(|(allowed, _)| *allowed == name);
    let (true, Some((_, attributes))) = (node.tag_name().namespace() == Some(XS), allowed) else {
        messages.push(format!("<{name}> is outside of the profile"));
        return;
    };
    for attribute in node.attributes() {
        if attribute.namespace().is_some() || !attributes.contains(&attribute.name()) {
            let attribute = attribute.name();
            messages.push(format!(
                "the attribute {attribute} of xs:{name} is outside of the profile"
            ));
        }
    }
    match name {
        "schema" => check_schema(node, messages),
        "any" => check_any(node, messages),
        "choice" => require(node, "id", "to name the Rust type by", messages),
        "pattern" => {
            if let Err(error) = pattern::translate(node.attribute("value").unwrap_or_default()) {
                messages.push(format!("the pattern has {error}"));
            }
        }
        "restriction" | "extension" => check_type(node, "base", messages),
        "element" => check_element(node, messages),
        "attribute" => {
            require(
                node,
                "type",
                "because types inside of attributes have no name",
                messages,
            );
            check_type(node, "type", messages);
        }
        _ => {}
    }
}

fn require(node: Node<'_, '_>, attribute: &str, why: &str, messages: &mut Vec<String>) {
    if !node.has_attribute(attribute) {
        let name = node.tag_name().name();
        messages.push(format!("xs:{name} needs the attribute {attribute}, {why}"));
    }
}

/// Types with a name become Rust items, whose documentation this is. The type
/// named like the schema document has that of the document.
fn check_documented(node: Node<'_, '_>, main: &str, messages: &mut Vec<String>) {
    let Some(name) = node.attribute("name") else {
        return;
    };
    let is_type = matches!(node.tag_name().name(), "simpleType" | "complexType");
    let annotated = node
        .children()
        .any(|child| child.tag_name().name() == "annotation");
    if is_type && !annotated && name != main {
        messages.push(format!("the type {name} needs documentation"));
    }
}

fn check_schema(node: Node<'_, '_>, messages: &mut Vec<String>) {
    let wanted = [
        ("targetNamespace", NAMESPACE),
        ("elementFormDefault", "qualified"),
        ("attributeFormDefault", "unqualified"),
    ];
    for (attribute, value) in wanted {
        if node.attribute(attribute) != Some(value) {
            messages.push(format!("{attribute} must be {value}"));
        }
    }
}

fn check_any(node: Node<'_, '_>, messages: &mut Vec<String>) {
    if node.attribute("namespace") != Some("##other") {
        messages.push("xs:any must have namespace=\"##other\"".to_owned());
    }
    if node.attribute("processContents") != Some("lax") {
        messages.push("xs:any must have processContents=\"lax\"".to_owned());
    }
    let last = !node
        .next_siblings()
        .skip(1)
        .any(|sibling| sibling.is_element());
    if !last {
        messages.push("xs:any must be the last of its group".to_owned());
    }
}

fn check_element(node: Node<'_, '_>, messages: &mut Vec<String>) {
    check_type(node, "type", messages);
    let global = node
        .parent()
        .is_some_and(|parent| parent.tag_name().name() == "schema");
    if global {
        require(node, "type", "because it starts a document", messages);
    }
    if node.attribute("maxOccurs") == Some("unbounded") {
        messages.push("the number of elements needs a bound: maxOccurs".to_owned());
    }
}

fn check_type(node: Node<'_, '_>, attribute: &str, messages: &mut Vec<String>) {
    let Some(name) = node.attribute(attribute) else {
        return;
    };
    let (prefix, local) = name
        .split_once(':')
        .map_or((None, name), |(p, l)| (Some(p), l));
    match node.lookup_namespace_uri(prefix) {
        Some(XS) if BUILT_IN.contains(&local) => {}
        Some(NAMESPACE) => {}
        _ => messages.push(format!(
            "the type {name} is outside of the profile; of the built-in ones there are {}",
            BUILT_IN.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(body: &str) -> Vec<String> {
        let text = format!(
            "<xs:schema xmlns:xs=\"{XS}\" xmlns=\"{NAMESPACE}\" targetNamespace=\"{NAMESPACE}\" \
             elementFormDefault=\"qualified\" attributeFormDefault=\"unqualified\">\n{body}\n\
             </xs:schema>"
        );
        let schema = Schema {
            name: "x".to_owned(),
            text,
        };
        findings(&schema).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_outside_is_found_with_its_line() {
        let bad = [
            (
                "<xs:simpleType name=\"X\"><xs:union memberTypes=\"B C\"/></xs:simpleType>",
                "union",
            ),
            ("<xs:import namespace=\"urn:x\"/>", "import"),
            ("<xs:complexType name=\"X\" mixed=\"true\"/>", "mixed"),
            (
                "<xs:element name=\"a\" type=\"A\" nillable=\"true\"/>",
                "nillable",
            ),
            ("<xs:element name=\"a\" type=\"xs:anyURI\"/>", "anyURI"),
            (
                "<xs:element name=\"a\" type=\"A\" xml:lang=\"en\"/>",
                "lang",
            ),
        ];
        for (body, word) in bad {
            let found = messages(body);
            assert_eq!(found.len(), 1, "{body}: {found:?}");
            assert!(found[0].starts_with("schemas/1.0/x.xsd:2: "), "{found:?}");
            assert!(found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn wildcards_are_lax_and_last_and_of_other_namespaces() {
        let wrap = |any: &str| {
            messages(&format!(
                "<xs:complexType name=\"X\"><xs:sequence>{any}</xs:sequence></xs:complexType>"
            ))
        };
        let good = "<xs:any namespace=\"##other\" processContents=\"lax\"/>";
        assert!(wrap(good).is_empty());
        assert_eq!(wrap("<xs:any/>").len(), 2);
        assert_eq!(
            wrap(&format!("{good}<xs:element name=\"b\" type=\"B\"/>")).len(),
            1
        );
    }

    #[test]
    fn types_without_documentation_are_found() {
        let found = messages("<xs:complexType name=\"A\"/><xs:complexType name=\"X\"/>");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with("the type A needs documentation"),
            "{found:?}"
        );
    }

    #[test]
    fn a_document_type_declaration_is_found() {
        let schema = Schema {
            name: "x".to_owned(),
            text: "<!DOCTYPE a><a/>".to_owned(),
        };
        assert_eq!(findings(&schema).len(), 1);
    }
}
