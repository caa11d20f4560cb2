//! MIME written by hand (RFC 5322, RFC 2045, RFC 2046, RFC 2047): CRLF, 76
//! columns, 7-bit. A fault can change any part, header field or octet.

mod encode;
mod part;

pub use encode::{base64_lines, fold, quoted_printable, unstructured};
pub use part::{Body, Part, TransferEncoding};
