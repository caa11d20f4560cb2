//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod comment;
mod confirm;
mod decline;
mod end;
mod field;
mod foreign;
mod hide;
mod message;
mod post;
mod request;
mod retract;
mod share;
mod withdraw;

pub use acknowledge::ack;
pub use comment::RevisionRef;
pub use field::field_id;
pub use request::{RequestOptions, RequestRef};
