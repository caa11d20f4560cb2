//! From xsd-parser's tree of a schema to the model.

use std::collections::BTreeMap;

use xsd_parser::Parser;
use xsd_parser::models::schema::xs::{
    Annotation, AttributeType, AttributeUseType, ComplexBaseType, ComplexBaseTypeContent,
    ElementType, ElementTypeContent, ExtensionTypeContent, Facet, GroupType, GroupTypeContent,
    RestrictionContent, SchemaContent, SimpleBaseType, SimpleBaseTypeContent, SimpleContentContent,
};
use xsd_parser::models::schema::{MaxOccurs, QName};

use super::model::{
    Attribute, Choice, Content, Item, Module, Particle, ParticleKind, Shape, Simple, Struct,
};
use super::print::type_case;
use super::{Error, Schema};

const XS: &[u8] = b"http://www.w3.org/2001/XMLSchema";
/// The patterns of numbers: one form for each value. Without a pattern, libxml2
/// does not take white space around a number.
const NUMBERS: &[&str] = &[POSITIVE, NATURAL, "(0|-?[1-9][0-9]*)"];
const POSITIVE: &str = "[1-9][0-9]*";
const NATURAL: &str = "(0|[1-9][0-9]*)";
/// The pattern of instants: what [`Shape::Time`] reads and writes.
const TIME: &str = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z";
/// The pattern of canonical base64: what [`Shape::Base64`] reads and writes. Without
/// counts, because libxml2 counts wrongly in a repeated group.
const BASE64: &str = "([A-Za-z0-9+/][A-Za-z0-9+/][A-Za-z0-9+/][A-Za-z0-9+/])*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/][A-Za-z0-9+/][AEIMQUYcgkosw048]=)?";

/// Reads all schemas.
pub(super) fn modules(schemas: &[Schema]) -> Result<Vec<Module>, Error> {
    let mut parsed = Vec::new();
    for schema in schemas {
        let file = format!("{}.xsd", schema.name);
        let parser = Parser::new()
            .resolve_includes(false)
            .add_schema_from_str(&schema.text)
            .map_err(|error| Error::Parse {
                file: file.clone(),
                message: error.to_string(),
            })?;
        let contents = parser.finish();
        for (_, info) in contents.schemas() {
            parsed.push((schema.name.clone(), info.schema.content.clone()));
        }
    }
    let mut simple = BTreeMap::new();
    for content in parsed.iter().flat_map(|(_, contents)| contents) {
        if let SchemaContent::SimpleType(definition) = content
            && let Some(name) = &definition.name
        {
            simple.insert(name.clone(), definition.clone());
        }
    }
    parsed
        .iter()
        .map(|(name, contents)| module(name, contents, &simple))
        .collect()
}

fn module(
    name: &str,
    contents: &[SchemaContent],
    simple: &BTreeMap<String, SimpleBaseType>,
) -> Result<Module, Error> {
    let mut reader = Reader {
        file: format!("{name}.xsd"),
        simple,
        items: Vec::new(),
    };
    let mut roots = Vec::new();
    let mut docs = String::new();
    for content in contents {
        match content {
            SchemaContent::Annotation(annotation) if docs.is_empty() => docs = text_of(annotation),
            SchemaContent::SimpleType(definition) => {
                let name = definition.name.clone().unwrap_or_default();
                let item = reader.simple(name, definition)?;
                reader.items.push(Item::Simple(item));
            }
            SchemaContent::ComplexType(definition) => {
                reader.complex(definition.name.clone().unwrap_or_default(), definition)?;
            }
            SchemaContent::Element(element) => {
                roots.push((
                    element.name.clone().unwrap_or_default(),
                    reader.type_of(element, "")?,
                ));
            }
            _ => {}
        }
    }
    // The schema's documentation is that of the type named like it, too.
    let main = type_case(name);
    for item in &mut reader.items {
        if let Item::Struct(item) = item
            && item.docs.is_empty()
            && item.name == main
        {
            item.docs.clone_from(&docs);
        }
    }
    Ok(Module {
        name: name.to_owned(),
        docs,
        roots,
        items: reader.items,
    })
}

struct Reader<'a> {
    file: String,
    simple: &'a BTreeMap<String, SimpleBaseType>,
    items: Vec<Item>,
}

