//! Chapter “Receiving”, as far as a sent mail shows it: the XML and its kinds.

use kith_schemas::validator::SchemaName;
use kith_spec::{limit, req};

use crate::judge::read::DELIVERY;
use crate::judge::{Check, Seen, Verdict, xml};

/// Documents and kinds.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::XML_SIZE,
        look: size,
    },
    Check {
        rule: &req::XML_SCHEMA,
        look: schema,
    },
    Check {
        rule: &req::KIND_REVISION,
        look: revision,
    },
    Check {
        rule: &req::KIND_AUDIENCE,
        look: audience,
    },
];

/// The documents in a mail: delivery documents and objects, read or not.
fn documents<'a>(seen: &Seen<'a>) -> Vec<(SchemaName, &'a [u8])> {
    let mut documents = Vec::new();
    if let Some(payload) = seen.payload() {
        let deliveries = payload.root.walk().into_iter();
        let deliveries = deliveries.filter(|part| part.media_type == DELIVERY);
        documents.extend(deliveries.map(|part| (SchemaName::Delivery, part.body.as_slice())));
    }
    let objects = seen.mail.into_iter().flat_map(|mail| &mail.objects);
    documents.extend(objects.map(|part| (SchemaName::Object, part.message.content.as_slice())));
    documents
}

fn size(seen: &Seen<'_>) -> Verdict {
    Verdict::all(documents(seen).into_iter().map(|(_, document)| {
        Verdict::of(document.len() as u64 <= limit::XML_OCTETS, || {
            format!(
                "expected {} octets at most, seen {}",
                limit::XML_OCTETS,
                document.len()
            )
        })
    }))
}

fn schema(seen: &Seen<'_>) -> Verdict {
    Verdict::all(documents(seen).into_iter().map(|(name, document)| {
        match xml::validate(name, document) {
            Ok(()) => Verdict::Holds,
            Err(error) => {
                let text = String::from_utf8_lossy(document);
                let file = name.file();
                Verdict::Broken(format!(
                    "expected a document valid by {file}: {error}: {text}"
                ))
            }
        }
    }))
}

fn revision(seen: &Seen<'_>) -> Verdict {
    let first = |kind: &str| {
        matches!(
            kind,
            "identity" | "request" | "accept" | "confirm" | "decline" | "end"
        )
    };
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    Verdict::all(objects.filter(|object| first(&object.kind)).map(|object| {
        let (kind, rev) = (&object.kind, object.rev);
        Verdict::of(rev == 1, || {
            format!("expected a `{kind}` of revision 1, seen {rev}")
        })
    }))
}

fn audience(seen: &Seen<'_>) -> Verdict {
    let objects = seen
        .mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    Verdict::all(objects.map(|object| {
        let allowed: &[&str] = match object.kind.as_str() {
            "identity" | "contact" => &["any"],
            "message" if object.scope.is_none() => &["direct"],
            "request" | "accept" | "confirm" | "decline" | "end" => &["direct"],
            "post" | "message" if object.scope.is_some() => &["group"],
            "group" => &["group"],
            "join" | "leave" | "proposal" | "rsvp" => &["direct"],
            "post" => &["friends", "public"],
            _ => return Verdict::DoesNotApply,
        };
        let (kind, audience) = (&object.kind, object.audience.as_str());
        Verdict::of(allowed.contains(&audience), || {
            format!("expected a `{kind}` with an audience of {allowed:?}, seen `{audience}`")
        })
    }))
}
