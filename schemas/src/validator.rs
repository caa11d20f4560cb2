//! General XSD validation with the schemas themselves: another code path than
//! the decoder, so that the two check each other. The judge uses this one.
//!
//! The library is xsd-schema, with what measurement showed to be missing: text
//! between elements is looked at here. The checks before a parser sees the
//! document are those of the decoder (size, UTF-8, no document type
//! declaration); attributes of the XML Schema instance namespace are refused.

use std::cell::{Cell, RefCell};

use roxmltree::Document;
use self_cell::self_cell;
use thiserror::Error;
use xsd_schema::validation::{
    AttributeView, ContentType, DoctypeView, DriveWithError, ElementStartView, EndElementInfo,
    SchemaInfo, SchemaValidator, TextKind, ValidationError, ValidationEventHandler,
    ValidationFlags, ValidationSink, ValidationWarning, drive_quick_xml_with,
};
use xsd_schema::xml::ParseLimits;
use xsd_schema::{SchemaError, SchemaSet, parse_schema_only, process_loaded_schemas};

use crate::limits::{XML_ATTRIBUTES, XML_DEPTH};
use crate::{markup, sources};

const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// How many names foreign content may add to the library's table, which never
/// shrinks, before the schemas are loaded again.
const NAMES: usize = 10_000;

/// A schema document whose global element starts documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaName {
    /// `object.xsd`
    Object,
    /// `delivery.xsd`
    Delivery,
    /// `devices.xsd`
    Devices,
}

impl SchemaName {
    /// The file name of the schema document.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Object => "object.xsd",
            Self::Delivery => "delivery.xsd",
            Self::Devices => "devices.xsd",
        }
    }
}

/// Why a document is not valid, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct Invalid {
    /// The line of the element, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// The embedded schemas could not be loaded.
#[derive(Debug, Error)]
#[error("cannot load the schema {name}: {message}; run the tests of kith-schemas")]
pub struct LoadError {
    /// The file name of the schema document.
    pub name: &'static str,
    /// What the library said.
    pub message: String,
}

self_cell! {
    /// A schema with its compiled content models, which take longer to make than to use.
    struct Loaded {
        owner: SchemaSet,
        #[not_covariant]
        dependent: SchemaValidator,
    }
}

/// Validates documents against one schema.
pub struct Validator {
    name: SchemaName,
    loaded: Loaded,
    names: usize,
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Validator {
    /// Loads the schema.
    ///
    /// # Errors
    /// When the library refuses the embedded schema documents.
    pub fn new(name: SchemaName) -> Result<Self, LoadError> {
        let loaded = load(name)?;
        let names = loaded.borrow_owner().name_table.len();
        Ok(Self {
            name,
            loaded,
            names,
        })
    }

    /// Validates a document.
    ///
    /// # Errors
    /// When it is not XML as the protocol takes it, or not valid: the first error found.
    pub fn validate(&mut self, octets: &[u8]) -> Result<(), Invalid> {
        if self.loaded.borrow_owner().name_table.len() > self.names + NAMES
            && let Ok(loaded) = load(self.name)
        {
            self.loaded = loaded;
        }
        if let Err(error) = markup::check(octets) {
            return Err(Invalid {
                line: error.line,
                message: error.reason.to_string(),
            });
        }
        let run = Run::default();
        let failure = self
            .loaded
            .with_dependent(|set, validator| run.drive(set, validator, octets));
        match failure {
            None => Ok(()),
            Some(Failure { offset, message }) => {
                let before = &octets[..offset.min(octets.len())];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                Err(Invalid {
                    line: u32::try_from(line).unwrap_or(u32::MAX),
                    message,
                })
            }
        }
    }
}

/// Loads a schema document and those that it includes.
fn load(name: SchemaName) -> Result<Loaded, LoadError> {
    let name = name.file();
    let failed = |error: SchemaError| LoadError {
        name,
        message: error.to_string(),
    };
    let mut set = SchemaSet::new();
    let mut wanted = vec![name.to_owned()];
    let mut at = 0;
    while let Some(file) = wanted.get(at).cloned() {
        at += 1;
        let Some((_, text)) = sources().iter().find(|(name, _)| *name == file) else {
            let message = format!("there is no {file}");
            return Err(LoadError { name, message });
        };
        parse_schema_only(text.as_bytes(), &file, &mut set).map_err(failed)?;
        for included in includes(text) {
            if !wanted.contains(&included) {
                wanted.push(included);
            }
        }
    }
    process_loaded_schemas(&mut set).map_err(failed)?;
    let flags = ValidationFlags::default() & !ValidationFlags::BUILD_PSVI_TYPED_VALUES;
    Ok(Loaded::new(set, |set| SchemaValidator::new(set, flags)))
}

fn includes(text: &str) -> Vec<String> {
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    let root = document.root_element();
    let locations = root.children().filter(|node| node.has_tag_name("include"));
    locations
        .filter_map(|node| node.attribute("schemaLocation"))
        .map(str::to_owned)
        .collect()
}

struct Failure {
    offset: usize,
    message: String,
}

/// One validation: where it is, and the first error.
#[derive(Default)]
struct Run {
    offset: Cell<usize>,
    failure: RefCell<Option<Failure>>,
}

impl Run {
    fn fail(&self, message: String) {
        let offset = self.offset.get();
        self.failure
            .borrow_mut()
            .get_or_insert(Failure { offset, message });
    }

