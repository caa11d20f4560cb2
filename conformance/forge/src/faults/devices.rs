//! Faults of the chapter "Devices": self-copies.

use kith_spec::req;

use super::{Base, Fault};
use crate::openpgp::{SignSpec, Subpacket};

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::new(
            "devices/self-signed-by-another",
            "a self-copy under the key of a friend",
            &req::SELF_OWN_KEY,
            Base::SelfCopy,
        )
        .sealed(|scene, draft| {
            let sign = SignSpec::new(&scene.third.key, scene.now).purpose("self");
            let recipients = draft.envelope.recipients.iter();
            let sign = recipients.fold(sign, |sign, recipient| {
                sign.hashed(Subpacket::intended(&recipient.primary))
            });
            draft.envelope.signatures = vec![sign];
        }),
        Fault::new(
            "devices/self-without-self",
            "a self-copy with a delivery document",
            &req::SELF_DOCUMENT,
            Base::SelfCopy,
        )
        .sealed(|_, draft| draft.delivery.root = crate::draft::Hook::default()),
        Fault::new(
            "devices/self-of-another",
            "a self document that names somebody else's identity",
            &req::SELF_IDENTITY,
            Base::SelfCopy,
        )
        .sealed(|scene, draft| {
            let id = scene.third.id;
            draft.delivery.root.set(move |mut root| {
                root.set("id", id);
                root
            });
        }),
        Fault::new(
            "devices/self-tells-anothers-object",
            "a self-copy that tells somebody else's message as sent",
            &req::SELF_AUTHOR,
            Base::SelfCopy,
        )
        .in_object()
        .sealed(|scene, draft| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let message = scene.third.message_object(&to, &scene.text, None, now);
            let message = message.sign(&mut scene.rng);
            let copy = scene.author.self_copy(message, scene.third.id, now);
            if let Some(copy) = scene.keep(copy) {
                *draft = copy;
            }
        }),
    ]
}