impl Reader<'_> {
    fn unsupported<T>(&self, message: impl Into<String>) -> Result<T, Error> {
        Err(Error::Unsupported {
            file: self.file.clone(),
            message: message.into(),
        })
    }

    fn simple(&self, name: String, definition: &SimpleBaseType) -> Result<Simple, Error> {
        let mut facets = Facets::default();
        self.facets(definition, &mut facets)?;
        let shape = self.shape(&name, facets)?;
        Ok(Simple {
            docs: docs_of_simple(definition),
            name,
            shape,
        })
    }

    /// Collects the facets of a type and of those that it restricts.
    fn facets(&self, definition: &SimpleBaseType, facets: &mut Facets) -> Result<(), Error> {
        for content in &definition.content {
            let SimpleBaseTypeContent::Restriction(restriction) = content else {
                continue;
            };
            for content in &restriction.content {
                if let RestrictionContent::Facet(facet) = content {
                    facets.add(facet);
                }
            }
            let Some(base) = &restriction.base else {
                continue;
            };
            let name = local(base);
            if is_built_in(base) {
                facets.base = name;
            } else if let Some(base) = self.simple.get(&name) {
                self.facets(base, facets)?;
            } else {
                return self.unsupported(format!("there is no simple type {name}"));
            }
        }
        Ok(())
    }

    fn shape(&self, name: &str, facets: Facets) -> Result<Shape, Error> {
        let mut patterns = facets.patterns;
        if patterns.len() > 1 {
            return self.unsupported(format!("{name} has more than one pattern; write one"));
        }
        let pattern = patterns.pop();
        let length = facets.min_length.unwrap_or(0);
        match (facets.base.as_str(), pattern) {
            ("string", None) if !facets.enumeration.is_empty() => {
                Ok(Shape::Enumeration(facets.enumeration))
            }
            ("string", Some(pattern)) if hex_length(&pattern).is_some() => Ok(Shape::Octets {
                length: hex_length(&pattern).unwrap_or(0),
                pattern,
            }),
            ("string", pattern) => match (facets.max_length, pattern) {
                (Some(max), Some(pattern)) if pattern == BASE64 => Ok(Shape::Base64 {
                    min: length,
                    max,
                    pattern,
                }),
                (Some(max), pattern) => Ok(Shape::Text {
                    min: length,
                    max,
                    pattern,
                }),
                (None, _) => self.unsupported(format!("{name} needs xs:maxLength")),
            },
            ("int" | "long", Some(pattern)) if NUMBERS.contains(&pattern.as_str()) => {
                Ok(facets.numbers.of(&facets.base, pattern))
            }
            ("int" | "long", _) => self.unsupported(format!(
                "{name} needs one of the patterns {}",
                NUMBERS.join(", ")
            )),
            ("dateTime", Some(pattern)) if pattern == TIME => Ok(Shape::Time { pattern }),
            ("dateTime", _) => self.unsupported(format!("{name} needs the pattern {TIME}")),
            (base, _) => self.unsupported(format!(
                "{name} restricts xs:{base} in a way that is not supported; there are \
                 xs:string, xs:int and xs:long, and xs:dateTime"
            )),
        }
    }

    fn complex(&mut self, name: String, definition: &ComplexBaseType) -> Result<(), Error> {
        let mut item = Struct {
            name,
            docs: String::new(),
            attributes: Vec::new(),
            content: Content::Empty,
        };
        let first = self.items.len();
        for content in &definition.content {
            match content {
                ComplexBaseTypeContent::Annotation(annotation) => item.docs = text_of(annotation),
                ComplexBaseTypeContent::Attribute(attribute) => {
                    item.attributes.push(self.attribute(attribute)?);
                }
                ComplexBaseTypeContent::Sequence(group) => {
                    let particles = self.sequence(&item.name, group)?;
                    item.content = Content::Particles(particles);
                }
                ComplexBaseTypeContent::Choice(group) => {
                    let particle = self.choice(&item.name, group)?;
                    item.content = Content::Particles(vec![particle]);
                }
                ComplexBaseTypeContent::SimpleContent(simple) => {
                    for content in &simple.content {
                        let SimpleContentContent::Extension(extension) = content else {
                            continue;
                        };
                        item.content = Content::Value(self.type_name(&extension.base)?);
                        for content in &extension.content {
                            if let ExtensionTypeContent::Attribute(attribute) = content {
                                item.attributes.push(self.attribute(attribute)?);
                            }
                        }
                    }
                }
                _ => return self.unsupported(format!("{} is of an unknown form", item.name)),
            }
        }
        // Before the types that its own elements brought.
        self.items.insert(first, Item::Struct(item));
        Ok(())
    }

    fn attribute(&self, attribute: &AttributeType) -> Result<Attribute, Error> {
        let name = attribute.name.clone().unwrap_or_default();
        let Some(type_name) = &attribute.type_ else {
            return self.unsupported(format!("the attribute {name} needs a type"));
        };
        Ok(Attribute {
            docs: attribute
                .annotation
                .as_ref()
                .map(text_of)
                .unwrap_or_default(),
            type_name: self.type_name(type_name)?,
            required: matches!(attribute.use_, AttributeUseType::Required),
            name,
        })
    }

    fn sequence(&mut self, owner: &str, group: &GroupType) -> Result<Vec<Particle>, Error> {
        if (group.min_occurs, max_of(&group.max_occurs)) != (1, Some(1)) {
            return self.unsupported(format!("the sequence of {owner} must occur once"));
        }
        let mut particles = Vec::new();
        for content in &group.content {
            match content {
                GroupTypeContent::Annotation(_) => {}
                GroupTypeContent::Element(element) => {
                    particles.push(self.element(owner, element)?);
                }
                GroupTypeContent::Choice(group) => particles.push(self.choice(owner, group)?),
                GroupTypeContent::Any(any) => particles.push(Particle {
                    docs: String::new(),
                    min: any.min_occurs,
                    max: max_of(&any.max_occurs),
                    kind: ParticleKind::Foreign,
                }),
                _ => return self.unsupported(format!("{owner} nests model groups")),
            }
        }
        Ok(particles)
    }

    fn element(&mut self, owner: &str, element: &ElementType) -> Result<Particle, Error> {
        Ok(Particle {
            docs: docs_of_element(element),
            min: element.min_occurs,
            max: max_of(&element.max_occurs),
            kind: ParticleKind::Element {
                name: element.name.clone().unwrap_or_default(),
                type_name: self.type_of(element, owner)?,
            },
        })
    }

    /// The type of an element; one that stands inside of it gets a name from its owner.
    fn type_of(&mut self, element: &ElementType, owner: &str) -> Result<String, Error> {
        if let Some(name) = &element.type_ {
            return self.type_name(name);
        }
        let element_name = element.name.clone().unwrap_or_default();
        let name = format!("{owner}{}", type_case(&element_name));
        let docs = match docs_of_element(element) {
            docs if docs.is_empty() => format!("The element `{element_name}` of [`{owner}`]."),
            docs => docs,
        };
        for content in &element.content {
            match content {
                ElementTypeContent::ComplexType(definition) => {
                    let first = self.items.len();
                    self.complex(name.clone(), definition)?;
                    if let Some(Item::Struct(item)) = self.items.get_mut(first) {
                        item.docs = docs;
                    }
                    return Ok(name);
                }
                ElementTypeContent::SimpleType(definition) => {
                    let mut item = self.simple(name.clone(), definition)?;
                    item.docs = docs;
                    self.items.push(Item::Simple(item));
                    return Ok(name);
                }
                _ => {}
            }
        }
        self.unsupported(format!("the element {element_name} needs a type"))
    }

    /// A choice: its `id` names the field and the type.
    fn choice(&mut self, owner: &str, group: &GroupType) -> Result<Particle, Error> {
        let Some(id) = &group.id else {
            return self.unsupported(format!("a choice in {owner} needs an id to be named by"));
        };
        let mut item = Choice {
            name: type_case(id),
            alternatives: Vec::new(),
            foreign: false,
        };
        let place = self.items.len();
        for content in &group.content {
            match content {
                GroupTypeContent::Annotation(_) => {}
                GroupTypeContent::Element(element) => {
                    let particle = self.element(owner, element)?;
                    let ParticleKind::Element { name, type_name } = particle.kind else {
                        continue;
                    };
                    if (particle.min, particle.max) != (1, Some(1)) {
                        return self.unsupported(format!("{name} in {id} must occur once"));
                    }
                    item.alternatives.push((name, type_name, particle.docs));
                }
                GroupTypeContent::Any(_) => item.foreign = true,
                _ => return self.unsupported(format!("{id} nests model groups")),
            }
        }
        let type_name = item.name.clone();
        self.items.insert(place, Item::Choice(item));
        Ok(Particle {
            docs: String::new(),
            min: group.min_occurs,
            max: max_of(&group.max_occurs),
            kind: ParticleKind::Choice {
                name: id.clone(),
                type_name,
            },
        })
    }

    fn type_name(&self, name: &QName) -> Result<String, Error> {
        match (is_built_in(name), local(name)) {
            (false, name) => Ok(name),
            (true, name) if name == "boolean" => Ok("bool".to_owned()),
            (true, name) => self.unsupported(format!(
                "xs:{name} is used as it is; define a simple type with its bounds"
            )),
        }
    }
}

