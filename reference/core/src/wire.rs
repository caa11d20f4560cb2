//! From octets to checked values and back: MIME, OpenPGP and the form of the parts
//! (specification, chapters "Mail format" and "Security").

pub mod archive;
pub mod compose;
mod container;
pub mod keys;
pub mod locked;
pub mod mime;
pub mod sealed;
pub mod signature;
pub mod signed;

/// The SHA-256 of octets.
#[must_use]
pub fn sha256(octets: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(octets).into()
}

/// A failure on the sender's side, of an operation that has no violation.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The OpenPGP library failed.
    #[error("OpenPGP: {0}")]
    OpenPgp(String),
    /// A document can't be written in this form.
    #[error("XML: {0}")]
    Xml(String),
    /// A key file or stored key is unusable.
    #[error("the key is unusable: {0}")]
    Key(&'static str),
}

impl WireError {
    /// From an error of the OpenPGP library, with its causes.
    #[expect(clippy::needless_pass_by_value, reason = "for use with map_err")]
    pub(crate) fn openpgp(error: sequoia_openpgp::anyhow::Error) -> Self {
        Self::OpenPgp(format!("{error:#}"))
    }
}
