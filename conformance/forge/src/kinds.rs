//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod confirm;
mod decline;
mod end;
mod field;
mod foreign;
mod message;
mod post;
mod request;
mod retract;
mod withdraw;

pub use acknowledge::ack;
pub use field::field_id;
pub use request::{RequestOptions, RequestRef};