/// The facets of a restriction and of its bases.
#[derive(Default)]
struct Facets {
    base: String,
    min_length: Option<usize>,
    max_length: Option<usize>,
    patterns: Vec<String>,
    enumeration: Vec<(String, String)>,
    numbers: Numbers,
}

#[derive(Default)]
struct Numbers {
    min: Option<i64>,
    max: Option<i64>,
}

impl Numbers {
    fn of(&self, base: &str, pattern: String) -> Shape {
        let (lowest, highest) = match base {
            "int" => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let lowest = match pattern.as_str() {
            POSITIVE => 1,
            NATURAL => 0,
            _ => lowest,
        };
        Shape::Number {
            min: self.min.map_or(lowest, |own| own.max(lowest)),
            max: self.max.map_or(highest, |own| own.min(highest)),
            pattern,
        }
    }
}

impl Facets {
    /// Adds a facet; that of the type most derived comes first and stays.
    fn add(&mut self, facet: &Facet) {
        match facet {
            Facet::MinLength(facet) => keep(&mut self.min_length, &facet.value),
            Facet::MaxLength(facet) => keep(&mut self.max_length, &facet.value),
            Facet::MinInclusive(facet) => keep(&mut self.numbers.min, &facet.value),
            Facet::MaxInclusive(facet) => keep(&mut self.numbers.max, &facet.value),
            Facet::Pattern(facet) => self.patterns.push(facet.value.clone()),
            Facet::Enumeration(facet) => {
                let docs = facet.annotation.as_ref().map(text_of).unwrap_or_default();
                self.enumeration.push((facet.value.clone(), docs));
            }
            _ => {}
        }
    }
}

fn keep<T: std::str::FromStr>(place: &mut Option<T>, value: &str) {
    if place.is_none() {
        *place = value.trim().parse().ok();
    }
}

/// The octets of a pattern of hexadecimal digits, as 32 of `[0-9a-f]{64}`.
fn hex_length(pattern: &str) -> Option<usize> {
    let digits: usize = pattern
        .strip_prefix("[0-9a-f]{")?
        .strip_suffix('}')?
        .parse()
        .ok()?;
    digits.is_multiple_of(2).then_some(digits / 2)
}

fn max_of(max: &MaxOccurs) -> Option<usize> {
    match max {
        MaxOccurs::Unbounded => None,
        MaxOccurs::Bounded(max) => Some(*max),
    }
}

fn is_built_in(name: &QName) -> bool {
    name.namespace()
        .is_some_and(|namespace| namespace.0.as_ref() == XS)
}

fn local(name: &QName) -> String {
    String::from_utf8_lossy(name.local_name()).into_owned()
}

fn docs_of_simple(definition: &SimpleBaseType) -> String {
    let docs = definition.content.iter().map(|content| match content {
        SimpleBaseTypeContent::Annotation(annotation) => text_of(annotation),
        _ => String::new(),
    });
    docs.collect()
}

fn docs_of_element(element: &ElementType) -> String {
    let docs = element.content.iter().map(|content| match content {
        ElementTypeContent::Annotation(annotation) => text_of(annotation),
        _ => String::new(),
    });
    docs.collect()
}

/// The documentation, as one line of text.
fn text_of(annotation: &Annotation) -> String {
    let text = annotation
        .extract_documentation()
        .unwrap_or_default()
        .join(" ");
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    let text = text.replace("&apos;", "'").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
