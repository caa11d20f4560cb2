//! Limits on a document before it is parsed.
//!
//! They bound time and memory: the parser is linear in what these allow, and
//! nothing recurses deeper than [`XML_DEPTH`].

/// The most octets of an XML document: 64 KiB.
pub const XML_OCTETS: usize = 64 * 1024;

/// The deepest nesting of elements, the root being 1.
pub const XML_DEPTH: usize = 64;

/// The most attributes on one element, namespace declarations included.
pub const XML_ATTRIBUTES: usize = 64;

/// The most declarations of namespace prefixes in force at one place.
pub const XML_PREFIXES: usize = 32;

/// The most elements, comments, processing instructions and CDATA sections together.
pub const XML_NODES: usize = 4096;
