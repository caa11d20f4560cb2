//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod comment;
mod confirm;
mod decline;
mod end;
mod field;
pub mod event;
mod foreign;
mod hide;
pub mod group;
mod introduce;
mod message;
mod post;
mod receipt;
mod request;
mod retract;
mod share;
mod withdraw;
mod rotation;

pub use acknowledge::ack;
pub use comment::RevisionRef;
pub use field::field_id;
pub use event::EventRef;
pub use group::Group;
pub use request::{RequestOptions, RequestRef};
