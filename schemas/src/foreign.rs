//! Elements of other namespaces, of which only the name is kept.

use std::fmt;

use crate::types::Object;

/// The name of an element of another namespace; its content stays in the octets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Foreign {
    /// The namespace.
    pub namespace: String,
    /// The local name.
    pub name: String,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace, self.name)
    }
}

impl Object {
    /// The kind of the object: the name of its payload's element, see
    /// [`Payload::kind`](crate::types::Payload::kind).
    ///
    /// A foreign name may be one that a reference cannot hold:
    /// [`Kind::new`](crate::types::Kind::new) tells.
    #[must_use]
    pub fn kind(&self) -> std::borrow::Cow<'_, str> {
        self.payload.kind()
    }
}
