//! Chapter “Identity”, as far as a sent mail shows it.

use std::collections::BTreeMap;

use kith_spec::{limit, req};

use crate::judge::chains::{Standing, key};
use crate::judge::read::ObjectPart;
use crate::judge::read::document::ObjectFacts;
use crate::judge::read::openpgp::SignatureFacts;
use crate::judge::{Check, Seen, Verdict};

/// Chains and contacts.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::IDENTITY_ID,
        look: id,
    },
    Check {
        rule: &req::IDENTITY_KEY_PACKET,
        look: key_packet,
    },
    Check {
        rule: &req::IDENTITY_SELF_SIGNED,
        look: self_signed,
    },
    Check {
        rule: &req::IDENTITY_COMPLETE,
        look: complete,
    },
    Check {
        rule: &req::IDENTITY_CHAIN_SIZE,
        look: chain_size,
    },
    Check {
        rule: &req::IDENTITY_NEXT_MANDATORY,
        look: next_mandatory,
    },
    Check {
        rule: &req::IDENTITY_PREVIOUS_KEY,
        look: previous_key,
    },
    Check {
        rule: &req::IDENTITY_COMPROMISED_DELIVERY,
        look: compromised_delivery,
    },
    Check {
        rule: &req::IDENTITY_COMPROMISED_OBJECT,
        look: compromised_object,
    },
    Check {
        rule: &req::IDENTITY_DEVICE,
        look: device,
    },
    Check {
        rule: &req::CONTACT_AUTHOR,
        look: contact_author,
    },
    Check {
        rule: &req::CONTACT_ID,
        look: contact_id,
    },
    Check {
        rule: &req::SEC_CERT_PRIMARY,
        look: certificate_primary,
    },
];

fn of_kind<'a>(seen: &Seen<'a>, kind: &str) -> Vec<(&'a ObjectPart, &'a ObjectFacts)> {
    let parts = seen.mail.into_iter().flat_map(|mail| &mail.objects);
    let read = parts.filter_map(|part| Some((part, part.object.as_ref().ok()?)));
    read.filter(|(_, object)| object.kind == kind).collect()
}

fn epoch(object: &ObjectFacts) -> Option<u64> {
    object.payload.attribute("epoch")?.parse().ok()
}

fn id(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "identity").into_iter().map(|(_, object)| {
        if epoch(object) != Some(0) {
            return Verdict::DoesNotApply;
        }
        let hash = key(object).map(|(_, hash)| hash);
        Verdict::of(hash.as_ref() == Some(&object.author), || {
            format!(
                "expected the identity id {hash:?}, the key hash, seen {}",
                object.author
            )
        })
    }))
}

fn key_packet(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "identity").into_iter().map(|(_, object)| {
        Verdict::of(key(object).is_some(), || {
            "expected one primary public-key packet in `key`".to_owned()
        })
    }))
}

fn self_signed(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "identity").into_iter().map(|(part, object)| {
        let Some((fingerprint, _)) = key(object) else {
            return Verdict::DoesNotApply;
        };
        let signer = part
            .message
            .signatures
            .first()
            .and_then(|s| s.signer.as_ref());
        // An earlier epoch's key is in no certificate that came along.
        if signer.is_none() {
            return Verdict::DoesNotApply;
        }
        Verdict::of(signer == Some(&fingerprint), || {
            format!("expected a signature by the key it holds, {fingerprint}, seen {signer:?}")
        })
    }))
}

fn complete(seen: &Seen<'_>) -> Verdict {
    let entries = of_kind(seen, "identity");
    let mut authors: Vec<&str> = entries.iter().map(|(_, o)| o.author.as_str()).collect();
    authors.sort_unstable();
    authors.dedup();
    Verdict::all(authors.into_iter().map(|author| {
        let chain = entries.iter().map(|(_, object)| *object);
        let chain: Vec<_> = chain.filter(|object| object.author == author).collect();
        complete_chain(seen, &chain)
    }))
}

fn complete_chain(seen: &Seen<'_>, chain: &[&ObjectFacts]) -> Verdict {
    let prev_of = |object: &'_ ObjectFacts| -> Option<String> {
        let prev = object.payload.child("prev")?;
        prev.attribute("hash").map(str::to_owned)
    };
    // What a friend knows already need not ride along; credentials begin with epoch 0.
    let credentials = |kind: &&str| matches!(*kind, "request" | "accept" | "decline");
    let whole = seen
        .mail
        .is_some_and(|mail| mail.kinds().iter().any(credentials));
    let first = chain.first().copied();
    let from = first.and_then(epoch).filter(|_| !whole).unwrap_or(0);
    let mut expected_prev = first.and_then(prev_of).filter(|_| from > 0);
    for (expected, object) in (from..).zip(chain) {
        let prev = prev_of(object);
        if epoch(object) != Some(expected) || prev != expected_prev {
            let found = epoch(object);
            return Verdict::Broken(format!(
                "expected epoch {expected} after {expected_prev:?}, seen {found:?} after {prev:?}"
            ));
        }
        expected_prev = Some(object.hash.clone());
    }
    Verdict::Holds
}

fn chain_size(seen: &Seen<'_>) -> Verdict {
    let chain = of_kind(seen, "identity");
    if chain.is_empty() {
        return Verdict::DoesNotApply;
    }
    let size: usize = chain.iter().map(|(_, object)| object.octets.len()).sum();
    Verdict::of(size as u64 <= limit::CHAIN_OCTETS, || {
        format!(
            "expected {} octets at most, seen {size}",
            limit::CHAIN_OCTETS
        )
    })
}

