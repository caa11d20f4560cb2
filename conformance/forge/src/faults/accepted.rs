//! Mail that looks unusual and is valid all the same.

use kith_spec::Rule;

use super::{Base, Fault, Scene};
use crate::draft::{Draft, OpenDraft};

mod content;
mod outside;

pub(super) fn faults() -> Vec<Fault> {
    [outside::faults(), content::faults()].concat()
}

type SealedChange = fn(&mut Scene, &mut Draft);
type OpenChange = fn(&mut Scene, &mut OpenDraft);

fn sealed(id: &'static str, title: &'static str, rule: Rule, change: SealedChange) -> Fault {
    Fault::new(id, title, rule, Base::Message)
        .accepted()
        .sealed(change)
}

fn open(id: &'static str, title: &'static str, rule: Rule, change: OpenChange) -> Fault {
    Fault::new(id, title, rule, Base::Request)
        .accepted()
        .open(change)
}
