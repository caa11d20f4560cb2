//! The methods of the adapter protocol, with their parameters and results.
//!
//! A parameter type knows its method's name and its result's type through
//! [`Method`]. Unknown fields are ignored on both sides, so that later versions
//! may add some; a missing field is an error unless its type is optional.

pub mod failure;
pub mod hello;
pub mod open;
pub mod run;
pub mod value;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use failure::{Code, Failure, RpcError};
pub use hello::{About, Class, Clock, Extent, Hello, KeyKind};
pub use open::{Archive, Import, Keys, MailServer, Mode, Open, Opened, Person, Recover, Store};
pub use run::{
    Authentication, Bye, Close, Closed, ObjectOutcome, Outcome, Receive, Received, Sync, Synced,
};
pub use value::{Hash, Identity, ObjectId, ObjectRef, Octets, Timestamp};

/// The version of this protocol, sent in `hello`.
pub const PROTOCOL: u32 = 1;

/// The longest line either side may send, in octets, without its line feed.
pub const MAX_LINE: usize = 48 * 1024 * 1024;

/// A handle for one open device of one person, chosen by the adapter in `open`.
pub type Session = u32;

/// The parameters of a method.
pub trait Method: Serialize {
    /// The method's name on the wire.
    const NAME: &'static str;
}

/// The names of all methods.
pub const METHODS: [&str; 8] = [
    Hello::NAME,
    Open::NAME,
    Sync::NAME,
    crate::act::Act::NAME,
    crate::view::View::NAME,
    Receive::NAME,
    Close::NAME,
    Bye::NAME,
];

/// The result of what has nothing to tell: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}