fn next_mandatory(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "identity").into_iter().map(|(_, object)| {
        let next = object.payload.child("next").map(|next| next.text.trim());
        let own = key(object).map(|(_, hash)| hash);
        let right = next.is_some_and(|next| next.len() == 64 && own.as_deref() != Some(next));
        Verdict::of(right, || {
            format!("expected a commitment to another key in `next`, seen {next:?}")
        })
    }))
}

/// Who sent a delivery, and what the key that signed it is worth.
fn signed<'a>(seen: &Seen<'a>) -> Option<(&'a str, &'a SignatureFacts, Standing)> {
    let sender = &seen.mail?.delivery()?.from.id;
    let [signature] = seen.envelope()?.signatures.as_slice() else {
        return None;
    };
    let standing = seen.keyring.standing(sender, signature.signer.as_ref()?)?;
    Some((sender, signature, standing))
}

fn previous_key(seen: &Seen<'_>) -> Verdict {
    let Some((sender, _, standing)) = signed(seen) else {
        return Verdict::DoesNotApply;
    };
    let right = match standing {
        Standing::Compromised => return Verdict::DoesNotApply,
        Standing::Newest => true,
        Standing::Previous(until) => seen.now <= until,
        Standing::Older => false,
    };
    Verdict::of(right, || {
        format!("expected a delivery under the newest key of {sender}, seen {standing:?}")
    })
}

fn compromised_delivery(seen: &Seen<'_>) -> Verdict {
    let Some((sender, _, standing)) = signed(seen) else {
        return Verdict::DoesNotApply;
    };
    Verdict::of(standing != Standing::Compromised, || {
        format!("expected no delivery under a key that {sender} named as compromised")
    })
}

/// The objects of the sender itself, except entries, which their own keys sign for ever:
/// with their signatures, and what the keys are worth.
fn own_objects<'a>(seen: &Seen<'a>) -> Vec<(&'a str, &'a SignatureFacts, Standing)> {
    let Some(mail) = seen.mail else {
        return Vec::new();
    };
    let sender = mail.delivery().map(|delivery| delivery.from.id.as_str());
    let sender = seen.agent.map(|agent| agent.identity.as_str()).or(sender);
    let parts = mail.objects.iter().filter_map(|part| {
        let object = part.object.as_ref().ok()?;
        let signature = part.message.signatures.first()?;
        let own = sender == Some(&object.author) && object.kind != "identity";
        let signer = signature.signer.as_ref().filter(|_| own)?;
        let standing = seen.keyring.standing(&object.author, signer)?;
        Some((object.kind.as_str(), signature, standing))
    });
    parts.collect()
}

fn compromised_object(seen: &Seen<'_>) -> Verdict {
    Verdict::all(own_objects(seen).into_iter().map(|(kind, _, standing)| {
        Verdict::of(standing != Standing::Compromised, || {
            format!("expected no `{kind}` that only a compromised key signed")
        })
    }))
}

fn device(seen: &Seen<'_>) -> Verdict {
    let Some(agent) = seen.agent else {
        return Verdict::DoesNotApply;
    };
    let Some(rotated) = seen.keyring.rotated(agent.identity.as_str()) else {
        return Verdict::DoesNotApply;
    };
    let delivery = signed(seen).map(|(_, signature, standing)| ("delivery", signature, standing));
    let objects = own_objects(seen).into_iter();
    Verdict::all(objects.chain(delivery).map(|(what, signature, standing)| {
        let before = what != "delivery" && signature.created.is_some_and(|time| time < rotated);
        Verdict::of(standing == Standing::Newest || before, || {
            format!("expected the {what} to be signed with the newest key, seen {standing:?}")
        })
    }))
}

fn contact_author(seen: &Seen<'_>) -> Verdict {
    let chain = of_kind(seen, "identity");
    Verdict::all(of_kind(seen, "contact").into_iter().map(|(_, contact)| {
        let mine = chain
            .iter()
            .filter(|(_, entry)| entry.author == contact.author);
        let Some(newest) = mine.filter_map(|(_, entry)| epoch(entry)).max() else {
            return Verdict::DoesNotApply;
        };
        let named = epoch(contact);
        Verdict::of(named == Some(newest), || {
            format!("expected the contact to name the epoch {newest}, seen {named:?}")
        })
    }))
}

fn contact_id(seen: &Seen<'_>) -> Verdict {
    let expected = &crate::judge::read::sha256(b"contact\0")[..32];
    Verdict::all(of_kind(seen, "contact").into_iter().map(|(_, contact)| {
        Verdict::of(contact.id == expected, || {
            format!("expected the id {expected}, seen {}", contact.id)
        })
    }))
}

fn certificate_primary(seen: &Seen<'_>) -> Verdict {
    // Of each author's chain in the mail, the newest key.
    let mut newest: BTreeMap<&str, &ObjectFacts> = BTreeMap::new();
    for (_, entry) in of_kind(seen, "identity") {
        let known = newest.entry(entry.author.as_str()).or_insert(entry);
        if epoch(entry) > epoch(known) {
            *known = entry;
        }
    }
    let keys = newest.values().filter_map(|entry| key(entry));
    let hashes: Vec<String> = keys.map(|(_, hash)| hash).collect();
    if hashes.is_empty() {
        return Verdict::DoesNotApply;
    }
    let certificates = seen
        .mail
        .into_iter()
        .flat_map(|mail| mail.certificates.iter().flatten());
    Verdict::all(certificates.map(|facts| {
        Verdict::of(hashes.contains(&facts.key_hash), || {
            format!(
                "expected the certificate of one of the keys {hashes:?}, seen {}",
                facts.key_hash
            )
        })
    }))
}
