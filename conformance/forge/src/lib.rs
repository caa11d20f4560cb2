//! Puppet people for the conformance suite: valid mail of every kind, and mail
//! with exactly one fault.
//!
//! A [`Puppet`] has keys, an address and channels. Its methods give drafts; a
//! draft is a mail before it is written, with every layer's choices open to
//! change, and renders to octets. What an agent sends is read with
//! [`Puppet::read`]. Nothing here opens a socket or reads a clock, and all
//! randomness follows from a [`Seed`], so the same steps give the same octets.
//!
//! The forge uses rPGP and shares no code with the reference implementation,
//! its schemas or its MIME library.

pub mod archive;
pub mod draft;
pub mod faults;
pub mod hash;
pub mod instant;
pub mod invite;
pub mod kinds;
pub mod media;
pub mod mime;
pub mod openpgp;
mod peer;
pub mod play;
mod puppet;
pub mod read;
mod seed;
pub mod xml;

pub use draft::{Draft, Mail, ObjectDraft, OpenDraft, SignedObject};
pub use hash::{Hash, Id128, IdentityId, ObjectHash};
pub use instant::{DAY, Instant};
pub use openpgp::{Certificate, KeyKind, PgpError};
pub use peer::Peer;
pub use puppet::Puppet;
pub use seed::{Rng, Seed};

/// What the forge could not make.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// OpenPGP.
    #[error(transparent)]
    Pgp(#[from] PgpError),
    /// A peer whose key is needed and not known.
    #[error("no certificate of {0} is known: read one of its mails first")]
    NoCertificate(String),
    /// A scene without the history that a mail needs.
    #[error("the mail `{0}` needs a {1} in the scene's history: set it before forging")]
    NoHistory(&'static str, &'static str),
    /// A catalogue entry whose change does not fit its base.
    #[error("the change of {0} does not fit its base: sealed changes need sealed mail")]
    WrongBase(&'static str),
    /// A delivery to a group without other members.
    #[error("the group has no other members: admit one before sending to it")]
    EmptyGroup,
    /// An earlier mail.
    #[error("an earlier mail could not be made: {0}")]
    Earlier(std::sync::Arc<ForgeError>),
}
