//! Valid mail, a file for each kind of object.

mod accept;
mod acknowledge;
mod app;
mod comment;
mod confirm;
mod decline;
mod end;
pub mod event;
mod field;
mod foreign;
pub mod group;
mod hide;
mod introduce;
mod message;
mod page;
mod post;
mod receipt;
mod request;
mod retract;
mod rotation;
pub mod self_copy;
mod share;
mod withdraw;

pub use acknowledge::ack;
pub use app::app_update_id;
pub use comment::RevisionRef;
pub use event::EventRef;
pub use field::field_id;
pub use group::Group;
pub use request::{RequestOptions, RequestRef};
