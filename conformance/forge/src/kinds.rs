//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod confirm;
mod decline;
mod end;
mod foreign;
mod message;
mod post;
mod request;
mod retract;

pub use acknowledge::ack;
pub use request::{RequestOptions, RequestRef};
