//! Mail before it is written. Every layer's choices are public fields, and a
//! [`Hook`] at each layer can change what it made, so that a fault changes
//! exactly one thing.

use std::fmt;
use std::sync::Arc;

use crate::ForgeError;
use crate::hash::ObjectHash;
use crate::seed::Rng;

mod delivery;
mod envelope;
mod mail;
mod object;
mod open;
mod sealed;

pub use delivery::{Ack, Channel, DeliveryDraft, Party};
pub(crate) use envelope::compress as compressed;
pub use envelope::{EnvelopeDraft, Protection, Recipient};
pub use mail::MailDraft;
pub use object::{Item, ObjectDraft, SignedObject};
pub use open::OpenDraft;
pub use sealed::Draft;

/// A change to what a layer made.
pub struct Hook<T>(Option<Arc<dyn Fn(T) -> T + Send + Sync>>);

impl<T> Hook<T> {
    /// Makes this change, after those set before.
    pub fn set(&mut self, change: impl Fn(T) -> T + Send + Sync + 'static)
    where
        T: 'static,
    {
        self.0 = Some(match self.0.take() {
            Some(before) => Arc::new(move |value| change(before(value))),
            None => Arc::new(change),
        });
    }

    /// The changed value.
    pub fn apply(&self, value: T) -> T {
        match &self.0 {
            Some(change) => change(value),
            None => value,
        }
    }
}

impl<T> Default for Hook<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Clone for Hook<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Hook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook" } else { "none" })
    }
}

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The octets, lines ending in CRLF.
    pub octets: Vec<u8>,
    /// The hashes of the objects in it, in order.
    pub objects: Vec<ObjectHash>,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// The envelope sender's address.
    pub from: String,
    /// The envelope recipient's address.
    pub to: String,
}

/// Either form of mail.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "drafts are few and short-lived")]
pub enum AnyDraft {
    /// Sealed mail.
    Sealed(Draft),
    /// Open mail.
    Open(OpenDraft),
}

impl AnyDraft {
    /// The mail.
    pub fn render(&self, rng: &mut Rng) -> Result<Mail, ForgeError> {
        match self {
            Self::Sealed(draft) => draft.render(rng),
            Self::Open(draft) => draft.render(rng),
        }
    }

    /// Its objects.
    pub fn objects(&mut self) -> &mut Vec<Item> {
        match self {
            Self::Sealed(draft) => &mut draft.objects,
            Self::Open(draft) => &mut draft.objects,
        }
    }

    /// The outer mail.
    pub fn mail(&mut self) -> &mut MailDraft {
        match self {
            Self::Sealed(draft) => &mut draft.mail,
            Self::Open(draft) => &mut draft.mail,
        }
    }
}

impl From<Draft> for AnyDraft {
    fn from(draft: Draft) -> Self {
        Self::Sealed(draft)
    }
}

impl From<OpenDraft> for AnyDraft {
    fn from(draft: OpenDraft) -> Self {
        Self::Open(draft)
    }
}
