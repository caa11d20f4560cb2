//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod confirm;
mod decline;
mod end;
pub mod event;
mod foreign;
pub mod group;
mod message;
mod post;
mod request;
mod retract;

pub use acknowledge::ack;
pub use event::EventRef;
pub use group::Group;
pub use request::{RequestOptions, RequestRef};
