//! `app` and `app-update`: a small program that people use together.

use crate::ForgeError;
use crate::draft::{Draft, ObjectDraft};
use crate::hash::{Id128, IdentityId};
use crate::instant::Instant;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

impl Puppet {
    /// An instance of an app, shared with a friend.
    pub fn app_object(&mut self, to: &Peer, name: &str, now: Instant) -> ObjectDraft {
        let payload = Element::new("app")
            .attribute("type", "https://apps.example/chess")
            .child(Element::new("to").attribute("id", to.id))
            .child(Element::new("name").text(name));
        let fallback = format!("{} shares {name} with you.", self.name);
        self.object(payload, "direct", &fallback, now)
    }

    /// A delivery with a new instance.
    pub fn app(&mut self, to: &Peer, name: &str, now: Instant) -> Result<Draft, ForgeError> {
        let app = self.app_object(to, name, now);
        self.carry(to, vec![app], now)
    }

    /// An update of an instance.
    pub fn app_update_object(
        &mut self,
        to: &Peer,
        app: (IdentityId, Id128),
        serial: u64,
        info: &str,
        now: Instant,
    ) -> ObjectDraft {
        let (author, id) = app;
        let payload = Element::new("app-update")
            .attribute("serial", serial)
            .child(Element::new("to").attribute("id", to.id))
            .child(
                Element::new("app")
                    .attribute("author", author)
                    .attribute("id", id),
            )
            .child(Element::new("info").text(info))
            .child(Element::new("summary").text(format!("move {serial}")))
            .child(Element::new("data").text("ZTQ="));
        let update = self.object(payload, "direct", info, now);
        ObjectDraft {
            id: app_update_id(app, serial),
            ..update
        }
    }
}

/// The id of an update.
pub fn app_update_id((author, id): (IdentityId, Id128), serial: u64) -> Id128 {
    let target = [&author.0[..], &id.0, &serial.to_be_bytes()].concat();
    Id128::derived("app-update", &target)
}