    fn drive(
        self,
        set: &SchemaSet,
        validator: &SchemaValidator<'_>,
        octets: &[u8],
    ) -> Option<Failure> {
        let mut runtime = validator.start_run(Sink(&self));
        runtime.set_parse_limits(
            ParseLimits::none()
                .with_max_depth(XML_DEPTH)
                .with_max_attributes(XML_ATTRIBUTES)
                .with_max_namespace_declarations(XML_ATTRIBUTES),
        );
        let mut handler = Handler {
            run: &self,
            contents: Vec::new(),
        };
        match drive_quick_xml_with(octets, &mut runtime, set, &mut handler) {
            Ok(outcome) if outcome.root_validity.is_none() => self.fail("no element".to_owned()),
            Ok(_) => {
                if let Err(error) = runtime.end_validation() {
                    self.fail(error.to_string());
                }
            }
            Err(DriveWithError::Hook(Refused(message))) => self.fail(message.to_owned()),
            Err(error) => self.fail(error.to_string()),
        }
        drop(runtime);
        self.failure.into_inner()
    }
}

struct Sink<'a>(&'a Run);

impl ValidationSink for Sink<'_> {
    fn on_error(&mut self, error: ValidationError) {
        self.0.fail(error.to_string());
    }

    fn on_warning(&mut self, _: ValidationWarning) {}
}

/// What the profile refuses though the library does not.
struct Refused(&'static str);

struct Handler<'a> {
    run: &'a Run,
    /// The content types of the open elements; none where no type governs.
    contents: Vec<Option<ContentType>>,
}

impl ValidationEventHandler for Handler<'_> {
    type Error = Refused;

    fn on_doctype(&mut self, _: DoctypeView<'_>) -> Result<(), Refused> {
        Err(Refused(
            "a document type declaration (DOCTYPE) is not allowed",
        ))
    }

    fn on_element_start_offset(&mut self, offset: usize) -> Result<(), Refused> {
        self.run.offset.set(offset);
        Ok(())
    }

    fn after_element(&mut self, _: ElementStartView<'_>, info: &SchemaInfo) -> Result<(), Refused> {
        self.contents.push(info.content_type);
        Ok(())
    }

    fn after_end_element(&mut self, _: &EndElementInfo, _: usize) -> Result<(), Refused> {
        self.contents.pop();
        Ok(())
    }

    fn before_attribute(&mut self, attribute: AttributeView<'_>) -> Result<(), Refused> {
        if attribute.namespace_uri == INSTANCE_NAMESPACE {
            return Err(Refused(
                "attributes of the XML Schema instance namespace (xsi:*) are not allowed",
            ));
        }
        Ok(())
    }

    fn on_text(&mut self, _: TextKind, text: &str) -> Result<(), Refused> {
        let blank = text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        match self.contents.last() {
            Some(Some(ContentType::ElementOnly)) if !blank => {
                Err(Refused("text cannot stand between these elements"))
            }
            Some(Some(ContentType::Empty)) if !text.is_empty() => {
                Err(Refused("text cannot stand in this element"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_do_not_fill_the_table() {
        let mut validator = Validator::new(SchemaName::Object).unwrap();
        let mut largest = 0;
        for round in 0..15 {
            let names = (0..1000).map(|n| format!("<x{round}-{n} xmlns=\"urn:x\"/>"));
            let names: String = names.collect();
            let document = format!("<object xmlns=\"urn:kith:1.0\">{names}</object>");
            assert!(validator.validate(document.as_bytes()).is_err());
            largest = largest.max(validator.loaded.borrow_owner().name_table.len());
        }
        let limit = validator.names + NAMES;
        assert!(
            (limit..limit + 2000).contains(&largest),
            "{largest} names, limit {limit}"
        );
        assert!(validator.loaded.borrow_owner().name_table.len() < limit);
    }
}
