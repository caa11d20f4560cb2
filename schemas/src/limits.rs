//! Limits on a document before it is parsed.
//!
//! They bound time and memory: the parser is linear in what these allow, and
//! nothing recurses deeper than [`XML_DEPTH`]. The specification sets them.

use kith_spec::limit;

/// The most octets of an XML document.
pub const XML_OCTETS: usize = limit::XML_OCTETS as usize;

/// The deepest nesting of elements, the root being 1.
pub const XML_DEPTH: usize = limit::XML_DEPTH as usize;

/// The most attributes on one element, namespace declarations included.
pub const XML_ATTRIBUTES: usize = limit::XML_ATTRIBUTES as usize;

/// The most declarations of namespace prefixes in force at one place.
pub const XML_PREFIXES: usize = limit::XML_PREFIXES as usize;

/// The most elements, comments, processing instructions and CDATA sections together.
pub const XML_NODES: usize = limit::XML_ELEMENTS as usize;
