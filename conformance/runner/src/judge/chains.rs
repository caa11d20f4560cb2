//! Under which keys people sign: the chains of identities, as the puppets have them and as
//! mails show them (chapter “Identity”).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kith_forge::{DAY, Instant};
use kith_spec::limit;

use super::read::document::ObjectFacts;
use super::read::{ObjectPart, openpgp};

/// The entry of one epoch.
#[derive(Debug, Clone)]
struct Entry {
    /// Its object hash.
    hash: String,
    /// The key hash of its key.
    key: String,
    /// The fingerprint of its key.
    fingerprint: String,
    /// The key hash it commits to.
    next: String,
    /// The epochs that it names as compromised.
    compromised: Vec<usize>,
    /// When it was made, Unix seconds.
    created: i64,
}

/// What a key of a person is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The key of the newest epoch.
    Newest,
    /// The key of the epoch before, which may sign deliveries up to this time.
    Previous(i64),
    /// The key of an earlier epoch.
    Older,
    /// A key that a later entry names as compromised.
    Compromised,
}

/// The chains, by identity.
#[derive(Debug, Clone, Default)]
pub(super) struct Chains(BTreeMap<String, Vec<Entry>>);

/// The key in an identity object: its fingerprint and key hash.
pub(super) fn key(object: &ObjectFacts) -> Option<(String, String)> {
    let text = &object.payload.child("key")?.text;
    let packet = STANDARD.decode(text.trim()).ok()?;
    openpgp::bare_key(&packet).ok()
}

fn entry(object: &ObjectFacts) -> Option<Entry> {
    let (fingerprint, key) = key(object)?;
    let named = object.payload.all("compromised");
    Some(Entry {
        hash: object.hash.clone(),
        key,
        fingerprint,
        next: object.payload.child("next")?.text.trim().to_owned(),
        compromised: named
            .filter_map(|epoch| epoch.text.trim().parse().ok())
            .collect(),
        created: Instant::from_xml(&object.created).map_or(0, |time| time.0),
    })
}

impl Chains {
    /// Takes an entry if it is the next of its author's chain. Whether its signature
    /// verifies is the caller's affair.
    pub(super) fn take(&mut self, object: &ObjectFacts) {
        let Some(entry) = self.following(object) else {
            return;
        };
        self.0.entry(object.author.clone()).or_default().push(entry);
    }

    /// The entry in an object, if it is the next of its author's chain.
    fn following(&self, object: &ObjectFacts) -> Option<Entry> {
        if object.kind != "identity" {
            return None;
        }
        let known = self.0.get(&object.author).map_or(&[][..], Vec::as_slice);
        let epoch: usize = object.payload.attribute("epoch")?.parse().ok()?;
        if epoch != known.len() {
            return None;
        }
        let entry = entry(object)?;
        let prev = object.payload.child("prev");
        let prev = prev.and_then(|prev| prev.attribute("hash"));
        let follows = match known.last() {
            Some(last) => prev == Some(last.hash.as_str()) && entry.key == last.next,
            None => entry.key == object.author,
        };
        let earlier = entry.compromised.iter().all(|named| *named < epoch);
        (follows && earlier).then_some(entry)
    }

    /// Whether this part of a mail holds the next entry of a chain, signed by its own key.
    pub(super) fn is_next(&self, part: &ObjectPart) -> bool {
        let Ok(object) = &part.object else {
            return false;
        };
        let signer = part.message.signatures.first();
        let signer = signer.and_then(|signature| signature.signer.as_ref());
        let entry = self.following(object);
        entry.is_some_and(|entry| signer == Some(&entry.fingerprint))
    }

    /// The key hash of a person's newest key.
    pub(super) fn newest(&self, id: &str) -> Option<&str> {
        let last = self.0.get(id)?.last()?;
        Some(&last.key)
    }

    /// When a person's newest entry was made, Unix seconds; for one who never rotated, none.
    pub(super) fn rotated(&self, id: &str) -> Option<i64> {
        match self.0.get(id)?.as_slice() {
            [] | [_] => None,
            [.., last] => Some(last.created),
        }
    }

    /// Whether this key hash stands in anybody's chain.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.0.values().flatten().any(|entry| entry.key == key)
    }

    /// What a key of a person is worth, by its fingerprint; `None` if it isn't the person's,
    /// or nothing of the chain is known.
    pub(super) fn standing(&self, id: &str, fingerprint: &str) -> Option<Standing> {
        let chain = self.0.get(id)?;
        let epoch = chain
            .iter()
            .position(|entry| entry.fingerprint == fingerprint)?;
        let last = chain.last()?;
        let named = chain.iter().flat_map(|entry| &entry.compromised);
        let days = i64::try_from(limit::ROTATION_DAYS).unwrap_or(i64::MAX / DAY);
        Some(if named.copied().any(|named| named == epoch) {
            Standing::Compromised
        } else {
            match chain.len() - 1 - epoch {
                0 => Standing::Newest,
                1 => Standing::Previous(last.created.saturating_add(days * DAY)),
                _ => Standing::Older,
            }
        })
    }
}
