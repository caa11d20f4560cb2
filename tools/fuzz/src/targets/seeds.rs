//! What the inputs are made from: the mails of the vectors, and what stands in them.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kith_core::wire::mime::Entity;
use kith_core::wire::signed::Signed;
use kith_core::{Strict, wire};

/// What the vectors hold, taken apart.
#[derive(Default)]
pub(super) struct Seeds {
    /// Whole mails.
    pub(super) mails: Vec<Vec<u8>>,
    /// Signed objects.
    pub(super) objects: Vec<Vec<u8>>,
    /// Object documents.
    pub(super) documents: Vec<Vec<u8>>,
    /// Certificates, binary.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Envelopes, binary.
    pub(super) envelopes: Vec<Vec<u8>>,
    /// Secret keys, and more that an opening holds.
    pub(super) secrets: Vec<Vec<u8>>,
}

pub(super) static SEEDS: LazyLock<Seeds> = LazyLock::new(seeds);

fn seeds() -> Seeds {
    let mut seeds = Seeds::default();
    for vector in kith_vectors::all() {
        let recipient = &vector.opening().recipient;
        seeds.secrets.extend(STANDARD.decode(&recipient.secret));
        let coded = recipient.chain.iter().chain([&recipient.contact]);
        seeds
            .objects
            .extend(coded.filter_map(|text| STANDARD.decode(text).ok()));
        let octets = vector.mail.octets();
        if octets.len() < 100_000 {
            take_apart(&mut seeds, &octets);
            seeds.mails.push(octets);
        }
    }
    for object in &seeds.objects {
        let signed = Signed::parse(&Strict, object);
        seeds.documents.extend(signed.map(|signed| signed.octets));
    }
    for list in [
        &mut seeds.secrets,
        &mut seeds.objects,
        &mut seeds.documents,
        &mut seeds.certificates,
    ] {
        list.sort();
        list.dedup();
    }
    seeds
}

fn take_apart(seeds: &mut Seeds, octets: &[u8]) {
    let Some(entity) = Entity::parse(octets) else {
        return;
    };
    let of = |kind| entity.of_type(kind).map(|leaf| leaf.content.clone());
    seeds.objects.extend(of("application/kith-object"));
    seeds
        .certificates
        .extend(of("application/pgp-keys").map(|armored| wire::keys::dearmor(&armored)));
    seeds
        .envelopes
        .extend(of("application/octet-stream").map(|armored| wire::keys::dearmor(&armored)));
}
