//! What can be wrong with a document or a value.

use thiserror::Error;

/// Why a value is not of its simple type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Fewer characters than `minLength`.
    #[error("has {found} characters; the least is {min}")]
    TooShort {
        /// The characters found.
        found: usize,
        /// The facet's value.
        min: usize,
    },
    /// More characters than `maxLength`.
    #[error("has {found} characters; the most is {max}")]
    TooLong {
        /// The characters found.
        found: usize,
        /// The facet's value.
        max: usize,
    },
    /// The text does not match the pattern.
    #[error("does not match the pattern {pattern}")]
    Pattern {
        /// The schema's pattern, as a regular expression.
        pattern: &'static str,
    },
    /// The text is none of the enumerated values.
    #[error("is none of: {}", .allowed.join(", "))]
    Enumeration {
        /// The schema's values.
        allowed: &'static [&'static str],
    },
    /// The text is not of the form of a built-in type.
    #[error("is not of the form of {expected}")]
    Form {
        /// The built-in type whose form was expected.
        expected: &'static str,
    },
    /// The number is outside of its bounds.
    #[error("is not between {min} and {max}")]
    Range {
        /// The lowest value.
        min: i64,
        /// The highest value.
        max: i64,
    },
    /// There is no such day in the calendar.
    #[error("names a day that the calendar does not have")]
    Calendar,
    /// A character that XML cannot carry.
    #[error("contains U+{:04X}, which XML cannot carry", u32::from(*.found))]
    Character {
        /// The first such character.
        found: char,
    },
}

/// Why octets are not a valid document, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}, at {path}: {reason}")]
pub struct DecodeError {
    /// The element or attribute, as `/object/post/text` or `/object/@rev`;
    /// `/` while there is no element yet.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub reason: DecodeReason,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeReason {
    /// More octets than [`XML_OCTETS`](crate::limits::XML_OCTETS).
    #[error("{octets} octets; the most is {}", crate::limits::XML_OCTETS)]
    TooLarge {
        /// The octets of the document.
        octets: usize,
    },
    /// The octets are not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// The XML declaration says something else than version 1.0 and UTF-8.
    #[error(
        "the XML declaration must be <?xml version=\"1.0\" encoding=\"UTF-8\"?>, or be left out"
    )]
    Declaration,
    /// A document type declaration.
    #[error("a document type declaration (DOCTYPE) is not allowed")]
    Doctype,
    /// Elements nested deeper than [`XML_DEPTH`](crate::limits::XML_DEPTH).
    #[error("elements are nested deeper than {}", crate::limits::XML_DEPTH)]
    TooDeep,
    /// An element with more attributes than [`XML_ATTRIBUTES`](crate::limits::XML_ATTRIBUTES).
    #[error("more than {} attributes", crate::limits::XML_ATTRIBUTES)]
    TooManyAttributes,
    /// More declarations of prefixes in force than [`XML_PREFIXES`](crate::limits::XML_PREFIXES).
    #[error(
        "more than {} namespace prefixes are declared here",
        crate::limits::XML_PREFIXES
    )]
    TooManyPrefixes,
    /// More nodes than [`XML_NODES`](crate::limits::XML_NODES).
    #[error(
        "more than {} elements, comments, processing instructions and CDATA sections",
        crate::limits::XML_NODES
    )]
    TooManyNodes,
    /// Not well-formed, or not namespace-well-formed.
    #[error("not well-formed: {0}")]
    NotWellFormed(String),
    /// An element that cannot stand here.
    #[error("{found} cannot stand here; expected {expected}")]
    UnexpectedElement {
        /// The element's name, with its namespace in braces unless that is Kith's.
        found: String,
        /// What could.
        expected: String,
    },
    /// The element ends too early.
    #[error("{expected} is missing")]
    MissingElement {
        /// What should have come.
        expected: String,
    },
    /// An attribute that the element does not have.
    #[error("there is no such attribute here")]
    UnexpectedAttribute,
    /// An attribute of the XML Schema instance namespace.
    #[error("attributes of the XML Schema instance namespace (xsi:*) are not allowed")]
    InstanceAttribute,
    /// An attribute is missing.
    #[error("the attribute {name} is missing")]
    MissingAttribute {
        /// The attribute's name.
        name: &'static str,
    },
    /// Text where only elements can stand, or anything in an empty element.
    #[error("text cannot stand here")]
    UnexpectedText,
    /// The value is not of its type.
    #[error("the value {0}")]
    Value(#[from] ValueError),
}

/// Why a value cannot be written as a document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at {path}: {reason}")]
pub struct EncodeError {
    /// The element, as `/object/post`.
    pub path: String,
    /// What is wrong there.
    pub reason: EncodeReason,
}

/// What cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeReason {
    /// Too few or too many of one element.
    #[error("{found} elements {name}; between {min} and {max} are allowed")]
    Occurrence {
        /// The element's name.
        name: &'static str,
        /// How many the value holds.
        found: usize,
        /// `minOccurs`
        min: usize,
        /// `maxOccurs`
        max: usize,
    },
    /// A foreign payload: its content is not kept in the value.
    #[error("a foreign payload is kept as octets only and cannot be written again")]
    Foreign,
    /// The document would be larger than [`XML_OCTETS`](crate::limits::XML_OCTETS).
    #[error("{octets} octets; the most is {}", crate::limits::XML_OCTETS)]
    TooLarge {
        /// The octets of the document.
        octets: usize,
    },
}
