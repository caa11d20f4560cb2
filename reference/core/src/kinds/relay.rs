//! `relay`: what others wrote under the posts of a page and the page shows to everybody
//! (specification, section "Comments" of chapter "Pages").

use kith_schemas::types::{Audience, Relay};
use kith_spec::req;

use super::{Arrival, Kind, Traits};
use crate::agent::{Failure, Step};

impl Kind for Relay {
    fn traits(&self) -> Traits {
        Traits::content("relay", &[Audience::Public], &req::PAGE_AUDIENCE)
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        if arrival.object.author.0 == step.own.id {
            step.relayed_elsewhere(self)?;
        }
        Ok(())
    }
}
