//! The Kith XML schemas: generated types with strict decoding, and a general validator.
//!
//! The XSDs in `schemas/1.0` are the source. `cargo xtask schemas` prints
//! [`types`] and [`sources()`] from them: plain types whose values always obey
//! their facets, a decoder that takes exactly the documents that are valid,
//! and an encoder that writes only such documents. The hand-written rest is
//! small: [`limits`], the XML that the protocol takes at all (`markup`), and
//! what the generated code calls (`decode`, `encode`, `simple`).
//!
//! Beyond the schemas, a document must be UTF-8 XML 1.0 without a document
//! type declaration, within the [`limits`], and without attributes of the XML
//! Schema instance namespace. Decoder and validator enforce this alike.
//!
//! ```
//! use kith_schemas::types::{Object, Payload};
//!
//! let octets = br#"<object xmlns="urn:kith:1.0" audience="friends"
//!     author="0000000000000000000000000000000000000000000000000000000000000000"
//!     id="00000000000000000000000000000000" rev="1" created="2026-11-21T12:00:00Z">
//!   <fallback>Alice posted: Hello</fallback><post><text>Hello</text></post></object>"#;
//! let object = Object::decode(octets)?;
//! assert_eq!(object.rev.get(), 1);
//! assert!(matches!(&object.payload, Payload::Post(post) if post.text.as_ref().is_some_and(|text| text.as_str() == "Hello")));
//! assert_eq!(Object::decode(&object.encode()?)?, object);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(hidden)]
pub mod decode;
#[doc(hidden)]
pub mod encode;
mod error;
mod foreign;
pub mod limits;
mod markup;
mod simple;
mod sources;
pub mod types;
#[cfg(feature = "validator")]
pub mod validator;

pub use error::{DecodeError, DecodeReason, EncodeError, EncodeReason, ValueError};
pub use sources::sources;

/// The namespace of every element of Kith 1.0.
pub const NAMESPACE: &str = "urn:kith:1.0";
